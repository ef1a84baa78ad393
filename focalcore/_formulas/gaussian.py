"""Gaussian focal loss of one logit: the focal loss of a peak, and less the nearer to one it is.

A target of 1 is a positive. Any other is a negative, which weighs ``(1 - y)^gamma``.
"""

from __future__ import annotations

from . import focal, sigmoid
from .arrays import Array, Namespace
from .focal import Gamma


def gaussian(
    xp: Namespace, x: Array, target: focal.Target, alpha: Gamma, gamma: Gamma
) -> sigmoid.BinaryTarget:
    """Return the focal loss, of exponent alpha, of what is a peak and of what is not."""
    is_peak = xp.where(target.y == 1, 1.0, 0 * target.y)  # NaN where y is
    far = focal.power(xp, target.one_minus_y, gamma)
    return sigmoid.BinaryTarget(xp, x, focal.Target.of(is_peak), alpha, (1.0, far))
