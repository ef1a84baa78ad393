"""The varifocal loss: independent logits against scores, in which 0 is a negative."""

from __future__ import annotations

from dataclasses import dataclass

from .._formulas import focal, varifocal
from .._inputs import parse
from .._inputs.doors import Door
from .._inputs.options import option, options, parameter
from .._typing import Array, ArrayLike, Namespace, Parameter
from .elements import ElementOptions, LossOfElements, elementwise_call
from .operands import Operands
from .prepare import LossCall, Recipe


@options
class VarifocalOptions(ElementOptions):
    """The options of the varifocal loss."""

    alpha: Parameter = parameter(0.75)
    gamma: Parameter = parameter(2.0, most=parse.MOST_GAMMA)
    weighted: bool = option(True, parse.flag)


@dataclass(frozen=True, kw_only=True)
class Varifocal(LossOfElements):
    """The loss of independent logits, whose positives have scores above 0."""

    weighted: bool

    def of_elements(
        self, xp: Namespace, x: Array, target: focal.Target, operands: Operands
    ) -> focal.Formula:
        """Return the formula of logits against scores."""
        gamma, alpha = self.modulated(operands.exponent()), operands.get("alpha")
        return varifocal.Varifocal(xp, x, target, gamma, alpha, by_score=self.weighted)


def prepare(
    door: Door, logits: ArrayLike, scores: ArrayLike, options: VarifocalOptions
) -> LossCall:
    """Return the loss and its operands, from what the caller gave."""
    loss = Varifocal(weighted=options.weighted, detach_factor=options.detach_factor)
    return elementwise_call(loss, door, logits, scores, options)


RECIPE = Recipe(prepare, Door(labels="scores", leave_out=("mask=",)), VarifocalOptions)
