"""The asymmetric loss: independent logits, whose positives and negatives focus apart."""

from __future__ import annotations

from dataclasses import dataclass

from .._formulas import asymmetric, focal
from .._inputs import parse
from .._inputs.doors import Door
from .._inputs.options import option, options, parameter
from .._typing import Array, ArrayLike, Namespace, Parameter
from .elements import ElementOptions, LossOfElements, elementwise_call
from .operands import Operands
from .prepare import LossCall, Recipe


@options
class AsymmetricOptions(ElementOptions):
    """The options of the asymmetric loss."""

    gamma_pos: Parameter = parameter(1.0, most=parse.MOST_GAMMA)
    gamma_neg: Parameter = parameter(4.0, most=parse.MOST_GAMMA)
    clip: float = option(0.05, parse.at_most(1.0))


@dataclass(frozen=True, kw_only=True)
class Asymmetric(LossOfElements):
    """The loss of independent logits with a gamma for positives, and a gamma for negatives."""

    clip: float

    def of_elements(
        self, xp: Namespace, x: Array, target: focal.Target, operands: Operands
    ) -> focal.Formula:
        """Return the formula of logits against targets."""
        gamma_pos = self.modulated(operands.exponent("gamma_pos"))
        gamma_neg = self.modulated(operands.exponent("gamma_neg"))
        return asymmetric.asymmetric(xp, x, target, gamma_pos, gamma_neg, self.clip)


def prepare(
    door: Door, logits: ArrayLike, targets: ArrayLike, options: AsymmetricOptions
) -> LossCall:
    """Return the loss and its operands, from what the caller gave."""
    loss = Asymmetric(clip=options.clip, detach_factor=options.detach_factor)
    return elementwise_call(loss, door, logits, targets, options)


DOOR = Door(leave_out=("mask=",), for_classes="asymmetric_softmax_loss")
RECIPE = Recipe(prepare, DOOR, AsymmetricOptions)
