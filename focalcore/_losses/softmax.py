"""The softmax loss: rows of logits, each against a class label or a distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .._dtypes import arithmetic_dtype, cast
from .._formulas import focal, softmax
from .._inputs.shapes import is_number
from .classes import choice_of, of_each_class, one_hot, wide_labels
from .operands import Operands
from .spec import LossSpec, keep, nan_outside, which_count

Array = Any
Namespace = Any


@dataclass(frozen=True)
class Softmax(LossSpec):
    """Rows of logits, each against a class label or a distribution over the classes."""

    axis: int
    indexed: bool
    soft_targets: str = "expected"
    label_smoothing: float = 0.0
    ignore_index: int | None = None
    trusted: bool = True
    device: Any = None  # where the class numbers are made
    background: int | None = None  # the class that is no positive

    def positives(self, xp: Namespace, operands: Operands, targets: Array) -> Array:
        """1 for every label but the background's."""
        dtype = arithmetic_dtype(xp, operands.logits.dtype)
        if self.background is None:
            return xp.astype(xp.ones_like(targets), dtype)
        return xp.astype(targets != self.background, dtype)

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array]:
        """The targets as numbers, and which rows count (None: all)."""
        if self.indexed:
            counted = which_count(operands.targets, self.ignore_index, operands.mask)
            return wide_labels(xp, operands.targets), counted
        dtype = arithmetic_dtype(xp, operands.logits.dtype)
        return cast(xp, operands.targets, dtype), operands.mask

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """The formula at the operands, smoothed and masked."""
        targets, counted = self.read(xp, operands)
        rows = self._beside(xp, counted)
        dtype = arithmetic_dtype(xp, operands.logits.dtype)
        x = keep(xp, rows, cast(xp, operands.logits, dtype))
        if not self.indexed:
            y = targets if self.trusted else self._nan_unless_distribution(xp, targets)
            return self._of_distribution(xp, x, keep(xp, rows, y), operands)
        labels = keep(xp, rows, xp.expand_dims(targets, axis=self.axis))
        choice = choice_of(xp, x, labels, self.axis, self.device, self.trusted)
        if not self.label_smoothing:
            return softmax.Index(xp, x, choice, *of_each_class(operands, choice))
        nothing = xp.zeros_like(x)  # or NaN, where a label is none of the classes
        y = choice.replaced(nothing + choice.entry(nothing), 1.0)
        return self._of_distribution(xp, x, y, operands)

    def _of_distribution(
        self, xp: Namespace, x: Array, y: Array, operands: Operands
    ) -> focal.Formula:
        s, shares = self.label_smoothing, focal.Shares.of(y)
        smoothed = shares.smoothed(s, x.shape[self.axis]) if s else shares
        largest = xp.argmax(x, axis=self.axis, keepdims=True)
        row = softmax.row_of(xp, x, one_hot(xp, x, largest, self.axis, self.device))
        if self.soft_targets == "mixture":
            return softmax.Mixture(xp, row, smoothed, operands.exponent, operands.alpha)
        modulating = shares if self.soft_targets == "hard" else smoothed
        gamma, alpha = (
            p if is_number(p) else xp.sum(modulating.own * p, axis=self.axis, keepdims=True)
            for p in (operands.exponent, operands.alpha)
        )
        return softmax.Expected(xp, row, modulating, smoothed, gamma, alpha)

    def _nan_unless_distribution(self, xp: Namespace, y: Array) -> Array:
        total = xp.sum(y, axis=self.axis, keepdims=True)
        return xp.where(xp.abs(total - 1) <= 0.01, nan_outside(xp, y), xp.nan)
