"""Focal loss of one logit x against a target y.

A hard target makes it a function of one number, of w, by which the target's class trails the other:
w = -x for positives and x for negatives. With

    e = exp(-|w|)      A = e if w > 0 else 1      B = 1 if w > 0 else e

A to B are the odds in favour of the target, and

    p_t = A / (A + B)                     CE = log1p(e) + max(w, 0)
    u   = 1 - p_t = B / (A + B)

A soft target has a share on either side. The loss of (x, y) is the loss of (-x, 1 - y), so it is
seen from the side that the logit takes, with v the share of the target there and w = 1 - v:

    e = exp(-|x|)      r = 1 / (1 + e)      b = w + v e

    u  = 1 - p_t = b / (1 + e)     with p_t = y p + (1 - y)(1 - p)
    CE = log1p(e) + w |x|

Each is a sum or product of terms >= 0: nothing overflows and nothing cancels.
"""

from __future__ import annotations

import operator
from typing import Any, NamedTuple, Protocol

from . import focal

Array = Any
Namespace = Any


class Standing(Protocol):
    """How a class stands against the rest: the odds A to B, and its cross-entropy."""

    against: Array  # B
    total: Array  # A + B
    ce: Array

    def in_favour(self) -> Array:
        """A."""
        ...


class Trailing:
    """The standing of a class that trails the other by w."""

    def __init__(self, xp: Namespace, w: Array) -> None:
        self.xp = xp
        self.behind = xp.heaviside(w)
        self.e = xp.exp(-xp.abs(w))
        self.against = xp.maximum(self.behind, self.e)
        self.total = 1 + self.e
        self.ce = xp.log1p(self.e) + xp.maximum(w, 0.0)

    def in_favour(self) -> Array:
        """A."""
        return self.xp.maximum(1 - self.behind, self.e)


class Hard(focal.Product):
    """The focal loss of one class, a function of w.

    With p = p_t and q = u: ``R = p``, ``D = q``, ``K = p (p - q)`` and ``H = p q``.
    """

    def __init__(
        self,
        xp: Namespace,
        standing: Standing,
        gamma: Array,
        alpha_t: Array = None,
        multiply: focal.Multiply = operator.mul,
    ) -> None:
        self.standing, u = standing, standing.against / standing.total
        super().__init__(xp, u, standing.ce, gamma, alpha_t, multiply)

    def rates(self) -> tuple[Array, Array]:
        return self.standing.in_favour() / self.standing.total, self.u

    def bends(self) -> tuple[Array, Array]:
        p, q = self.rates()
        return p * (p - q), p * q


class Certain:
    """Hard targets: the formula of the target's class, along the logit."""

    def __init__(
        self, xp: Namespace, x: Array, y: focal.Shares, gamma: Array, balance: focal.Balance
    ) -> None:
        self.toward = y.rest - y.own  # dw / dx
        alpha_t, multiply = focal.alpha_t(balance, y), focal.multiplication(xp, *balance or ())
        self.f = Hard(xp, Trailing(xp, self.toward * x), gamma, alpha_t, multiply)

    def value(self) -> Array:
        return self.f.value()

    def slope(self) -> Array:
        return self.toward * self.f.slope()

    def curvature(self) -> Array:
        return self.f.curvature()


class Side(NamedTuple):
    """A logit seen from the side that it takes."""

    positive: Array  # 1 where that is the side of the positive class, else 0
    distance: Array  # |x|
    e: Array  # the odds against it

    @property
    def sign(self) -> Array:
        return 2 * self.positive - 1

    def divided(self, y: focal.Shares) -> tuple[Array, Array]:
        """The shares of a target on this side and on the other: y and 1 - y, or 1 - y and y."""
        here, there = self.positive, 1 - self.positive
        return here * y.own + there * y.rest, here * y.rest + there * y.own


def side_of(xp: Namespace, x: Array) -> Side:
    """Fold a logit onto the side that it takes."""
    distance = xp.abs(x)
    return Side(xp.heaviside(x), distance, xp.exp(-distance))


class Expected(focal.Product):
    """One modulating factor, of the expected probability ``p_t = y p + (1 - y)(1 - p)``.

    ``y`` decides the modulating factor and the class balance, ``smoothed`` the cross-entropy. With
    s = +1 where x >= 0 and -1 elsewhere,

        R = s (w - v) e r / b          K = -s R r (1 - e)
        D = s r (w - v e)              H = e r^2
    """

    def __init__(
        self,
        xp: Namespace,
        x: Array,
        y: focal.Shares,
        smoothed: focal.Shares,
        gamma: Array,
        balance: focal.Balance = None,
    ) -> None:
        side, apart = side_of(xp, x), smoothed is not y
        self.side, self.r = side, 1 / (1 + side.e)
        self.modulating = side.divided(y)
        self.entering = side.divided(smoothed) if apart else self.modulating
        (here, there), (_, against) = self.modulating, self.entering
        self.b = there + here * side.e
        ce = xp.log1p(side.e) + focal.times(xp, against, side.distance)
        u, alpha_t = self.b / (1 + side.e), focal.alpha_t(balance, y)
        # u may be 0 beside another target's CE
        multiply = focal.multiplication(xp, 0.0 if apart else 1.0, *balance or ())
        super().__init__(xp, u, ce, gamma, alpha_t, multiply)

    def rates(self) -> tuple[Array, Array]:
        s, e, r = self.side.sign, self.side.e, self.r
        (here, there), (beside, against) = self.modulating, self.entering
        # where b is 0, so is u^gamma or gamma itself: any finite R will do
        b = self.b + self.xp.astype(self.b == 0, self.b.dtype)
        return s * (there - here) * e * r / b, s * r * (against - beside * e)

    def bends(self) -> tuple[Array, Array]:
        s, e, r = self.side.sign, self.side.e, self.r
        R, _ = self.rates()
        return -s * R * r * (1 - e), e * r * r


def mixture(
    xp: Namespace, x: Array, y: focal.Shares, gamma: Array, balance: focal.Balance
) -> focal.Mixture:
    """A modulating factor for each class: ``y FL(x, 1) + (1 - y) FL(x, 0)``."""
    ones, zeros = xp.ones_like(x), xp.zeros_like(x)
    positive = Certain(xp, x, focal.Shares(ones, zeros), gamma, None)
    negative = Certain(xp, x, focal.Shares(zeros, ones), gamma, None)
    return focal.Mixture(xp, y, positive, negative, balance)
