"""Focal loss of one logit x against a target y in [0, 1].

The loss of (x, y) is the loss of (-x, 1 - y): it depends on the sign of x only through the share w
of the target that lies on the other side. So everything is seen from the side the logit takes:

    e = exp(-|x|)                  odds against that side
    r = 1 / (1 + e)                probability of that side
    v = y if x >= 0 else 1 - y     share of the target on that side
    w = 1 - v                      share on the other side
    b = w + v e

    u  = 1 - p_t = b / (1 + e)     with p_t = y p + (1 - y)(1 - p)
    CE = log1p(e) + w |x|

Each is a sum or product of terms >= 0: nothing overflows and nothing cancels. With s = +1 where
x >= 0 and -1 elsewhere, the derivatives that `focal` asks for are

    R = s (w - v) e r / b          K = -s R r (1 - e)
    D = s r (w - v e)              H = e r^2
"""

from __future__ import annotations

from typing import Any, NamedTuple

from . import focal

Array = Any
Namespace = Any


class Side(NamedTuple):
    """A logit seen from the side that it takes."""

    positive: Array  # 1 where that is the side of the positive class, else 0
    distance: Array  # |x|
    e: Array  # the odds against it

    @property
    def r(self) -> Array:
        """The probability of that side."""
        return 1 / (1 + self.e)

    @property
    def sign(self) -> Array:
        return 2 * self.positive - 1

    def divided(self, y: focal.Shares) -> tuple[Array, Array]:
        """The shares of a target on this side and on the other: y and 1 - y, or 1 - y and y."""
        here, there = self.positive, 1 - self.positive
        return here * y.own + there * y.rest, here * y.rest + there * y.own


def side_of(xp: Namespace, x: Array) -> Side:
    """Fold a logit onto the side that it takes."""
    positive = xp.astype(x >= 0, x.dtype)
    # |x| as a product: unlike abs, its derivative at 0 is that of either side, and both are right
    distance = (2 * positive - 1) * x
    return Side(positive, distance, xp.exp(-distance))


class Expected(focal.Product):
    """One modulating factor, of the expected probability ``p_t = y p + (1 - y)(1 - p)``.

    ``y`` decides the modulating factor and the class balance, ``smoothed`` the cross-entropy.
    """

    def __init__(
        self,
        xp: Namespace,
        side: Side,
        y: focal.Shares,
        smoothed: focal.Shares,
        gamma: Array,
        balance: focal.Balance = None,
    ) -> None:
        self.xp, self.gamma, self.side = xp, gamma, side
        self.alpha_t = focal.alpha_t(balance, y)
        self.modulating = side.divided(y)
        self.smoothed_apart = smoothed is not y
        self.entering = side.divided(smoothed) if self.smoothed_apart else self.modulating
        (here, there), (_, against) = self.modulating, self.entering
        self.b = there + here * side.e
        self.u = self.b / (1 + side.e)
        self.ce = xp.log1p(side.e) + focal.times(xp, against, side.distance)

    def rates(self) -> tuple[Array, Array]:
        s, e, r = self.side.sign, self.side.e, self.side.r
        (here, there), (beside, against) = self.modulating, self.entering
        # where b is 0, so is u^gamma or gamma itself: any finite R will do
        b = self.b + self.xp.astype(self.b == 0, self.b.dtype)
        return s * (there - here) * e * r / b, s * r * (against - beside * e)

    def bends(self) -> tuple[Array, Array]:
        s, e, r = self.side.sign, self.side.e, self.side.r
        R, _ = self.rates()
        return -s * R * r * (1 - e), e * r * r


def hard(xp: Namespace, side: Side, gamma: Array) -> Expected:
    """The focal loss of the positive class: a decreasing function of its margin."""
    y = _certain(xp, side)
    return Expected(xp, side, y, y, gamma)


def mixture(
    xp: Namespace, side: Side, y: focal.Shares, gamma: Array, balance: focal.Balance
) -> focal.Mixture:
    """A modulating factor for each class: ``y FL(x, 1) + (1 - y) FL(x, 0)``."""
    other = focal.Shares(*reversed(_certain(xp, side)))
    negative = Expected(xp, side, other, other, gamma)
    return focal.Mixture(xp, y, hard(xp, side, gamma), negative, balance)


def _certain(xp: Namespace, side: Side) -> focal.Shares:
    """A target that is all of the positive class."""
    return focal.Shares(xp.ones_like(side.positive), xp.zeros_like(side.positive))
