"""Focal loss of one logit x against a target y.

For a 0/1 target the loss depends only on the negative margin w: -x for positives, x for negatives.
With

    e = exp(-|w|)      A = e if w > 0 else 1      B = 1 if w > 0 else e

A to B are the odds in favour of the target, and

    p_t = A / (A + B)                     CE = log1p(e) + max(w, 0)
    u   = 1 - p_t = B / (A + B)

For a target between 0 and 1, loss(x, y) = loss(-x, 1 - y) reduces it to x >= 0: v is the target of
the class that the logit favours, y where x >= 0 and 1 - y elsewhere. With

    e = exp(-|x|)      b = (1 - v) + v e

    u  = 1 - p_t = b / (1 + e)     where p_t = y p + (1 - y)(1 - p)
    CE = log1p(e) + (1 - v) |x|

Each is a sum or product of terms >= 0: nothing overflows and nothing cancels.
"""

from __future__ import annotations

import operator
from typing import NamedTuple, Protocol

from . import focal
from .arrays import Array, Namespace, Number
from .focal import Gamma


class Odds(Protocol):
    """The odds A to B in favour of a class, and its cross-entropy."""

    against: Array  # B
    divisor: focal.Divisor  # A + B
    ce: Array

    def in_favour(self) -> Array:
        """Return A, the part of the odds that is in favour of the class."""
        ...


class MarginOdds:
    """The odds in favour of a class, from its negative margin w."""

    def __init__(self, xp: Namespace, w: Array) -> None:
        self.xp = xp
        self.is_losing = heaviside(xp, w)
        self.e, lost = xp.exp_and_lost(-xp.abs(w))
        self.against = xp.maximum(self.is_losing, self.e)
        self.divisor = one_plus(xp, self.e)
        if lost is not None:  # where B is e
            self.divisor = self.divisor.less((1 - self.is_losing) * lost)
        self.ce = xp.log1p(self.e) + xp.maximum(w, 0.0)

    def in_favour(self) -> Array:
        return self.xp.maximum(1 - self.is_losing, self.e)


def heaviside(xp: Namespace, x: Array) -> Array:
    """Return 1 where x > 0 and 0 where x < 0; at 0 either, on which no result may depend."""
    return xp.astype(x >= 0, x.dtype)


def one_plus(xp: Namespace, e: Array) -> focal.Divisor:
    """Return ``1 + e`` for e in [0, 1]."""
    total, lost = xp.one_plus_and_lost(e)
    # 1 / total is within a sixth of 1 - e / 2, enough digits of so small a part
    return focal.Divisor(total, None if lost is None else lost * (1 - 0.5 * e))


class FromMargin(focal.Product):
    """The focal loss of one class, as a function of its negative margin w.

    With T = A + B: ``R T = A``, ``D T = B``, ``K T^2 = A (A - B)`` and ``H T^2 = A B``.
    """

    def __init__(
        self,
        xp: Namespace,
        odds: Odds,
        gamma: Gamma,
        alpha_t: Number | None = None,
        multiply: focal.Multiply = operator.mul,
    ) -> None:
        self.odds, u = odds, odds.against / odds.divisor.total
        super().__init__(xp, u, odds.ce, gamma, alpha_t, multiply, odds.divisor)

    def first_derivatives(self) -> tuple[Array, Array]:
        return self.odds.in_favour(), self.odds.against

    def second_derivatives(self) -> tuple[Array, Array]:
        A, B = self.first_derivatives()
        return A * (A - B), A * B


class BinaryTarget:
    """The loss of targets of 0 or 1, a function of the logit: the formula of the target's class."""

    def __init__(
        self, xp: Namespace, x: Array, target: focal.Target, gamma: Gamma, balance: focal.Balance
    ) -> None:
        self.dw_dx = target.one_minus_y - target.y
        alpha_t, multiply = focal.alpha_t(balance, target), focal.multiplication(xp, *balance or ())
        self.f = FromMargin(xp, MarginOdds(xp, self.dw_dx * x), gamma, alpha_t, multiply)

    def value(self) -> Array:
        return self.f.value()

    def slope(self) -> Array:
        return self.dw_dx * self.f.slope()

    def curvature(self) -> Array:
        return self.f.curvature()


class FavouredClass(NamedTuple):
    """The class that each logit favours, and how strongly."""

    is_positive: Array  # whether that is the positive class
    distance: Array  # |x|
    e: Array  # the odds against it, at most 1
    lost: Array | None  # the part of e that rounding lost, if it is known

    def of(self, xp: Namespace, target: focal.Target) -> focal.Target:
        """Return the target of the favoured class: the pair v and 1 - v."""
        v = xp.where(self.is_positive, target.y, target.one_minus_y)
        return focal.Target(v, xp.where(self.is_positive, target.one_minus_y, target.y))

    def signed(self, xp: Namespace, x: Array) -> Array:
        """Return x where the positive class is favoured, and -x elsewhere."""
        return xp.where(self.is_positive, x, -x)


def favoured_class(xp: Namespace, x: Array) -> FavouredClass:
    """Return the class that each logit favours, and how strongly."""
    distance = xp.abs(x)
    return FavouredClass(x >= 0, distance, *xp.exp_and_lost(-distance))


class Expected(focal.SoftProduct):
    """The loss with one modulating factor, of the expected ``p_t = y p + (1 - y)(1 - p)``.

    ``target`` decides the modulating factor and the class balance, ``smoothed`` the cross-entropy.
    With sign = 1 where x >= 0 and -1 elsewhere, and T = 1 + e,

        R T = ((1 - y) - y) e / b      K T^2 = sign (R T) (e - 1)
        D T = sign ((1 - v) - v e)     H T^2 = e
    """

    def __init__(
        self,
        xp: Namespace,
        x: Array,
        target: focal.Target,
        smoothed: focal.Target,
        gamma: Gamma,
        balance: focal.Balance = None,
    ) -> None:
        self.side = favoured_class(xp, x)
        e, apart = self.side.e, smoothed is not target
        divisor, modulating = one_plus(xp, e), self.side.of(xp, target)
        if self.side.lost is not None:  # where b is e
            is_e = modulating.one_minus_y == 0
            divisor = divisor.less(xp.where(is_e, self.side.lost, 0.0))
        self.target, self.entering = target, self.side.of(xp, smoothed) if apart else modulating
        self.b = modulating.one_minus_y + modulating.y * e
        against = xp.share_of(self.side.distance, self.entering.one_minus_y)
        # where the two targets differ, u may be 0 and CE infinite
        multiply = focal.zero_safe(xp) if apart else focal.multiplication(xp, *balance or ())
        u, ce = self.b / divisor.total, xp.log1p(e) + against
        alpha_t = focal.alpha_t(balance, target)
        super().__init__(xp, u, ce, gamma, alpha_t, multiply, divisor)

    def first_derivatives(self) -> tuple[Array, Array]:
        e, (y, one_minus_y), (v, one_minus_v) = self.side.e, self.target, self.entering
        # where b is 0, u^gamma or gamma is 0 too and multiplies R: any finite R will do
        R = (one_minus_y - y) * self.xp.quotient(e, self.b, 0.0)
        return R, self.side.signed(self.xp, one_minus_v - v * e)

    def second_derivatives(self) -> tuple[Array, Array]:
        R, _ = self.first_derivatives()
        return self.side.signed(self.xp, R * (self.side.e - 1)), self.side.e


def of_each_class(xp: Namespace, x: Array, gamma: Gamma) -> tuple[BinaryTarget, BinaryTarget]:
    """Return the loss of a logit as a positive, and as a negative."""
    positive, negative = focal.hard_targets(xp, x)
    return BinaryTarget(xp, x, positive, gamma, None), BinaryTarget(xp, x, negative, gamma, None)


def mixture(
    xp: Namespace, x: Array, target: focal.Target, gamma: Gamma, balance: focal.Balance
) -> focal.Mixture:
    """Return ``y FL(x, 1) + (1 - y) FL(x, 0)``, with a modulating factor for each class."""
    return focal.Mixture(xp, target, *of_each_class(xp, x, gamma), balance)
