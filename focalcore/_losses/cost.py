"""The cost by which detectors match queries with boxes, from logits and the boxes' classes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from .._formulas import cost
from .._inputs import checks, class_axis, parse
from .._inputs.arrays import Inputs, convert_inputs
from .._inputs.doors import Door
from .._inputs.options import Options, option, options
from .._typing import Array, ArrayLike, Namespace
from .operands import Operands
from .posterior import ScoreMap
from .prepare import LossCall


@options
class CostOptions(Options):
    """The options of the cost."""

    alpha: float = option(0.25, parse.at_most(1.0))
    gamma: float = option(2.0, parse.at_most(parse.MOST_GAMMA))


@dataclass(frozen=True, kw_only=True)
class Cost(ScoreMap):
    """From the logits of the boxes' classes to the costs of the queries."""

    def mapped(self, xp: Namespace, operands: Operands) -> Array:
        """Return the cost of each query and box."""
        x, gamma = operands.wide(xp, "scores"), operands.exponent()
        return cost.cost(xp, x, gamma, operands.get("alpha"))


def prepare(door: Door, logits: ArrayLike, labels: ArrayLike, options: CostOptions) -> LossCall:
    """Return the cost and its operands, from what the caller gave."""
    inputs = convert_inputs(door, logits, labels, options)
    axis = class_axis.from_the_front(door, -1, tuple(inputs.scores.shape))
    _check_labels(inputs, door)
    operands = Operands.of(scores=_taken(inputs), gamma=options.gamma, alpha=options.alpha)
    look = partial(checks.check_class_labels, inputs, door, axis, None)
    return LossCall(inputs.context, Cost(), replace(operands, look=look))


def _check_labels(inputs: Inputs, door: Door) -> None:
    if inputs.targets.ndim != 1:
        raise ValueError(
            f"{door.labels} must be one list, the class of each box; found shape "
            f"{tuple(inputs.targets.shape)}; give those of one image at a time"
        )
    class_axis.check_integers(inputs, door)


def _taken(inputs: Inputs) -> Array:
    """Return the logits of the boxes' classes, NaN for a label that is no class."""
    xp, x, labels = inputs.context.xp, inputs.scores, inputs.targets
    labels = xp.astype(labels, xp.int64)
    is_class = (labels >= 0) & (labels < x.shape[-1])
    taken = xp.take(x, xp.where(is_class, labels, xp.zeros_like(labels)), axis=-1)
    return xp.where(is_class, taken, xp.nan)
