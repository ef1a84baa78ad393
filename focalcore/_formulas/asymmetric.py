"""Asymmetric loss of one logit, whose positives and negatives focus apart.

A positive has the focal loss. A negative has that of a probability which is shifted by c:

    u = max(p - c, 0)      s = 1 - u = min(q + c, 1)      CE = -log s = log1p(u / s)

and where p is above c, with ``u' = p q``,

    R = p q / u                 D = p q / s
    K = R (q - p)               H = D (q - p) + D^2

R is as large as 1 / u, and CE / u is nearly 1 there. Just above c the subtraction leaves u the
digits that p has beyond those of c: there errors are units in the last place of p, not of u.
"""

from __future__ import annotations

from . import focal, sigmoid
from .arrays import Array, Namespace
from .focal import Gamma


class Shifted(focal.Product):
    """The loss of a negative whose probability is shifted by c."""

    def __init__(self, xp: Namespace, x: Array, gamma: Gamma, c: float) -> None:
        odds = sigmoid.MarginOdds(xp, x)
        total = odds.divisor.total
        self.p, self.q = odds.against / total, odds.in_favour() / total
        u = xp.maximum(self.p - c, 0.0)
        self.s = xp.minimum(self.q + c, 1.0)
        super().__init__(xp, u, xp.log1p(u / self.s), gamma)

    def first_derivatives(self) -> tuple[Array, Array]:
        bend = self.p * self.q
        # where u is 0, u^gamma or gamma is 0 too and multiplies R: any finite R will do
        return self.xp.quotient(bend, self.u, 0.0), self._above(bend / self.s)

    def second_derivatives(self) -> tuple[Array, Array]:
        (R, D), apart = self.first_derivatives(), self.q - self.p
        return R * apart, D * apart + D * D

    def _above(self, x: Array) -> Array:
        return self.xp.where(self.u > 0, x, 0 * self.u)  # NaN where u is


def asymmetric(
    xp: Namespace, x: Array, target: focal.Target, gamma_pos: Gamma, gamma_neg: Gamma, c: float
) -> focal.Mixture:
    """Return the loss of positives and that of negatives, each by its share of the target."""
    ones, zeros = xp.ones_like(x), xp.zeros_like(x)
    positive = sigmoid.BinaryTarget(xp, x, focal.Target(ones, zeros), gamma_pos, None)
    negative: focal.Formula
    if c == 0:
        negative = sigmoid.BinaryTarget(xp, x, focal.Target(zeros, ones), gamma_neg, None)
    else:
        negative = Shifted(xp, x, gamma_neg, c)
    return focal.Mixture(xp, target, positive, negative, None)
