"""The quality focal loss: independent logits, each against the quality of what it found."""

from __future__ import annotations

from dataclasses import dataclass

from .._formulas import focal, quality, sigmoid
from .._inputs import parse
from .._inputs.doors import Door
from .._inputs.options import options, parameter
from .._typing import Array, ArrayLike, Namespace, Parameter
from .elements import ElementOptions, LossOfElements, elementwise_call, has_soft_targets
from .operands import Operands
from .prepare import LossCall, Recipe


@options
class QualityOptions(ElementOptions):
    """The options of the quality focal loss."""

    beta: Parameter = parameter(2.0, most=parse.MOST_GAMMA)


@dataclass(frozen=True, kw_only=True)
class Quality(LossOfElements):
    """The loss of independent logits, by how far each probability is from its score."""

    def of_elements(
        self, xp: Namespace, x: Array, target: focal.Target, operands: Operands
    ) -> focal.Formula:
        """Return the formula of logits against scores."""
        beta = self.modulated(operands.exponent())
        if not has_soft_targets(operands):
            return sigmoid.BinaryTarget(xp, x, target, beta, None)
        return quality.Quality(xp, x, target, beta)


def prepare(door: Door, logits: ArrayLike, scores: ArrayLike, options: QualityOptions) -> LossCall:
    """Return the loss and its operands, from what the caller gave."""
    loss = Quality(detach_factor=options.detach_factor)
    return elementwise_call(loss, door, logits, scores, options, beta="gamma")


RECIPE = Recipe(prepare, Door(labels="scores", leave_out=("mask=",)), QualityOptions)
