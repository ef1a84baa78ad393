"""What every loss gives for each element or row, from its operands: the terms that are summed up.

A loss is the static part of a call (hashable, so that a compiler can cache by it); its operands are
the arrays. All here is pure and elementwise, or row by row: any cut along the leading axes gives
the same numbers.
"""

from __future__ import annotations

from typing import Any

from .._formulas import focal
from .operands import Operands, Part
from .reduction import divided

Array = Any
Namespace = Any
Shape = tuple[Any, ...]


class LossSpec:
    """What every loss gives: the parts of each element or row, before they are summed up."""

    axis: int | None  # of the classes; None: the elements are independent
    indexed: bool  # the targets have no class axis
    ignore_index: int | None = None

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array]:
        """The targets as numbers, and which of them count (None: all)."""
        raise NotImplementedError

    def positives(self, xp: Namespace, operands: Operands, targets: Array) -> Array:  # noqa: ARG002
        """How much of a positive each target is, of those that were read."""
        return targets

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """The formula at the operands, smoothed and masked."""
        raise NotImplementedError

    def softened(self) -> LossSpec:
        """The same for targets that may change: nothing is known of them."""
        return self

    def lies_in_rows(self, name: str) -> bool:
        """Whether an operand has no class axis."""
        return name in ("mask", "weight") or (name == "targets" and self.indexed)

    def rows_of(self, shape: Shape) -> Shape:
        """A shape of logits without the class axis."""
        shape = tuple(shape)
        return shape if self.axis is None else shape[: self.axis] + shape[self.axis + 1 :]

    def parts(
        self, xp: Namespace, operands: Operands, asked: tuple[Part, ...]
    ) -> tuple[Array, ...]:
        """What is asked for, from one reading of the operands."""
        formula = None
        if any(part.name in ("value", "slope", "curvature") for part in asked):
            formula = self.formula(xp, operands)
        return tuple(self._part(xp, operands, formula, part.name) for part in asked)

    def _part(self, xp: Namespace, operands: Operands, formula: Any, name: str) -> Array:
        if name == "value":
            value = self._weighed(xp, formula.value(), operands)
            return value if self.axis is None else xp.squeeze(value, axis=self.axis)
        if name in ("slope", "curvature"):
            derivative = formula.slope() if name == "slope" else formula.curvature()
            return divided(xp, self._weighed(xp, derivative, operands), operands.divisor)
        targets, counted = self.read(xp, operands)
        entering = self._entering(xp, operands, targets, counted, name)
        return xp.broadcast_to(entering, self.rows_of(operands.logits.shape))

    def _entering(
        self, xp: Namespace, operands: Operands, targets: Array, counted: Array, name: str
    ) -> Array:
        """What is added up to divide a mean by."""
        if name == "number":
            return xp.astype(counted, xp.int32)  # a float32 sum of ones may stop at 2^24
        if name == "weight":
            return keep(xp, counted, operands.weight)
        positives = self.positives(xp, operands, targets)
        if name == "positive weight":
            positives = focal.times(xp, positives, operands.weight)
        return keep(xp, counted, positives)

    def _weighed(self, xp: Namespace, x: Array, operands: Operands) -> Array:
        # the targets are read again only where they say what counts
        counted = operands.mask if self.ignore_index is None else self.read(xp, operands)[1]
        if operands.weight is not None:
            x = focal.times(xp, self._beside(xp, operands.weight), x)
        return keep(xp, self._beside(xp, counted), x)

    def _beside(self, xp: Namespace, rows: Array) -> Array:
        """What lies in the rows, laid beside the class axis."""
        return rows if rows is None or self.axis is None else xp.expand_dims(rows, axis=self.axis)


def which_count(targets: Array, ignore_index: int | None, mask: Array) -> Array:
    """Which targets count; None: all."""
    if ignore_index is None:
        return mask
    kept = targets != ignore_index
    return kept if mask is None else kept & mask


def keep(xp: Namespace, counted: Array, x: Array) -> Array:
    """What is left out becomes 0, before the arithmetic: its NaN never enters."""
    return x if counted is None else xp.where(counted, x, xp.zeros_like(x))


def balance_of(operands: Operands) -> focal.Balance:
    """What positives and negatives weigh."""
    return None if operands.alpha is None else (operands.alpha, operands.beta)


def nan_outside(xp: Namespace, y: Array) -> Array:
    """What is not in [0, 1], and could not be looked at, becomes NaN."""
    return xp.where((y >= 0) & (y <= 1), y, xp.nan)
