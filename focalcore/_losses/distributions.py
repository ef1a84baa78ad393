"""The categorical loss of rows of probabilities, or logits, each against a distribution."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from .._formulas import focal, probability
from .._inputs import checks, class_axis, parse
from .._inputs.doors import DISTRIBUTIONS, Door
from .._inputs.options import option, options, parameter
from .._typing import SOFT_TARGETS, ArrayLike, Namespace, Parameter, SoftTargets
from .classes import distributions_or_nan, expected
from .operands import Operands
from .options import ScoringOptions, check_hard
from .prepare import LossCall, Recipe, loss_call, rowwise_inputs
from .softmax import SoftmaxOfDistributions
from .spec import LossSpec, nan_outside


@options
class DistributionOptions(ScoringOptions):
    """The options of the categorical loss of distributions."""

    alpha: Parameter | None = parameter(None, parse.alpha)
    soft_targets: SoftTargets = option("expected", parse.one_of(SOFT_TARGETS))
    label_smoothing: float = option(0.0, parse.at_most(1.0))
    from_logits: bool = option(False, parse.flag)
    axis: int = option(-1, parse.axis)
    eps: float | None = option(None, parse.at_most(0.5))

    def check_together(self) -> None:
        check_hard(self.soft_targets, self.label_smoothing)
        if self.soft_targets == "hard" and not self.from_logits:
            raise ValueError(
                "soft_targets='hard' is for logits; give from_logits=True, or use 'expected' or "
                "'mixture'"
            )


@dataclass(frozen=True, kw_only=True)
class CategoricalOfDistributions(LossSpec):
    """The loss of rows of probabilities, each against a distribution over the classes."""

    axis: int
    eps: float
    soft_targets: SoftTargets = "expected"  # or "mixture"
    label_smoothing: float = 0.0

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """Return the formula of the operands, with smoothed targets."""
        p = nan_outside(xp, operands.wide(xp, "scores"))
        y, _ = self.read(xp, operands)
        y = distributions_or_nan(xp, y, self.axis)
        if self.label_smoothing:
            y = focal.Target.of(y).smoothed(self.label_smoothing, p.shape[self.axis]).y
        row = probability.Row(p, y, self.axis, self.eps)
        gamma, alpha = operands.exponent(), operands.get("alpha")
        if self.soft_targets == "mixture":
            return probability.MixtureOfRow(xp, row, self.modulated(gamma), alpha)
        gamma, alpha = (expected(xp, y, each, self.axis) for each in (gamma, alpha))
        return probability.ExpectedOfRow(xp, row, self.modulated(gamma), alpha)


def prepare(
    door: Door, y_true: ArrayLike, y_pred: ArrayLike, options: DistributionOptions
) -> LossCall:
    """Return the loss and its operands, from what the caller gave."""
    inputs, axis = rowwise_inputs(door, y_pred, y_true, options, options.axis)
    class_axis.check_rows_of_targets(inputs, door)
    shared = {
        "axis": axis,
        "soft_targets": options.soft_targets,
        "label_smoothing": options.label_smoothing,
        "device": inputs.context.device,
        "detach_factor": options.detach_factor,
    }
    look: checks.Look = partial(checks.check_distributions, inputs, door, axis)
    loss: LossSpec
    if options.from_logits:
        loss = SoftmaxOfDistributions(**shared)
    else:
        eps = parse.eps_of(options.eps, inputs.scores)
        loss = CategoricalOfDistributions(eps=eps, **shared)
        look = checks.in_turn(partial(checks.check_probabilities, inputs, door), look)
    gamma, alpha = (class_axis.per_class(inputs, name, axis) for name in ("gamma", "alpha"))
    return loss_call(inputs, loss, options, look, gamma=gamma, alpha=alpha)


RECIPE = Recipe(prepare, DISTRIBUTIONS, DistributionOptions)
