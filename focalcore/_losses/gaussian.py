"""The Gaussian focal loss: the logits of a heatmap, against one whose peaks are 1."""

from __future__ import annotations

from dataclasses import dataclass

from .._formulas import focal, gaussian
from .._inputs import parse
from .._inputs.doors import Door
from .._inputs.options import options, parameter
from .._typing import Array, ArrayLike, Namespace, Parameter
from .elements import ElementOptions, LossOfElements, elementwise_call
from .operands import Operands
from .prepare import LossCall, Recipe


@options
class GaussianOptions(ElementOptions):
    """The options of the Gaussian focal loss."""

    alpha: Parameter = parameter(2.0, most=parse.MOST_GAMMA)
    gamma: Parameter = parameter(4.0, most=parse.MOST_GAMMA)


@dataclass(frozen=True, kw_only=True)
class Gaussian(LossOfElements):
    """The loss of a heatmap's logits."""

    def positives(self, xp: Namespace, operands: Operands, targets: Array) -> Array:
        """Return 1 for every peak, and 0 elsewhere."""
        return xp.astype(targets == 1, operands.dtype(xp))

    def of_elements(
        self, xp: Namespace, x: Array, target: focal.Target, operands: Operands
    ) -> focal.Formula:
        """Return the formula of logits against a heatmap."""
        alpha, gamma = self.modulated(operands.exponent()), operands.exponent("gamma_of_target")
        return gaussian.gaussian(xp, x, target, alpha, gamma)


def prepare(
    door: Door, logits: ArrayLike, heatmap: ArrayLike, options: GaussianOptions
) -> LossCall:
    """Return the loss and its operands, from what the caller gave."""
    loss = Gaussian(detach_factor=options.detach_factor)
    called = {"alpha": "gamma", "gamma": "gamma_of_target"}
    return elementwise_call(loss, door, logits, heatmap, options, **called)


RECIPE = Recipe(prepare, Door(labels="heatmap", leave_out=("mask=",)), GaussianOptions)
