"""Varifocal loss of one logit: positives by their score, negatives focused away.

A positive, of a score y > 0, has the cross-entropy of the score, times y or not; a negative, of a
score of 0, has a modulating factor. So it is a product with

    u = 1 or p      CE = -y log p - (1 - y) log q
    R = 0 or q      D  = p - y
    K = R (q - p)   H  = p q
"""

from __future__ import annotations

from . import focal, sigmoid
from .arrays import Array, Namespace, Number
from .focal import Gamma


class Varifocal(focal.Product):
    """The loss ``y CE`` of positives, or ``CE``, and ``alpha p^gamma CE`` of negatives."""

    def __init__(
        self,
        xp: Namespace,
        x: Array,
        target: focal.Target,
        gamma: Gamma,
        alpha: Number,
        *,
        by_score: bool,  # whether positives weigh their score
    ) -> None:
        side = sigmoid.favoured_class(xp, x)
        e, (v, one_minus_v), total = side.e, side.of(xp, target), 1 + side.e
        self.p, self.q = (xp.where(side.is_positive, a, b) / total for a, b in ((1.0, e), (e, 1.0)))
        self.d = side.signed(xp, one_minus_v - v * e) / total
        self.is_above = target.y > 0
        ce = xp.log1p(e) + xp.share_of(side.distance, one_minus_v)
        weight = xp.where(self.is_above, target.y if by_score else xp.ones_like(x), alpha)
        u = xp.where(self.is_above, 1.0, self.p)
        super().__init__(xp, u, ce, gamma, weight, focal.zero_safe(xp))

    def first_derivatives(self) -> tuple[Array, Array]:
        return self.xp.where(self.is_above, 0.0, self.q), self.d

    def second_derivatives(self) -> tuple[Array, Array]:
        R, _ = self.first_derivatives()
        return R * (self.q - self.p), self.p * self.q
