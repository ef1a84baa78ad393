"""Focal loss of one logit x against a target y in [0, 1].

The loss of (x, y) is the loss of (-x, 1 - y): it depends on the sign of x only through the share w
of the target that lies on the other side. So everything is seen from the side the logit takes:

    e = exp(-|x|)                  odds against that side
    r = 1 / (1 + e)                probability of that side
    w = 1 - y if x >= 0 else y     share of the target on the other side
    b = w + (1 - w) e

    u  = 1 - p_t = r b             with p_t = y p + (1 - y)(1 - p)
    CE = log1p(e) + w |x|

Each is a sum or product of terms >= 0: nothing overflows and nothing cancels. With s = +1 where
x >= 0 and -1 elsewhere, the derivatives that `focal` asks for are

    R = s (2 w - 1) e r / b        K = -s R r (1 - e)
    D = s r (w - (1 - w) e)        H = e r^2
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
    r: Array  # its probability

    @property
    def sign(self) -> Array:
        return 2 * self.positive - 1

    def against(self, y: Array) -> Array:
        """The share of a target that lies on the other side: 1 - y, or y."""
        return self.positive - self.sign * y


def side_of(xp: Namespace, x: Array) -> Side:
    """Fold a logit onto the side that it takes."""
    positive = xp.astype(x >= 0, x.dtype)
    # |x| as a product: unlike abs, its derivative at 0 is that of either side, and both are right
    distance = (2 * positive - 1) * x
    e = xp.exp(-distance)
    return Side(positive, distance, e, 1 / (1 + e))


class Expected(focal.Product):
    """One modulating factor, of the expected probability ``p_t = y p + (1 - y)(1 - p)``.

    ``y`` decides the modulating factor and the class balance, ``smoothed`` the cross-entropy.
    """

    def __init__(
        self,
        xp: Namespace,
        side: Side,
        y: Array,
        smoothed: Array,
        gamma: Array,
        balance: focal.Balance = None,
    ) -> None:
        self.xp, self.gamma, self.side = xp, gamma, side
        self.alpha_t = focal.alpha_t(balance, y)
        self.w = side.against(y)
        self.v = self.w if smoothed is y else side.against(smoothed)
        self.b = self.w + (1 - self.w) * side.e
        self.u = side.r * self.b
        self.ce = xp.log1p(side.e) + focal.times(xp, self.v, side.distance)

    def rates(self) -> tuple[Array, Array]:
        s, e, r = self.side.sign, self.side.e, self.side.r
        # where b is 0, so is u^gamma or gamma itself: any finite R will do
        b = self.b + self.xp.astype(self.b == 0, self.b.dtype)
        return s * (2 * self.w - 1) * e * r / b, s * r * (self.v - (1 - self.v) * e)

    def bends(self) -> tuple[Array, Array]:
        s, e, r = self.side.sign, self.side.e, self.side.r
        R, _ = self.rates()
        return -s * R * r * (1 - e), e * r * r


def hard(xp: Namespace, side: Side, gamma: Array) -> Expected:
    """The focal loss of the positive class: a decreasing function of its margin."""
    one = xp.ones_like(side.positive)
    return Expected(xp, side, one, one, gamma)


def mixture(
    xp: Namespace, side: Side, y: Array, gamma: Array, balance: focal.Balance
) -> focal.Mixture:
    """A modulating factor for each class: ``y FL(x, 1) + (1 - y) FL(x, 0)``."""
    zero = xp.zeros_like(side.positive)
    negative = Expected(xp, side, zero, zero, gamma)
    return focal.Mixture(xp, y, hard(xp, side, gamma), negative, balance)
