"""The squared margin: its options, how it reads its targets, and how it builds its formula."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from focalcore._inputs import checks
from focalcore._inputs.options import options, parameter
from focalcore._losses.options import ReducedOptions
from focalcore._losses.prepare import elementwise_inputs, loss_call
from focalcore._losses.spec import LossSpec, nan_outside, zero_left_out

from .formula import SquaredMargin


@options
class MarginOptions(ReducedOptions):
    margin: float = parameter(1.0)


@dataclass(frozen=True)
class Margin(LossSpec):
    def read(self, xp, operands):
        return operands.wide(xp, "targets"), operands.arrays.get("mask")

    def formula(self, xp, operands):
        y, counted = self.read(xp, operands)
        x, y = operands.wide(xp, "scores"), nan_outside(xp, y)
        if counted is not None:
            x, y = zero_left_out(xp, counted, x), zero_left_out(xp, counted, y)
        return SquaredMargin(xp, x, y, operands.get("margin"))


def prepare(door, logits, targets, options):
    inputs = elementwise_inputs(door, logits, targets, options)
    look = partial(checks.check_unit_interval, inputs, door, None)
    return loss_call(inputs, Margin(), options, look, margin=inputs.parameters["margin"])
