"""A temperature and the posterior together."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any, Self

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d

from .._inputs import parse
from .._typing import ArrayLike, HostArray, HostLike
from ..evaluation.arrays import places_among, weights_on_host
from ..posterior import softmax_focal_posterior

LEAST, MOST = 1 / 64, 64.0  # of temperatures: beyond them the scores say nothing, or all
LEAST_PROBABILITY = 1e-300  # that a label is taken to have, so that its logarithm is finite


class FocalTemperature(BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    r"""Posterior of a focal model, with one temperature that held-out data decide on.

    .. math:: \eta(x) = \text{posterior}(x / T)

    The posterior undoes what the focal loss does to the probabilities of the best model; the
    temperature undoes what is left, because a model has learned too little or too much. T is the
    one of the least log loss.

    Parameters
    ----------
    gamma : float, default 2.0
        The gamma >= 0 that the model was trained with.
    alpha : float or list, optional
        The weights that it was trained with: the class balance in (0, 1) of a binary model, or one
        number > 0 for each class. None: both, or all, weighed the same.
    pos_weight : float, optional
        What the positives of a binary model weighed, > 0.

    Attributes
    ----------
    temperature_ : float
        The temperature, from 1/64 to 64. Above 1, the model was too sure of itself.
    classes_ : ndarray
        The classes, in the order of the columns of `predict_proba`.

    See Also
    --------
    focalcore.softmax_focal_posterior : The posterior alone, for arrays of any library.
    FocalCalibratedClassifier : An estimator and its posterior as one.

    References
    ----------
    Guo et al., "On calibration of modern neural networks", ICML 2017 (the temperature);
    Charoenphakdee et al., "On focal loss for class-posterior probability estimation", CVPR 2021
    (the posterior).

    Examples
    --------
    Scores that are half again as large as those of the best model:

    >>> import numpy as np
    >>> from focalcore import sigmoid_focal_logit
    >>> from focalcore.calibration import FocalTemperature
    >>> rng = np.random.default_rng(0)
    >>> probability = rng.random(5000)
    >>> y = rng.random(5000) < probability
    >>> calibrator = FocalTemperature().fit(1.5 * sigmoid_focal_logit(probability), y)
    >>> print(f"{calibrator.temperature_:.1f}")
    1.5
    """

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: ArrayLike | None = None,
        pos_weight: float | None = None,
    ) -> None:
        self.gamma = gamma
        self.alpha = alpha
        self.pos_weight = pos_weight

    def fit(
        self,
        logits: HostLike,
        y: HostLike,
        sample_weight: HostLike | None = None,
        classes: HostLike | None = None,
    ) -> Self:
        """Find the temperature.

        Parameters
        ----------
        logits : array of shape (n,), (n, 1) or (n, n_classes)
            Raw scores of held-out rows: of the positive class, the second one, or of all classes.
        y : array of shape (n,)
            Their labels.
        sample_weight : array of shape (n,), optional
            What the rows weigh.
        classes : array, optional
            The classes in the order of the logits, where `y` may lack some. None: those of `y`,
            sorted.

        Returns
        -------
        FocalTemperature
            The estimator itself.

        Raises
        ------
        ValueError
            Logits that are not as many as the labels, or have another number of classes; a label
            that is no class.
        """
        rows = _rows(logits)
        labels: HostArray = column_or_1d(y, warn=True)
        self.classes_ = np.unique(labels) if classes is None else np.asarray(classes)
        own = _own_columns(labels, self.classes_, rows)
        weight = None if sample_weight is None else weights_on_host("sample_weight", sample_weight)
        if weight is not None and (len(weight) != len(rows) or not weight.any()):
            raise ValueError(
                f"sample_weight must be {len(rows)} weights, not all of them 0; found {len(weight)}"
            )
        loss = partial(self._log_loss, rows=rows, own=own, weight=weight)
        found = minimize_scalar(loss, bounds=np.log([LEAST, MOST]), method="bounded")
        if found.fun >= min(loss(np.log(LEAST)), loss(np.log(MOST))):
            warnings.warn(
                "no temperature suits these rows better than the least or the most there is: the "
                "scores make no error there, or say nothing; give more rows",
                stacklevel=2,
            )
        self.temperature_ = float(np.exp(found.x))
        return self

    def at(self, temperature: float, classes: HostLike) -> Self:
        """Take a temperature that is known.

        Parameters
        ----------
        temperature : float
            What scores are divided by, > 0. 1 gives the posterior alone.
        classes : array
            The classes in the order of the logits.

        Returns
        -------
        FocalTemperature
            The estimator itself.
        """
        self.temperature_ = parse.number("temperature", temperature)
        if not self.temperature_:
            raise ValueError(f"temperature must be above 0; found {temperature}")
        self.classes_ = np.asarray(classes)
        return self

    def predict_proba(self, logits: HostLike) -> HostArray:
        """Return the probability of each class.

        Parameters
        ----------
        logits : array of shape (n,), (n, 1) or (n, n_classes)
            Raw scores, as `fit` took them.

        Returns
        -------
        ndarray of shape (n, n_classes)
            Rows that sum to 1.
        """
        check_is_fitted(self, "temperature_")
        rows = _rows(logits)
        if rows.shape[1] != len(self.classes_):
            raise ValueError(
                f"logits have {rows.shape[1]} classes, and fit had {len(self.classes_)}"
            )
        return self._posterior(rows / self.temperature_)

    def _posterior(self, rows: HostArray) -> HostArray:
        weights = _weights(self.alpha, self.pos_weight, rows.shape[1])
        return softmax_focal_posterior(rows, gamma=self.gamma, alpha=weights)

    def _log_loss(
        self, log_temperature: float, rows: HostArray, own: HostArray, weight: HostArray | None
    ) -> float:
        posterior = self._posterior(rows / np.exp(log_temperature))
        likelihood = np.take_along_axis(posterior, own[:, None], axis=1)[:, 0]
        return float(np.average(-np.log(np.maximum(likelihood, LEAST_PROBABILITY)), weights=weight))


def _rows(logits: Any) -> HostArray:
    """Return a column of logits for each class: 0 beside the logit of a positive class."""
    found: HostArray = check_array(logits, ensure_2d=False, dtype=[np.float64, np.float32])
    if found.ndim == 1:
        found = found[:, None]
    if found.ndim != 2:
        raise ValueError(
            f"logits must have shape (n,), (n, 1) or (n, n_classes); found {found.shape}"
        )
    return np.concatenate([np.zeros_like(found), found], axis=1) if found.shape[1] == 1 else found


def _own_columns(y: HostArray, classes: Any, rows: HostArray) -> HostArray:
    """Return the column of each row's label."""
    if len(y) != len(rows):
        raise ValueError(f"{len(rows)} rows of logits do not fit {len(y)} labels")
    if len(classes) != rows.shape[1]:
        raise ValueError(
            f"y has {len(classes)} classes, and logits have {rows.shape[1]}; give all of them, in "
            f"the order of the logits, as classes="
        )
    return places_among("classes", classes, "y", y)


def _weights(alpha: Any, pos_weight: Any, n_classes: int) -> Any:
    """Return what each class weighed in training, or None where all weighed the same."""
    if n_classes != 2 or np.ndim(alpha):
        if pos_weight is not None:
            beside = f"{n_classes} classes" if n_classes != 2 else f"alpha={alpha!r}, a list"
            raise ValueError(
                f"pos_weight goes with a number as alpha, of binary models; found {beside}"
            )
        return alpha
    positive = 1.0 if pos_weight is None else parse.balance("pos_weight", pos_weight)
    if alpha is None:
        return None if pos_weight is None else [1.0, positive]
    balance = parse.balance("alpha", alpha, most=1.0)
    return [1 - balance, balance * positive]
