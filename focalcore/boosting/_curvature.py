"""What a booster gets as curvature: the loss has a negative one where an example is very wrong.

A booster divides the sum of slopes by the sum of curvatures, so these have to be positive.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from .._typing import HostArray
from ..functional import sigmoid_focal_loss_grad_and_hess
from ._losses import Loss

Curvature = Literal["abs", "exact", "clip", "bound"]

LONGEST_STEP = 2.0  # that an example asks for, of "abs"; the one of the sigmoid at 0
LEAST = 1e-6  # of "clip"
BLOCK = 65_536  # numbers, which stay in the caches
MARGINS = 50.0  # beyond which the loss is flat or a line


class Round(NamedTuple):
    """The derivatives of a round, and what they are of."""

    loss: Loss
    targets: HostArray
    weight: HostArray | None
    grad: HostArray
    hess: HostArray

    def weighed(self, curvature: float) -> HostArray | float:
        """Return a curvature times what each example weighs."""
        class_weight = self.loss.class_weight(self.targets)
        if self.weight is None:
            return class_weight * curvature
        weight = self.weight if self.grad.ndim == 1 else self.weight[:, None]
        return class_weight * curvature * weight


def absolute(found: Round) -> None:
    """Take the absolute value, but no step of an example longer than `LONGEST_STEP`."""
    grad, hess = _flat(found.grad), _flat(found.hess)
    for start in range(0, hess.size, BLOCK):
        block = slice(start, start + BLOCK)
        np.abs(hess[block], out=hess[block])
        least = np.abs(grad[block])
        least *= 1 / LONGEST_STEP
        np.maximum(hess[block], least, out=hess[block])


def exact(found: Round) -> None:
    """Leave the curvature as it is."""
    _warn_where_nothing_is_learned(found, "exact")


def clipped(found: Round) -> None:
    """Take a small number where the curvature is less."""
    _warn_where_nothing_is_learned(found, "clip")
    np.maximum(found.hess, found.weighed(LEAST), out=found.hess)


def bounded(found: Round) -> None:
    """Take the largest curvature that there is."""
    found.hess[...] = found.weighed(largest(found.loss.gamma))


CURVATURES: dict[Curvature, Callable[[Round], None]] = {
    "abs": absolute,
    "exact": exact,
    "clip": clipped,
    "bound": bounded,
}


@lru_cache
def largest(gamma: float) -> float:
    """Return the largest curvature of the loss of a margin, which has one peak."""
    low, high = -MARGINS, MARGINS
    for _ in range(3):  # each finds the peak to a thousandth of where it is known to be
        margins = np.linspace(low, high, 2001)
        _, hess = sigmoid_focal_loss_grad_and_hess(margins, np.ones(2001, bool), gamma=gamma)
        peak = int(np.argmax(hess))
        low, high = margins[max(peak - 1, 0)], margins[min(peak + 1, 2000)]
    return float(hess[peak])


def _flat(numbers: HostArray) -> HostArray:
    """Return the numbers in the order of memory, which is the same for slopes and curvatures."""
    return (numbers.T if numbers.flags.f_contiguous else numbers).reshape(-1)


def _warn_where_nothing_is_learned(found: Round, name: Curvature) -> None:
    """Warn where the curvatures of all examples add up to less than 0.

    No split is possible then: it has two sides whose curvatures are positive, and these would add
    up to a positive number.
    """
    if (found.hess.sum(axis=0) < 0).any():
        warnings.warn(
            f"nothing is learned with hess={name!r} from these raw scores: their curvatures add up "
            f"to a negative number, so no split has two sides of positive curvature; start from "
            f"initial_score(y) or 0, or take hess='abs'",
            RuntimeWarning,
            stacklevel=4,
        )
