"""The binary loss of probabilities of the positive class, each against a target in [0, 1]."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .._dtypes import arithmetic_dtype, cast
from .._formulas import focal, probability
from .operands import Operands
from .spec import LossSpec, balance_of, nan_outside

Array = Any
Namespace = Any


@dataclass(frozen=True)
class Probability(LossSpec):
    """Probabilities of the positive class, each against a target in [0, 1]."""

    eps: float
    label_smoothing: float | None = None  # given: a mixture, as where this comes from
    trusted: bool = True
    axis: int | None = field(default=None, init=False)
    indexed: bool = field(default=False, init=False)

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array]:
        """The targets as numbers; all count."""
        dtype = arithmetic_dtype(xp, operands.logits.dtype)
        return cast(xp, operands.targets, dtype), None

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """The formula at the operands, smoothed."""
        y, _ = self.read(xp, operands)
        p = cast(xp, operands.logits, y.dtype)
        if not self.trusted:
            p, y = nan_outside(xp, p), nan_outside(xp, y)
        s, gamma, balance = self.label_smoothing, operands.exponent, balance_of(operands)
        shares = focal.Shares.of(y)
        if s is None:
            return probability.Expected(xp, p, shares, gamma, self.eps, balance)
        return probability.mixture(xp, p, shares.smoothed(s), gamma, self.eps, balance)
