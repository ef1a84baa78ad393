"""Focal loss as a product: a modulating factor times a cross-entropy.

Lin et al. 2017, equation 4, is ``FL = u^gamma CE`` with ``u = 1 - p_t`` and ``CE = -log p_t``.
Whatever variable it is a function of, its derivatives are those of a product. With

    R = u' / u      D = CE'
    K = u'' / u     H = CE''

they are

    value     = u^gamma CE
    slope     = u^gamma (gamma R CE + D)
    curvature = u^gamma (gamma ((gamma - 1) R^2 + K) CE + 2 gamma R D + H)

R and K stay bounded as u goes to 0, so there is no division by u, no negative exponent, and no
NaN for any gamma >= 0. Where the factor is detached, derivatives take u^gamma as a constant: of
the sums, D and H are left.

The polynomial term of Leng et al. 2022, ``epsilon u^(gamma + 1)``, is one of a cross-entropy to
which ``epsilon u`` is added, so D gets ``epsilon u R`` more, and H ``epsilon u K``.

An error of u enters gamma times. Where u, R and D are fractions with one sum T below the line, and
K and H have its square there, the division is done once, at the end; and what T lost to rounding is
known (Knuth's two-sum) and made good.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol

from .arrays import Array, Namespace, Number

Multiply = Callable[[Array, Array], Array]


class Formula(Protocol):
    """The value, slope and curvature that every formula returns for each of its elements."""

    def value(self) -> Array: ...
    def slope(self) -> Array: ...
    def curvature(self) -> Array: ...


class Divisor(NamedTuple):
    """A sum T that a formula is divided by."""

    total: Array
    lost: Array | None = None  # the part of it that was lost to rounding, if that is known

    def less(self, lost: Array) -> Divisor:
        """Return the divisor of what has lost a part of its own to rounding."""
        return Divisor(self.total, self.lost - lost)


class Product:
    """The product ``alpha_t u^gamma CE``; a subclass gives u and CE, and their derivatives."""

    def __init__(
        self,
        xp: Namespace,
        u: Array,
        ce: Array,
        gamma: Gamma,
        alpha_t: Number | None = None,  # None: every element weighs 1
        multiply: Multiply = operator.mul,  # zero-safe where the factor may be 0 and CE infinite
        divisor: Divisor | None = None,  # what u is divided by already, and derivatives are not yet
    ) -> None:
        self.xp, self.u, self.ce, self.multiply, self.divisor = xp, u, ce, multiply, divisor
        plain = gamma if isinstance(gamma, Modulation) else Modulation(gamma)
        self.is_detached, self.gamma = plain.is_detached, number_of(gamma)
        self.epsilon = plain.epsilon
        if self.epsilon is not None:
            self.ce = ce + self.epsilon * u
        if self.is_detached and not isinstance(self.gamma, float):
            self.gamma = xp.stop_gradient(self.gamma)
        factor = power(xp, u, gamma)
        self.factor = factor if alpha_t is None else alpha_t * factor

    def first_derivatives(self) -> tuple[Array, Array]:
        """Return R and D, of the formulas at the top of the module; times T if there is one."""
        raise NotImplementedError

    def second_derivatives(self) -> tuple[Array, Array]:
        """Return K and H, of the formulas at the top of the module; times T^2 if there is one."""
        raise NotImplementedError

    def value(self) -> Array:
        return self.multiply(self._divided(self.factor, None, 0), self.ce)

    def slope(self) -> Array:
        R, D = self._first()
        if self.is_detached:
            return self.multiply(self.factor, self._divided(D, None, 1))
        return self.multiply(self.factor, self._divided(self._times_ce(self.gamma * R), D, 1))

    def curvature(self) -> Array:
        (R, D), (K, H) = self._first(), self._second()
        if self.is_detached:
            return self.multiply(self.factor, self._divided(H, None, 2))
        bend = self._times_ce(self.gamma * ((self.gamma - 1) * R * R + K))
        return self.multiply(self.factor, self._divided(bend, 2 * self.gamma * R * D + H, 2))

    def _first(self) -> tuple[Array, Array]:
        """Return R and D, with the slope of the polynomial term."""
        R, D = self.first_derivatives()
        return R, D if self.epsilon is None else D + self.epsilon * (self.u * R)

    def _second(self) -> tuple[Array, Array]:
        """Return K and H, with the curvature of the polynomial term."""
        K, H = self.second_derivatives()
        return K, H if self.epsilon is None else H + self.epsilon * (self.u * K)

    def _divided(self, x: Array, rest: Array | None, times: int) -> Array:
        """Return ``x + rest`` over a power of T, whose loss is made good there and in u^gamma."""
        whole = x if rest is None else x + rest
        if self.divisor is None:
            return whole
        total, lost = self.divisor
        if lost is not None:
            loss = whole * ((self.gamma + times) * lost)
            # less the rest, which is the smaller one, fewer digits are lost
            whole = x - loss if rest is None else x + (rest - loss)
        x = whole
        for _ in range(times):
            x = x / total
        return x

    def _times_ce(self, rate: Array) -> Array:
        # the rate is 0 long before CE reaches this bound, which makes their product 0, and not NaN
        return rate * self.xp.minimum(self.ce, 2.0**60)


class SoftProduct(Product):
    """The product of soft targets, whose u^gamma may have become 0 where CE is infinite."""

    def value(self) -> Array:
        return safe_multiply(self.xp, self._divided(self.factor, None, 0), self.ce)


class Mixture:
    """The sum ``y FL(1) + (1 - y) FL(0)``, where each class has a modulating factor of its own."""

    def __init__(
        self, xp: Namespace, target: Target, positive: Formula, negative: Formula, balance: Balance
    ) -> None:
        self.xp, self.positive, self.negative = xp, positive, negative
        positive_weight, negative_weight = balance or (1.0, 1.0)
        self.of_positive = target.y * positive_weight
        self.of_negative = target.one_minus_y * negative_weight

    def value(self) -> Array:
        return self._mixed(self.positive.value(), self.negative.value())

    def slope(self) -> Array:
        return self._mixed(self.positive.slope(), self.negative.slope())

    def curvature(self) -> Array:
        return self._mixed(self.positive.curvature(), self.negative.curvature())

    def _mixed(self, positive: Array, negative: Array) -> Array:
        positive = safe_multiply(self.xp, self.of_positive, positive)
        return positive + safe_multiply(self.xp, self.of_negative, negative)


class Target(NamedTuple):
    """The pair (y, 1 - y), kept so that 1 - y is never computed again, which would lose digits."""

    y: Array  # the share of the positive class, or of each class
    one_minus_y: Array  # the share of the other classes

    @staticmethod
    def of(y: Array) -> Target:
        """Return the pair for a target y as the caller gave it."""
        return Target(y, 1 - y)

    def smoothed(self, s: float, n_classes: int = 2) -> Target:
        """Return the target with a part s of it spread evenly over the classes."""
        even = s / n_classes
        return Target((1 - s) * self.y + even, (1 - s) * self.one_minus_y + (s - even))


def hard_targets(xp: Namespace, like: Array) -> tuple[Target, Target]:
    """Return the targets of what is all positive, and of what is all negative."""
    ones, zeros = xp.ones_like(like), xp.zeros_like(like)
    return Target(ones, zeros), Target(zeros, ones)


Balance = tuple[Number, Number] | None  # the weights of positives and of negatives; None: 1


def alpha_t(balance: Balance, target: Target) -> Array | None:
    """Return the class balance of a target between 0 and 1, or None where both classes weigh 1."""
    return None if balance is None else target.y * balance[0] + target.one_minus_y * balance[1]


def multiplication(xp: Namespace, *weights: Number | None) -> Multiply:
    """Return the multiplication for a factor with these weights in it, zero-safe if it may be 0."""
    for weight in weights:
        # a number below 2^-126, the least normal one of float32, may become 0 in its type
        if weight is not None and not (isinstance(weight, float) and weight >= 2.0**-126):
            return zero_safe(xp)
    return operator.mul


def zero_safe(xp: Namespace) -> Multiply:
    """Return the multiplication in which a factor of 0 gives 0, even times an infinity."""
    return partial(safe_multiply, xp)


class Exponent(NamedTuple):
    """A gamma that a compiled program takes as an argument: two arrays that add up to it."""

    gamma: Array  # one number, in the type of u
    rest: Array  # the rest of gamma, for which that type has no digits

    @property
    def ndim(self) -> int:
        return 0


class Modulation(NamedTuple):
    """A gamma, and what becomes of the product beside it."""

    gamma: Number | Exponent
    is_detached: bool = False  # whether derivatives take the factor as a constant
    epsilon: Number | None = None  # of the polynomial term, if there is one

    @property
    def ndim(self) -> int:
        return getattr(self.gamma, "ndim", 0)


Gamma = Number | Exponent | Modulation


def number_of(gamma: Gamma) -> Number:
    """Return gamma as one number or array, in the type of u."""
    return number_of(gamma.gamma) if isinstance(gamma, Modulation | Exponent) else gamma


def power(xp: Namespace, u: Array, gamma: Gamma) -> Array:
    """Return ``u^gamma`` for u >= 0, by products and roots where gamma is a multiple of 1/4.

    Of another gamma a rest below 1/4 is left: so small, it loses little when rounded to u's type.
    """
    if isinstance(gamma, Modulation):
        factor = power(xp, u, gamma.gamma)
        return xp.stop_gradient(factor) if gamma.is_detached else factor
    if isinstance(gamma, Exponent):
        return xp.pow(u, gamma.gamma) * xp.pow(u, gamma.rest)
    if not isinstance(gamma, float):
        return xp.pow(u, gamma)
    whole = int(gamma)
    quarters = int(4 * (gamma - whole))
    rest = gamma - whole - quarters / 4
    factors, square = [], u
    while whole:
        if whole % 2:
            factors.append(square)
        whole //= 2
        square = square * square if whole else square
    if quarters:
        factors.append(_root(xp, u, quarters))
    if rest:
        factors.append(xp.pow(u, rest))
    product = factors[0] if factors else xp.ones_like(u)
    for factor in factors[1:]:
        product = product * factor
    return product


def safe_multiply(xp: Namespace, factor: Number, x: Array) -> Any:
    """Return ``factor * x``, which is 0 where the factor is 0, even if x is infinite."""
    return factor * xp.where((factor == 0) & xp.isinf(x), 0.0, x)


def _root(xp: Namespace, u: Array, quarters: int) -> Array:
    """Return ``u^(1/4)``, ``u^(1/2)`` or ``u^(3/4)``, as ``quarters`` is 1, 2 or 3."""
    half = xp.sqrt(u)
    if quarters == 2:
        return half
    quarter = xp.sqrt(half)
    return quarter if quarters == 1 else half * quarter
