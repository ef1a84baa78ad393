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

from .exact import number, power, probabilities

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


def sigmoid(x):
    """The probability of the positive class, and of the negative one."""
    p, q, _ = probabilities([x, 0])
    return p[0], q[0]


DEFINITIONS = {
    "asymmetric": Definition(asymmetric, sizes_of_asymmetric),
}
