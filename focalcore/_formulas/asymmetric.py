"""Asymmetric loss, whose positives and negatives focus apart: of one logit, or of a row.

A positive has the focal loss. A negative has that of a probability which is shifted by c:

    u = max(p - c, 0)      s = 1 - u = min(q + c, 1)      CE = -log s = log1p(u / s)

and where p is above c, with ``u' = p q``,

    R = p q / u                 D = p q / s
    K = R (q - p)               H = D (q - p) + D^2

R is as large as 1 / u, and CE / u is nearly 1 there. Just above c the subtraction leaves u the
digits that p has beyond those of c: there errors are units in the last place of p, not of u.

Of a row, of which one class is labelled and the label is smoothed, the label's class has the focal
loss, and any other ``p^gamma (-log p)``. Along its negative margin, with the odds A to B,

    u = p      R T = -B      D T = B      K T^2 = B (B - A)      H T^2 = A B
"""

from __future__ import annotations

from . import focal, sigmoid, softmax
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
    as_positive, as_negative = focal.hard_targets(xp, x)
    positive = sigmoid.BinaryTarget(xp, x, as_positive, gamma_pos, None)
    negative: focal.Formula
    if c == 0:
        negative = sigmoid.BinaryTarget(xp, x, as_negative, gamma_neg, None)
    else:
        negative = Shifted(xp, x, gamma_neg, c)
    return focal.Mixture(xp, target, positive, negative, None)


class Rare(focal.Product):
    """The loss ``p^gamma (-log p)`` of a class, as a function of its negative margin."""

    def __init__(self, xp: Namespace, odds: sigmoid.Odds, gamma: Gamma) -> None:
        self.odds, u = odds, odds.in_favour() / odds.divisor.total
        super().__init__(xp, u, odds.ce, gamma, multiply=focal.zero_safe(xp), divisor=odds.divisor)

    def first_derivatives(self) -> tuple[Array, Array]:
        return -self.odds.against, self.odds.against

    def second_derivatives(self) -> tuple[Array, Array]:
        A, B = self.odds.in_favour(), self.odds.against
        return B * (B - A), A * B


class LabelOrRare:
    """The focal loss of the labelled class of each row, and the other loss of any other class."""

    def __init__(
        self, xp: Namespace, odds: sigmoid.Odds, is_label: Array, gamma_pos: Gamma, gamma_neg: Gamma
    ) -> None:
        self.xp, self.is_label = xp, is_label
        self.label, self.rare = sigmoid.FromMargin(xp, odds, gamma_pos), Rare(xp, odds, gamma_neg)

    def value(self) -> Array:
        return self.xp.where(self.is_label, self.label.value(), self.rare.value())

    def slope(self) -> Array:
        return self.xp.where(self.is_label, self.label.slope(), self.rare.slope())

    def curvature(self) -> Array:
        return self.xp.where(self.is_label, self.label.curvature(), self.rare.curvature())


def asymmetric_row(
    xp: Namespace,
    row: softmax.RowProbabilities,
    target: focal.Target,
    smoothed: focal.Target,
    gamma_pos: Gamma,
    gamma_neg: Gamma,
) -> softmax.Mixture:
    """Return the loss of rows, by the classes that are labelled and by their smoothed shares."""
    odds = softmax.EachVsRest(xp, row)
    f = LabelOrRare(xp, odds, target.y == 1, gamma_pos, gamma_neg)
    return softmax.Mixture(xp, row, smoothed.y, f)
