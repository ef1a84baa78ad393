"""The distribution focal loss of rows of bins."""

from __future__ import annotations

from functools import partial
from typing import Unpack, overload

from .. import _call
from .._losses.distribution_focal import RECIPE, DistributionFocalOptions
from .._typing import Array, ArrayLike, ArrayT, HostArray, HostLike, MeanKeywords, Reduction
from ._derived import grad_and_hess_of, value_and_grad_of


class DistributionFocalKeywords(MeanKeywords, total=False):
    """The options of `distribution_focal_loss`, for type checkers."""

    axis: int


@overload
def distribution_focal_loss(
    logits: HostLike, values: HostLike, **options: Unpack[DistributionFocalKeywords]
) -> HostArray: ...
@overload
def distribution_focal_loss(
    logits: ArrayT | HostLike,
    values: ArrayT | HostLike,
    **options: Unpack[DistributionFocalKeywords],
) -> ArrayT: ...
def distribution_focal_loss(
    logits: ArrayLike,
    values: ArrayLike,
    *,
    axis: int = -1,
    mask: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    reduction: Reduction = "none",
    normalizer: str | Array | float | None = None,
) -> Array:
    r"""Loss of a distribution over numbered bins, against a number that lies among them.

    .. math:: DFL = -(i + 1 - v) \log p_i - (v - i) \log p_{i+1}, \qquad p = \mathrm{softmax}(x)

    with the two bins i and i + 1 around the number v: the cross-entropy of each of them, the more
    the nearer it is. So a detector learns where the side of a box lies, and how sure that is.
    There is no modulating factor; the name is the paper's.

    Parameters
    ----------
    logits : array of float16, bfloat16, float32 or float64, at least 1-d
        The scores x of the bins, before the softmax. Half precision is computed in float32.
    values : array of int or float, of the shape of the rows or with 1s in it; or a number
        The numbers v, from 0 to the number of bins less 1.
    axis : int, default -1
        The axis of the bins, which are numbered from 0.
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

    Returns
    -------
    array
        Of the shape of `logits` without `axis`, and of their dtype; a sum or a mean is 0-d, and
        float32 at least. Under torch's autocast float32, as torch's own losses. In the namespace
        and on the device of the arguments.

    Raises
    ------
    TypeError
        Logits that are not real floating, a mask that is not boolean, arrays of two libraries.
    ValueError
        An option outside its range, shapes that do not fit, arrays on two devices; a value beside
        the bins, where values can be looked at; elsewhere (traced, lazy, on a GPU) NaN.

    See Also
    --------
    quality_focal_loss : What a box is and how well it fits, from the same paper.

    Notes
    -----
    `logits`, `values`, `mask`, `weight` and `normalizer` may be traced or lazy; `axis` is static.
    The published code subtracts 0.01 from a value that is the last bin, so as not to reach beyond;
    here the last bin is a value too.

    References
    ----------
    Li et al., "Generalized focal loss: learning qualified and distributed bounding boxes for dense
    object detection", NeurIPS 2020, equation 6.

    Examples
    --------
    >>> from focalcore import distribution_focal_loss
    >>> print(distribution_focal_loss([[0.0, 2.0, 1.0, -1.0]], [1.25]).round(4))
    [0.6902]
    """
    options = partial(
        DistributionFocalOptions,
        axis=axis,
        mask=mask,
        weight=weight,
        reduction=reduction,
        normalizer=normalizer,
    )
    return _call.call(_call.value, RECIPE, logits, values, options)


EXAMPLE = "[[0.0, 2.0, 1.0]], [1.25]", "(1, 3)"
distribution_focal_loss_value_and_grad = value_and_grad_of(RECIPE, *EXAMPLE)(
    distribution_focal_loss
)
distribution_focal_loss_grad_and_hess = grad_and_hess_of(RECIPE, *EXAMPLE)(distribution_focal_loss)
