"""The cost by which detectors match queries with boxes."""

from __future__ import annotations

from typing import overload

from .. import _call
from .._inputs.doors import Door
from .._losses import cost
from .._losses.cost import CostOptions
from .._typing import Array, ArrayLike, ArrayT, HostArray, HostLike

DOOR = Door(labels="labels")


@overload
def focal_cost(
    logits: HostLike, labels: HostLike, *, alpha: float = ..., gamma: float = ...
) -> HostArray: ...
@overload
def focal_cost(
    logits: ArrayT | HostLike, labels: ArrayT | HostLike, *, alpha: float = ..., gamma: float = ...
) -> ArrayT: ...
def focal_cost(
    logits: ArrayLike, labels: ArrayLike, *, alpha: float = 0.25, gamma: float = 2.0
) -> Array:
    r"""Cost of each query for each box, by which detectors without anchors match the two.

    .. math:: C_{ij} = FL(x_{i c_j}, 1) - FL(x_{i c_j}, 0)

    with the class :math:`c_j` of box j: what the query's logit of that class loses as a positive,
    less what it loses as a negative. Only the logits of these classes are looked at. Add what the
    boxes themselves cost, and hand the sum to ``scipy.optimize.linear_sum_assignment``.

    Parameters
    ----------
    logits : array of float16, bfloat16, float32 or float64, of shape (..., N, C)
        The scores x of N queries for C classes, before the sigmoid.
    labels : array of int, of shape (M,)
        The class of each box.
    alpha : float, default 0.25
        The class balance in [0, 1]: positives weigh alpha, negatives 1 - alpha.
    gamma : float, default 2.0
        The focusing parameter, >= 0.

    Returns
    -------
    array
        The costs, of shape (..., N, M), of the dtype, namespace and device of `logits`: the lower,
        the better the match.

    Raises
    ------
    TypeError
        Logits that are not real floating, labels that are not integer, arrays of two libraries.
    ValueError
        An option outside its range, labels that are not one list, arrays on two devices; a label
        that is no class, where labels can be looked at; elsewhere (traced, lazy, on a GPU) its
        column is NaN.

    See Also
    --------
    sigmoid_focal_loss : The loss of what is matched, by class labels.

    Notes
    -----
    The usual code takes logarithms of ``p + 1e-8``, where all confident matches cost the same; here
    costs grow with the logit, and at an infinite one are infinite, which ``linear_sum_assignment``
    refuses. It is differentiable, and usually called without gradients.

    References
    ----------
    Zhu et al., "Deformable DETR: deformable transformers for end-to-end object detection", ICLR
    2021; its published code has the formula.

    Examples
    --------
    >>> import numpy as np
    >>> from focalcore import focal_cost
    >>> logits = np.array([[2.0, -1.0, -3.0], [-2.0, 0.5, -1.0]])
    >>> print(focal_cost(logits, [0, 1]).round(3))
    [[-1.237  0.158]
     [ 0.411 -0.266]]
    """
    options = CostOptions(alpha=alpha, gamma=gamma)
    return _call.mapped(cost.prepare(DOOR, logits, labels, options))
