"""The maps of rows of scores."""

from __future__ import annotations

from typing import Unpack, overload

from .. import _call
from .._inputs.doors import PROBABILITIES, ROWS_OF_LOGITS
from .._losses import posterior
from .._losses.posterior import SoftmaxPosteriorOptions
from .._typing import Array, ArrayLike, ArrayT, HostArray, HostLike, SoftmaxPosteriorKeywords


@overload
def softmax_focal_posterior(
    logits: HostLike, **options: Unpack[SoftmaxPosteriorKeywords]
) -> HostArray: ...
@overload
def softmax_focal_posterior(
    logits: ArrayT, **options: Unpack[SoftmaxPosteriorKeywords]
) -> ArrayT: ...
def softmax_focal_posterior(
    logits: ArrayLike, *, gamma: ArrayLike = 2.0, alpha: ArrayLike | None = None, axis: int = -1
) -> Array:
    r"""Probability of each class, from the logits of a model trained with the focal loss.

    .. math:: \eta_c \propto \frac{p_c}{\alpha_c \varphi(p_c)}, \qquad
        \varphi(p) = (1 - p)^\gamma - \gamma p (1 - p)^{\gamma - 1} \log p

    with p the softmax of the row. These are the probabilities at which the expected loss of a row
    is least at its logits. With one gamma and no `alpha` the order of the classes stays.

    Parameters
    ----------
    logits : array of float16, bfloat16, float32 or float64, of one axis or more
        Rows of scores before the softmax. Half precision is computed in float32.
    gamma : float or array of one number for each class, default 2.0
        The gamma >= 0 that the model was trained with. 0, without weights, gives the softmax.
    alpha : float or array of one number for each class, optional
        The weights > 0 that it was trained with. None: all classes weighed the same.
    axis : int, default -1
        The axis of the classes.

    Returns
    -------
    array
        Rows of probabilities that sum to 1, of the shape and dtype of `logits`, in their namespace
        and on their device.

    Raises
    ------
    TypeError
        Logits that are not real floating, arrays of two libraries.
    ValueError
        An option outside its range, arrays on two devices or that do not fit.

    See Also
    --------
    softmax_focal_logits : The inverse.
    sigmoid_focal_posterior : Independent logits.

    Notes
    -----
    The arrays may be traced or lazy, and it is differentiable in all of them. At most 3 gamma + 8
    units in the last place of each probability are wrong, however small it is.

    References
    ----------
    Charoenphakdee et al., "On focal loss for class-posterior probability estimation: a theoretical
    perspective", CVPR 2021, theorem 11.

    Examples
    --------
    >>> from focalcore import softmax_focal_posterior
    >>> print(softmax_focal_posterior([2.0, 0.5, -1.0]).round(4))
    [0.9714 0.0233 0.0053]
    """
    options = SoftmaxPosteriorOptions(gamma=gamma, alpha=alpha, axis=axis)
    return _call.mapped(
        posterior.prepare_softmax(posterior.SoftmaxPosterior, ROWS_OF_LOGITS, logits, options)
    )


@overload
def softmax_focal_logits(
    probabilities: HostLike, **options: Unpack[SoftmaxPosteriorKeywords]
) -> HostArray: ...
@overload
def softmax_focal_logits(
    probabilities: ArrayT, **options: Unpack[SoftmaxPosteriorKeywords]
) -> ArrayT: ...
def softmax_focal_logits(
    probabilities: ArrayLike,
    *,
    gamma: ArrayLike = 2.0,
    alpha: ArrayLike | None = None,
    axis: int = -1,
) -> Array:
    r"""Logits at which the expected focal loss is least, from the probabilities of the classes.

    .. math:: x^* = \arg\min_x \; \sum_c \eta_c FL(x, c)

    The first biases of a head, and the first scores of a booster, for shares :math:`\eta` of the
    classes. Of the rows that differ by a constant, all of which are minimal, it is the one whose
    logsumexp is 0, so that ``exp`` of it is the softmax. The inverse of `softmax_focal_posterior`,
    by Newton's method, which has converged in its 14 steps for every gamma up to 100.

    Parameters
    ----------
    probabilities : array of float16, bfloat16, float32 or float64, of one axis or more
        Rows of probabilities, which sum to 1.
    gamma, alpha : float or array, optional
        As for `softmax_focal_posterior`.
    axis : int, default -1
        The axis of the classes.

    Returns
    -------
    array
        Rows of logits, of the shape and dtype of `probabilities`: -inf for 0.

    Raises
    ------
    TypeError, ValueError
        As for `softmax_focal_posterior`; probabilities outside [0, 1], or that do not sum to 1,
        where they can be looked at (elsewhere NaN).

    See Also
    --------
    softmax_focal_posterior : The inverse, and what may be traced or lazy.

    References
    ----------
    Charoenphakdee et al., "On focal loss for class-posterior probability estimation: a theoretical
    perspective", CVPR 2021.

    Examples
    --------
    >>> from focalcore import softmax_focal_logits
    >>> print(softmax_focal_logits([0.9, 0.09, 0.01]).round(3))
    [-0.373 -1.283 -3.371]
    """
    options = SoftmaxPosteriorOptions(gamma=gamma, alpha=alpha, axis=axis)
    return _call.mapped(
        posterior.prepare_softmax(posterior.SoftmaxLogits, PROBABILITIES, probabilities, options)
    )
