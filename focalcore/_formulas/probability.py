"""Focal loss of a probability p of the positive class.

With q = 1 - p, where eps is the least argument of a logarithm, and bounds nothing else:

    u = y q + (1 - y) p      CE = -y log p - (1 - y) log q
    R = (1 - 2 y) / u        D = (1 - y) / q - y / p
    K = 0                    H = (1 - y) / q^2 + y / p^2

The derivatives are with respect to p. R is not bounded here, but R CE is, so the slope is finite
for every gamma; the curvature at p_t = 1 is truly infinite for 0 < gamma < 1.
"""

from __future__ import annotations

from typing import NamedTuple

from . import focal, softmax
from .arrays import Array, Namespace, Number
from .focal import Gamma


class Expected(focal.Product):
    """The loss with one modulating factor, of the expected ``p_t = y p + (1 - y)(1 - p)``."""

    def __init__(
        self,
        xp: Namespace,
        p: Array,
        target: focal.Target,
        gamma: Gamma,
        eps: float,
        balance: focal.Balance = None,
    ) -> None:
        self.target, q = target, 1 - p
        u = target.y * q + target.one_minus_y * p
        self.p, self.q = xp.straight_through_floor(p, eps), xp.straight_through_floor(q, eps)
        log_q = xp.log_of_complement(p, eps)
        ce = -(xp.share_of(xp.log(self.p), target.y) + xp.share_of(log_q, target.one_minus_y))
        multiply = focal.multiplication(xp, *balance or ())
        super().__init__(xp, u, ce, gamma, focal.alpha_t(balance, target), multiply)

    def first_derivatives(self) -> tuple[Array, Array]:
        normal = float(self.xp.finfo(self.u.dtype).smallest_normal)
        (y, one_minus_y), share_of = self.target, self.xp.share_of
        R = self.xp.quotient(one_minus_y - y, self.u, normal)
        return R, share_of(1 / self.q, one_minus_y) - share_of(1 / self.p, y)

    def second_derivatives(self) -> tuple[Array, Array]:
        (y, one_minus_y), share_of = self.target, self.xp.share_of
        of_negative = share_of(1 / (self.q * self.q), one_minus_y)
        return self.xp.zeros_like(self.u), of_negative + share_of(1 / (self.p * self.p), y)


class OfLabel:
    """The loss of rows of probabilities against class labels, from the labelled class alone."""

    def __init__(
        self,
        xp: Namespace,
        p: Array,
        choice: softmax.Choice,
        gamma: Gamma,
        alpha_t: Number | None,
        eps: float,
    ) -> None:
        self.choice, self.elsewhere = choice, xp.zeros_like(p)
        balance = None if alpha_t is None else (alpha_t, 1.0)
        self.f = _of_positives(xp, choice.gather(p), gamma, eps, balance)

    def value(self) -> Array:
        return self.f.value()

    def slope(self) -> Array:
        return self.choice.scatter(self.elsewhere, self.f.slope())

    def curvature(self) -> Array:
        return self.choice.scatter(self.elsewhere, self.f.curvature())


class Row(NamedTuple):
    """Rows of probabilities and of targets, which lie along an axis and sum to 1."""

    p: Array
    y: Array
    axis: int
    eps: float


class ExpectedOfRow(focal.Product):
    """The loss of rows with one modulating factor, of the expected ``p_t = sum y_c p_c``.

    u   = sum y_c (1 - p_c)     CE  = -sum y_c log p_c
    R_j = -y_j / u              D_j = -y_j / p_j
    K_j = 0                     H_j = y_j / p_j^2
    """

    def __init__(self, xp: Namespace, row: Row, gamma: Gamma, alpha_t: Number | None) -> None:
        self.y, self.p = row.y, xp.straight_through_floor(row.p, row.eps)
        u = xp.sum(row.y * (1 - row.p), axis=row.axis, keepdims=True)
        terms = xp.share_of(-xp.log(self.p), row.y)
        ce = xp.sum(terms, axis=row.axis, keepdims=True)
        super().__init__(xp, u, ce, gamma, alpha_t, focal.multiplication(xp, alpha_t))

    def first_derivatives(self) -> tuple[Array, Array]:
        normal = float(self.xp.finfo(self.u.dtype).smallest_normal)
        R = self.xp.quotient(-self.y, self.u, normal)
        return R, self.xp.share_of(-1 / self.p, self.y)

    def second_derivatives(self) -> tuple[Array, Array]:
        H = self.xp.share_of(1 / (self.p * self.p), self.y)
        return self.xp.zeros_like(self.y), H


class MixtureOfRow:
    """The loss of rows with a modulating factor for each class, ``sum y_c alpha_c FL(p_c)``."""

    def __init__(self, xp: Namespace, row: Row, gamma: Gamma, alpha: Number | None) -> None:
        self.xp, self.axis = xp, row.axis
        self.shares = row.y if alpha is None else row.y * alpha
        self.f = _of_positives(xp, row.p, gamma, row.eps)

    def value(self) -> Array:
        return self.xp.sum(self._shared(self.f.value()), axis=self.axis, keepdims=True)

    def slope(self) -> Array:
        return self._shared(self.f.slope())

    def curvature(self) -> Array:
        return self._shared(self.f.curvature())

    def _shared(self, x: Array) -> Array:
        return focal.safe_multiply(self.xp, self.shares, x)


def mixture(
    xp: Namespace, p: Array, target: focal.Target, gamma: Gamma, eps: float, balance: focal.Balance
) -> focal.Mixture:
    """Return ``y FL(p, 1) + (1 - y) FL(p, 0)``, with a modulating factor for each class."""
    as_positive, as_negative = focal.hard_targets(xp, p)
    negative = Expected(xp, p, as_negative, gamma, eps)
    return focal.Mixture(xp, target, Expected(xp, p, as_positive, gamma, eps), negative, balance)


def _of_positives(
    xp: Namespace, p: Array, gamma: Gamma, eps: float, balance: focal.Balance = None
) -> Expected:
    """Return the loss of the probabilities that are given to the target's class."""
    positive, _ = focal.hard_targets(xp, p)
    return Expected(xp, p, positive, gamma, eps, balance)
