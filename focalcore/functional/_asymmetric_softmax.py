"""The asymmetric loss of classes that exclude each other."""

from __future__ import annotations

from functools import partial
from typing import Unpack, overload

from .. import _call
from .._losses.asymmetric_softmax import RECIPE, AsymmetricSoftmaxOptions
from .._typing import Array, ArrayLike, ArrayT, HostArray, HostLike, ModulatedKeywords, Reduction
from ._derived import grad_and_hess_of, value_and_grad_of


class AsymmetricSoftmaxKeywords(ModulatedKeywords, total=False):
    """The options of `asymmetric_softmax_loss`, for type checkers."""

    gamma_pos: ArrayLike
    gamma_neg: ArrayLike
    label_smoothing: float
    axis: int
    ignore_index: int | None


@overload
def asymmetric_softmax_loss(
    logits: HostLike, labels: HostLike, **options: Unpack[AsymmetricSoftmaxKeywords]
) -> HostArray: ...
@overload
def asymmetric_softmax_loss(
    logits: ArrayT | HostLike,
    labels: ArrayT | HostLike,
    **options: Unpack[AsymmetricSoftmaxKeywords],
) -> ArrayT: ...
def asymmetric_softmax_loss(
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    gamma_pos: ArrayLike = 0.0,
    gamma_neg: ArrayLike = 4.0,
    label_smoothing: float = 0.1,
    axis: int = -1,
    ignore_index: int | None = None,
    mask: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    reduction: Reduction = "none",
    normalizer: str | Array | float | None = None,
    detach_factor: bool = False,
) -> Array:
    r"""Asymmetric loss of logits over classes that exclude each other, against class labels.

    .. math:: ASL = -y_t (1 - p_t)^{\gamma_+} \log p_t
        - \sum_{c \ne t} y_c \, p_c^{\gamma_-} \log p_c, \qquad p = \mathrm{softmax}(x)

    with the smoothed label :math:`y_t = 1 - s + s / C`, and :math:`y_c = s / C` of all other
    classes: it is by the smoothing that these enter. Without it this is `softmax_focal_loss` of
    gamma :math:`\gamma_+`.

    Parameters
    ----------
    logits : array of float16, bfloat16, float32 or float64, at least 1-d
        The scores x before the softmax. Half precision is computed in float32.
    labels : array of int, of the shape of `logits` without `axis`
        The class labels t.
    gamma_pos : float or array of length C, default 0.0
        The focusing parameter of the labelled class, >= 0.
    gamma_neg : float or array of length C, default 4.0
        The focusing parameter of the others, >= 0.
    label_smoothing : float, default 0.1
        How far the label is smoothed, s in [0, 1].
    axis : int, default -1
        The class axis of `logits`.
    ignore_index : int, optional
        Labels of this value are left out.
    mask : array of bool, of the shape of the rows or with 1s in it, optional
        False is left out. What is left out has loss 0, gradient 0 and no place in the count, even
        where its logits are NaN.
    weight : array of the shape of the rows or with 1s in it, or a number, optional
        Multiplies the loss of each row.
    reduction : {"none", "sum", "mean"}, default "none"
        Whether to return the loss of each row, their sum, or their mean.
    normalizer : "weight", number or 0-d array, optional
        What "mean" divides by. None: the number of rows that count. "weight": the sum of their
        weights. A number: itself. 0 divides by 1.
    detach_factor : bool, default False
        Whether derivatives take the modulating factors as constants; the gammas have no gradient
        then.

    Returns
    -------
    array
        Of the shape of `logits` without `axis`, and of their dtype; a sum or a mean is 0-d, and
        float32 at least. Under torch's autocast float32, as torch's own losses. In the namespace
        and on the device of the arguments.

    Raises
    ------
    TypeError
        Logits that are not real floating, labels that are not integer, a mask that is not boolean,
        arrays of two libraries.
    ValueError
        An option outside its range, shapes that do not fit, arrays on two devices; a label that is
        no class, where labels can be looked at; elsewhere (traced, lazy, on a GPU) the loss of that
        row is NaN.

    See Also
    --------
    asymmetric_loss : Labels that do not exclude each other.
    softmax_focal_loss : With the same factor for all that is smoothed.

    Notes
    -----
    `logits`, `labels`, `mask`, `weight`, the gammas and `normalizer` may be traced or lazy; the
    rest is static.

    References
    ----------
    Ridnik et al., "Asymmetric loss for multi-label classification", ICCV 2021; the form for single
    labels is that of its published code.

    Examples
    --------
    >>> from focalcore import asymmetric_softmax_loss
    >>> print(asymmetric_softmax_loss([[1.0, 0.0, -1.0], [0.5, 0.5, 1.0]], [0, 1]).round(4))
    [0.3806 1.2094]
    """
    options = partial(
        AsymmetricSoftmaxOptions,
        gamma_pos=gamma_pos,
        gamma_neg=gamma_neg,
        label_smoothing=label_smoothing,
        axis=axis,
        ignore_index=ignore_index,
        mask=mask,
        weight=weight,
        reduction=reduction,
        normalizer=normalizer,
        detach_factor=detach_factor,
    )
    return _call.call(_call.value, RECIPE, logits, labels, options)


EXAMPLE = "[[0.0, 2.0, 1.0]], [1]", "(1, 3)"
asymmetric_softmax_loss_value_and_grad = value_and_grad_of(RECIPE, *EXAMPLE)(
    asymmetric_softmax_loss
)
asymmetric_softmax_loss_grad_and_hess = grad_and_hess_of(RECIPE, *EXAMPLE)(asymmetric_softmax_loss)
