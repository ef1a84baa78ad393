"""What balances classes of unequal size, from how many examples each has: weights and shifts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, get_args

import numpy as np

from ._inputs import parse
from ._inputs.parse import rectangular
from ._typing import HostArray, HostLike

__all__ = ["alpha_of", "class_weights", "ldam_margins", "logit_adjustment"]

Method = Literal["effective", "inverse", "sqrt"]
Normalize = Literal["mean", "sum"]


def class_weights(
    counts: HostLike,
    method: Method = "effective",
    beta: float = 0.9999,
    normalize: Normalize | None = "mean",
) -> HostArray:
    r"""Weight of each class by its number of examples: the fewer, the more an example weighs.

    .. math:: w_c \propto 1 / E_{n_c}, \qquad E_n = \frac{1 - \beta^n}{1 - \beta}

    is the method "effective", where :math:`E_n` is the effective number of n examples, some of
    which repeat what others show. beta = 0 weighs all classes the same, and the nearer beta is to 1
    the nearer the weights are to those of "inverse".

    Parameters
    ----------
    counts : array-like
        How many examples each class has, of shape (classes,): finite numbers >= 0. A class with
        none gets the weight 0, and is left out of the normalization.
    method : {"effective", "inverse", "sqrt"}, default "effective"
        Inverse of the effective number, of the number, or of its square root.
    beta : float, default 0.9999
        In [0, 1); the method "effective" alone has it.
    normalize : {"mean", "sum"}, optional
        What becomes 1: the mean of the weights, so that they add up to the number of classes as in
        the paper (the default), or their sum. None: nothing, the weights are the inverses.

    Returns
    -------
    array
        The weight of each class, float64: the ``alpha`` of the losses of exclusive classes.

    Raises
    ------
    TypeError, ValueError
        An option of the wrong kind or outside its range; counts that are negative, not finite, all
        0, or not one list.

    See Also
    --------
    alpha_of : The class balance of a binary loss.

    References
    ----------
    Cui et al., "Class-balanced loss based on effective number of samples", CVPR 2019, equation 2
    (the effective number) and section 4 (its inverse, normalized).

    Examples
    --------
    >>> from focalcore.balance import class_weights
    >>> print(class_weights([5000, 500, 50]).round(3))
    [0.034 0.275 2.691]
    >>> print(class_weights([5000, 500, 50], "inverse", normalize="sum").round(4))
    [0.009  0.0901 0.9009]
    """
    numbers_of: dict[Method, Callable[[HostArray], HostArray]] = {
        "effective": partial(_effective, beta=_beta(beta)),
        "inverse": np.positive,
        "sqrt": np.sqrt,
    }
    numbers = numbers_of[parse.choose("method", method, tuple(numbers_of))]
    if normalize is not None:
        parse.choose("normalize", normalize, get_args(Normalize), ", or None")
    found = _checked(counts)
    present = found > 0
    weights = np.zeros(found.shape)
    weights[present] = 1 / numbers(found[present])
    if normalize is None:
        return weights
    return weights / (weights[present].mean() if normalize == "mean" else weights.sum())


def alpha_of(y: HostLike) -> float:
    """Class balance at which the positives weigh in sum what the negatives weigh.

    It is the share of negatives: each of few positives weighs much.

    Parameters
    ----------
    y : array-like
        Labels, 0 or 1, of any shape; some of each.

    Returns
    -------
    float
        The ``alpha`` of the losses of independent logits, in (0, 1).

    Raises
    ------
    ValueError
        A label that is neither 0 nor 1, or labels that are all the same.

    See Also
    --------
    class_weights : Weights of classes that exclude each other.

    Notes
    -----
    The best gamma and alpha depend on each other: the more gamma takes from the easy negatives, the
    smaller the best alpha (Lin et al., 2017, table 1b). This one balances the classes of a gamma of
    0; with gamma = 2 it leans to the positives.

    Examples
    --------
    >>> from focalcore.balance import alpha_of
    >>> alpha_of([0, 0, 0, 1])
    0.75
    """
    labels = np.asarray(rectangular("y", y))
    negatives, positives = np.count_nonzero(labels == 0), np.count_nonzero(labels == 1)
    if negatives + positives != labels.size:
        bad = labels[(labels != 0) & (labels != 1)].flat[0]
        raise ValueError(f"y must be labels that are 0 or 1; found {bad}")
    if not negatives or not positives:
        raise ValueError(
            f"y must have labels of both classes to balance them; found {negatives} zeros and "
            f"{positives} ones"
        )
    return float(negatives / labels.size)


def logit_adjustment(counts: HostLike, tau: float = 1.0) -> HostArray:
    r"""What is added to each class' logits in training, so that rare classes count as much.

    .. math:: a_c = \tau \log \pi_c, \qquad \pi_c = n_c / \sum_k n_k

    A model that is trained on ``logits + a`` and asked for its logits alone has the least error
    averaged over the classes, not over the examples (with the cross-entropy, and tau = 1). Of a
    model that was trained without, subtract it from the logits instead.

    Parameters
    ----------
    counts : array-like
        How many examples each class has, of shape (classes,): finite numbers >= 0.
    tau : float, default 1.0
        How much of it, >= 0. 0: nothing.

    Returns
    -------
    array
        The shift of each class, float64, <= 0; -inf for a class with no example, which no row then
        has a share in.

    Raises
    ------
    TypeError, ValueError
        A tau of the wrong kind or outside its range; counts as for `class_weights`.

    See Also
    --------
    class_weights : Weights of the examples, instead.
    ldam_margins : A shift of the label's class alone.

    References
    ----------
    Menon et al., "Long-tail learning via logit adjustment", ICLR 2021, equations 9 and 10.

    Examples
    --------
    >>> from focalcore import softmax_focal_loss
    >>> from focalcore.balance import logit_adjustment
    >>> shift = logit_adjustment([5000, 500, 50])
    >>> print(shift.round(3))
    [-0.104 -2.407 -4.71 ]
    >>> print(softmax_focal_loss([[1.0, 0.0, 2.0]] + shift, [2], gamma=0.0).round(3))
    [3.667]
    """
    tau = parse.number("tau", tau)
    found = _checked(counts)
    adjusted = np.where(found > 0, 0.0, -np.inf if tau else 0.0)
    adjusted[found > 0] = tau * np.log(found[found > 0] / found.sum())
    return adjusted


def ldam_margins(counts: HostLike, max_margin: float = 0.5) -> HostArray:
    r"""Margin of each class that a label's logit has to lead by: the rarer, the larger.

    .. math:: \Delta_c \propto n_c^{-1/4}

    It is subtracted from the logit of the label's class, and from no other.

    Parameters
    ----------
    counts : array-like
        How many examples each class has, of shape (classes,): finite numbers >= 0.
    max_margin : float, default 0.5
        The largest of the margins, >= 0.

    Returns
    -------
    array
        The margin of each class, float64; 0 for a class with no example, which no label names.

    Raises
    ------
    TypeError, ValueError
        A margin of the wrong kind or outside its range; counts as for `class_weights`.

    See Also
    --------
    logit_adjustment : A shift of all classes.

    Notes
    -----
    The paper's logits are those of a normalized classifier, cosines, and are scaled, by 30, after
    the margins.

    References
    ----------
    Cao et al., "Learning imbalanced datasets with label-distribution-aware margin loss", NeurIPS
    2019, equation 12.

    Examples
    --------
    >>> import numpy as np
    >>> from focalcore import softmax_focal_loss
    >>> from focalcore.balance import ldam_margins
    >>> margins, labels = ldam_margins([5000, 500, 50]), np.array([0, 2])
    >>> print(margins.round(3))
    [0.158 0.281 0.5  ]
    >>> logits = np.array([[0.9, 0.1, 0.0], [0.3, 0.0, 0.2]])
    >>> print(softmax_focal_loss(30 * (logits - np.eye(3)[labels] * margins), labels).round(2))
    [ 0. 18.]
    """
    most = parse.number("max_margin", max_margin)
    found = _checked(counts)
    margins = np.zeros(found.shape)
    margins[found > 0] = (found[found > 0].min() / found[found > 0]) ** 0.25 * most
    return margins


def _effective(counts: HostArray, beta: float) -> HostArray:
    """Return the effective numbers; 1 - beta^n would lose digits where beta^n is nearly 1."""
    if beta == 0:
        return np.ones_like(counts)
    return -np.expm1(counts * np.log(beta)) / (1 - beta)


def _beta(beta: float) -> float:
    found = parse.number("beta", beta, 1.0)
    if found == 1:
        raise ValueError("beta must be in [0, 1); found 1.0, whose limit is method='inverse'")
    return found


def _checked(counts: HostLike) -> HostArray:
    found = np.asarray(rectangular("counts", counts))
    if found.ndim != 1:
        raise ValueError(f"counts must be one list, a number for each class; found {found.ndim}-D")
    if not all(isinstance(n, int | float) for n in found.tolist()):
        raise TypeError(f"counts must be numbers; found an array of {found.dtype}")
    found = found.astype(np.float64)
    bad = found[~((found >= 0) & (found < np.inf))]
    if bad.size:
        raise ValueError(f"counts must be finite numbers >= 0; found {bad[0]}")
    if not found.any():
        raise ValueError("counts must have a class with an example; found none above 0")
    return found
