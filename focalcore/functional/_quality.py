"""The quality focal loss of independent logits."""

from __future__ import annotations

from functools import partial
from typing import Unpack, overload

from .. import _call
from .._losses.quality import RECIPE, QualityOptions
from .._typing import Array, ArrayLike, ArrayT, HostArray, HostLike, ModulatedKeywords, Reduction
from ._derived import grad_and_hess_of, value_and_grad_of


class QualityKeywords(ModulatedKeywords, total=False):
    """The options of `quality_focal_loss`, for type checkers."""

    beta: ArrayLike


@overload
def quality_focal_loss(
    logits: HostLike, scores: HostLike, **options: Unpack[QualityKeywords]
) -> HostArray: ...
@overload
def quality_focal_loss(
    logits: ArrayT | HostLike, scores: ArrayT | HostLike, **options: Unpack[QualityKeywords]
) -> ArrayT: ...
def quality_focal_loss(
    logits: ArrayLike,
    scores: ArrayLike,
    *,
    beta: ArrayLike = 2.0,
    mask: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    reduction: Reduction = "none",
    normalizer: str | Array | float | None = None,
    detach_factor: bool = False,
) -> Array:
    r"""Quality focal loss of independent logits, against a score between 0 and 1.

    .. math:: QFL = |y - p|^\beta \, CE, \qquad CE = -y \log p - (1 - y) \log(1 - p)

    with :math:`p = 1 / (1 + e^{-x})`. One number says which class a box has and how well it fits:
    y is its overlap with the object, and 0 for a negative. Of scores 0 and 1 it is
    `sigmoid_focal_loss` of gamma = beta.

    Parameters
    ----------
    logits : array of float16, bfloat16, float32 or float64, any shape
        The logits x, before the sigmoid. Half precision is computed in float32.
    scores : array of bool, int or float, of the shape of `logits` or with 1s in it; or a number
        The qualities y, in [0, 1].
    beta : float or array that broadcasts to `logits`, default 2.0
        How fast the loss falls as p nears y, >= 0. 0 gives the cross-entropy.
    mask : array of bool, of the shape of `logits` or with 1s in it, optional
        False is left out. What is left out has loss 0, gradient 0 and no place in the count, even
        where its logit is NaN.
    weight : array of the shape of `logits` or with 1s in it, or a number, optional
        Multiplies the loss of each element.
    reduction : {"none", "sum", "mean"}, default "none"
        Whether to return the loss of each element, their sum, or their mean.
    normalizer : {"positives", "weight"}, number or 0-d array, optional
        What "mean" divides by. None: the number of elements that count. "positives": the sum of the
        scores. "weight": the sum of their weights. A number: itself. 0 divides by 1.
    detach_factor : bool, default False
        Whether derivatives take ``|y - p|^beta`` as a constant; beta has no gradient then.

    Returns
    -------
    array
        Of the shape and dtype of `logits`; a sum or a mean is 0-d, and float32 at least. Under
        torch's autocast float32, as torch's own losses. In the namespace and on the device of the
        arguments.

    Raises
    ------
    TypeError
        Logits that are not real floating, a mask that is not boolean, arrays of two libraries.
    ValueError
        An option outside its range, shapes that do not fit, arrays on two devices; a score outside
        [0, 1], where scores can be looked at; elsewhere (traced, lazy, on a GPU) NaN.

    See Also
    --------
    sigmoid_focal_loss : Its soft targets mean an expected probability, which is another loss.
    distribution_focal_loss : Where a box ends, from the same paper.
    varifocal_loss : Positives that are not focused away.

    Notes
    -----
    `logits`, `scores`, `mask`, `weight`, `beta` and `normalizer` may be traced or lazy; the rest is
    static. p - y is the one difference here: its error is units in the last place of (1 - y) p and
    y (1 - p). Where p is y, the slope is 0, of a beta of 1 or less one of those that it has.

    References
    ----------
    Li et al., "Generalized focal loss: learning qualified and distributed bounding boxes for dense
    object detection", NeurIPS 2020, equation 2.

    Examples
    --------
    >>> from focalcore import quality_focal_loss
    >>> print(quality_focal_loss([2.0, -1.0, 0.5], [0.9, 0.0, 0.3]).round(5))
    [0.00012 0.02266 0.08569]
    """
    options = partial(
        QualityOptions,
        beta=beta,
        mask=mask,
        weight=weight,
        reduction=reduction,
        normalizer=normalizer,
        detach_factor=detach_factor,
    )
    return _call.call(_call.value, RECIPE, logits, scores, options)


quality_focal_loss_value_and_grad = value_and_grad_of(RECIPE)(quality_focal_loss)
quality_focal_loss_grad_and_hess = grad_and_hess_of(RECIPE)(quality_focal_loss)
