"""The base of all losses: weighing, masking, and the outputs of each element or row.

A loss is the static part of a call (hashable, so that a compiler can cache by it); its operands are
the arrays. Every function here is pure and works element by element, or row by row, so that any cut
along the leading axes gives the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from .._formulas import focal
from .._inputs import checks
from .._inputs.shapes import without_axis
from .._typing import Array, Device, Library, Namespace, Parameter, Shape
from .operands import Operands, Output
from .reduction import divided

FORMULA = ("value", "slope", "curvature")  # the quantities that a formula gives


@dataclass(frozen=True, kw_only=True)
class LossSpec:
    """The base of all losses; each says what its formula is, and how it reads its targets."""

    has_kernel: ClassVar[bool] = True  # whether it can be traced on symbols

    axis: int | None = None  # of the classes; None: the elements are independent
    ignore_index: int | None = None
    device: Device = None  # where the numbers of the classes are made
    per_row: tuple[str, ...] = ("mask", "weight")  # the operands that have no class axis
    detach_factor: bool = False  # whether derivatives take the modulating factor as a constant

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array | None]:
        """Return the targets as numbers, and which of them count (None: all)."""
        y = operands.wide(xp, "targets")
        return y, checks.counted_mask(y, self.ignore_index, operands.arrays.get("mask"))

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """Return the formula of the operands, after smoothing and masking."""
        raise NotImplementedError

    def positives(self, xp: Namespace, operands: Operands, targets: Array) -> Array:  # noqa: ARG002
        """Return how far each target counts as positive, of the targets that `read` returned."""
        return targets

    def class_weight(self, xp: Namespace, operands: Operands, targets: Array) -> Array:
        """Return the alpha of each row, of the targets that `read` returned."""
        raise NotImplementedError

    def with_soft_targets(self, xp: Library, operands: Operands) -> Operands:  # noqa: ARG002
        """Return the operands in the form for soft targets, if the targets can be soft."""
        return operands

    @property
    def anywhere(self) -> Self:
        """Return the loss without a device."""
        return self if self.device is None else replace(self, device=None)

    def modulated(self, gamma: Parameter, epsilon: Parameter = None) -> focal.Gamma:
        """Return gamma as formulas take it, with that of a polynomial term if there is one."""
        if epsilon is None and not self.detach_factor:
            return gamma
        return focal.Modulation(gamma, self.detach_factor, epsilon)

    def is_per_row(self, name: str) -> bool:
        """Tell whether an operand has no class axis."""
        return name in self.per_row

    def rows_of(self, shape: Shape) -> Shape:
        """Return a shape of logits without the class axis."""
        shape = tuple(shape)
        return shape if self.axis is None else without_axis(shape, self.axis)

    def shape_of(self, output: Output, shape: Shape) -> Shape:
        """Return the shape of an output before it is summed up, from that of the logits."""
        return tuple(shape) if output.is_like_scores else self.rows_of(shape)

    def compute(
        self, xp: Namespace, operands: Operands, outputs: tuple[Output, ...]
    ) -> tuple[Array, ...]:
        """Return the outputs of each element or row, from one reading of the operands."""
        formula, found = None, []
        for output in outputs:
            if output.quantity not in FORMULA:
                found.append(self._counted(xp, operands, output))
                continue
            formula = formula or self.formula(xp, operands)
            found.append(self._weighed(xp, formula, operands, output))
        return tuple(found)

    def _weighed(
        self, xp: Namespace, formula: focal.Formula, operands: Operands, output: Output
    ) -> Array:
        """Return what the formula gives, weighed, and divided where it is a derivative."""
        x = self.weighed(xp, getattr(formula, output.quantity)(), operands)
        if output.is_like_scores:
            return divided(xp, x, operands.get("denominator"))
        return x if self.axis is None else xp.squeeze(x, axis=self.axis)

    def weighed(self, xp: Namespace, x: Array, operands: Operands) -> Array:
        """Return numbers times the weight, and 0 for what is left out."""
        weight, counted = operands.arrays.get("weight"), operands.arrays.get("mask")
        if self.ignore_index is not None:  # the targets are read again only for what they leave out
            _, counted = self.read(xp, operands)
        if weight is not None:
            x = focal.safe_multiply(xp, self.with_class_axis(xp, weight), x)
        if counted is not None:
            x = zero_left_out(xp, self.with_class_axis(xp, counted), x)
        return x

    def _counted(self, xp: Namespace, operands: Operands, output: Output) -> Array:
        """Return the elements whose sum a mean is divided by."""
        targets, counted = self.read(xp, operands)
        if output is Output.COUNT:
            x = xp.astype(counted, xp.int32)  # a float32 sum of ones may stop at 2^24
        elif output is Output.WEIGHT:
            x = operands.arrays["weight"]
        elif output is Output.CLASS_WEIGHT:
            x = self.class_weight(xp, operands, targets)
        else:
            x = self.positives(xp, operands, targets)
        if output is Output.POSITIVE_WEIGHT:
            x = focal.safe_multiply(xp, x, operands.arrays["weight"])
        x = zero_left_out(xp, counted, x)
        return xp.broadcast_to(x, self.rows_of(operands.arrays["scores"].shape))

    def with_class_axis(self, xp: Namespace, rows: Array | None) -> Any:
        """Return an array of rows with a class axis of length 1, to broadcast over the classes."""
        return rows if rows is None or self.axis is None else xp.expand_dims(rows, axis=self.axis)


def zero_left_out(xp: Namespace, counted: Array | None, x: Array) -> Array:
    """Return x with 0 for what is left out, so that no NaN there enters the arithmetic."""
    return x if counted is None else xp.where(counted, x, xp.zeros_like(x))


def nan_outside(xp: Namespace, y: Array) -> Array:
    """Return values with NaN for those that are not in [0, 1]."""
    return xp.where((y >= 0) & (y <= 1), y, xp.nan)
