"""The loss of one-hot rows and distributions for evaluation scripts."""

from __future__ import annotations

from functools import partial
from typing import Unpack, overload

from .. import _call
from .._losses.distributions import RECIPE, DistributionOptions
from .._typing import (
    Array,
    ArrayLike,
    ArrayT,
    DistributionKeywords,
    HostArray,
    HostLike,
    SoftTargets,
)


@overload
def categorical_focal_loss(
    y_true: HostLike,
    y_pred: HostLike,
    gamma: ArrayLike = 2.0,
    **options: Unpack[DistributionKeywords],
) -> HostArray: ...
@overload
def categorical_focal_loss(
    y_true: ArrayT | HostLike,
    y_pred: ArrayT | HostLike,
    gamma: ArrayLike = 2.0,
    **options: Unpack[DistributionKeywords],
) -> ArrayT: ...
def categorical_focal_loss(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    gamma: ArrayLike = 2.0,
    *,
    alpha: ArrayLike | None = None,
    soft_targets: SoftTargets = "expected",
    label_smoothing: float = 0.0,
    from_logits: bool = False,
    axis: int = -1,
    eps: float | None = None,
    detach_factor: bool = False,
    sample_weight: ArrayLike | None = None,
) -> Array:
    r"""Focal loss of each prediction over classes, against one-hot rows or distributions.

    .. math:: FL = \alpha_t (1 - p_t)^\gamma CE, \qquad p_t = \sum_c y_c p_c

    with the cross-entropy :math:`CE = -\sum_c y_c \log p_c`, which for a one-hot row is the
    paper's :math:`-\log p_t`. Rows of probabilities are taken as they are: they are not made to
    sum to 1.

    Parameters
    ----------
    y_true : array or list
        One-hot rows, or distributions over the classes, of the shape of `y_pred`.
    y_pred : array or list of float
        Probabilities of the classes, or with `from_logits` the scores before the softmax.
    gamma : float or array of length C, default 2.0
        The focusing parameter, >= 0, of all classes or of each. 0 gives the log loss.
    alpha : float or array of length C, optional
        What examples of each class weigh, >= 0. A single number scales all of them.
    soft_targets : {"expected", "mixture", "hard"}, default "expected"
        What a distribution y means. "expected": the formula above, with alpha_t and gamma_t the
        sums of y_c alpha_c and y_c gamma_c. "mixture": sum y_c FL(c), each class with a modulating
        factor of its own. "hard", with `from_logits`: smoothing enters the cross-entropy alone.
    label_smoothing : float, default 0.0
        How far the targets are smoothed, s in [0, 1]: they become (1 - s) y + s / C.
    from_logits : bool, default False
        Whether `y_pred` are logits: exact where a probability has already lost its digits.
    axis : int, default -1
        The class axis of both.
    eps : float, optional
        The arguments of the logarithms are kept at least this; nothing else is clipped. In
        [0, 0.5]. None: the machine epsilon of the dtype of `y_pred`.
    detach_factor : bool, default False
        Whether automatic differentiation takes the modulating factor as a constant.
    sample_weight : array of the losses' shape or with 1s in it, or a number, optional
        Multiplies the loss of each of them.

    Returns
    -------
    array
        The loss of each row, of the dtype of `y_pred`.

    Raises
    ------
    TypeError
        Predictions that are not real floating, arrays of two libraries.
    ValueError
        An option outside its range, shapes that differ; a row that is no distribution or a
        probability outside [0, 1], where values can be looked at. Where they can not (traced, lazy,
        on a GPU), the loss of that row is NaN.

    See Also
    --------
    sparse_categorical_focal_loss : Against class labels.
    softmax_focal_loss : From logits, with masks, weights and reductions.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, equations 4 and 5.

    Examples
    --------
    >>> from focalcore import categorical_focal_loss
    >>> y_pred = [[0.8, 0.1, 0.1], [0.2, 0.2, 0.6]]
    >>> print(categorical_focal_loss([[1, 0, 0], [0, 0.5, 0.5]], y_pred).round(5))
    [0.00893 0.38165]
    """
    options = partial(
        DistributionOptions,
        gamma=gamma,
        alpha=alpha,
        soft_targets=soft_targets,
        label_smoothing=label_smoothing,
        from_logits=from_logits,
        axis=axis,
        eps=eps,
        detach_factor=detach_factor,
        weight=sample_weight,
    )
    return _call.call(_call.value, RECIPE, y_true, y_pred, options)
