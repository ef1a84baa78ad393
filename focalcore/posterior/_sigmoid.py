"""The maps of independent scores."""

from __future__ import annotations

from typing import Unpack, overload

from .. import _call
from .._inputs.doors import LOGITS, PROBABILITY
from .._losses import posterior
from .._losses.posterior import SigmoidPosteriorOptions
from .._typing import Array, ArrayLike, ArrayT, HostArray, HostLike, SigmoidPosteriorKeywords


@overload
def sigmoid_focal_posterior(
    logits: HostLike, **options: Unpack[SigmoidPosteriorKeywords]
) -> HostArray: ...
@overload
def sigmoid_focal_posterior(
    logits: ArrayT, **options: Unpack[SigmoidPosteriorKeywords]
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
        device. They grow with the logit, from 0 at -inf to 1 at inf; to rank rows take the logits,
        for what is closer to 1 than the dtype can tell is 1.

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
    cancellation: at most 2 gamma + 3 units in the last place are wrong.

    References
    ----------
    Charoenphakdee et al., "On focal loss for class-posterior probability estimation: a theoretical
    perspective", CVPR 2021, theorem 11, of two classes.

    Examples
    --------
    >>> from focalcore import sigmoid_focal_posterior
    >>> print(sigmoid_focal_posterior([-4.0, -1.0, 0.0, 2.0]).round(4))
    [0.     0.0641 0.5    0.9955]
    """
    options = SigmoidPosteriorOptions(gamma=gamma, alpha=alpha, pos_weight=pos_weight)
    return _call.mapped(
        posterior.prepare_sigmoid(posterior.SigmoidPosterior, LOGITS, logits, options)
    )


@overload
def sigmoid_focal_logit(
    probability: HostLike, **options: Unpack[SigmoidPosteriorKeywords]
) -> HostArray: ...
@overload
def sigmoid_focal_logit(
    probability: ArrayT, **options: Unpack[SigmoidPosteriorKeywords]
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
    gamma, alpha, pos_weight : float or array, optional
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
    -1.706 -4.595
    """
    options = SigmoidPosteriorOptions(gamma=gamma, alpha=alpha, pos_weight=pos_weight)
    return _call.mapped(
        posterior.prepare_sigmoid(posterior.SigmoidLogit, PROBABILITY, probability, options)
    )
