"""The sigmoid loss: independent logits, each against a target in [0, 1]."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from .._dtypes import FLOATS, dtype_name
from .._formulas import focal, sigmoid
from .._inputs import checks, parse
from .._inputs.doors import Door
from .._inputs.options import options, parameter
from .._typing import Array, ArrayLike, Namespace, Parameter, SoftTargets
from .operands import Operands
from .options import LogitsOptions
from .prepare import LossCall, elementwise_inputs, loss_call
from .spec import LossSpec, nan_outside, zero_left_out


@options
class SigmoidOptions(LogitsOptions):
    """The options of the sigmoid loss."""

    alpha: Parameter | None = parameter(None, parse.alpha, most=1.0)
    pos_weight: Parameter | None = parameter(None)
    normalizer: Parameter | str | None = parameter(
        None, partial(parse.normalizer, names=("positives", "weight"))
    )


@dataclass(frozen=True)
class Sigmoid(LossSpec):
    """The loss of independent logits, each against a target in [0, 1]."""

    soft_targets: SoftTargets = "expected"
    label_smoothing: float = 0.0
    ignore_index: int | None = None

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array | None]:
        """Return the targets as numbers, and which of them count (None: all)."""
        y = operands.wide(xp, "targets")
        return y, checks.counted_mask(y, self.ignore_index, operands.arrays.get("mask"))

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """Return the formula of the operands, after smoothing and masking."""
        y, counted = self.read(xp, operands)
        kind = dtype_name(operands.arrays["targets"].dtype)
        if kind != "bool":
            y = nan_outside(xp, y)
        x = operands.wide(xp, "scores")
        if counted is not None:
            x, y = zero_left_out(xp, counted, x), zero_left_out(xp, counted, y)
        gamma, balance, shares = operands.exponent(), balance_of(operands), focal.Target.of(y)
        if kind not in FLOATS and not self.label_smoothing:  # each is 0, 1 or NaN
            return sigmoid.BinaryTarget(xp, x, shares, gamma, balance)
        smoothed = shares.smoothed(self.label_smoothing) if self.label_smoothing else shares
        if self.soft_targets == "mixture":
            return sigmoid.mixture(xp, x, smoothed, gamma, balance)
        modulating = shares if self.soft_targets == "hard" else smoothed
        return sigmoid.Expected(xp, x, modulating, smoothed, gamma, balance)


def prepare(door: Door, logits: ArrayLike, targets: ArrayLike, options: SigmoidOptions) -> LossCall:
    """Return the loss and its operands, from what the caller gave."""
    inputs = elementwise_inputs(door, logits, targets, options)
    look = partial(checks.check_unit_interval, inputs, door, options.ignore_index)
    loss = Sigmoid(options.soft_targets, options.label_smoothing, options.ignore_index)
    given = {"gamma": inputs.parameters["gamma"]} | weights_of(inputs.parameters)
    return loss_call(inputs, loss, options, look, **given)


def weights_of(parameters: dict[str, Parameter]) -> dict[str, Parameter]:
    """Return the weights by name, from alpha and pos_weight (None: both weights are 1)."""
    alpha, pos_weight = parameters.get("alpha"), parameters.get("pos_weight")
    if alpha is None:
        negative = None if pos_weight is None else 1.0
        return {"positive_weight": pos_weight, "negative_weight": negative}
    positive = alpha if pos_weight is None else alpha * pos_weight
    return {"positive_weight": positive, "negative_weight": 1 - alpha}


def balance_of(operands: Operands) -> focal.Balance:
    """Return the weights of positives and negatives, as formulas take them."""
    weight = operands.get("positive_weight")
    return None if weight is None else (weight, operands.get("negative_weight"))
