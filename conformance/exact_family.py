"""The losses that stand beside the focal loss, by their definitions: what the tests expect.

Each is a function of a logit x and a target y, where ``held`` is the logit that the modulating
factor is of if that is detached. Beside it are the sizes of what value, slope and curvature are
sums of: a difference counts as the sum of its two terms, so that nothing is forgiven but what the
subtraction itself has to lose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import mpmath as mp

from .exact import balance, dot, number, per_class, power, probabilities

Number = Any


class Size(NamedTuple):
    """The sizes of the parts of ``weight u^gamma CE``, a term of a loss."""

    weight: Number
    u: Number
    ce: Number
    gamma: Number
    first: tuple[Number, Number]  # u' and CE'
    second: tuple[Number, Number]  # u'' and CE''

    def terms(self, moves: int) -> tuple[Number, Number, Number]:
        """The sizes of value, slope and curvature; ``moves`` is 0 where the factor is held."""
        factor, gamma = self.weight * power(self.u, self.gamma), moves * self.gamma
        rate, bend = (x / self.u if self.u else mp.mpf(0) for x in (self.first[0], self.second[0]))
        slope = gamma * rate * self.ce + self.first[1]
        curvature = gamma * (abs(self.gamma - 1) * rate * rate + bend) * self.ce
        curvature += 2 * gamma * rate * self.first[1] + self.second[1]
        return factor * self.ce, factor * slope, factor * curvature


@dataclass(frozen=True)
class Definition:
    """A loss of independent logits."""

    value: Callable[..., Number]
    sizes: Callable[..., list[Size]]


def asymmetric(x, y, gamma_pos=1.0, gamma_neg=4.0, clip=0.05, held=None):
    y, gamma_pos, gamma_neg = map(number, (y, gamma_pos, gamma_neg))
    minus_log_p = mp.log1p(mp.exp(-number(x)))
    u = max(sigmoid(x)[0] - number(clip), 0)
    p_of_factor, q_of_factor = sigmoid(x if held is None else held)
    u_of_factor = max(p_of_factor - number(clip), 0)
    negative = -mp.log1p(-u) if number(clip) or u < 0.5 else mp.log1p(mp.exp(number(x)))
    return y * power(q_of_factor, gamma_pos) * minus_log_p + (1 - y) * (
        power(u_of_factor, gamma_neg) * negative
    )


def sizes_of_asymmetric(x, y, gamma_pos=1.0, gamma_neg=4.0, clip=0.05):
    y, (p, q), bend = number(y), sigmoid(x), abs(sigmoid(x)[0] - sigmoid(x)[1])
    s = min(q + number(clip), 1)
    of_positive = Size(y, q, mp.log1p(q / p), number(gamma_pos), (p * q, q), (p * q * bend, p * q))
    first = p * q / s
    of_negative = Size(
        1 - y,
        p,
        mp.log1p(p / s),
        number(gamma_neg),
        (p * q, first),
        (p * q * bend, first * bend + first * first),
    )
    return [of_positive, of_negative]


def asymmetric_row(x, t, gamma_pos=0.0, gamma_neg=4.0, label_smoothing=0.1, held=None):
    """Of a row of logits and its label."""
    n, s = len(x), number(label_smoothing)
    p, q, _ = probabilities(x if held is None else held)
    terms = []
    for c, against in enumerate(probabilities(x)[2]):
        factor = power(q[c], number(gamma_pos)) if c == t else power(p[c], number(gamma_neg))
        terms.append(((1 - s) * (c == t) + s / n) * factor * mp.log1p(against))
    return mp.fsum(terms)


def slope_sizes_of_asymmetric_row(x, t, gamma_pos=0.0, gamma_neg=4.0, label_smoothing=0.1):
    """The sizes of what the slope of each logit is a sum of, without the derivative of a factor."""
    n, s, (p, q, against) = len(x), number(label_smoothing), probabilities(x)
    along = []  # of each class, over q: along its margin it is q times this, along another p_j
    for c in range(n):
        share, ce = (1 - s) * (c == t) + s / n, mp.log1p(against[c])
        if c == t:
            rate = number(gamma_pos) * p[c] * ce / q[c]
            along.append(share * power(q[c], number(gamma_pos)) * (rate + 1))
        else:
            along.append(share * power(p[c], number(gamma_neg)) * (number(gamma_neg) * ce + 1))
    return [mp.fsum(a * (q[c] if c == j else p[j]) for c, a in enumerate(along)) for j in range(n)]


def poly(x, y, poly_epsilon, gamma=2.0, alpha=None, held=None):
    """Leng et al. 2022, with the class balance on both terms."""
    y, (positive, negative) = number(y), balance(alpha)
    of_factor, u = (y * q + (1 - y) * p for p, q in map(sigmoid, (x if held is None else held, x)))
    product = cross_entropy(x, y) + number(poly_epsilon) * u
    return (y * positive + (1 - y) * negative) * power(of_factor, number(gamma)) * product


def sizes_of_poly(x, y, poly_epsilon, gamma=2.0, alpha=None):
    y, (p, q), epsilon = number(y), sigmoid(x), abs(number(poly_epsilon))
    (positive, negative), bend = balance(alpha), p * q * abs(1 - 2 * y)
    u, weight = y * q + (1 - y) * p, y * positive + (1 - y) * negative
    first = bend, (1 - y) * p + y * q + epsilon * bend
    second = bend * abs(q - p), p * q + epsilon * bend * abs(q - p)
    return [Size(weight, u, cross_entropy(x, y) + epsilon * u, number(gamma), first, second)]


def poly_row(x, y, poly_epsilon, gamma=2.0, alpha=None, held=None):
    """Of a row of logits, and a label or a distribution."""
    y, gamma, alpha = per_class(y, gamma, alpha, len(x))
    (p, _, against), (of_factor, *_) = probabilities(x), probabilities(x if held is None else held)
    u, u_of_factor = (dot([1 - v for v in y], each) for each in (p, of_factor))
    product = dot(y, map(mp.log1p, against)) + number(poly_epsilon) * u
    return dot(y, alpha) * power(u_of_factor, dot(y, gamma)) * product


def quality(x, y, beta=2.0, held=None):
    y = number(y)
    apart = abs(y - sigmoid(x if held is None else held)[0])
    return power(apart, number(beta)) * cross_entropy(x, y)


def sizes_of_quality(x, y, beta=2.0):
    y, (p, q) = number(y), sigmoid(x)
    apart, first, second = (1 - y) * p + y * q, p * q, p * q * abs(q - p)
    ce = cross_entropy(x, y)
    return [Size(mp.mpf(1), apart, ce, number(beta), (first, apart), (second, p * q))]


def varifocal(x, y, alpha=0.75, gamma=2.0, weighted=True, held=None):
    y, (p, _) = number(y), sigmoid(x if held is None else held)
    if y > 0:
        return (y if weighted else 1) * cross_entropy(x, y)
    return number(alpha) * power(p, number(gamma)) * cross_entropy(x, y)


def sizes_of_varifocal(x, y, alpha=0.75, gamma=2.0, weighted=True):
    y, (p, q) = number(y), sigmoid(x)
    ce, apart, zero, one = cross_entropy(x, y), (1 - y) * p + y * q, mp.mpf(0), mp.mpf(1)
    if y > 0:
        weight = y if weighted else one
        return [Size(weight, one, ce, zero, (zero, apart), (zero, p * q))]
    return [Size(number(alpha), p, ce, number(gamma), (p * q, p), (p * q * abs(q - p), p * q))]


def gaussian(x, y, alpha=2.0, gamma=4.0, held=None):
    y, (p, q) = number(y), sigmoid(x if held is None else held)
    if y == 1:
        return power(q, number(alpha)) * cross_entropy(x, y)
    return power(1 - y, number(gamma)) * power(p, number(alpha)) * cross_entropy(x, 0)


def sizes_of_gaussian(x, y, alpha=2.0, gamma=4.0):
    y, (p, q) = number(y), sigmoid(x)
    is_peak = int(y == 1)
    u, weight = (q, mp.mpf(1)) if is_peak else (p, power(1 - y, number(gamma)))
    ce, second = cross_entropy(x, is_peak), (p * q * abs(q - p), p * q)
    return [Size(weight, u, ce, number(alpha), (p * q, u), second)]


def cross_entropy(x, y):
    return y * mp.log1p(mp.exp(-number(x))) + (1 - y) * mp.log1p(mp.exp(number(x)))


def sigmoid(x):
    """The probability of the positive class, and of the negative one."""
    p, q, _ = probabilities([x, 0])
    return p[0], q[0]


DEFINITIONS = {
    "asymmetric": Definition(asymmetric, sizes_of_asymmetric),
    "gaussian": Definition(gaussian, sizes_of_gaussian),
    "poly": Definition(poly, sizes_of_poly),
    "quality": Definition(quality, sizes_of_quality),
    "varifocal": Definition(varifocal, sizes_of_varifocal),
}
