"""Focal loss of a probability p of the positive class.

With q = 1 - p, and the arguments of the logarithms, nothing else, kept at least eps:

    u = y q + (1 - y) p      CE = -y log p - (1 - y) log q
    R = (1 - 2 y) / u        D = (1 - y) / q - y / p
    K = 0                    H = (1 - y) / q^2 + y / p^2

The derivatives are with respect to p. R is not bounded here, but R CE is, so the slope is finite
for every gamma; the curvature at p_t = 1 is truly infinite for 0 < gamma < 1.
"""

from __future__ import annotations

from typing import Any

from . import focal, softmax

Array = Any
Namespace = Any


class Expected(focal.Product):
    """One modulating factor, of the expected probability ``p_t = y p + (1 - y)(1 - p)``."""

    def __init__(
        self,
        xp: Namespace,
        p: Array,
        y: focal.Shares,
        gamma: Array,
        eps: float,
        balance: focal.Balance = None,
    ) -> None:
        self.y, q = y, 1 - p
        u = y.own * q + y.rest * p
        self.p, self.q = xp.straight_through_floor(p, eps), xp.straight_through_floor(q, eps)
        # below a half 1 - p has lost digits that log1p still sees
        log_q = xp.where(q < 0.5, xp.log(self.q), xp.log1p(-xp.where(q < 0.5, 0.0, p)))
        ce = -(focal.times(xp, y.own, xp.log(self.p)) + focal.times(xp, y.rest, log_q))
        multiply = focal.multiplication(xp, *balance or ())
        super().__init__(xp, u, ce, gamma, focal.alpha_t(balance, y), multiply)

    def rates(self) -> tuple[Array, Array]:
        normal = float(self.xp.finfo(self.u.dtype).smallest_normal)
        u = self.u + self.xp.astype(self.u < normal, self.u.dtype)
        y = self.y
        of_negative = focal.times(self.xp, y.rest, 1 / self.q)
        return (y.rest - y.own) / u, of_negative - focal.times(self.xp, y.own, 1 / self.p)

    def bends(self) -> tuple[Array, Array]:
        of_negative = focal.times(self.xp, self.y.rest, 1 / (self.q * self.q))
        H = of_negative + focal.times(self.xp, self.y.own, 1 / (self.p * self.p))
        return self.xp.zeros_like(self.u), H


class Index:
    """Rows of probabilities and class labels: the formula of the target's probability."""

    def __init__(
        self,
        xp: Namespace,
        p: Array,
        choice: softmax.Choice,
        gamma: Array,
        alpha_t: Array,
        eps: float,
    ) -> None:
        self.choice, self.elsewhere = choice, xp.zeros_like(p)
        balance = None if alpha_t is None else (alpha_t, 1.0)
        self.f = _hard(xp, choice.entry(p), gamma, eps, balance)

    def value(self) -> Array:
        return self.f.value()

    def slope(self) -> Array:
        return self.choice.replaced(self.elsewhere, self.f.slope())

    def curvature(self) -> Array:
        return self.choice.replaced(self.elsewhere, self.f.curvature())


def mixture(
    xp: Namespace, p: Array, y: focal.Shares, gamma: Array, eps: float, balance: focal.Balance
) -> focal.Mixture:
    """A modulating factor for each class: ``y FL(p, 1) + (1 - y) FL(p, 0)``."""
    negative = Expected(xp, p, focal.Shares(xp.zeros_like(p), xp.ones_like(p)), gamma, eps)
    return focal.Mixture(xp, y, _hard(xp, p, gamma, eps), negative, balance)


def _hard(
    xp: Namespace, p: Array, gamma: Array, eps: float, balance: focal.Balance = None
) -> Expected:
    return Expected(xp, p, focal.Shares(xp.ones_like(p), xp.zeros_like(p)), gamma, eps, balance)
