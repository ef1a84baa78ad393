"""From the scores of a focal model to probabilities, and from probabilities to its scores.

The sigmoid or softmax of a focal model is not the probability of a class, not even if the model is
the best there can be; but it is a known function of it. Here are that function and its inverse.
"""

from __future__ import annotations

from typing import overload

from . import _call
from ._inputs.doors import PROBABILITIES, PROBABILITY, SIGMOID, SOFTMAX
from ._losses import posterior
from ._losses.posterior import SigmoidPosteriorOptions, SoftmaxPosteriorOptions
from ._typing import Array, ArrayLike, ArrayT, HostArray, HostLike


@overload
def sigmoid_focal_posterior(
    logits: HostLike,
    *,
    gamma: ArrayLike = 2.0,
    alpha: ArrayLike | None = None,
    pos_weight: ArrayLike | None = None,
) -> HostArray: ...
@overload
def sigmoid_focal_posterior(
    logits: ArrayT,
    *,
    gamma: ArrayLike = 2.0,
    alpha: ArrayLike | None = None,
    pos_weight: ArrayLike | None = None,
) -> ArrayT: ...
def sigmoid_focal_posterior(
    logits: ArrayLike,
    *,
    gamma: ArrayLike = 2.0,
    alpha: ArrayLike | None = None,
    pos_weight: ArrayLike | None = None,
) -> Array:
    r"""Probability of the positive class, from the logit of a model trained with the focal loss.

    .. math:: \eta = \frac{g_0}{g_0 - g_1}, \qquad g_y = \frac{d}{dx} FL(x, y)

    At this probability the expected loss :math:`\eta FL(x, 1) + (1 - \eta) FL(x, 0)` is least at
    the logit x, which is where training takes a model. ``sigmoid(x)`` is nearer to 1/2 than that,
    and with `alpha` off to one side. It needs no held-out data; what is left of a model's own
    over- or underconfidence, `focalcore.calibration.FocalTemperature` takes out.

    Parameters
    ----------
    logits : array of float16, bfloat16, float32 or float64, any shape
        The scores x before the sigmoid. Half precision is computed in float32.
    gamma : float or array that broadcasts to `logits`, default 2.0
        The gamma >= 0 that the model was trained with. 0, without weights, gives the sigmoid.
    alpha : float or array that broadcasts to `logits`, optional
        The class balance in (0, 1) that it was trained with. None: both classes weighed 1.
    pos_weight : float or array that broadcasts to `logits`, optional
        What positives weighed, > 0.

    Returns
    -------
    array
        The probabilities, of the shape and dtype of `logits`, in their namespace and on their
        device. They grow with the logit, from 0 at -inf to 1 at inf.

    Raises
    ------
    TypeError
        Logits that are not real floating, arrays of two libraries.
    ValueError
        An option outside its range, arrays on two devices or that do not fit.

    See Also
    --------
    sigmoid_focal_logit : The inverse.
    softmax_focal_posterior : Classes that exclude each other.

    Notes
    -----
    The arrays may be traced or lazy, and it is differentiable in all of them. No digits are lost to
    cancellation: at most 2 gamma + 3 units in the last place are wrong, for every logit.

    References
    ----------
    Charoenphakdee et al., "On focal loss for class-posterior probability estimation: a theoretical
    perspective", CVPR 2021, theorem 11, of two classes.

    Examples
    --------
    >>> from focalcore import sigmoid_focal_posterior
    >>> print(sigmoid_focal_posterior([-4.0, -1.0, 0.0, 2.0]).round(4))
    [0.     0.0641 0.5    0.9948]
    """
    options = SigmoidPosteriorOptions(gamma=gamma, alpha=alpha, pos_weight=pos_weight)
    return _call.mapped(
        posterior.prepare_sigmoid(posterior.SigmoidPosterior, SIGMOID, logits, options)
    )


@overload
def softmax_focal_posterior(
    logits: HostLike, *, gamma: ArrayLike = 2.0, alpha: ArrayLike | None = None, axis: int = -1
) -> HostArray: ...
@overload
def softmax_focal_posterior(
    logits: ArrayT, *, gamma: ArrayLike = 2.0, alpha: ArrayLike | None = None, axis: int = -1
) -> ArrayT: ...
def softmax_focal_posterior(
    logits: ArrayLike, *, gamma: ArrayLike = 2.0, alpha: ArrayLike | None = None, axis: int = -1
) -> Array:
    r"""Probability of each class, from the logits of a model trained with the focal loss.

    .. math:: \eta_c \propto \frac{p_c}{\alpha_c \varphi(p_c)}, \qquad
        \varphi(p) = (1 - p)^\gamma - \gamma p (1 - p)^{\gamma - 1} \log p

    with p the softmax of the row. These are the probabilities at which the expected loss of a row
    is least at its logits. The order of the classes stays, without `alpha`.

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
    [0.9471 0.0449 0.008 ]
    """
    options = SoftmaxPosteriorOptions(gamma=gamma, alpha=alpha, axis=axis)
    return _call.mapped(
        posterior.prepare_softmax(posterior.SoftmaxPosterior, SOFTMAX, logits, options)
    )


@overload
def sigmoid_focal_logit(
    probability: HostLike,
    *,
    gamma: ArrayLike = 2.0,
    alpha: ArrayLike | None = None,
    pos_weight: ArrayLike | None = None,
) -> HostArray: ...
@overload
def sigmoid_focal_logit(
    probability: ArrayT,
    *,
    gamma: ArrayLike = 2.0,
    alpha: ArrayLike | None = None,
    pos_weight: ArrayLike | None = None,
) -> ArrayT: ...
def sigmoid_focal_logit(
    probability: ArrayLike,
    *,
    gamma: ArrayLike = 2.0,
    alpha: ArrayLike | None = None,
    pos_weight: ArrayLike | None = None,
) -> Array:
    r"""Logit at which the expected focal loss is least, from the probability of the positive class.

    .. math:: x^* = \arg\min_x \; \eta FL(x, 1) + (1 - \eta) FL(x, 0)

    The first bias of a head, and the first score of a booster, for a share of positives
    :math:`\eta`. It is the inverse of `sigmoid_focal_posterior`, by Newton's method on a function
    that is nearly a straight line.

    Parameters
    ----------
    probability : array of float16, bfloat16, float32 or float64, any shape, or a number
        The probability of the positive class, in [0, 1].
    gamma, alpha, pos_weight
        As for `sigmoid_focal_posterior`.

    Returns
    -------
    array
        The logits, of the shape and dtype of `probability`: -inf for 0, and inf for 1.

    Raises
    ------
    TypeError, ValueError
        As for `sigmoid_focal_posterior`; a probability outside [0, 1], where it can be looked at
        (elsewhere NaN).

    See Also
    --------
    sigmoid_focal_posterior : The inverse, and what may be traced or lazy.

    References
    ----------
    Charoenphakdee et al., "On focal loss for class-posterior probability estimation: a theoretical
    perspective", CVPR 2021.

    Examples
    --------
    The first bias for one positive in a hundred; that of the cross-entropy is -4.6, at which the
    focal loss of positives is nearly flat:

    >>> from focalcore import sigmoid_focal_logit
    >>> print(f"{sigmoid_focal_logit(0.01):.3f} {sigmoid_focal_logit(0.01, gamma=0):.3f}")
    -1.702 -4.595
    """
    options = SigmoidPosteriorOptions(gamma=gamma, alpha=alpha, pos_weight=pos_weight)
    return _call.mapped(
        posterior.prepare_sigmoid(posterior.SigmoidLogit, PROBABILITY, probability, options)
    )


@overload
def softmax_focal_logits(
    probabilities: HostLike,
    *,
    gamma: ArrayLike = 2.0,
    alpha: ArrayLike | None = None,
    axis: int = -1,
) -> HostArray: ...
@overload
def softmax_focal_logits(
    probabilities: ArrayT, *, gamma: ArrayLike = 2.0, alpha: ArrayLike | None = None, axis: int = -1
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
    logsumexp is 0, so that ``exp`` of it is the softmax. The inverse of `softmax_focal_posterior`.

    Parameters
    ----------
    probabilities : array of float16, bfloat16, float32 or float64, of one axis or more
        Rows of probabilities, which sum to 1.
    gamma, alpha, axis
        As for `softmax_focal_posterior`.

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
    [-0.335 -1.469 -2.891]
    """
    options = SoftmaxPosteriorOptions(gamma=gamma, alpha=alpha, axis=axis)
    return _call.mapped(
        posterior.prepare_softmax(posterior.SoftmaxLogits, PROBABILITIES, probabilities, options)
    )
