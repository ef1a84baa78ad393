"""The asymmetric loss of independent logits."""

from __future__ import annotations

from functools import partial
from typing import Unpack, overload

from .. import _call
from .._losses.asymmetric import RECIPE, AsymmetricOptions
from .._typing import Array, ArrayLike, ArrayT, HostArray, HostLike, ModulatedKeywords, Reduction
from ._derived import grad_and_hess_of, value_and_grad_of


class AsymmetricKeywords(ModulatedKeywords, total=False):
    """The options of `asymmetric_loss`, for type checkers."""

    gamma_pos: ArrayLike
    gamma_neg: ArrayLike
    clip: float


@overload
def asymmetric_loss(
    logits: HostLike, targets: HostLike, **options: Unpack[AsymmetricKeywords]
) -> HostArray: ...
@overload
def asymmetric_loss(
    logits: ArrayT | HostLike, targets: ArrayT | HostLike, **options: Unpack[AsymmetricKeywords]
) -> ArrayT: ...
def asymmetric_loss(
    logits: ArrayLike,
    targets: ArrayLike,
    *,
    gamma_pos: ArrayLike = 1.0,
    gamma_neg: ArrayLike = 4.0,
    clip: float = 0.05,
    mask: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    reduction: Reduction = "none",
    normalizer: str | Array | float | None = None,
    detach_factor: bool = False,
) -> Array:
    r"""Asymmetric loss of independent logits, whose positives and negatives focus apart.

    .. math:: ASL = -y (1 - p)^{\gamma_+} \log p - (1 - y) p_m^{\gamma_-} \log(1 - p_m),
        \qquad p_m = \max(p - c, 0)

    with :math:`p = 1 / (1 + e^{-x})`. Multi-label data have many negatives, most of them easy: they
    are focused away harder than the few positives, and those below the probability c, the `clip`,
    cost nothing. With one gamma and no clip it is `sigmoid_focal_loss`.

    Parameters
    ----------
    logits : array of float16, bfloat16, float32 or float64, any shape
        The scores x before the sigmoid. Half precision is computed in float32.
    targets : array of bool, int or float, of the shape of `logits` or with 1s in it; or a number
        The labels y, in [0, 1]; one between the two has its share of either term.
    gamma_pos : float or array that broadcasts to `logits`, default 1.0
        The focusing parameter of positives, >= 0.
    gamma_neg : float or array that broadcasts to `logits`, default 4.0
        The focusing parameter of negatives, >= 0.
    clip : float, default 0.05
        The probability c, in [0, 1], by which that of negatives is shifted. 0: not at all.
    mask : array of bool, of the shape of `logits` or with 1s in it, optional
        False is left out. What is left out has loss 0, gradient 0 and no place in the count, even
        where its logit is NaN.
    weight : array of the shape of `logits` or with 1s in it, or a number, optional
        Multiplies the loss of each element.
    reduction : {"none", "sum", "mean"}, default "none"
        Whether to return the loss of each element, their sum, or their mean.
    normalizer : {"positives", "weight"}, number or 0-d array, optional
        What "mean" divides by. None: the number of elements that count. "positives": the sum of
        their targets. "weight": the sum of their weights. A number: itself. 0 divides by 1.
    detach_factor : bool, default False
        Whether derivatives take the modulating factors as constants, as the paper's code does
        unless told otherwise; the gammas have no gradient then.

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
        An option outside its range, shapes that do not fit, arrays on two devices; a target outside
        [0, 1], where targets can be looked at; elsewhere (traced, lazy, on a GPU) NaN.

    See Also
    --------
    sigmoid_focal_loss : One gamma for both, with a class balance.

    Notes
    -----
    `logits`, `targets`, `mask`, `weight`, the gammas and `normalizer` may be traced or lazy; the
    rest is static. Just above the clip errors are units in the last place of p, and not of p - c.

    References
    ----------
    Ridnik et al., "Asymmetric loss for multi-label classification", ICCV 2021, equations 2 to 7.

    Examples
    --------
    >>> from focalcore import asymmetric_loss
    >>> print(asymmetric_loss([2.0, -1.0, 0.5, -4.0], [1, 0, 1, 0]).round(5))
    [0.01513 0.00057 0.17898 0.     ]
    """
    options = partial(
        AsymmetricOptions,
        gamma_pos=gamma_pos,
        gamma_neg=gamma_neg,
        clip=clip,
        mask=mask,
        weight=weight,
        reduction=reduction,
        normalizer=normalizer,
        detach_factor=detach_factor,
    )
    return _call.call(_call.value, RECIPE, logits, targets, options)


asymmetric_loss_value_and_grad = value_and_grad_of(RECIPE)(asymmetric_loss)
asymmetric_loss_grad_and_hess = grad_and_hess_of(RECIPE)(asymmetric_loss)
