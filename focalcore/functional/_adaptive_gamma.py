"""A gamma for each example, by its probability."""

from __future__ import annotations

from typing import overload

from .._inputs.arrays import convert_scores
from .._inputs.doors import Door
from .._inputs.options import Options
from .._typing import Array, ArrayLike, ArrayT, HostArray, HostLike

DOOR = Door(scores="p_t")
SURE = 0.2  # the probability from which on the smaller gamma holds


@overload
def adaptive_gamma(p_t: HostLike) -> HostArray: ...
@overload
def adaptive_gamma(p_t: ArrayT) -> ArrayT: ...
def adaptive_gamma(p_t: ArrayLike) -> Array:
    r"""Gamma of each example by the probability of its target: 5 below 0.2, and 3 from there on.

    The schedule FLSD-53, with which a model's probabilities are better calibrated than with one
    gamma: where p_t is small, it takes a large gamma for the loss to hold the weights back.

    Parameters
    ----------
    p_t : array of float16, bfloat16, float32 or float64, any shape, or a number
        The probabilities that the model gives to the targets.

    Returns
    -------
    array
        The gammas, of the shape, dtype, namespace and device of `p_t`, constant to derivatives; NaN
        where p_t is not in [0, 1].

    Raises
    ------
    TypeError
        Probabilities that are not real floating.

    See Also
    --------
    softmax_focal_loss : Takes a gamma for each row, with 1 on the class axis.

    References
    ----------
    Mukhoti et al., "Calibrating deep neural networks using focal loss", NeurIPS 2020, section 5.

    Examples
    --------
    >>> import numpy as np
    >>> from focalcore import adaptive_gamma, softmax_focal_loss
    >>> logits, labels = np.array([[2.0, 0.0, 0.0], [2.0, 0.0, 0.0]]), np.array([0, 1])
    >>> p_t = np.exp(-softmax_focal_loss(logits, labels, gamma=0.0))
    >>> print(gamma := adaptive_gamma(p_t))
    [3. 5.]
    >>> print(softmax_focal_loss(logits, labels, gamma=gamma[:, None]).round(4))
    [0.0023 1.2753]
    """
    inputs = convert_scores(DOOR, p_t, Options())
    xp, p = inputs.context.xp, inputs.scores
    of_sure, of_unsure, of_bad = (xp.zeros_like(p) + gamma for gamma in (3.0, 5.0, xp.nan))
    return xp.where((p >= 0) & (p <= 1), xp.where(p < SURE, of_unsure, of_sure), of_bad)
