"""The sigmoid loss: independent logits, each against a target in [0, 1]."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from .._dtypes import arithmetic_dtype, cast
from .._formulas import focal, sigmoid
from .operands import Operands
from .spec import LossSpec, balance_of, keep, nan_outside, which_count

Array = Any
Namespace = Any


@dataclass(frozen=True)
class Sigmoid(LossSpec):
    """Independent logits, each against a target in [0, 1]."""

    soft_targets: str = "expected"
    label_smoothing: float = 0.0
    ignore_index: int | None = None
    trusted: bool = True  # the targets were looked at, and are good
    hard: bool = False  # each of them is known to be 0 or 1
    axis: int | None = field(default=None, init=False)
    indexed: bool = field(default=False, init=False)

    def softened(self) -> Sigmoid:
        """The same for targets that may change: nothing is known of them."""
        return replace(self, hard=False)

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array]:
        """The targets as numbers, and which of them count (None: all)."""
        dtype = arithmetic_dtype(xp, operands.logits.dtype)
        y = cast(xp, operands.targets, dtype)
        return y, which_count(y, self.ignore_index, operands.mask)

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """The formula at the operands, smoothed and masked."""
        y, counted = self.read(xp, operands)
        if not self.trusted:
            y = nan_outside(xp, y)
        y = keep(xp, counted, y)
        x = keep(xp, counted, cast(xp, operands.logits, y.dtype))
        gamma, balance, shares = operands.exponent, balance_of(operands), focal.Shares.of(y)
        if self.hard and not self.label_smoothing:
            return sigmoid.Certain(xp, x, shares, gamma, balance)
        smoothed = shares.smoothed(self.label_smoothing) if self.label_smoothing else shares
        if self.soft_targets == "mixture":
            return sigmoid.mixture(xp, x, smoothed, gamma, balance)
        modulating = shares if self.soft_targets == "hard" else smoothed
        return sigmoid.Expected(xp, x, modulating, smoothed, gamma, balance)
