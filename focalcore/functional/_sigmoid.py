"""The focal loss of independent logits."""

from __future__ import annotations

from functools import partial
from typing import Unpack, overload

from .. import _call
from .._losses.sigmoid import RECIPE, SigmoidOptions
from .._typing import (
    Array,
    ArrayLike,
    ArrayT,
    HostArray,
    HostLike,
    Reduction,
    SigmoidKeywords,
    SoftTargets,
)
from ._derived import grad_and_hess_of, value_and_grad_of


@overload
def sigmoid_focal_loss(
    logits: HostLike, targets: HostLike, **options: Unpack[SigmoidKeywords]
) -> HostArray: ...
@overload
def sigmoid_focal_loss(
    logits: ArrayT | HostLike, targets: ArrayT | HostLike, **options: Unpack[SigmoidKeywords]
) -> ArrayT: ...
def sigmoid_focal_loss(
    logits: ArrayLike,
    targets: ArrayLike,
    *,
    gamma: ArrayLike = 2.0,
    alpha: ArrayLike | None = None,
    pos_weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
    soft_targets: SoftTargets = "expected",
    poly_epsilon: float | None = None,
    class_axis: int | None = None,
    background: int | None = None,
    ignore_index: int | None = None,
    mask: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    reduction: Reduction = "none",
    normalizer: str | Array | float | None = None,
    detach_factor: bool = False,
) -> Array:
    r"""Focal loss of independent logits: binary, or multi-label.

    .. math:: FL = \alpha_t (1 - p_t)^\gamma CE, \qquad p_t = y p + (1 - y)(1 - p)

    with :math:`p = 1 / (1 + e^{-x})` and the cross-entropy
    :math:`CE = -y \log p - (1 - y) \log(1 - p)`, which for a label of 0 or 1 is the paper's
    :math:`-\log p_t`. Exact to a few units in the last place for every logit; at an infinite one
    the limit.

    Parameters
    ----------
    logits : array of float16, bfloat16, float32 or float64, any shape
        The scores x before the sigmoid. Half precision is computed in float32.
    targets : array of bool, int or float, of the shape of `logits` or with 1s in it; or a number
        The labels y, in [0, 1]; between the two they are soft. With `class_axis`: class labels,
        integer, of the shape of `logits` without that axis.
    gamma : float or array that broadcasts to `logits`, default 2.0
        The focusing parameter, >= 0. 0 gives the cross-entropy. With `class_axis`, a list of one
        number for each class lies along that axis, as do those of `alpha` and `pos_weight`.
    alpha : float or array that broadcasts to `logits`, optional
        The class balance in [0, 1]: positives weigh alpha, negatives 1 - alpha. None: both weigh 1.
    pos_weight : float or array that broadcasts to `logits`, optional
        Positives weigh this, >= 0, negatives 1. With `alpha` given too, both multiply.
    label_smoothing : float, default 0.0
        How far the targets are smoothed, s in [0, 1]: they become (1 - s) y + s / 2.
    soft_targets : {"expected", "mixture", "hard"}, default "expected"
        What a target between 0 and 1 means. "expected": the formula above, with the expected
        probability p_t and alpha_t = y alpha + (1 - y)(1 - alpha). "mixture":
        y FL(1) + (1 - y) FL(0), each with a modulating factor of its own. "hard": smoothing enters
        the cross-entropy alone.
    poly_epsilon : float, optional
        A finite number epsilon >= -1: the term alpha_t epsilon (1 - p_t)^(gamma + 1) of PolyLoss
        (Leng et al., ICLR 2022) is added. Below 0 the two terms of an easy example nearly cancel,
        and the error is that of either.
    class_axis : int, optional
        The axis of the classes, where targets are class labels, as detectors have them: positive
        for the logit of their class, negative for the others. They are compared with the classes'
        numbers; nothing of the size of `logits` is made. None: each logit has its own target.
    background : int, optional
        The label that is positive for no class. None: the number of classes. It goes with
        `class_axis` alone.
    ignore_index : int, optional
        Targets of this value are left out; of a class label, all logits of its row.
    mask : array of bool, of the shape of `logits` or with 1s in it, optional
        False is left out. What is left out has loss 0, gradient 0 and no place in the count, even
        where its logit is NaN. With `class_axis`, mask and weight may have the labels' shape too.
    weight : array of the shape of `logits` or with 1s in it, or a number, optional
        Multiplies the loss of each element.
    reduction : {"none", "sum", "mean"}, default "none"
        Whether to return the loss of each element, their sum, or their mean.
    normalizer : {"positives", "weight"}, number or 0-d array, optional
        What "mean" divides by. None: the number of elements that count. "positives": the sum of
        their targets, or the number of labels that are classes. "weight": the sum of their weights.
        A number: itself. 0 divides by 1.
    detach_factor : bool, default False
        Whether derivatives take (1 - p_t)^gamma as a constant, as code does that calls ``detach``
        or ``stop_gradient`` on it; gamma has no gradient then.

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
    softmax_focal_loss : Classes that exclude each other.
    binary_focal_loss : From probabilities, in scikit-learn's order of arguments.

    Notes
    -----
    `logits`, `targets`, `mask`, `weight`, `gamma`, `alpha`, `pos_weight` and `normalizer` may be
    traced or lazy; the rest is static.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, equations 4 and 5.

    Examples
    --------
    >>> import numpy as np
    >>> from focalcore import sigmoid_focal_loss
    >>> loss = sigmoid_focal_loss([2.0, -1.0, 0.5, -2.0], [1, 0, 1, 0], alpha=0.25)
    >>> print(loss.round(5))
    [0.00045 0.01699 0.01689 0.00135]

    Three anchors, two classes, and one label of the background:

    >>> logits = np.array([[2.0, -1.0], [-3.0, 0.5], [-2.0, -2.0]])
    >>> print(sigmoid_focal_loss(logits, [0, 1, 2], class_axis=-1, reduction="sum").round(4))
    0.0958
    """
    options = partial(
        SigmoidOptions,
        gamma=gamma,
        alpha=alpha,
        pos_weight=pos_weight,
        label_smoothing=label_smoothing,
        soft_targets=soft_targets,
        poly_epsilon=poly_epsilon,
        class_axis=class_axis,
        background=background,
        ignore_index=ignore_index,
        mask=mask,
        weight=weight,
        reduction=reduction,
        normalizer=normalizer,
        detach_factor=detach_factor,
    )
    return _call.call(_call.value, RECIPE, logits, targets, options)


SLOPE = r"""
.. math:: \frac{dFL}{dx} = \alpha_t u^\gamma (\gamma c \rho CE + p - y),
    \qquad u = 1 - p_t, \quad c = 1 - 2 y, \quad \rho = p (1 - p) / u
"""
CURVATURE = """
It is that of the loss itself: negative where p_t is below a threshold (0.0578 for gamma = 2), which
is what a second-order booster has to know.
"""

sigmoid_focal_loss_value_and_grad = value_and_grad_of(RECIPE, formula=SLOPE)(sigmoid_focal_loss)
sigmoid_focal_loss_grad_and_hess = grad_and_hess_of(RECIPE, formula=CURVATURE)(sigmoid_focal_loss)
