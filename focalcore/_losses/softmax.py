"""The softmax loss: rows of logits, each against a class label or a distribution."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from .._formulas import focal, softmax
from .._inputs import checks, class_axis, parse
from .._inputs.doors import Door
from .._inputs.options import option, options, parameter
from .._inputs.shapes import is_number
from .._typing import Array, ArrayLike, Device, Namespace, Parameter, SoftTargets
from .classes import choice_of, per_row_parameters, wide_labels
from .operands import Operands
from .options import LogitsOptions
from .prepare import LossCall, loss_call, rowwise_inputs
from .spec import LossSpec, nan_outside, zero_left_out


@options
class SoftmaxOptions(LogitsOptions):
    """The options of the softmax loss."""

    alpha: Parameter | None = parameter(None, parse.alpha)
    axis: int = option(-1, parse.axis)


@dataclass(frozen=True, kw_only=True)
class Softmax(LossSpec):
    """The base of the losses of rows of logits, against labels or distributions."""

    axis: int
    soft_targets: SoftTargets = "expected"
    label_smoothing: float = 0.0
    device: Device = None

    def logits_of(self, xp: Namespace, operands: Operands, counted: Array | None) -> Array:
        """Return the logits to compute from, 0 in rows that are left out."""
        return zero_left_out(xp, self.with_class_axis(xp, counted), operands.wide(xp, "scores"))

    def distribution_formula(
        self, xp: Namespace, x: Array, y: Array, operands: Operands
    ) -> focal.Formula:
        """Return the formula of logits against distributions."""
        s, shares = self.label_smoothing, focal.Target.of(y)
        smoothed = shares.smoothed(s, x.shape[self.axis]) if s else shares
        largest = xp.argmax(x, axis=self.axis, keepdims=True)
        row = softmax.row_of(xp, x, choice_of(xp, x, largest, self.axis, self.device))
        if self.soft_targets == "mixture":
            return softmax.Mixture(xp, row, smoothed, operands.exponent(), operands.get("alpha"))
        modulating = shares if self.soft_targets == "hard" else smoothed
        gamma, alpha = (
            p if is_number(p) else xp.sum(modulating.y * p, axis=self.axis, keepdims=True)
            for p in (operands.exponent(), operands.get("alpha"))
        )
        return softmax.Expected(xp, row, modulating, smoothed, gamma, alpha)


@dataclass(frozen=True, kw_only=True)
class SoftmaxOfLabels(Softmax):
    """The loss of rows of logits, each against a class label."""

    ignore_index: int | None = None
    background: int | None = None  # the class that does not count as positive
    per_row = ("mask", "weight", "targets")

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array | None]:
        """Return the labels, and which rows count (None: all)."""
        targets = operands.arrays["targets"]
        counted = checks.counted_mask(targets, self.ignore_index, operands.arrays.get("mask"))
        return wide_labels(xp, targets), counted

    def positives(self, xp: Namespace, operands: Operands, targets: Array) -> Array:
        """Return 1 for every label but the background's, which gets 0."""
        if self.background is None:
            return xp.astype(xp.ones_like(targets), operands.dtype(xp))
        return xp.astype(targets != self.background, operands.dtype(xp))

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """Return the formula of the operands, after smoothing and masking."""
        targets, counted = self.read(xp, operands)
        x = self.logits_of(xp, operands, counted)
        rows = self.with_class_axis(xp, counted)
        targets = zero_left_out(xp, rows, xp.expand_dims(targets, axis=self.axis))
        choice = choice_of(xp, x, targets, self.axis, self.device)
        if not self.label_smoothing:
            return softmax.OfLabel(xp, x, choice, *per_row_parameters(operands, choice))
        nothing = xp.zeros_like(x)  # `gather` makes NaN of it where a label is no class
        y = choice.scatter(nothing + choice.gather(nothing), 1.0)
        return self.distribution_formula(xp, x, y, operands)


@dataclass(frozen=True, kw_only=True)
class SoftmaxOfDistributions(Softmax):
    """The loss of rows of logits, each against a distribution over the classes."""

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array | None]:
        """Return the targets as numbers, and which rows count (None: all)."""
        return operands.wide(xp, "targets"), operands.arrays.get("mask")

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """Return the formula of the operands, after smoothing and masking."""
        y, counted = self.read(xp, operands)
        x = self.logits_of(xp, operands, counted)
        total = xp.sum(y, axis=self.axis, keepdims=True)
        y = xp.where(xp.abs(total - 1) <= checks.SUM_TOLERANCE, nan_outside(xp, y), xp.nan)
        y = zero_left_out(xp, self.with_class_axis(xp, counted), y)
        return self.distribution_formula(xp, x, y, operands)


def prepare(door: Door, logits: ArrayLike, targets: ArrayLike, options: SoftmaxOptions) -> LossCall:
    """Return the loss and its operands, from what the caller gave."""
    inputs, axis = rowwise_inputs(door, logits, targets, options, options.axis)
    shared = {
        "axis": axis,
        "soft_targets": options.soft_targets,
        "label_smoothing": options.label_smoothing,
        "device": inputs.context.device,
    }
    loss: Softmax
    if class_axis.are_class_labels(inputs, door, axis, options.ignore_index):
        ignored = class_axis.representable_label(inputs.targets.dtype, options.ignore_index)
        loss = SoftmaxOfLabels(ignore_index=ignored, **shared)
        look = partial(checks.check_class_labels, inputs, door, axis, ignored)
    else:
        loss = SoftmaxOfDistributions(**shared)
        look = partial(checks.check_distributions, inputs, door, axis)
    gamma, alpha = (class_axis.per_class(inputs, name, axis) for name in ("gamma", "alpha"))
    return loss_call(inputs, loss, options, look, gamma=gamma, alpha=alpha)
