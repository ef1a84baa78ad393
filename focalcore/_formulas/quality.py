"""Quality focal loss of one logit: the cross-entropy of a soft score, by how far p is from it.

As in `sigmoid`, v is the score of the class that the logit favours, and T = 1 + e. With

    b = (1 - v) - v e      sign = 1 where x >= 0 and -1 elsewhere

p - y is ``sign b / T``, and so

    u   = |y - p| = |b| / T      R T = sign e / b      K T^2 = sign (R T) (e - 1)
    CE  = log1p(e) + (1 - v) |x|   D T = sign b          H T^2 = e

b is the one difference here: its error is units in the last place of its terms, (1 - y) p and
y (1 - p), and where p is y it has no digit. R u is p q there all the same, whatever b is. Where b
is 0, the slope is 0 (below a beta of 1 there is a cusp), and so is the curvature, unless beta is 2.
"""

from __future__ import annotations

from . import focal, sigmoid
from .arrays import Array, Namespace
from .focal import Gamma


class Quality(focal.SoftProduct):
    """The loss ``|y - p|^beta CE``."""

    def __init__(self, xp: Namespace, x: Array, target: focal.Target, beta: Gamma) -> None:
        self.side = sigmoid.favoured_class(xp, x)
        self.e, (v, one_minus_v) = self.side.e, self.side.of(xp, target)
        self.b = one_minus_v - v * self.e
        self.is_met = self.b == 0
        self.total = 1 + self.e
        u = xp.abs(self.b) / self.total
        ce = xp.log1p(self.e) + xp.share_of(self.side.distance, one_minus_v)
        super().__init__(xp, u, ce, beta, divisor=focal.Divisor(self.total))

    def first_derivatives(self) -> tuple[Array, Array]:
        R = self.xp.where(self.is_met, 0.0, self.e / self.xp.where(self.is_met, 1.0, self.b))
        return self.side.signed(self.xp, R), self.side.signed(self.xp, self.b)

    def second_derivatives(self) -> tuple[Array, Array]:
        R, _ = self.first_derivatives()
        return self.side.signed(self.xp, R * (self.e - 1)), self.e

    def curvature(self) -> Array:
        found = super().curvature()
        is_number = isinstance(self.gamma, float)
        if self.is_detached or (is_number and self.gamma != 2):
            return found
        bend = self.e / self.total / self.total
        is_met = self.is_met if is_number else self.is_met & (self.gamma == 2)
        return self.xp.where(is_met, 2 * bend * bend * self.ce, found)
