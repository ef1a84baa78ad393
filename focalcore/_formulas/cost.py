"""The cost of a match: what a logit loses as a positive, less what it loses as a negative."""

from __future__ import annotations

from . import focal, sigmoid
from .arrays import Array, Namespace, Number
from .focal import Gamma


def cost(xp: Namespace, x: Array, gamma: Gamma, alpha: Number) -> Array:
    """Return the difference of both focal losses, the positive one weighing alpha."""
    positive, negative = sigmoid.of_each_class(xp, x, gamma)
    weighed = focal.safe_multiply(xp, alpha, positive.value())
    return weighed - focal.safe_multiply(xp, 1 - alpha, negative.value())
