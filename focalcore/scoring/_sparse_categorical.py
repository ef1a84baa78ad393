"""The loss of class labels for evaluation scripts."""

from __future__ import annotations

from functools import partial
from typing import Unpack, overload

from .. import _call
from .._losses.categorical import RECIPE, CategoricalOptions
from .._typing import (
    Array,
    ArrayLike,
    ArrayT,
    CategoricalKeywords,
    HostArray,
    HostLike,
)


@overload
def sparse_categorical_focal_loss(
    y_true: HostLike,
    y_pred: HostLike,
    gamma: ArrayLike = 2.0,
    **options: Unpack[CategoricalKeywords],
) -> HostArray: ...
@overload
def sparse_categorical_focal_loss(
    y_true: ArrayT | HostLike,
    y_pred: ArrayT | HostLike,
    gamma: ArrayLike = 2.0,
    **options: Unpack[CategoricalKeywords],
) -> ArrayT: ...
def sparse_categorical_focal_loss(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    gamma: ArrayLike = 2.0,
    *,
    class_weight: ArrayLike | None = None,
    from_logits: bool = False,
    axis: int = -1,
    eps: float | None = None,
    detach_factor: bool = False,
    sample_weight: ArrayLike | None = None,
) -> Array:
    r"""Focal loss of each prediction over classes that exclude each other.

    .. math:: FL = -w_t (1 - p_t)^\gamma \log p_t

    Rows of probabilities are taken as they are: they are not made to sum to 1.

    Parameters
    ----------
    y_true : array or list of int
        Class labels, of the shape of `y_pred` without `axis`.
    y_pred : array or list of float
        Probabilities of the classes, or with `from_logits` the scores before the softmax.
    gamma : float or array of length C, default 2.0
        The focusing parameter, >= 0, of all classes or of each. 0 gives the log loss.
    class_weight : array of length C, optional
        What examples of each class weigh, >= 0.
    from_logits : bool, default False
        Whether `y_pred` are logits: exact where a probability has already lost its digits.
    axis : int, default -1
        The class axis of `y_pred`.
    eps : float, optional
        The argument of the logarithm is kept at least this; nothing else is clipped. In [0, 0.5].
        None: the machine epsilon of the dtype of `y_pred`.
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
        Predictions that are not real floating, labels that are not integer, arrays of two
        libraries.
    ValueError
        An option outside its range, shapes that do not fit; a label that is no class or a
        probability outside [0, 1], where values can be looked at. Where they can not (traced, lazy,
        on a GPU), the loss of that row is NaN.

    See Also
    --------
    categorical_focal_loss : Against one-hot rows or distributions.
    softmax_focal_loss : From logits, with masks, weights and reductions.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, equations 4 and 5.

    Examples
    --------
    >>> from focalcore import sparse_categorical_focal_loss
    >>> y_pred = [[0.8, 0.1, 0.1], [0.2, 0.2, 0.6]]
    >>> print(sparse_categorical_focal_loss([0, 1], y_pred).round(5))
    [0.00893 1.03004]
    """
    options = partial(
        CategoricalOptions,
        gamma=gamma,
        class_weight=class_weight,
        from_logits=from_logits,
        axis=axis,
        eps=eps,
        detach_factor=detach_factor,
        weight=sample_weight,
    )
    return _call.call(_call.value, RECIPE, y_true, y_pred, options)
