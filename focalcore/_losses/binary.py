"""The binary loss of probabilities of the positive class, or logits, against targets in [0, 1]."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from .._formulas import focal, probability
from .._inputs import checks, class_axis, parse
from .._inputs.arrays import Inputs, convert_inputs
from .._inputs.doors import BINARY, Door
from .._inputs.options import option, options, parameter
from .._inputs.shapes import check_broadcast, full_rank, same_shape
from .._typing import ArrayLike, Namespace, Parameter, SoftTargets
from .operands import Operands
from .options import ScoringOptions
from .prepare import LossCall, Recipe, check_beside, fit_parameters, loss_call
from .sigmoid import Sigmoid, balance_of, weights_of
from .spec import LossSpec, nan_outside


@options
class BinaryOptions(ScoringOptions):
    """The options of the binary loss."""

    pos_weight: Parameter | None = parameter(None)
    from_logits: bool = option(False, parse.flag)
    label_smoothing: float | None = option(None, parse.at_most(1.0))
    alpha: Parameter | None = parameter(None, parse.alpha, most=1.0)
    eps: float | None = option(None, parse.at_most(0.5))


@dataclass(frozen=True, kw_only=True)
class Binary(LossSpec):
    """The loss of probabilities of the positive class, each against a target in [0, 1]."""

    eps: float
    label_smoothing: float | None = None  # if it is given, the loss is a mixture

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """Return the formula of the operands, with smoothed targets."""
        y, _ = self.read(xp, operands)
        p, y = nan_outside(xp, operands.wide(xp, "scores")), nan_outside(xp, y)
        s, balance, shares = self.label_smoothing, balance_of(operands), focal.Target.of(y)
        gamma = self.modulated(operands.exponent())
        if s is None:
            return probability.Expected(xp, p, shares, gamma, self.eps, balance)
        return probability.mixture(xp, p, shares.smoothed(s), gamma, self.eps, balance)


def prepare(door: Door, y_true: ArrayLike, y_pred: ArrayLike, options: BinaryOptions) -> LossCall:
    """Return the loss and its operands, from what the caller gave."""
    class_axis.check_no_pairs(door, y_pred)
    inputs = _broadcast(convert_inputs(door, y_pred, y_true, options), door)
    check_beside(inputs, door, door.scores, inputs.scores.shape)
    fit_parameters(inputs, door)
    look: checks.Look = partial(checks.check_unit_interval, inputs, door, None)
    loss: LossSpec
    if options.from_logits:
        meaning: SoftTargets = "expected" if options.label_smoothing is None else "mixture"
        loss = Sigmoid(
            soft_targets=meaning,
            label_smoothing=options.label_smoothing or 0.0,
            detach_factor=options.detach_factor,
        )
    else:
        loss = Binary(
            eps=parse.eps_of(options.eps, inputs.scores),
            label_smoothing=options.label_smoothing,
            detach_factor=options.detach_factor,
        )
        look = checks.in_turn(look, partial(checks.check_probabilities, inputs, door))
    given = {"gamma": inputs.parameters["gamma"]} | weights_of(inputs.parameters)
    return loss_call(inputs, loss, options, look, **given)


RECIPE = Recipe(prepare, BINARY, BinaryOptions)


def _broadcast(inputs: Inputs, door: Door) -> Inputs:
    """Return the inputs with scores and labels broadcast to their common shape."""
    xp, x, y = inputs.context.xp, inputs.scores, inputs.targets
    hint = partial(class_axis.hint_of_classes, inputs, door)
    check_broadcast(door.labels, y.shape, door.scores, x.shape, hint)
    pairs = zip(x.shape, y.shape, strict=False)
    if same_shape(x.shape, y.shape) and all((n == 1) == (m == 1) for n, m in pairs):
        return inputs
    rank = max(x.ndim, y.ndim)
    x, y = xp.broadcast_arrays(full_rank(xp, x, rank), full_rank(xp, y, rank))
    return inputs._replace(scores=x, targets=y)
