"""The varifocal loss of independent logits."""

from __future__ import annotations

from functools import partial
from typing import Unpack, overload

from .. import _call
from .._losses.varifocal import RECIPE, VarifocalOptions
from .._typing import Array, ArrayLike, ArrayT, HostArray, HostLike, ModulatedKeywords, Reduction
from ._derived import grad_and_hess_of, value_and_grad_of


class VarifocalKeywords(ModulatedKeywords, total=False):
    """The options of `varifocal_loss`, for type checkers."""

    alpha: ArrayLike
    gamma: ArrayLike
    weighted: bool


@overload
def varifocal_loss(
    logits: HostLike, scores: HostLike, **options: Unpack[VarifocalKeywords]
) -> HostArray: ...
@overload
def varifocal_loss(
    logits: ArrayT | HostLike, scores: ArrayT | HostLike, **options: Unpack[VarifocalKeywords]
) -> ArrayT: ...
def varifocal_loss(
    logits: ArrayLike,
    scores: ArrayLike,
    *,
    alpha: ArrayLike = 0.75,
    gamma: ArrayLike = 2.0,
    weighted: bool = True,
    mask: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    reduction: Reduction = "none",
    normalizer: str | Array | float | None = None,
    detach_factor: bool = False,
) -> Array:
    r"""Varifocal loss of independent logits, against a score that is 0 for negatives.

    .. math:: VFL = y \, CE \;\; (y > 0), \qquad VFL = -\alpha p^\gamma \log(1 - p) \;\; (y = 0)

    with :math:`p = 1 / (1 + e^{-x})` and the cross-entropy
    :math:`CE = -y \log p - (1 - y) \log(1 - p)`. Negatives are focused away, and the few
    positives are not: they weigh their score, the overlap of a box with its object.

    Parameters
    ----------
    logits : array of float16, bfloat16, float32 or float64, any shape
        The logits x, before the sigmoid. Half precision is computed in float32.
    scores : array of bool, int or float, of the shape of `logits` or with 1s in it; or a number
        The scores y, in [0, 1]; 0 is a negative.
    alpha : float or array that broadcasts to `logits`, default 0.75
        What negatives weigh, >= 0.
    gamma : float or array that broadcasts to `logits`, default 2.0
        The focusing parameter of negatives, >= 0.
    weighted : bool, default True
        Whether positives weigh their score. False: they weigh 1.
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
        Whether derivatives take the modulating factor as a constant, as RT-DETR and PP-YOLOE have
        it; gamma has no gradient then.

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
    quality_focal_loss : Positives that are focused away too.
    sigmoid_focal_loss : Labels of 0 and 1.

    Notes
    -----
    `logits`, `scores`, `mask`, `weight`, `alpha`, `gamma` and `normalizer` may be traced or lazy;
    the rest is static.

    References
    ----------
    Zhang et al., "VarifocalNet: an IoU-aware dense object detector", CVPR 2021, equation 2.

    Examples
    --------
    >>> from focalcore import varifocal_loss
    >>> print(varifocal_loss([2.0, -1.0, 0.5], [0.9, 0.0, 0.3]).round(5))
    [0.29424 0.01699 0.24722]
    """
    options = partial(
        VarifocalOptions,
        alpha=alpha,
        gamma=gamma,
        weighted=weighted,
        mask=mask,
        weight=weight,
        reduction=reduction,
        normalizer=normalizer,
        detach_factor=detach_factor,
    )
    return _call.call(_call.value, RECIPE, logits, scores, options)


varifocal_loss_value_and_grad = value_and_grad_of(RECIPE)(varifocal_loss)
varifocal_loss_grad_and_hess = grad_and_hess_of(RECIPE)(varifocal_loss)
