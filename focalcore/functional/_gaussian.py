"""The Gaussian focal loss of heatmaps."""

from __future__ import annotations

from functools import partial
from typing import Unpack, overload

from .. import _call
from .._losses.gaussian import RECIPE, GaussianOptions
from .._typing import Array, ArrayLike, ArrayT, HostArray, HostLike, ModulatedKeywords, Reduction
from ._derived import grad_and_hess_of, value_and_grad_of


class GaussianKeywords(ModulatedKeywords, total=False):
    """The options of `gaussian_focal_loss`, for type checkers."""

    alpha: ArrayLike
    gamma: ArrayLike


@overload
def gaussian_focal_loss(
    logits: HostLike, heatmap: HostLike, **options: Unpack[GaussianKeywords]
) -> HostArray: ...
@overload
def gaussian_focal_loss(
    logits: ArrayT | HostLike, heatmap: ArrayT | HostLike, **options: Unpack[GaussianKeywords]
) -> ArrayT: ...
def gaussian_focal_loss(
    logits: ArrayLike,
    heatmap: ArrayLike,
    *,
    alpha: ArrayLike = 2.0,
    gamma: ArrayLike = 4.0,
    mask: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    reduction: Reduction = "none",
    normalizer: str | Array | float | None = None,
    detach_factor: bool = False,
) -> Array:
    r"""Focal loss of a heatmap whose peaks are 1 and fall off around, as of key points.

    .. math:: GFL = -(1 - p)^\alpha \log p \;\; (y = 1), \qquad
        GFL = -(1 - y)^\gamma p^\alpha \log(1 - p) \;\; (y < 1)

    with :math:`p = 1 / (1 + e^{-x})`. A peak is a positive, and all else a negative, which costs
    the less the nearer to a peak it is. The focusing parameter is called alpha, as in the papers.

    Parameters
    ----------
    logits : array of float16, bfloat16, float32 or float64, any shape
        The scores x before the sigmoid. Half precision is computed in float32.
    heatmap : array of bool, int or float, of the shape of `logits` or with 1s in it; or a number
        The targets y, in [0, 1], usually Gaussians around key points; just 1 is a peak.
    alpha : float or array that broadcasts to `logits`, default 2.0
        The focusing parameter, >= 0, elsewhere called gamma.
    gamma : float or array that broadcasts to `logits`, default 4.0
        How much less negatives weigh near a peak, >= 0. 0: no less.
    mask : array of bool, of the shape of `logits` or with 1s in it, optional
        False is left out. What is left out has loss 0, gradient 0 and no place in the count, even
        where its logit is NaN.
    weight : array of the shape of `logits` or with 1s in it, or a number, optional
        Multiplies the loss of each element.
    reduction : {"none", "sum", "mean"}, default "none"
        Whether to return the loss of each element, their sum, or their mean.
    normalizer : {"positives", "weight"}, number or 0-d array, optional
        What "mean" divides by. None: the number of elements that count. "positives": the number of
        peaks. "weight": the sum of their weights. A number: itself. 0 divides by 1.
    detach_factor : bool, default False
        Whether derivatives take the modulating factor, (1 - p)^alpha or p^alpha, as a constant;
        alpha has no gradient then.

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
        An option outside its range, shapes that do not fit, arrays on two devices; a heatmap that
        leaves [0, 1], where it can be looked at; elsewhere (traced, lazy, on a GPU) NaN.

    See Also
    --------
    sigmoid_focal_loss : The same of a heatmap of zeros and ones.

    Notes
    -----
    `logits`, `heatmap`, `mask`, `weight`, `alpha`, `gamma` and `normalizer` may be traced or lazy;
    the rest is static.

    References
    ----------
    Law and Deng, "CornerNet: detecting objects as paired keypoints", ECCV 2018, equation 1; Zhou et
    al., "Objects as points", 2019, equation 1.

    Examples
    --------
    >>> from focalcore import gaussian_focal_loss
    >>> heatmap = [[0.0, 0.6, 1.0, 0.6, 0.0]]
    >>> logits = [[-4.0, -1.0, 2.0, 0.5, -3.0]]
    >>> loss = gaussian_focal_loss(logits, heatmap, reduction="mean", normalizer="positives")
    >>> print(loss.round(4))
    0.0122
    """
    options = partial(
        GaussianOptions,
        alpha=alpha,
        gamma=gamma,
        mask=mask,
        weight=weight,
        reduction=reduction,
        normalizer=normalizer,
        detach_factor=detach_factor,
    )
    return _call.call(_call.value, RECIPE, logits, heatmap, options)


gaussian_focal_loss_value_and_grad = value_and_grad_of(RECIPE)(gaussian_focal_loss)
gaussian_focal_loss_grad_and_hess = grad_and_hess_of(RECIPE)(gaussian_focal_loss)
