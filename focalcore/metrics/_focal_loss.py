"""The focal loss of predictions, as one number."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .. import _call
from .._backends.python_values import PYTHON_VALUES
from .._dtypes import arithmetic_dtype, cast
from .._inputs import parse
from .._inputs.arrays import ArrayContext, as_array, convert_scores
from .._inputs.doors import PREDICTIONS
from .._inputs.options import Options
from .._losses import binary, categorical
from .._losses.binary import BinaryOptions
from .._losses.categorical import CategoricalOptions
from .._typing import Array, ArrayLike, HostArray, Library
from ..evaluation._batches import times
from ..evaluation.arrays import on_host, weights_on_host
from ._labels import Labels, Weights, encoded, weights_by_label

DOOR = PREDICTIONS._replace(scores="y_proba")


def focal_loss(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    gamma: float = 2.0,
    alpha: ArrayLike | str | None = None,
    class_weight: Weights = None,
    sample_weight: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    normalize: bool = True,
    from_logits: bool = False,
) -> float:
    r"""Mean focal loss of predictions, with the arguments of scikit-learn's ``log_loss``.

    .. math:: \frac{\sum_i w_i \alpha_{y_i} (1 - p_i)^\gamma (-\log p_i)}{\sum_i w_i}

    with p_i the probability that row i gives its label. With gamma 0 it is the log loss.

    Parameters
    ----------
    y_true : array of shape (n,) or (n, 1)
        The labels: numbers, bool, or text.
    y_proba : array of shape (n,), (n, 1) or (n, n_classes), of any library
        Probabilities, of the second of two classes, or of all classes in the order of their sorted
        labels. With `from_logits` the scores before the sigmoid or the softmax.
    gamma : float, default 2.0
        The focusing parameter, >= 0.
    alpha : float, list or "balanced", optional
        What the loss of a class is multiplied by. Of two classes a number in [0, 1]: the second
        weighs alpha, the first 1 - alpha; else one number for each class. "balanced": by the labels
        here, so that all classes have the same part. The mean divides by nothing of it.
    class_weight : dict or "balanced", optional
        What the rows of a class weigh, by its label, as in scikit-learn's estimators; the mean is
        weighted. "balanced" is n / (n_classes n_c).
    sample_weight : array of shape (n,), optional
        What each row weighs, >= 0; the mean is weighted.
    labels : array, optional
        All classes, if `y_true` may lack some. None: those of `y_true`.
    normalize : bool, default True
        Whether to return the mean; else the sum.
    from_logits : bool, default False
        Whether `y_proba` holds logits. Exact where a probability has already lost its digits.

    Returns
    -------
    float
        The loss. Arrays of another library than NumPy stay on their device until then.

    Raises
    ------
    TypeError
        Predictions that are labels, arrays of two libraries.
    ValueError
        Labels of one class alone; a label that is not among `labels`; as many columns as there are
        no classes; a probability outside [0, 1]; weights that add up to nothing.

    Warns
    -----
    UserWarning
        Rows of probabilities that do not sum to 1.

    See Also
    --------
    focal_scorer : The same for cross-validation and searches.
    focalcore.evaluation.FocalReport : By class, batch after batch.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, equations 4 and 5.

    Examples
    --------
    >>> from focalcore.metrics import focal_loss
    >>> y_proba = [[0.1, 0.9], [0.9, 0.1], [0.8, 0.2], [0.35, 0.65]]
    >>> print(f"{focal_loss(['spam', 'ham', 'ham', 'spam'], y_proba):.4f}")
    0.0160
    """
    found = encoded(y_true, labels)
    context, p = _predictions(y_proba)
    weight = None if sample_weight is None else weights_on_host("sample_weight", sample_weight)
    for name, x in (("y_true", found.codes), ("sample_weight", weight)):
        if x is not None and len(x) != p.shape[0]:
            raise ValueError(f"{name} has {len(x)} rows, and y_proba has {p.shape[0]}")
    p = _columns(p, found)
    if not from_logits and p.ndim == 2:
        _warn_of_sums(context.xp, p)
    losses = _losses(context, p, found, gamma, _balance(alpha, found, weight), from_logits)
    of_class = weights_by_label(class_weight, found)
    if of_class is not None:
        weight = found.each(of_class) * (1.0 if weight is None else weight)
    return _reduced(on_host("the loss", losses).astype(np.float64), weight, normalize)


def _predictions(y_proba: Any) -> tuple[ArrayContext, Array]:
    """Return predictions as an array of their library, in which the losses are computed."""
    read = as_array(DOOR, "y_proba", y_proba)
    # a list of integers is one of labels, and no numbers to be made floating
    read = np.asarray(read) if isinstance(read, PYTHON_VALUES) else read
    inputs = convert_scores(DOOR, read, Options())
    p = inputs.scores
    if p.ndim not in (1, 2):
        raise ValueError(
            f"y_proba must have shape (n,), (n, 1) or (n, n_classes); found {tuple(p.shape)}"
        )
    return inputs.context, p


def _columns(p: Array, labels: Labels) -> Array:
    """Return predictions of the second of two classes in one axis, others in two."""
    columns = 1 if p.ndim == 1 else p.shape[1]
    labels.check_columns("y_proba", columns)
    return p[:, 0] if p.ndim == 2 and columns < labels.n_classes else p


def _warn_of_sums(xp: Library, p: Array) -> None:
    p = cast(xp, p, arithmetic_dtype(xp, p.dtype))
    off = float(xp.max(xp.abs(xp.sum(p, axis=1) - 1))) if p.shape[0] else 0.0
    if off > float(xp.finfo(p.dtype).eps) ** 0.5:
        warnings.warn(
            f"the rows of y_proba do not sum to 1, by up to {off:.2g}; give probabilities, or "
            f"scores with from_logits=True",
            stacklevel=3,
        )


def _balance(alpha: Any, labels: Labels, weight: HostArray | None) -> list[float] | None:
    """Return what the loss of each class is multiplied by."""
    if alpha is None:
        return None
    if isinstance(alpha, str):
        if alpha != "balanced":
            raise ValueError(f"alpha must be numbers, 'balanced' or None; found {alpha!r}")
        masses = labels.masses(weight)
        if not sum(masses):
            raise ValueError("alpha='balanced' needs rows of a weight above 0; their sum is 0")
        if labels.n_classes == 2:
            return [masses[1] / sum(masses), masses[0] / sum(masses)]
        return labels.balanced(weight)
    if labels.n_classes == 2 and np.ndim(alpha) == 0:
        positive = float(parse.alpha("alpha", alpha, 1.0))
        return [1 - positive, positive]
    found = parse.parameter("alpha", alpha)
    if np.shape(found) != (labels.n_classes,):
        raise ValueError(
            f"alpha must be one number for each of the {labels.n_classes} classes "
            f"{labels.named()}; found shape {np.shape(found)}"
        )
    return [float(a) for a in found]


def _losses(
    context: ArrayContext,
    p: Array,
    labels: Labels,
    gamma: float,
    balance: list[float] | None,
    from_logits: bool,
) -> Array:
    """Return the loss of each row, in the dtype of the arithmetic."""
    xp, alpha = context.xp, None if balance is None else balance[1]
    p = cast(xp, p, arithmetic_dtype(xp, p.dtype))
    codes = xp.asarray(labels.codes, dtype=xp.int32, device=context.device)
    if p.ndim == 1:
        options = BinaryOptions.of("focal_loss", gamma=gamma, alpha=alpha, from_logits=from_logits)
        return _call.value(binary.prepare(DOOR, codes, p, options))
    of_rows = CategoricalOptions.of(
        "focal_loss", gamma=gamma, class_weight=balance, from_logits=from_logits
    )
    return _call.value(categorical.prepare(DOOR, codes, p, of_rows))


def _reduced(losses: HostArray, weight: HostArray | None, normalize: bool) -> float:
    """Return the sum of the losses, or their mean, weighted if there are weights."""
    total = float(times(weight, losses).sum())
    if not normalize:
        return total
    mass = float(len(losses) if weight is None else weight.sum())
    if not 0 < mass < float("inf"):
        raise ValueError(f"there must be rows of a weight above 0; their sum is {mass:g}")
    return total / mass
