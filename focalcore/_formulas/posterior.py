"""The probability of a class given a focal model's logits, and the logits given the probability.

The logit that makes the expected loss least is not the log-odds of the true probability eta; it is
where ``eta f1'(x) + (1 - eta) f0'(x) = 0``, with f1 and f0 the losses of the two targets. So

    eta / (1 - eta) = w0 p^gamma (p - gamma q log q) / (w1 q^gamma (q - gamma p log p))

with the weights w1 of positives and w0 of negatives. From e = exp(-|x|) and l = log1p(e), the
side that the logit favours has ``1 + gamma e (|x| + l)``, the other one ``e^gamma (e + gamma l)``:
terms >= 0, of which none is larger than 1 + gamma. The log-odds are nearly a straight line in x,

    (1 + gamma) |x| + log(1 + gamma e (|x| + l)) - log(1 + gamma l / e)

so that a few of Newton's steps find x from them, from wherever the line starts.

Of several classes (Charoenphakdee et al. 2021), ``eta_c ~ h(p_c) / alpha_c`` with

    h(p) = p / ((1-p)^gamma (1 + gamma p (-log p) / (1-p)))

which is never formed: each class is compared with the largest one, t, by ``h(p_c) / h(p_t)``, a
product of factors of which none overflows.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from .arrays import Array, Namespace, Number
from .focal import Balance, Gamma, number_of, power
from .softmax import Choice, rounding, row_of

FAR = 2.0**20  # a log-odds beyond any float64's; finite, so that nothing becomes inf - inf
STEPS_OF_LOGIT = 3  # from a start within 3 %, for every gamma
STEPS_OF_ROW = 12  # and two more: 7 suffice to gamma 5, and 13 to gamma 100, of 1,000 classes


def sigmoid_posterior(xp: Namespace, x: Array, gamma: Gamma, balance: Balance) -> Array:
    """Return the probability of the positive class, from its logit."""
    distance, g = xp.abs(x), number_of(gamma)
    # the bound changes nothing, but XLA would make of powers of exp(x) one exp of a rounded product
    e = xp.minimum(xp.exp(-distance), 1.0)
    less = xp.log1p(e)
    favoured = 1 + g * e * (xp.minimum(distance, FAR) + less)
    other = power(xp, e, gamma) * (e + g * less)
    is_positive = x >= 0
    if balance is not None:
        w1, w0 = (_weight(xp, weight, x) for weight in balance)
        favoured = favoured * xp.where(is_positive, w0, w1)
        other = other * xp.where(is_positive, w1, w0)
    odds = xp.minimum(other / favoured, float(xp.finfo(x.dtype).max))
    return xp.where(is_positive, 1.0, odds) / (1 + odds)


def sigmoid_log_loss(xp: Namespace, x: Array, y: Array, gamma: Gamma, balance: Balance) -> Array:
    """Return the cross-entropy of targets and the posterior of a logit; it never saturates.

    The odds of the side that the logit is not on are formed without an exponential of their own.
    """
    g = number_of(gamma)
    line = _Line(xp, xp.minimum(xp.abs(x), FAR), g)
    odds = power(xp, line.e, gamma) * (line.e + g * line.less) / line.favoured
    distance, is_positive = line.value(), x >= 0
    if balance is not None:
        w1, w0 = (_weight(xp, weight, x) for weight in balance)
        ratio = xp.where(is_positive, w1 / w0, w0 / w1)
        odds, distance = odds * ratio, distance - xp.log(ratio)
    wrong = xp.where(is_positive, 1 - y, y)
    distance = xp.where(xp.isinf(x), xp.abs(x), distance)
    return xp.log1p(odds) + xp.where(wrong > 0, wrong * distance, 0.0)


def softmax_posterior(
    xp: Namespace, x: Array, top: Choice, gamma: Gamma, alpha: Number | None
) -> Array:
    """Return the probability of each class, from the logits of a row and its largest one."""
    row, g = row_of(xp, x, top), number_of(gamma)
    # of the largest class itself nothing is divided by, for that may be 0
    q_top, q = top.gather(row.q), top.scatter(row.q, 1.0)
    tilt = 1 + g * row.p * _minus_log_p_per_q(xp, xp.minimum(row.minus_log_p, FAR), row.q)
    if is_per_class(g):
        factor = power(xp, q_top, _of_class(top, g)) / power(xp, q, gamma)
    else:  # a power of a quotient, for those of small numbers may both be 0
        factor = power(xp, q_top / q, gamma)
    near = xp.exp(-row.gap_to_max) * (1 + rounding(xp, x, top.gather(x)))
    odds = near * factor * (top.gather(tilt) / tilt)
    if alpha is not None and is_per_class(alpha):
        alpha = _weight(xp, alpha, x)
        odds = odds * (top.gather(alpha) / alpha)
    odds = top.scatter(odds, 1.0)
    return odds / xp.sum(odds, axis=top.axis, keepdims=True)


def softmax_log_loss(
    xp: Namespace, x: Array, top: Choice, own: Choice, gamma: float, alpha: Array | None
) -> Array:
    """Return the cross-entropy of one class and the posterior of a row; it never saturates.

    The odds of each class against the largest one are compared by their logarithms.
    """
    row = row_of(xp, x, top)
    nearest = xp.max(top.scatter(-row.gap_to_max, -xp.inf), axis=top.axis, keepdims=True)
    log_q_top = xp.maximum(nearest + xp.log(row.odds.S) - row.odds.ce, float(xp.finfo(x.dtype).min))
    p = top.scatter(row.p, 0.0)
    tilt = 1 + gamma * row.p * _minus_log_p_per_q(xp, xp.minimum(row.minus_log_p, FAR), row.q)
    odds = gamma * (log_q_top - xp.log1p(-p)) + xp.log(top.gather(tilt) / tilt) - row.gap_to_max
    if alpha is not None:
        odds = odds + xp.log(top.gather(alpha) / alpha)
    others = xp.sum(top.scatter(xp.exp(odds), 0.0), axis=top.axis, keepdims=True)
    return xp.log1p(others) - own.gather(top.scatter(odds, 0.0))


def sigmoid_logit(xp: Namespace, eta: Array, gamma: Gamma, balance: Balance) -> Array:
    """Return the logit at which the expected loss is least, of the positive class' probability."""
    g, odds = number_of(gamma), _log_odds(xp, eta)
    if balance is not None:
        w1, w0 = (_weight(xp, weight, eta) for weight in balance)
        odds = odds + xp.log(w1 / w0)
    is_positive = odds >= 0
    t = xp.minimum(xp.where(is_positive, odds, -odds), FAR)
    x = xp.minimum((t + _log1p(xp, g, eta)) / (1 + g), t / _Line(xp, xp.zeros_like(eta), g).slope())
    for _ in range(STEPS_OF_LOGIT):
        line = _Line(xp, x, g)
        x = x - (line.value() - t) / line.slope()
    x = xp.where(t >= FAR, xp.inf, x)
    return xp.where(is_positive, x, -x)


class _Line:
    """The log-odds of a probability as a function of the logit x >= 0: nearly a straight line."""

    def __init__(self, xp: Namespace, x: Array, gamma: Number) -> None:
        self.xp, self.x, self.gamma = xp, x, gamma
        # where e is denormal, l / e has lost its digits
        self.e = xp.maximum(xp.exp(-x), float(xp.finfo(x.dtype).smallest_normal))
        self.less = xp.log1p(self.e)
        self.favoured = 1 + gamma * self.e * (x + self.less)
        self.other = 1 + gamma * self.less / self.e

    def value(self) -> Array:
        return (1 + self.gamma) * self.x + self.xp.log(self.favoured / self.other)

    def slope(self) -> Array:
        g, e, less = self.gamma, self.e, self.less
        of_favoured = e * (1 + g - g * (self.x + less)) / self.favoured
        of_other = (1 + g - g * less) / self.other
        return g + (of_favoured + of_other) / (1 + e)


def softmax_logits(
    xp: Namespace, eta: Array, top: Choice, gamma: Gamma, alpha: Number | None
) -> Array:
    """Return the logits at which the expected loss of a row is least; their logsumexp is 0.

    ``top`` is the class that leads. The last steps alone are differentiated: from the solution as a
    constant, one of Newton's steps has its first derivative, and two have the second too.
    """
    weighed = eta if alpha is None else eta * alpha
    b = xp.maximum(xp.log(weighed), -FAR)
    behind, g = b - top.gather(b), number_of(gamma)
    held = _Row(
        xp, top, xp.stop_gradient(behind), g if isinstance(g, float) else xp.stop_gradient(g)
    )
    m, log_p = held.start()
    for _ in range(STEPS_OF_ROW):
        m, log_p = held.step(m, log_p)
    row = _Row(xp, top, behind, g)
    for _ in range(2):
        m, log_p = row.step(m, log_p)
    return top.scatter(xp.where(weighed == 0, -xp.inf, log_p), row.log_p_of_top(m))


class _Row:
    """The equations of a row's classes, by Newton's method.

    The unknowns are the logit m of the leading class, and ``log p`` of all others, which are at
    most log 1/2: ``log h(p_c) - log h(p_t) = behind_c`` for each of these, and all p sum to 1.
    """

    def __init__(self, xp: Namespace, top: Choice, behind: Array, gamma: Number) -> None:
        self.xp, self.top, self.behind, self.gamma = xp, top, behind, gamma
        self.gamma_of_top = _of_class(top, gamma)
        self.odds = self._sum(xp.exp(behind))
        self.is_alone = self.odds == 0
        # by one gamma, the class that leads has the largest probability
        n = behind.shape[top.axis]
        self.lowest = -FAR if is_per_class(gamma) else -math.log(max(n - 1, 1))

    def start(self) -> tuple[Array, Array]:
        """Return the unknowns as they would be if the others were rare."""
        xp, g = self.xp, self.gamma_of_top
        odds = xp.where(self.is_alone, 1.0, self.odds)
        m = xp.maximum((_log1p(xp, g, odds) - xp.log(odds)) / (1 + g), self.lowest)
        return m, self._bounded(self.behind + _of_top(xp, m, g).log_h)

    def step(self, m: Array, log_p: Array) -> tuple[Array, Array]:
        """Return the unknowns after a step."""
        xp = self.xp
        largest, others = _of_top(xp, m, self.gamma_of_top), _of_others(xp, log_p, self.gamma)
        rest = xp.where(self.is_alone, 1.0, self._sum(others.p))
        off = (self.behind + largest.log_h - others.log_h) / others.slope
        moved, bent = (self._sum(others.p * x) / rest for x in (off, 1 / others.slope))
        step = (largest.log_q - xp.log(rest) - moved) / (largest.p + largest.slope * bent)
        nearer = self._bounded(log_p + off + largest.slope * step / others.slope)
        return xp.maximum(m + step, self.lowest), nearer

    def log_p_of_top(self, m: Array) -> Array:
        """Return the logarithm of the leading class' probability."""
        return self.xp.where(self.is_alone, 0.0, _of_top(self.xp, m, self.gamma_of_top).log_p)

    def _bounded(self, log_p: Array) -> Array:
        return self.xp.minimum(log_p, math.log(0.5))

    def _sum(self, x: Array) -> Array:
        """Return the sum over all classes but the leading one."""
        return self.xp.sum(self.top.scatter(x, 0.0), axis=self.top.axis, keepdims=True)


def lead(xp: Namespace, eta: Array, gamma: Gamma, alpha: Number | None) -> Array:
    """Return what is largest for the class that leads: if any has a probability above 1/2, it does.

    That class is the one of which ``alpha eta / h(1/2)`` is largest.
    """
    g, weighed = number_of(gamma), eta if alpha is None else eta * alpha
    if not is_per_class(g):
        return weighed
    return xp.log(weighed) + (1 - g) * math.log(2) + _log1p(xp, g * math.log(2), eta)


class _Side(NamedTuple):
    """A probability p and ``log h(p)``, with its slope along the variable that p is given by."""

    p: Array
    log_p: Array
    log_q: Array
    log_h: Array
    slope: Array


def _of_top(xp: Namespace, m: Array, gamma: Number) -> _Side:
    """Return the side of the largest class, whose probability is that of the logit m."""
    e = xp.exp(-xp.abs(m))
    least, is_likely = float(xp.finfo(m.dtype).smallest_normal), m >= 0
    total, less = 1 + e, xp.log1p(e)
    p, q = xp.where(is_likely, 1.0, e) / total, xp.where(is_likely, e, 1.0) / total
    log_p, log_q = -(less + xp.maximum(-m, 0.0)), -(less + xp.maximum(m, 0.0))
    per_q = xp.where(q <= least, 1.0, -log_p / xp.maximum(q, least))
    tilt = 1 + gamma * p * per_q
    log_h = log_p - gamma * log_q - xp.log(tilt)
    return _Side(p, log_p, log_q, log_h, q + gamma * p - gamma * p * (per_q - 1) / tilt)


def _of_others(xp: Namespace, log_p: Array, gamma: Number) -> _Side:
    """Return the side of another class, whose probability is at most 1/2, along ``log p``."""
    p = xp.exp(log_p)
    q, log_q = 1 - p, xp.log1p(-p)
    tilt = 1 - gamma * p * log_p / q
    log_h = log_p - gamma * log_q - xp.log(tilt)
    slope = 1 + gamma * p / q - gamma * p * (-log_p - q) / (q * q) / tilt
    return _Side(p, log_p, log_q, log_h, slope)


def is_per_class(x: Number) -> bool:
    """Tell whether a number is one for each class, and not one for all."""
    return not isinstance(x, int | float) and x.ndim > 0


def _minus_log_p_per_q(xp: Namespace, minus_log_p: Array, q: Array) -> Array:
    """Return ``-log(p) / q`` with q = 1 - p, by a series where q is small.

    A quotient of two numbers that become 0 has slopes that become infinite.
    """
    small = q < 2.0**-10
    series = 1 + q * (1 / 2 + q * (1 / 3 + q * (1 / 4 + q * (1 / 5 + q / 6))))
    return xp.where(small, series, minus_log_p / xp.where(small, 1.0, q))


def _weight(xp: Namespace, weight: Number, like: Array) -> Array:
    """Return what a class weighs as an array, NaN where it has no loss and so no posterior."""
    weight = weight + xp.zeros_like(like)
    return xp.where(weight > 0, weight, xp.nan)


def _of_class(choice: Choice, x: Number) -> Number:
    """Return the entry of the chosen class, or the number that is one for all."""
    return x if isinstance(x, float) or not is_per_class(x) else choice.gather(x)


def _log_odds(xp: Namespace, eta: Array) -> Array:
    """Return ``log(eta / (1 - eta))``, which loses no digits near 1/2."""
    near = (eta > 0.25) & (eta < 0.75)
    inner = xp.where(near, eta, 0.5)
    outer = xp.where(near, 0.25, eta)
    of_inner = xp.log1p((2 * inner - 1) / (1 - inner))
    return xp.where(near, of_inner, xp.log(outer) - xp.log1p(-outer))


def _log1p(xp: Namespace, x: Number, like: Array) -> Array:
    return xp.log1p(x + xp.zeros_like(like))
