"""The categorical loss: rows of probabilities, or logits, each against a class label."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from .._formulas import focal, probability
from .._inputs import checks, class_axis, parse
from .._inputs.doors import CATEGORICAL, Door
from .._inputs.options import option, options, parameter
from .._typing import Array, ArrayLike, Namespace, Parameter
from .classes import choice_of, per_row_parameters, wide_labels
from .operands import Operands
from .options import ScoringOptions
from .prepare import LossCall, Recipe, loss_call, rowwise_inputs
from .softmax import SoftmaxOfLabels
from .spec import LossSpec, nan_outside


@options
class CategoricalOptions(ScoringOptions):
    """The options of the categorical loss."""

    class_weight: Parameter | None = parameter(None)
    from_logits: bool = option(False, parse.flag)
    axis: int = option(-1, parse.axis)
    eps: float | None = option(None, parse.at_most(0.5))


@dataclass(frozen=True, kw_only=True)
class Categorical(LossSpec):
    """The loss of rows of probabilities, each against a class label."""

    axis: int
    eps: float
    per_row: tuple[str, ...] = ("mask", "weight", "targets")

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array | None]:
        """Return the class labels, and None because all of them count."""
        return wide_labels(xp, operands.arrays["targets"]), None

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """Return the formula of the probability that is given to the label's class."""
        targets = xp.expand_dims(self.read(xp, operands)[0], axis=self.axis)
        p = nan_outside(xp, operands.wide(xp, "scores"))
        choice = choice_of(xp, p, targets, self.axis, self.device)
        gamma, alpha = per_row_parameters(self, xp, operands, choice)
        return probability.OfLabel(xp, p, choice, gamma, alpha, self.eps)


def prepare(
    door: Door, y_true: ArrayLike, y_pred: ArrayLike, options: CategoricalOptions
) -> LossCall:
    """Return the loss and its operands, from what the caller gave."""
    inputs, axis = rowwise_inputs(door, y_pred, y_true, options, options.axis)
    class_axis.check_labels(inputs, door, axis)
    shared = {
        "axis": axis,
        "device": inputs.context.device,
        "detach_factor": options.detach_factor,
    }
    look: checks.Look = partial(checks.check_class_labels, inputs, door, axis, None)
    loss: LossSpec
    if options.from_logits:
        loss = SoftmaxOfLabels(**shared)
    else:
        loss = Categorical(eps=parse.eps_of(options.eps, inputs.scores), **shared)
        look = checks.in_turn(partial(checks.check_probabilities, inputs, door), look)
    gamma, alpha = (class_axis.per_class(inputs, name, axis) for name in ("gamma", "class_weight"))
    return loss_call(inputs, loss, options, look, gamma=gamma, alpha=alpha)


RECIPE = Recipe(prepare, CATEGORICAL, CategoricalOptions)
