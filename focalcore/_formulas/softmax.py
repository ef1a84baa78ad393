"""Focal loss of a row of logits against a class, or a distribution over the classes.

One class t against the others of its row is a sigmoid: p_t = sigmoid(m), where the margin is
m = x_t - logsumexp(the others). From the largest M of the others, and d = M - x_t,

    E_j = exp(x_j - M)      S = sum of E_j      pi_j = E_j / S
    A   = e^-d if d > 0 else 1      B = S if d > 0 else S e^d      p_t = A / (A + B)

S is at least 1 and nothing cancels: 1 - p_t keeps its digits however confident the row is, and
CE = log1p(A + B - 1) + max(d, 0), where A + B - 1 is B, or (S - 1) + e^-d. Infinite
logits stand for +-L as L grows: those of one sign are equal, and all else is the limit. With f the
formula of a class, a function of w = -m, the derivatives with respect to the row are

    slope_t = -f'(w)        slope_j     = f'(w) pi_j
    curvature_t = f''(w)    curvature_j = f''(w) pi_j^2 + f'(w) pi_j (1 - pi_j)

All arrays keep the class axis, with length 1 where it is reduced; it may be any axis.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from . import focal, sigmoid
from .arrays import Array, Namespace, Number
from .focal import Formula, Gamma


class Choice(Protocol):
    """A choice of one class in each row."""

    @property
    def axis(self) -> int:
        """Return the class axis."""
        ...

    def gather(self, x: Array) -> Array:
        """Return the entry of each row's chosen class, NaN where none is chosen."""
        ...

    def scatter(self, x: Array, by: Number) -> Array:
        """Return the rows with the entry of the chosen class replaced."""
        ...


class OneHot(NamedTuple):
    """A choice by comparing labels with every class, which works in any library, for any label."""

    xp: Namespace
    chosen: Array
    axis: int

    def gather(self, x: Array) -> Array:
        entry = self._sum(self.xp.where(self.chosen, x, 0.0))
        some = self.xp.any(self.chosen, axis=self.axis, keepdims=True)
        return self.xp.where(some, entry, self.xp.nan)

    def scatter(self, x: Array, by: Number) -> Array:
        return self.xp.where(self.chosen, by, x)

    def _sum(self, x: Array) -> Array:
        return self.xp.sum(x, axis=self.axis, keepdims=True)


class OneVsRest:
    """The odds of one class of each row against all other classes."""

    def __init__(self, xp: Namespace, x: Array, choice: Choice) -> None:
        others = choice.scatter(x, -xp.inf)
        M = xp.max(others, axis=choice.axis, keepdims=True)
        self.E = xp.shifted_exp(others, M)
        # where all the others are infinitely low, the sum over them counts the class itself too
        is_lowest = xp.astype(-float(xp.finfo(x.dtype).max) >= M, x.dtype)
        S = xp.sum(self.E, axis=choice.axis, keepdims=True) - is_lowest
        self.S = xp.maximum(S, 1.0)  # S is 0 where there is no other class
        x_t = choice.gather(x)
        d = _gap(xp, M, x_t)
        behind = sigmoid.heaviside(xp, d)
        e = xp.exp(-xp.abs(d))
        S = S * (1 + rounding(xp, M, x_t))
        self.favour, self.against = xp.maximum(1 - behind, e), xp.maximum(behind, e) * S
        self.divisor = focal.Divisor(self.favour + self.against)
        # -log A is max(d, 0), and A + B less 1 is a sum or product of terms >= 0
        self.ce = xp.log1p(xp.where(d >= 0, (S - 1) + e, self.against)) + xp.maximum(d, 0.0)

    def in_favour(self) -> Array:
        return self.favour

    def pi(self) -> Array:
        """Return pi, the softmax over the other classes."""
        return self.E / self.S


class OfLabel:
    """The loss of rows of logits against class labels: the formula of the label's class."""

    def __init__(
        self, xp: Namespace, x: Array, choice: Choice, gamma: Gamma, alpha_t: Number | None
    ) -> None:
        self.odds, self.choice = OneVsRest(xp, x, choice), choice
        multiply = focal.multiplication(xp, alpha_t)
        self.f = sigmoid.FromMargin(xp, self.odds, gamma, alpha_t, multiply)

    def value(self) -> Array:
        return self.f.value()

    def slope(self) -> Array:
        first = self.f.slope()
        return self.choice.scatter(self.odds.E * (first / self.odds.S), -first)

    def curvature(self) -> Array:
        first, second, pi = self.f.slope(), self.f.curvature(), self.odds.pi()
        return self.choice.scatter(second * pi * pi + first * pi * (1 - pi), second)


class RowProbabilities(NamedTuple):
    """The probabilities of a row, computed from its largest class so that nothing cancels."""

    odds: OneVsRest  # the largest class against the others
    top: Choice  # the choice of that class
    gap_to_max: Array  # how far each logit is below the largest: x_top - x_c >= 0
    p: Array
    q: Array  # 1 - p
    minus_log_p: Array


def row_of(xp: Namespace, x: Array, top: Choice) -> RowProbabilities:
    """Return the probabilities of a row, from its largest class, so that nothing cancels."""
    odds = OneVsRest(xp, x, top)
    p_top, q_top = (part / odds.divisor.total for part in (odds.favour, odds.against))
    p = top.scatter(odds.pi() * q_top, p_top)
    gap_to_max = top.scatter(_gap(xp, top.gather(x), x), 0.0)
    return RowProbabilities(
        odds, top, gap_to_max, p, top.scatter(1 - p, q_top), gap_to_max + odds.ce
    )


class Expected(focal.SoftProduct):
    """The loss with one modulating factor per row, of the expected ``p_t = sum y_c p_c``.

    ``target`` decides the modulating factor, ``smoothed`` the cross-entropy:

        u   = sum (1 - y_c) p_c                CE  = -sum y_c log p_c
        R_j = p_j (p_t - y_j) / u              K_j = R_j (q_j - p_j)
        D_j = (1 - y_j) p_j - y_j q_j          H_j = p_j q_j
    """

    def __init__(
        self,
        xp: Namespace,
        row: RowProbabilities,
        target: focal.Target,
        smoothed: focal.Target,
        gamma: Gamma,
        alpha_t: Number | None,
    ) -> None:
        self.xp, self.row, self.axis = xp, row, row.top.axis
        self.target, self.smoothed = target, smoothed
        u = xp.sum(target.one_minus_y * row.p, axis=self.axis, keepdims=True)
        u = xp.with_slope_of(u, self._u_from_top)
        terms = xp.share_of(row.minus_log_p, smoothed.y)
        ce = xp.sum(terms, axis=self.axis, keepdims=True)
        # where the two targets differ, u may be 0 and CE infinite
        apart = smoothed is not target
        multiply = focal.zero_safe(xp) if apart else focal.multiplication(xp, alpha_t)
        super().__init__(xp, u, ce, gamma, alpha_t, multiply)

    def first_derivatives(self) -> tuple[Array, Array]:
        p, q, u = self.row.p, self.row.q, self.u
        # where u is 0, u^gamma or gamma is 0 too and multiplies R: any finite R will do
        R = p * self._excess() / (u + self.xp.astype(u == 0, u.dtype))
        return R, self.smoothed.one_minus_y * p - self.smoothed.y * q

    def second_derivatives(self) -> tuple[Array, Array]:
        p, q = self.row.p, self.row.q
        R, _ = self.first_derivatives()
        return R * (q - p), p * q

    def _from_top(self) -> tuple[Array, Array]:
        """Return each target, and p_t, less the target of the largest class."""
        apart = self.target.y - self.row.top.gather(self.target.y)
        return apart, self.xp.sum(self.row.p * apart, axis=self.axis, keepdims=True)

    def _u_from_top(self) -> Array:
        """Return u as 1 - y of the largest class, less the difference of p_t from that y."""
        return self.row.top.gather(self.target.one_minus_y) - self._from_top()[1]

    def _excess(self) -> Array:
        """Return ``p_t - y_j`` from differences alone, as the sum of ``p_k (y_k - y_j)``.

        Equal targets then add exactly 0, and no rounding error that an unbounded CE would enlarge.
        """
        apart, of_top = self._from_top()
        beyond = apart - of_top  # y_j - p_t, up to rounding
        rest = self.xp.sum(self.row.p * beyond, axis=self.axis, keepdims=True)
        return self.row.top.scatter(rest - beyond, of_top)

    def _times_ce(self, rate: Array) -> Array:
        # another class may make CE infinite, whatever the p of this class is
        return focal.safe_multiply(self.xp, rate, self.ce)


class Mixture:
    """The loss ``sum y_c f(w_c)``: a formula of each class, a function of its negative margin w_c.

    dw_c/dx_j = p_j / q_c. Only the largest class can have a q near 0; for that one p_j / q is pi_j,
    which needs no division.
    """

    def __init__(self, xp: Namespace, row: RowProbabilities, shares: Array, f: Formula) -> None:
        self.xp, self.row, self.top, self.shares, self.f = xp, row, row.top, shares, f
        self.q, self.pi = row.top.scatter(row.q, 1.0), row.top.scatter(row.odds.pi(), 0.0)

    def value(self) -> Array:
        return self._sum(focal.safe_multiply(self.xp, self.shares, self.f.value()))

    def slope(self) -> Array:
        first = focal.safe_multiply(self.xp, self.shares, self.f.slope())
        through_top = self.pi * self.top.gather(first)
        return self.row.p * self._elsewhere(first / self.q) + through_top - first

    def curvature(self) -> Array:
        first = focal.safe_multiply(self.xp, self.shares, self.f.slope())
        second = focal.safe_multiply(self.xp, self.shares, self.f.curvature())
        p, q, pi = self.row.p, self.q, self.pi
        bent = p * p * self._elsewhere((second - first) / (q * q)) + p * self._elsewhere(first / q)
        through_top = pi * pi * self.top.gather(second) + pi * (1 - pi) * self.top.gather(first)
        return second + bent + self.top.scatter(through_top, 0.0)

    def _sum(self, x: Array) -> Array:
        return self.xp.sum(x, axis=self.top.axis, keepdims=True)

    def _elsewhere(self, x: Array) -> Array:
        """Return for each class the sum over the classes that are neither it nor the largest."""
        rest = self.top.scatter(x, 0.0)
        return self._sum(rest) - rest


def mixture(
    xp: Namespace,
    row: RowProbabilities,
    target: focal.Target,
    gamma: Gamma,
    alpha: Number | None,
) -> Mixture:
    """Return the loss ``sum y_c alpha_c (1 - p_c)^gamma (-log p_c)``: a factor for each class."""
    shares = target.y if alpha is None else target.y * alpha
    return Mixture(xp, row, shares, sigmoid.FromMargin(xp, EachVsRest(xp, row), gamma))


class EachVsRest:
    """The odds of every class against the other classes of its row."""

    def __init__(self, xp: Namespace, row: RowProbabilities) -> None:
        T = row.odds.against / row.odds.favour  # the odds against the largest class
        E = xp.exp(-row.gap_to_max)
        A, B = E, row.top.scatter(1 + (T - E), T)
        greater, is_behind = xp.maximum(B, A), B >= A
        e = xp.minimum(A, B) / greater
        self.favour = xp.where(is_behind, e, 1.0)
        self.against = xp.where(is_behind, 1.0, e)
        self.divisor = sigmoid.one_plus(xp, e)
        self.ce = xp.log1p(e) + xp.where(is_behind, xp.log(greater) + row.gap_to_max, 0.0)

    def in_favour(self) -> Array:
        return self.favour


def _gap(xp: Namespace, a: Array, b: Array) -> Array:
    """Return ``a - b``, which is 0 where both are the same infinity."""
    return xp.where(xp.isinf(a) & (a == b), 0.0, a - b)


def rounding(xp: Namespace, a: Array, b: Array) -> Array:
    """Return what ``a - b`` loses to rounding (Knuth's two-sum).

    Operands are cut at 2^12: beyond it differences below 750, the ones that matter, are exact.
    """
    a, b = xp.clip(a, -4096.0, 4096.0), xp.clip(b, -4096.0, 4096.0)
    d = a - b
    back = d - a
    return (a - (d - back)) - (b + back)
