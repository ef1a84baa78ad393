"""The distribution focal loss: rows of logits of numbered bins, each against a number."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from .._formulas import distribution, focal, softmax
from .._inputs import checks, parse
from .._inputs.doors import Door
from .._inputs.options import option, options
from .._inputs.shapes import check_shape, full_rank, without_axis
from .._typing import ArrayLike, Namespace
from .classes import class_numbers, largest_of
from .operands import Operands
from .options import MeanOptions
from .prepare import LossCall, Recipe, loss_call, rowwise_inputs
from .spec import LossSpec, zero_left_out


@options
class DistributionFocalOptions(MeanOptions):
    """The options of the distribution focal loss."""

    axis: int = option(-1, parse.axis)


@dataclass(frozen=True, kw_only=True)
class DistributionFocal(LossSpec):
    """The loss of rows of logits, each against a number among the bins."""

    axis: int
    per_row: tuple[str, ...] = ("mask", "weight", "targets")

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """Return the formula of the operands, after masking."""
        values, counted = self.read(xp, operands)
        rows = self.with_class_axis(xp, counted)
        x = zero_left_out(xp, rows, operands.wide(xp, "scores"))
        values = zero_left_out(xp, rows, self.with_class_axis(xp, values))
        bins = class_numbers(xp, operands.arrays["targets"], x.shape, self.axis, self.device)
        n = x.shape[self.axis]
        target = distribution.shares(xp, values, xp.astype(bins, x.dtype), n - 1)
        row = softmax.row_of(xp, x, largest_of(xp, x, self.axis, self.device))
        return distribution.CrossEntropy(xp, row, target)


def prepare(
    door: Door, logits: ArrayLike, values: ArrayLike, options: DistributionFocalOptions
) -> LossCall:
    """Return the loss and its operands, from what the caller gave."""
    inputs, axis = rowwise_inputs(door, logits, values, options, options.axis)
    rows = without_axis(tuple(inputs.scores.shape), axis)
    check_shape(door.labels, inputs.targets, f"rows of {door.scores}", rows)
    inputs = inputs._replace(targets=full_rank(inputs.context.xp, inputs.targets, len(rows)))
    loss = DistributionFocal(axis=axis, device=inputs.context.device)
    return loss_call(inputs, loss, options, partial(checks.check_among_bins, inputs, door, axis))


DOOR = Door(labels="values", leave_out=("mask=",), class_axis="axis")
RECIPE = Recipe(prepare, DOOR, DistributionFocalOptions)
