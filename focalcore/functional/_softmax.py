"""The focal loss of logits over classes that exclude each other."""

from __future__ import annotations

from functools import partial
from typing import Unpack, overload

from .. import _call
from .._losses.softmax import RECIPE, SoftmaxOptions
from .._typing import (
    Array,
    ArrayLike,
    ArrayT,
    HostArray,
    HostLike,
    Reduction,
    SoftmaxKeywords,
    SoftTargets,
)
from ._derived import grad_and_hess_of, value_and_grad_of


@overload
def softmax_focal_loss(
    logits: HostLike, targets: HostLike, **options: Unpack[SoftmaxKeywords]
) -> HostArray: ...
@overload
def softmax_focal_loss(
    logits: ArrayT | HostLike, targets: ArrayT | HostLike, **options: Unpack[SoftmaxKeywords]
) -> ArrayT: ...
def softmax_focal_loss(
    logits: ArrayLike,
    targets: ArrayLike,
    *,
    gamma: ArrayLike = 2.0,
    alpha: ArrayLike | None = None,
    axis: int = -1,
    label_smoothing: float = 0.0,
    soft_targets: SoftTargets = "expected",
    poly_epsilon: float | None = None,
    background: int | None = None,
    ignore_index: int | None = None,
    mask: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    reduction: Reduction = "none",
    normalizer: str | Array | float | None = None,
    detach_factor: bool = False,
) -> Array:
    r"""Focal loss of logits over classes that exclude each other.

    .. math:: FL = \alpha_t (1 - p_t)^\gamma CE, \qquad p = \mathrm{softmax}(x)

    with the target's probability :math:`p_t` and the cross-entropy :math:`CE = -\log p_t`; for a
    distribution y over the classes :math:`p_t = \sum_c y_c p_c` and
    :math:`CE = -\sum_c y_c \log p_c`. 1 - p_t is the sum over the other classes, never a
    difference: it keeps its digits however confident the row is.

    Parameters
    ----------
    logits : array of float16, bfloat16, float32 or float64, at least 1-d
        The scores x before the softmax. Half precision is computed in float32.
    targets : array
        Class labels, integer, of the shape of `logits` without `axis`; or distributions over the
        classes, of the shape of `logits`.
    gamma : float or array of length C, or of the shape of `logits` with 1 on `axis`, default 2.0
        The focusing parameter, >= 0, of all classes, each, or each row. 0: the cross-entropy.
    alpha : float or array of length C, optional
        What examples of each class weigh, >= 0. A single number scales all of them.
    axis : int, default -1
        The class axis of `logits`.
    label_smoothing : float, default 0.0
        How far the targets are smoothed, s in [0, 1]: they become (1 - s) y + s / C.
    soft_targets : {"expected", "mixture", "hard"}, default "expected"
        What a distribution y means. "expected": the formula above, with alpha_t and gamma_t the
        sums of y_c alpha_c and y_c gamma_c. "mixture": sum y_c FL(c), each class with a modulating
        factor of its own. "hard": smoothing enters the cross-entropy alone.
    poly_epsilon : float, optional
        A finite number epsilon >= -1: the term alpha_t epsilon (1 - p_t)^(gamma + 1) of PolyLoss
        (Leng et al., ICLR 2022) is added. Below 0 the two terms of an easy example nearly cancel,
        and the error is that of either.
    background : int, optional
        The label that ``normalizer="positives"`` does not count.
    ignore_index : int, optional
        Class labels of this value are left out.
    mask : array of bool, of the shape of the rows or with 1s in it, optional
        False is left out. What is left out has loss 0, gradient 0 and no place in the count, even
        where its logits are NaN.
    weight : array of the shape of the rows or with 1s in it, or a number, optional
        Multiplies the loss of each row.
    reduction : {"none", "sum", "mean"}, default "none"
        Whether to return the loss of each row, their sum, or their mean.
    normalizer : {"positives", "weight", "alpha"}, number or 0-d array, optional
        What "mean" divides by. None: the number of rows that count. "positives": the number of
        those whose label is not `background`. "weight": the sum of their weights. "alpha": the sum
        of the alphas of their classes, as that of ``torch.nn.functional.cross_entropy``. A number:
        itself. 0 divides by 1.
    detach_factor : bool, default False
        Whether derivatives take (1 - p_t)^gamma as a constant, as code does that calls ``detach``
        or ``stop_gradient`` on it; gamma has no gradient then.

    Returns
    -------
    array
        Of the shape of `logits` without `axis`, and of their dtype; a sum or a mean is 0-d, and
        float32 at least. Under torch's autocast float32, as torch's own losses. In the namespace
        and on the device of the arguments.

    Raises
    ------
    TypeError
        Logits that are not real floating, class labels that are not integer, a mask that is not
        boolean, arrays of two libraries.
    ValueError
        An option outside its range, shapes that do not fit, arrays on two devices; a label that is
        no class or a row that is no distribution, where targets can be looked at; elsewhere
        (traced, lazy, on a GPU) the loss of that row is NaN.

    See Also
    --------
    sigmoid_focal_loss : Classes that do not exclude each other.
    sparse_categorical_focal_loss : From probabilities, in scikit-learn's order of arguments.
    focalcore.torch.linear_softmax_focal_loss : With the classifier; in `focalcore.jax` too.

    Notes
    -----
    `logits`, `targets`, `mask`, `weight`, `gamma`, `alpha` and `normalizer` may be traced or lazy;
    the rest is static.

    Infinite logits stand for +-L as L grows without bound: those of one sign are equal, so a row of
    -inf alone is a row of equal logits, and two of +inf share the probability. Values, gradients
    and curvatures are the limits, in every form of the targets; what grows with L is infinite, and
    none is NaN. What automatic differentiation makes beyond the gradient may be NaN there.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, equations 4 and 5.

    Examples
    --------
    >>> import numpy as np
    >>> from focalcore import softmax_focal_loss
    >>> logits = np.array([[1.0, 0.0, -1.0], [0.5, 0.5, 1.0]])
    >>> print(softmax_focal_loss(logits, [0, 1], alpha=[1.0, 2.0, 1.0]).round(4))
    [0.0457 1.3642]
    """
    options = partial(
        SoftmaxOptions,
        gamma=gamma,
        alpha=alpha,
        axis=axis,
        label_smoothing=label_smoothing,
        soft_targets=soft_targets,
        poly_epsilon=poly_epsilon,
        background=background,
        ignore_index=ignore_index,
        mask=mask,
        weight=weight,
        reduction=reduction,
        normalizer=normalizer,
        detach_factor=detach_factor,
    )
    return _call.call(_call.value, RECIPE, logits, targets, options)


ROW = ("[[1.0, 0.0, -1.0]], [0]", "(1, 3)")
SLOPE = r"""
.. math:: \frac{dFL}{dx_j} = \alpha_t u^\gamma (\gamma R_j CE + p_j - y_j),
    \qquad u = \sum (1 - y_c) p_c, \quad R_j = p_j ((1 - y_j) - u) / u

The gradient of a row sums to 0.
"""

softmax_focal_loss_value_and_grad = value_and_grad_of(RECIPE, *ROW, SLOPE)(softmax_focal_loss)
softmax_focal_loss_grad_and_hess = grad_and_hess_of(RECIPE, *ROW)(softmax_focal_loss)
