"""The focal loss as an objective of gradient boosting."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, Literal

import numpy as np

from .._inputs import parse
from .._inputs.parse import INFINITY, MOST_GAMMA
from .._typing import ArrayLike, HostArray, HostLike
from . import _catboost, _given, _labels
from ._curvature import CURVATURES, Curvature, Round
from ._losses import Alpha, Binary, Loss, MultiClass
from ._metric import FocalMetric

BALANCED: tuple[Literal["balanced"]] = ("balanced",)


@dataclass(frozen=True)
class FocalObjective:
    r"""Focal loss as the objective of XGBoost and LightGBM, binary and multi-class.

    .. math:: FL = -\alpha_t (1 - p_t)^\gamma \log p_t

    with the sigmoid of one raw score for each example, or the softmax of one for each class: the
    shape of the raw scores decides. The same object goes to ``xgb.train(obj=)``, to
    ``lgb.train({"objective": })``, and to ``XGBClassifier(objective=)`` and
    ``LGBMClassifier(objective=)``, with weights of examples or without. It is immutable, comparable
    and hashable, and can be pickled and copied.

    Parameters
    ----------
    gamma : float, default 2.0
        The focusing parameter, >= 0. 0 gives the cross-entropy.
    alpha : float or list or "balanced", optional
        The class balance. Binary: a number in [0, 1], positives weigh alpha, negatives 1 - alpha.
        Multi-class: a weight >= 0 for each class. "balanced": all classes weigh the same in sum, by
        the labels that a call is given, and their weights; binary it is the share of the negatives,
        as of `focalcore.balance.alpha_of`, multi-class n / (K n_c), as of scikit-learn. None: all
        weigh 1.
    pos_weight : float, optional
        Positives weigh this, >= 0, negatives 1; binary alone. With `alpha` both multiply.
    hess : {"abs", "exact", "clip", "bound"}, default "abs"
        What the library gets as curvature. That of the focal loss is negative where p_t is small
        (below 0.058 for gamma = 2), and a booster, which divides by a sum of curvatures, then goes
        the wrong way or nowhere.

        * "abs": the absolute value, and no less than half the slope. The step has the right
          direction, and a length that is that of Newton's method where this is right; where the
          curvature vanishes an example asks for a step of at most 2.
        * "exact": the curvature as it is. With gamma = 0 it is that of the library's own
          cross-entropy. With gamma > 0 it works from 0 or from `initial_score`, mostly.
        * "clip": what is less than 1e-6 becomes that, as many objectives do. Very wrong examples
          then ask for steps of any length, and training may diverge.
        * "bound": the largest curvature that the loss has with this gamma, for every example. The
          loss goes down in every step, but slowly.

        Multi-class, all are taken twice: a library sees the diagonal of the Hessian alone, and
        twice the diagonal makes up for the classes that move together. So does XGBoost's own
        softmax; LightGBM's takes K / (K - 1) times the diagonal.

    Raises
    ------
    TypeError, ValueError
        At construction: an option of the wrong kind or outside its range. In a call: an option that
        does not go with the shape of the raw scores; labels that are not 0 or 1, or not classes
        from 0 on; raw scores or weights that are NaN.

    Warns
    -----
    RuntimeWarning
        In a call with `hess` "exact" or "clip" whose curvatures add up to a negative number, so
        that no split is possible: from the log-odds of a rare class, where training on the
        cross-entropy starts, nothing is learned. "abs" learns from there too.

    See Also
    --------
    FocalXGBClassifier, FocalLGBMClassifier : Estimators that start right, and know probabilities.
    focalcore.sigmoid_focal_loss_grad_and_hess : The derivatives, for arrays of any library.

    Notes
    -----
    LightGBM starts at 0, and XGBoost with the parameter "objective": "binary:logistic" too; without
    it, and multi-class, XGBoost starts at 0.5, which for a binary problem is a probability of 0.62.
    `initial_score` and `base_score` give the best constant to start from.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, equations 4 and 5; Dauphin et
    al., "Identifying and attacking the saddle point problem in high-dimensional non-convex
    optimization", NeurIPS 2014, for the absolute value.

    Examples
    --------
    >>> import numpy as np
    >>> from focalcore.boosting import FocalObjective
    >>> objective = FocalObjective(gamma=2)
    >>> grad, hess = objective(np.array([1, 0]), np.array([0.0, -2.0]))  # labels, raw scores
    >>> print(grad.round(4), hess.round(4))
    [-0.2983  0.0049] [0.3991 0.0127]
    """

    gamma: float = 2.0
    alpha: Alpha = None
    _: KW_ONLY
    pos_weight: float | None = None
    hess: Curvature = "abs"

    def __post_init__(self) -> None:
        parsed = {
            "gamma": parse.number("gamma", self.gamma, MOST_GAMMA),
            "alpha": _parsed_alpha(self.alpha),
            "pos_weight": _parsed_pos_weight(self.pos_weight),
            "hess": parse.choose("hess", self.hess, tuple(CURVATURES)),
        }
        for name, value in parsed.items():
            object.__setattr__(self, name, value)

    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: ArrayLike | None = None
    ) -> tuple[HostArray, HostArray]:
        """Return slope and curvature of the loss of each example, times its weight.

        The arguments are (scores, data) as in training, where data is a DMatrix or a Dataset, or
        (labels, scores, weights) as in scikit-learn.
        """
        labels, raw, weight = _given.read(y_true, y_pred, sample_weight)
        loss, targets = self._fitted(raw.shape, labels, weight)
        grad, hess = loss.grad_and_hess(raw, targets, weight)
        if np.isnan(grad.sum()):
            _given.refuse_nan(raw)
        CURVATURES[self.hess](Round(loss, targets, weight, grad, hess))
        hess *= loss.coupling
        return grad, hess

    def initial_score(
        self, y: HostLike, sample_weight: HostLike | None = None
    ) -> float | HostArray:
        """Return the constant raw score at which the mean loss of the labels is least.

        Multi-class it is an array of one for each class. For LightGBM's ``init_score``, or
        XGBoost's ``base_margin``, give each example its own; LightGBM does not add it in predict.
        """
        loss, shares = self._of_labels(y, sample_weight)
        return loss.best_constant(shares)

    def base_score(self, y: HostLike, sample_weight: HostLike | None = None) -> float | list[float]:
        """Return `initial_score` as XGBoost's parameter ``base_score``, which predict keeps.

        Binary it is the sigmoid of it, for "objective": "binary:logistic", which goes to
        ``xgb.train`` beside ``obj`` and which ``XGBClassifier`` has in itself; without it XGBoost
        takes the number as a raw score. Multi-class it is the raw scores, one for each class, which
        XGBoost 3.1 is the first to take.
        """
        loss, shares = self._of_labels(y, sample_weight)
        if isinstance(loss, MultiClass):
            return loss.best_constant(shares).tolist()
        start = np.asarray(loss.best_constant(shares))
        return float(loss.probabilities(start)[1])

    def for_labels(self, y: HostLike, sample_weight: HostLike | None = None) -> FocalObjective:
        """Return this objective with an alpha that is numbers, where it is "balanced".

        So it balances other data as it does these: those that a metric is of, or the part of a
        worker. And `predict_proba` needs the numbers.
        """
        loss, _ = self._of_labels(y, sample_weight)
        return replace(self, alpha=loss.alpha)

    @property
    def metric(self) -> FocalMetric:
        """The mean focal loss, weighted if examples are; lower is better.

        It is called "focal_loss", and goes to ``xgb.train(custom_metric=)``, to
        ``lgb.train(feval=)`` and to ``eval_metric`` of both estimators, beside an objective of
        which the raw scores are known: this one. Of labels and raw scores it is a number.
        """
        return FocalMetric(self)

    def predict_proba(self, raw: HostLike, calibrate: bool = True) -> HostArray:
        """Return the probability of each class, of shape (examples, classes), of raw scores.

        The scores of a focal loss aren't logits of probabilities: they are nearer to 0. With
        `calibrate` they are mapped to the probabilities at which the expected loss is least there,
        which undoes gamma, alpha and pos_weight, but not weights of examples; else it is their
        plain sigmoid or softmax.
        """
        scores = _given.scores(raw).astype(np.float64, copy=False)
        loss = self._loss(scores.shape)
        if not calibrate:
            return loss.probabilities(scores)
        if loss.alpha == "balanced":
            raise ValueError(
                "alpha='balanced' is known only with labels; take the predict_proba of "
                "for_labels(y), with the labels of the training"
            )
        return loss.posterior(scores)

    def catboost(self) -> str:
        """Return the ``loss_function`` of CatBoost that this is, a builtin one.

        CatBoost's focal_alpha is `alpha`, and has to be given: None becomes 0.5, which halves the
        loss, so that ``l2_leaf_reg`` counts twice beside it. `pos_weight` becomes a part of alpha,
        to a factor. CatBoost has no `hess`, no gamma of 0, no alpha of 0 or 1, and no multi-class
        focal loss; a loss written in Python is called for each example there. It trains from 0,
        and its raw scores ("RawFormulaVal") go to `predict_proba`.
        """
        if isinstance(self.alpha, tuple):
            raise ValueError(
                f"CatBoost's Focal is binary, its alpha a number in (0, 1); found {self.alpha}; "
                f"weights of classes are class_weights there, beside its MultiClass"
            )
        return _catboost.loss_function(Binary(self.gamma, self.alpha, self.pos_weight))

    def _check_classes(self, n_classes: int) -> None:
        """Raise an error if the options do not go with so many classes."""
        self._loss((1,) if n_classes == 2 else (1, n_classes))

    def _loss(self, shape: tuple[int, ...]) -> Loss:
        """Return the loss of raw scores of this shape, as far as it is known without labels."""
        if len(shape) == 1:
            return Binary(self.gamma, self.alpha, self.pos_weight)
        if len(shape) != 2 or shape[1] < 2:
            raise ValueError(
                f"raw scores must be of shape (examples,), or (examples, classes) with at least 2 "
                f"classes; found {tuple(shape)}"
            )
        if self.pos_weight is not None:
            raise ValueError(
                f"pos_weight is for binary problems; found raw scores of {shape[1]} classes; give "
                f"alpha, a weight for each class"
            )
        return MultiClass(self.gamma, self.alpha, shape[1])

    def _fitted(
        self, shape: tuple[int, ...], labels: HostArray, weight: HostArray | None
    ) -> tuple[Loss, HostArray]:
        """Return the loss, with a balance that is known, and the checked labels."""
        loss = self._loss(shape)
        _given.check_length("labels", labels, shape[0])
        if weight is not None:
            _given.check_length("sample_weight", weight, shape[0])
        targets = loss.targets(labels)
        if loss.alpha == "balanced":
            loss = loss.balanced(_labels.shares(targets, weight, loss.n_classes))
        return loss, targets

    def _of_labels(self, y: HostLike, sample_weight: HostLike | None) -> tuple[Loss, HostArray]:
        """Return the loss of a data set, and which share of the weight each class has."""
        labels = _labels.classes(np.asarray(y))
        n_classes = int(labels.max(initial=1)) + 1
        if isinstance(self.alpha, tuple):
            n_classes = len(self.alpha)
        is_binary = n_classes == 2 and not isinstance(self.alpha, tuple)
        shape = (labels.size,) if is_binary else (labels.size, n_classes)
        weight = None if sample_weight is None else np.asarray(sample_weight)
        loss, targets = self._fitted(shape, labels, weight)
        return loss, _labels.shares(targets, weight, n_classes)

    def _mean(self, y_true: Any, y_pred: Any, sample_weight: Any) -> float:
        """Return the mean loss, of the arguments of a call."""
        labels, raw, weight = _given.read(y_true, y_pred, sample_weight)
        loss, targets = self._fitted(raw.shape, labels, weight)
        found = loss.mean(raw, targets, weight)
        if np.isnan(found):
            _given.refuse_nan(raw)
        return found


def _parsed_alpha(alpha: Any) -> Alpha:
    """Return a number, a tuple of weights, "balanced" or None."""
    if alpha is None:
        return None
    if isinstance(alpha, str):
        return parse.choose("alpha", alpha, BALANCED, ", a number, or a list of weights")
    parsed: Any = parse.alpha("alpha", alpha, most=INFINITY)
    if isinstance(parsed, float):
        return parse.number("alpha", parsed, most=1.0)  # of a binary problem
    if np.ndim(parsed) != 1:
        raise ValueError(f"alpha must be one list of weights; found shape {np.shape(parsed)}")
    return tuple(np.asarray(parsed).tolist())


def _parsed_pos_weight(pos_weight: Any) -> float | None:
    return None if pos_weight is None else parse.number("pos_weight", pos_weight)
