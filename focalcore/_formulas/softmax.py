"""Focal loss of a row of logits against a class, or a distribution over the classes.

One class t against the others of its row is a sigmoid: p_t = sigmoid(m), where the margin is
m = x_t - logsumexp(the others). From the largest M of the others,

    E_j = exp(x_j - M)      S = sum of E_j      pi_j = E_j / S      odds of t = exp(x_t - M) / S

S is at least 1 and nothing cancels: 1 - p_t keeps its digits however confident the row is. With f
the sigmoid formula of a positive margin, the derivatives with respect to the row are

    slope_t = f'(m)         slope_j     = -f'(m) pi_j
    curvature_t = f''(m)    curvature_j = f''(m) pi_j^2 - f'(m) pi_j (1 - pi_j)

Everything keeps the class axis, of length 1 where it is reduced, whichever axis that is.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from . import focal, sigmoid

Array = Any
Namespace = Any


class Split(NamedTuple):
    """One class of each row against the others."""

    side: sigmoid.Side  # of the margin
    pi: Array  # softmax over the others


def split(xp: Namespace, x: Array, chosen: Array, axis: int) -> Split:
    """Split each row into its chosen class, given one-hot, and the others."""
    others = xp.where(chosen, -xp.inf, x)
    M = xp.max(others, axis=axis, keepdims=True)
    # where M is infinite, it counts 1 and what is finite 0: there is no inf - inf
    is_infinite = xp.isinf(M) & (others == M)
    E = xp.exp(xp.where(is_infinite, 0.0, others - _finite(xp, M)))
    S = xp.sum(E, axis=axis, keepdims=True)

    x_t = pick(xp, x, chosen, axis)
    d = x_t - M
    ahead = xp.astype(d >= 0, x.dtype)
    behind = 1 - 2 * ahead  # the sign of -d; unlike abs, smooth at 0
    g = xp.exp(behind * d) * (1 + behind * _rounding(xp, x_t, M))
    # the odds against t are S g to 1 where it is ahead of the others, and S to g elsewhere
    against, in_favour = S * (ahead * g + (1 - ahead)), ahead + (1 - ahead) * g
    return Split(_side(xp, against, in_favour, d - xp.log(S)), E / S)


class Index:
    """Hard targets: the sigmoid formula of the target's margin."""

    def __init__(
        self, xp: Namespace, x: Array, chosen: Array, gamma: Array, alpha_t: Array, axis: int
    ) -> None:
        side, self.pi = split(xp, x, chosen, axis)
        self.xp, self.chosen = xp, chosen
        self.f = sigmoid.hard(xp, side, gamma)
        self.f.alpha_t = alpha_t

    def value(self) -> Array:
        return self.f.value()

    def slope(self) -> Array:
        return self.f.slope() * self.xp.where(self.chosen, 1.0, -self.pi)

    def curvature(self) -> Array:
        first, second, pi = self.f.slope(), self.f.curvature(), self.pi
        return self.xp.where(self.chosen, second, second * pi * pi - first * pi * (1 - pi))


class Row(NamedTuple):
    """The probabilities of a row, seen from its largest class."""

    split: Split  # the largest class against the others
    top: Array  # that class, one-hot
    lead: Array  # of the largest logit over each: x_top - x_c >= 0
    p: Array
    q: Array  # 1 - p
    minus_log_p: Array


def row_of(xp: Namespace, x: Array, top: Array, axis: int) -> Row:
    """Probabilities without cancellation, from the largest class, given one-hot."""
    against = split(xp, x, top, axis)
    (positive, distance, e), pi = against
    whole, other = 1 + e, 1 - positive
    p_top, q_top = (positive + other * e) / whole, (positive * e + other) / whole
    p = xp.where(top, p_top, pi * q_top)
    lead = xp.where(top, 0.0, pick(xp, x, top, axis) - xp.where(top, -xp.inf, x))
    minus_log_p = lead + xp.log1p(e) + focal.times(xp, other, distance)
    return Row(against, top, lead, p, xp.where(top, q_top, 1 - p), minus_log_p)


class Expected(focal.Product):
    """One modulating factor per row, of ``p_t = sum y_c p_c``.

    ``y`` decides the modulating factor, ``smoothed`` the cross-entropy; with 1 - y as it is given:

        u   = sum (1 - y_c) p_c                      CE  = -sum y_c log p_c
        R_j = p_j ((1 - y_j) p_t - y_j u) / u        K_j = R_j (q_j - p_j)
        D_j = (1 - y_j) p_j - y_j q_j                H_j = p_j q_j
    """

    def __init__(
        self,
        xp: Namespace,
        row: Row,
        y: focal.Shares,
        smoothed: focal.Shares,
        gamma: Array,
        alpha_t: Array,
        axis: int,
    ) -> None:
        self.xp, self.gamma, self.alpha_t = xp, gamma, alpha_t
        self.row, self.y, self.smoothed = row, y, smoothed
        self.axis, self.smoothed_apart = axis, smoothed is not y
        self.u = xp.sum(y.rest * row.p, axis=axis, keepdims=True)
        self.ce = xp.sum(focal.times(xp, smoothed.own, row.minus_log_p), axis=axis, keepdims=True)

    def rates(self) -> tuple[Array, Array]:
        p, q, y, u = self.row.p, self.row.q, self.y, self.u
        p_t = self.xp.sum(y.own * p, axis=self.axis, keepdims=True)
        # where u is 0, so is u^gamma or gamma itself: any finite R will do
        R = p * (y.rest * p_t - y.own * u) / (u + self.xp.astype(u == 0, u.dtype))
        return R, self.smoothed.rest * p - self.smoothed.own * q

    def bends(self) -> tuple[Array, Array]:
        p, q = self.row.p, self.row.q
        R, _ = self.rates()
        return R * (q - p), p * q


class Mixture:
    """A modulating factor per class: ``sum y_c alpha_c (1 - p_c)^gamma (-log p_c)``.

    Every class has its own margin m_c, and dm_c/dx_j = -p_j / q_c. Only the largest class can
    have a q near 0; for that one p_j / q is pi_j, which needs no division.
    """

    def __init__(
        self, xp: Namespace, row: Row, y: focal.Shares, gamma: Array, alpha: Array, axis: int
    ) -> None:
        self.xp, self.row, self.axis = xp, row, axis
        self.shares = y.own if alpha is None else y.own * alpha
        self.f = sigmoid.hard(xp, _every_margin(xp, row), gamma)
        self.q = xp.where(row.top, 1.0, row.q)

    def value(self) -> Array:
        return self._sum(focal.times(self.xp, self.shares, self.f.value()))

    def slope(self) -> Array:
        first = focal.times(self.xp, self.shares, self.f.slope())
        through_top = self.row.split.pi * self._of_top(first)
        return first - self.row.p * self._elsewhere(first / self.q) - through_top

    def curvature(self) -> Array:
        first = focal.times(self.xp, self.shares, self.f.slope())
        second = focal.times(self.xp, self.shares, self.f.curvature())
        p, q, pi = self.row.p, self.q, self.row.split.pi
        bent = p * p * self._elsewhere((first + second) / (q * q)) - p * self._elsewhere(first / q)
        through_top = pi * pi * self._of_top(second) - pi * (1 - pi) * self._of_top(first)
        return second + bent + self.xp.where(self.row.top, 0.0, through_top)

    def _sum(self, x: Array) -> Array:
        return self.xp.sum(x, axis=self.axis, keepdims=True)

    def _of_top(self, x: Array) -> Array:
        return self._sum(self.xp.where(self.row.top, x, 0.0))

    def _elsewhere(self, x: Array) -> Array:
        """The sum over the classes that are neither the largest nor the class itself."""
        rest = self.xp.where(self.row.top, 0.0, x)
        return self._sum(rest) - rest


def pick(xp: Namespace, x: Array, chosen: Array, axis: int) -> Array:
    """The chosen class's entry of each row; NaN where a row chooses none."""
    entry = xp.sum(xp.where(chosen, x, 0.0), axis=axis, keepdims=True)
    return xp.where(xp.any(chosen, axis=axis, keepdims=True), entry, xp.nan)


def _every_margin(xp: Namespace, row: Row) -> sigmoid.Side:
    """The margin of every class against the others of its row."""
    positive, _, e = row.split.side
    T = xp.where(positive > 0, e, 1 / xp.maximum(e, positive))  # odds against the largest
    E = xp.exp(-row.lead)
    against = xp.where(row.top, T, 1 + (T - E))
    return _side(xp, against, E, -xp.log(xp.maximum(against, E)) - row.lead)


def _side(xp: Namespace, against: Array, in_favour: Array, margin: Array) -> sigmoid.Side:
    """The side of a class, from the odds; like that of a logit, of either side at 0."""
    positive = xp.astype(against <= in_favour, margin.dtype)
    lesser = positive * against + (1 - positive) * in_favour
    e = lesser / (positive * in_favour + (1 - positive) * against)
    return sigmoid.Side(positive, (2 * positive - 1) * margin, e)


def _rounding(xp: Namespace, a: Array, b: Array) -> Array:
    """What a - b loses to rounding (Knuth's two-sum).

    Differences below 750, the ones that matter, are exact where an operand exceeds 2^12.
    """
    a, b = (xp.where(xp.abs(z) < 4096.0, z, 0.0) for z in (a, b))
    d = a - b
    back = a - d
    return (a - (d + back)) + (back - b)


def _finite(xp: Namespace, x: Array) -> Array:
    """Infinities brought to the largest finite number."""
    largest = float(xp.finfo(x.dtype).max)
    return xp.where(x > largest, largest, xp.where(x < -largest, -largest, x))
