"""Focal loss of a row of logits against a class, or a distribution over the classes.

One class t against the others of its row is a sigmoid: p_t = sigmoid(m), where the margin is
m = x_t - logsumexp(the others). From the largest M of the others, and d = M - x_t,

    E_j = exp(x_j - M)      S = sum of E_j      pi_j = E_j / S
    A   = e^-d if d > 0 else 1      B = S if d > 0 else S e^d      p_t = A / (A + B)

S is at least 1 and nothing cancels: 1 - p_t keeps its digits however confident the row is. Infinite
logits stand for +-L as L grows: those of one sign are equal, and all else is the limit. With f the
formula of a class that trails by w = -m, the derivatives with respect to the row are

    slope_t = -f'(w)        slope_j     = f'(w) pi_j
    curvature_t = f''(w)    curvature_j = f''(w) pi_j^2 + f'(w) pi_j (1 - pi_j)

Everything keeps the class axis, of length 1 where it is reduced, whichever axis that is.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from . import focal, sigmoid

Array = Any
Namespace = Any


class Choice(Protocol):
    """One class of each row."""

    @property
    def axis(self) -> int:
        """That of the classes."""
        ...

    def entry(self, x: Array) -> Array:
        """Its entry, NaN where a row has none."""
        ...

    def replaced(self, x: Array, by: Array) -> Array:
        """The rows with that entry replaced."""
        ...

    def overwritten(self, x: Array, by: Array) -> Array:
        """The same for rows that nothing else needs any more."""
        ...


class OneHot(NamedTuple):
    """A choice by comparison with every class: what any library can do, and any label."""

    xp: Namespace
    chosen: Array
    axis: int

    def entry(self, x: Array) -> Array:
        """Its entry, NaN where a row has none."""
        entry = self._sum(self.xp.where(self.chosen, x, 0.0))
        some = self.xp.any(self.chosen, axis=self.axis, keepdims=True)
        return self.xp.where(some, entry, self.xp.nan)

    def replaced(self, x: Array, by: Array) -> Array:
        """The rows with that entry replaced."""
        return self.xp.where(self.chosen, by, x)

    def overwritten(self, x: Array, by: Array) -> Array:
        """The same for rows that nothing else needs any more."""
        return self.replaced(x, by)

    def _sum(self, x: Array) -> Array:
        return self.xp.sum(x, axis=self.axis, keepdims=True)


class Split:
    """The standing of one class of each row against the others, which it trails by w."""

    def __init__(self, xp: Namespace, x: Array, choice: Choice) -> None:
        others = choice.replaced(x, -xp.inf)
        M = xp.max(others, axis=choice.axis, keepdims=True)
        self.E = xp.shifted_exp(others, M)
        # where all the others are infinitely low, the class itself was counted as one of them
        is_lowest = xp.astype(-float(xp.finfo(x.dtype).max) >= M, x.dtype)
        S = xp.sum(self.E, axis=choice.axis, keepdims=True) - is_lowest
        self.S = xp.maximum(S, 1.0)  # 0 where there is no other class
        x_t = choice.entry(x)
        d = _gap(xp, M, x_t)
        behind = xp.heaviside(d)
        e = xp.exp(-xp.abs(d))
        self.favour = xp.maximum(1 - behind, e)
        self.against = xp.maximum(behind, e) * (S * (1 + _rounding(xp, M, x_t)))
        self.total = self.favour + self.against
        greater = xp.maximum(self.favour, self.against)
        lesser = xp.minimum(self.against, self.favour)
        self.ce = xp.log1p(lesser / greater) + xp.log(greater) + xp.maximum(d, 0.0)

    def in_favour(self) -> Array:
        """A."""
        return self.favour

    def pi(self) -> Array:
        """Softmax over the others."""
        return self.E / self.S


class Index:
    """Hard targets: the formula of the target's class."""

    def __init__(
        self, xp: Namespace, x: Array, choice: Choice, gamma: Array, alpha_t: Array
    ) -> None:
        self.split, self.choice = Split(xp, x, choice), choice
        multiply = focal.multiplication(xp, alpha_t)
        self.f = sigmoid.Hard(xp, self.split, gamma, alpha_t, multiply)

    def value(self) -> Array:
        return self.f.value()

    def slope(self) -> Array:
        first = self.f.slope()
        return self.choice.overwritten(self.split.E * (first / self.split.S), -first)

    def curvature(self) -> Array:
        first, second, pi = self.f.slope(), self.f.curvature(), self.split.pi()
        return self.choice.overwritten(second * pi * pi + first * pi * (1 - pi), second)


class Row(NamedTuple):
    """The probabilities of a row, seen from its largest class."""

    split: Split  # the largest class against the others
    top: OneHot  # that class
    lead: Array  # of the largest logit over each: x_top - x_c >= 0
    p: Array
    q: Array  # 1 - p
    minus_log_p: Array


def row_of(xp: Namespace, x: Array, top: OneHot) -> Row:
    """Probabilities without cancellation, from the largest class."""
    split = Split(xp, x, top)
    p_top, q_top = split.favour / split.total, split.against / split.total
    p = top.replaced(split.pi() * q_top, p_top)
    lead = top.replaced(_gap(xp, top.entry(x), x), 0.0)
    return Row(split, top, lead, p, top.replaced(1 - p, q_top), lead + split.ce)


class Expected(focal.Product):
    """One modulating factor per row, of ``p_t = sum y_c p_c``.

    ``y`` decides the modulating factor, ``smoothed`` the cross-entropy; with 1 - y as it is given:

        u   = sum (1 - y_c) p_c                CE  = -sum y_c log p_c
        R_j = p_j (p_t - y_j) / u              K_j = R_j (q_j - p_j)
        D_j = (1 - y_j) p_j - y_j q_j          H_j = p_j q_j
    """

    def __init__(
        self,
        xp: Namespace,
        row: Row,
        y: focal.Shares,
        smoothed: focal.Shares,
        gamma: Array,
        alpha_t: Array,
    ) -> None:
        self.xp, self.row, self.y, self.smoothed, self.axis = xp, row, y, smoothed, row.top.axis
        u = xp.sum(y.rest * row.p, axis=self.axis, keepdims=True)
        u = xp.with_slope_of(u, self._u_from_top)
        terms = focal.times(xp, smoothed.own, row.minus_log_p)
        ce = xp.sum(terms, axis=self.axis, keepdims=True)
        # u may be 0 beside another target's CE
        multiply = focal.multiplication(xp, 1.0 if smoothed is y else 0.0, alpha_t)
        super().__init__(xp, u, ce, gamma, alpha_t, multiply)

    def rates(self) -> tuple[Array, Array]:
        p, q, u = self.row.p, self.row.q, self.u
        # where u is 0, so is u^gamma or gamma itself: any finite R will do
        R = p * self._excess() / (u + self.xp.astype(u == 0, u.dtype))
        return R, self.smoothed.rest * p - self.smoothed.own * q

    def bends(self) -> tuple[Array, Array]:
        p, q = self.row.p, self.row.q
        R, _ = self.rates()
        return R * (q - p), p * q

    def _from_top(self) -> tuple[Array, Array]:
        """What each target differs from that of the largest class, and what p_t does."""
        apart = self.y.own - self.row.top.entry(self.y.own)
        return apart, self.xp.sum(self.row.p * apart, axis=self.axis, keepdims=True)

    def _u_from_top(self) -> Array:
        """u as 1 - y of the largest class, less what p_t differs from that y."""
        return self.row.top.entry(self.y.rest) - self._from_top()[1]

    def _excess(self) -> Array:
        """``p_t - y_j``, of differences alone: the sum of ``p_k (y_k - y_j)``.

        Among the targets that are equal nothing is left over, for a CE without bounds to multiply.
        """
        apart, of_top = self._from_top()
        beyond = apart - of_top  # y_j - p_t, but for what rounding left
        rest = self.xp.sum(self.row.p * beyond, axis=self.axis, keepdims=True)
        return self.row.top.replaced(rest - beyond, of_top)

    def _times_ce(self, rate: Array) -> Array:
        # a class of any p may meet a CE that another class makes infinite
        return focal.times(self.xp, rate, self.ce)


class Mixture:
    """A modulating factor per class: ``sum y_c alpha_c (1 - p_c)^gamma (-log p_c)``.

    Every class trails the others by a w_c of its own, and dw_c/dx_j = p_j / q_c. Only the largest
    class can have a q near 0; for that one p_j / q is pi_j, which needs no division.
    """

    def __init__(
        self, xp: Namespace, row: Row, y: focal.Shares, gamma: Array, alpha: Array
    ) -> None:
        self.xp, self.row, self.top = xp, row, row.top
        self.shares = y.own if alpha is None else y.own * alpha
        self.f = sigmoid.Hard(xp, _Every(xp, row), gamma)
        self.q, self.pi = row.top.replaced(row.q, 1.0), row.top.replaced(row.split.pi(), 0.0)

    def value(self) -> Array:
        return self._sum(focal.times(self.xp, self.shares, self.f.value()))

    def slope(self) -> Array:
        first = focal.times(self.xp, self.shares, self.f.slope())
        through_top = self.pi * self.top.entry(first)
        return self.row.p * self._elsewhere(first / self.q) + through_top - first

    def curvature(self) -> Array:
        first = focal.times(self.xp, self.shares, self.f.slope())
        second = focal.times(self.xp, self.shares, self.f.curvature())
        p, q, pi = self.row.p, self.q, self.pi
        bent = p * p * self._elsewhere((second - first) / (q * q)) + p * self._elsewhere(first / q)
        through_top = pi * pi * self.top.entry(second) + pi * (1 - pi) * self.top.entry(first)
        return second + bent + self.top.replaced(through_top, 0.0)

    def _sum(self, x: Array) -> Array:
        return self.xp.sum(x, axis=self.top.axis, keepdims=True)

    def _elsewhere(self, x: Array) -> Array:
        """The sum over the classes that are neither the largest nor the class itself."""
        rest = self.top.replaced(x, 0.0)
        return self._sum(rest) - rest


class _Every:
    """The standing of every class against the others of its row."""

    def __init__(self, xp: Namespace, row: Row) -> None:
        T = row.split.against / row.split.favour  # odds against the largest
        E = xp.exp(-row.lead)
        A, B = E, row.top.replaced(1 + (T - E), T)
        greater, is_behind = xp.maximum(B, A), B >= A
        e = xp.minimum(A, B) / greater
        self.favour = xp.where(is_behind, e, 1.0)
        self.against = xp.where(is_behind, 1.0, e)
        self.total = 1 + e
        self.ce = xp.log1p(e) + xp.where(is_behind, xp.log(greater) + row.lead, 0.0)

    def in_favour(self) -> Array:
        """A."""
        return self.favour


def _gap(xp: Namespace, a: Array, b: Array) -> Array:
    """``a - b``; infinities that are equal are 0 apart."""
    return xp.where(xp.isinf(a) & (a == b), 0.0, a - b)


def _rounding(xp: Namespace, a: Array, b: Array) -> Array:
    """What a - b loses to rounding (Knuth's two-sum).

    Differences below 750, the ones that matter, are exact where an operand exceeds 2^12.
    """
    a, b = xp.clip(a, -4096.0, 4096.0), xp.clip(b, -4096.0, 4096.0)
    d = a - b
    back = d - a
    return (a - (d - back)) - (b + back)
