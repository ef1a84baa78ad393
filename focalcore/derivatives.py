"""The losses with their gradients and curvatures, as plain arrays.

For libraries that do not differentiate (NumPy, CuPy, dask), for boosting, and for anyone who wants
the numbers. In torch and JAX the losses themselves are differentiable.
"""

from __future__ import annotations

from functools import partial
from typing import Unpack, overload

from . import _call
from ._losses import sigmoid, softmax
from ._losses.sigmoid import SigmoidOptions
from ._losses.softmax import SoftmaxOptions
from ._typing import Array, ArrayLike, ArrayT, HostArray, HostLike, SigmoidKeywords, SoftmaxKeywords


@overload
def sigmoid_focal_loss_value_and_grad(
    logits: HostLike, targets: HostLike, **options: Unpack[SigmoidKeywords]
) -> tuple[HostArray, HostArray]: ...
@overload
def sigmoid_focal_loss_value_and_grad(
    logits: ArrayT | HostLike, targets: ArrayT | HostLike, **options: Unpack[SigmoidKeywords]
) -> tuple[ArrayT, ArrayT]: ...
def sigmoid_focal_loss_value_and_grad(
    logits: ArrayLike, targets: ArrayLike, **options: Unpack[SigmoidKeywords]
) -> tuple[Array, Array]:
    r"""Focal loss of independent logits, and its gradient.

    .. math:: \frac{dFL}{dx} = \alpha_t u^\gamma (\gamma c \rho CE + p - y),
        \qquad u = 1 - p_t, \quad c = 1 - 2 y, \quad \rho = p (1 - p) / u

    A closed form without a division by zero: finite for every logit and every gamma >= 0, and the
    limit where a logit is infinite.

    Parameters
    ----------
    logits, targets : array
        As for `sigmoid_focal_loss`.
    **options
        All options of `sigmoid_focal_loss`.

    Returns
    -------
    value : array
        What `sigmoid_focal_loss` gives, reduced as asked.
    grad : array
        The gradient of it with respect to `logits`, of their shape and dtype; with reduction
        "none", the slope of each element.

    See Also
    --------
    sigmoid_focal_loss : The options, the errors, and what may be traced or lazy.
    sigmoid_focal_loss_grad_and_hess : The curvature too.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, equation 10 for hard targets.

    Examples
    --------
    >>> from focalcore import sigmoid_focal_loss_value_and_grad
    >>> value, grad = sigmoid_focal_loss_value_and_grad([0.0, 2.0], [1, 0], reduction="mean")
    >>> print(value.round(4), grad.round(4))
    0.9117 [-0.1491  0.5384]
    """
    checked = partial(SigmoidOptions.of, "sigmoid_focal_loss_value_and_grad", **options)
    return _call.call(_call.value_and_grad, sigmoid.RECIPE, logits, targets, checked)


@overload
def softmax_focal_loss_value_and_grad(
    logits: HostLike, targets: HostLike, **options: Unpack[SoftmaxKeywords]
) -> tuple[HostArray, HostArray]: ...
@overload
def softmax_focal_loss_value_and_grad(
    logits: ArrayT | HostLike, targets: ArrayT | HostLike, **options: Unpack[SoftmaxKeywords]
) -> tuple[ArrayT, ArrayT]: ...
def softmax_focal_loss_value_and_grad(
    logits: ArrayLike, targets: ArrayLike, **options: Unpack[SoftmaxKeywords]
) -> tuple[Array, Array]:
    r"""Focal loss of logits over classes that exclude each other, and its gradient.

    .. math:: \frac{dFL}{dx_j} = \alpha_t u^\gamma (\gamma R_j CE + p_j - y_j),
        \qquad u = \sum (1 - y_c) p_c, \quad R_j = p_j ((1 - y_j) - u) / u

    A closed form without a division by zero: finite for every logit and every gamma >= 0. The
    gradient of a row sums to 0.

    Parameters
    ----------
    logits, targets : array
        As for `softmax_focal_loss`.
    **options
        All options of `softmax_focal_loss`.

    Returns
    -------
    value : array
        What `softmax_focal_loss` gives, reduced as asked.
    grad : array
        The gradient of it with respect to `logits`, of their shape and dtype; with reduction
        "none", the gradient of each row.

    See Also
    --------
    softmax_focal_loss : The options, the errors, and what may be traced or lazy.
    softmax_focal_loss_grad_and_hess : The curvature too.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, equation 4.

    Examples
    --------
    >>> from focalcore import softmax_focal_loss_value_and_grad
    >>> value, grad = softmax_focal_loss_value_and_grad([[1.0, 0.0, -1.0]], [0])
    >>> print(value.round(4), grad.round(4))
    [0.0457] [[-0.0983  0.0719  0.0264]]
    """
    checked = partial(SoftmaxOptions.of, "softmax_focal_loss_value_and_grad", **options)
    return _call.call(_call.value_and_grad, softmax.RECIPE, logits, targets, checked)


@overload
def sigmoid_focal_loss_grad_and_hess(
    logits: HostLike, targets: HostLike, **options: Unpack[SigmoidKeywords]
) -> tuple[HostArray, HostArray]: ...
@overload
def sigmoid_focal_loss_grad_and_hess(
    logits: ArrayT | HostLike, targets: ArrayT | HostLike, **options: Unpack[SigmoidKeywords]
) -> tuple[ArrayT, ArrayT]: ...
def sigmoid_focal_loss_grad_and_hess(
    logits: ArrayLike, targets: ArrayLike, **options: Unpack[SigmoidKeywords]
) -> tuple[Array, Array]:
    """First and second derivative of the focal loss of independent logits.

    The curvature is that of the loss itself: negative where p_t is below a threshold (0.0578 for
    gamma = 2), which is what a second-order booster has to know.

    Parameters
    ----------
    logits, targets : array
        As for `sigmoid_focal_loss`.
    **options
        All options of `sigmoid_focal_loss`.

    Returns
    -------
    grad : array
        The gradient of the loss, reduced as asked, with respect to `logits`, of their shape.
    hess : array
        The diagonal of its Hessian, of the same shape: all of it, for logits are independent.

    See Also
    --------
    sigmoid_focal_loss : The options, the errors, and what may be traced or lazy.

    Examples
    --------
    >>> from focalcore import sigmoid_focal_loss_grad_and_hess
    >>> grad, hess = sigmoid_focal_loss_grad_and_hess([0.0, -6.0], [1, 1])
    >>> print(grad.round(4), hess.round(4))
    [-0.2983 -1.0221] [ 0.3991 -0.017 ]
    """
    checked = partial(SigmoidOptions.of, "sigmoid_focal_loss_grad_and_hess", **options)
    return _call.call(_call.grad_and_hess, sigmoid.RECIPE, logits, targets, checked)


@overload
def softmax_focal_loss_grad_and_hess(
    logits: HostLike, targets: HostLike, **options: Unpack[SoftmaxKeywords]
) -> tuple[HostArray, HostArray]: ...
@overload
def softmax_focal_loss_grad_and_hess(
    logits: ArrayT | HostLike, targets: ArrayT | HostLike, **options: Unpack[SoftmaxKeywords]
) -> tuple[ArrayT, ArrayT]: ...
def softmax_focal_loss_grad_and_hess(
    logits: ArrayLike, targets: ArrayLike, **options: Unpack[SoftmaxKeywords]
) -> tuple[Array, Array]:
    """First and second derivative of the focal loss over classes that exclude each other.

    The diagonal alone: it is what boosters ask for, and it may be negative, as that of the sigmoid.

    Parameters
    ----------
    logits, targets : array
        As for `softmax_focal_loss`.
    **options
        All options of `softmax_focal_loss`.

    Returns
    -------
    grad : array
        The gradient of the loss, reduced as asked, with respect to `logits`, of their shape.
    hess : array
        The diagonal of its Hessian, of the same shape.

    See Also
    --------
    softmax_focal_loss : The options, the errors, and what may be traced or lazy.

    Examples
    --------
    >>> from focalcore import softmax_focal_loss_grad_and_hess
    >>> grad, hess = softmax_focal_loss_grad_and_hess([[1.0, 0.0, -1.0]], [0])
    >>> print(grad.round(4), hess.round(4))
    [[-0.0983  0.0719  0.0264]] [[0.1853 0.1184 0.0327]]
    """
    checked = partial(SoftmaxOptions.of, "softmax_focal_loss_grad_and_hess", **options)
    return _call.call(_call.grad_and_hess, softmax.RECIPE, logits, targets, checked)
