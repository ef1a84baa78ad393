"""The squared margin: its options, and how it builds its formula."""

from __future__ import annotations

from dataclasses import dataclass

from focalcore._inputs.doors import Door
from focalcore._inputs.options import options, parameter
from focalcore._losses.elements import LossOfElements, elementwise_call
from focalcore._losses.options import ReducedOptions
from focalcore._losses.prepare import Recipe

from .formula import SquaredMargin


@options
class MarginOptions(ReducedOptions):
    margin: float = parameter(1.0)


@dataclass(frozen=True)
class Margin(LossOfElements):
    def of_elements(self, xp, x, target, operands):
        return SquaredMargin(xp, x, target.y, operands.get("margin"))


def prepare(door, logits, targets, options):
    return elementwise_call(Margin(), door, logits, targets, options)


RECIPE = Recipe(prepare, Door(leave_out=("mask=",)), MarginOptions)
