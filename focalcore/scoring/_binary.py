"""The binary loss for evaluation scripts."""

from __future__ import annotations

from functools import partial
from typing import Unpack, overload

from .. import _call
from .._losses.binary import RECIPE, BinaryOptions
from .._typing import (
    Array,
    ArrayLike,
    ArrayT,
    BinaryKeywords,
    HostArray,
    HostLike,
)


@overload
def binary_focal_loss(
    y_true: HostLike, y_pred: HostLike, gamma: ArrayLike = 2.0, **options: Unpack[BinaryKeywords]
) -> HostArray: ...
@overload
def binary_focal_loss(
    y_true: ArrayT | HostLike,
    y_pred: ArrayT | HostLike,
    gamma: ArrayLike = 2.0,
    **options: Unpack[BinaryKeywords],
) -> ArrayT: ...
def binary_focal_loss(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    gamma: ArrayLike = 2.0,
    *,
    pos_weight: ArrayLike | None = None,
    from_logits: bool = False,
    label_smoothing: float | None = None,
    alpha: ArrayLike | None = None,
    eps: float | None = None,
    detach_factor: bool = False,
    sample_weight: ArrayLike | None = None,
) -> Array:
    r"""Focal loss of each binary prediction.

    .. math:: FL = \alpha_t (1 - p_t)^\gamma CE, \qquad p_t = y p + (1 - y)(1 - p)

    with the cross-entropy :math:`CE = -y \log p - (1 - y) \log(1 - p)`, which for a label of 0 or 1
    is the paper's :math:`-\log p_t`.

    Parameters
    ----------
    y_true : array or list of bool, int or float
        The labels y, in [0, 1].
    y_pred : array or list of float that broadcasts with `y_true`, where it is clear how
        Probabilities of the positive class, or with `from_logits` the scores before the sigmoid.
    gamma : float or array, default 2.0
        The focusing parameter, >= 0. 0 gives the log loss.
    pos_weight : float or array, optional
        Positives weigh this, >= 0, negatives 1.
    from_logits : bool, default False
        Whether `y_pred` are logits: exact where a probability has already lost its digits.
    label_smoothing : float, optional
        How far the targets are smoothed, s in [0, 1]: they become (1 - s) y + s / 2, and each class
        keeps a modulating factor of its own, y FL(1) + (1 - y) FL(0).
    alpha : float or array, optional
        The class balance in [0, 1]: positives weigh alpha, negatives 1 - alpha.
    eps : float, optional
        The arguments of the logarithms, p and 1 - p, are kept at least this; nothing else is
        clipped. In [0, 0.5]. None: the machine epsilon of the dtype of `y_pred`.
    detach_factor : bool, default False
        Whether automatic differentiation takes the modulating factor as a constant.
    sample_weight : array of the losses' shape or with 1s in it, or a number, optional
        Multiplies the loss of each of them.

    Returns
    -------
    array
        The loss of each element, of the common shape and the dtype of `y_pred`.

    Raises
    ------
    TypeError
        Predictions that are not real floating, arrays of two libraries.
    ValueError
        An option outside its range; shapes of which one length meets itself on another axis, as
        (N,) and (N, 1) or (2,) and (2, 2); a list of arrays (N, 2), as a forest's predict_proba
        gives; a label or a probability outside [0, 1], where values can be looked at. Where they
        can not (traced, lazy, on a GPU), the loss of that element is NaN.

    See Also
    --------
    sigmoid_focal_loss : From logits, with masks, weights and reductions.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, equations 4 and 5.

    Examples
    --------
    >>> import numpy as np
    >>> from focalcore import binary_focal_loss
    >>> print(binary_focal_loss([0, 1, 1], [0.1, 0.7, 0.9], gamma=2).round(3))
    [0.001 0.032 0.001]
    """
    options = partial(
        BinaryOptions,
        gamma=gamma,
        alpha=alpha,
        pos_weight=pos_weight,
        from_logits=from_logits,
        label_smoothing=label_smoothing,
        eps=eps,
        detach_factor=detach_factor,
        weight=sample_weight,
    )
    return _call.call(_call.value, RECIPE, y_true, y_pred, options)
