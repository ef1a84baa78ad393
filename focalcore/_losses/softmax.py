"""The softmax loss: rows of logits, each against a class label or a distribution."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from .._formulas import focal, softmax
from .._inputs import checks, class_axis, parse
from .._inputs.doors import SOFTMAX, Door
from .._inputs.options import option, options, parameter
from .._inputs.shapes import is_number
from .._typing import Array, ArrayLike, Namespace, Parameter, SoftTargets
from .classes import (
    choice_of,
    distributions_or_nan,
    expected,
    largest_of,
    per_row_parameters,
    wide_labels,
)
from .operands import Operands
from .options import LogitsOptions
from .prepare import LossCall, Recipe, loss_call, rowwise_inputs
from .spec import LossSpec, zero_left_out


@options
class SoftmaxOptions(LogitsOptions):
    """The options of the softmax loss."""

    alpha: Parameter | None = parameter(None, parse.alpha)
    axis: int = option(-1, parse.axis)
    background: int | None = option(None, parse.index)
    normalizer: Parameter | str | None = parameter(
        None, partial(parse.normalizer, names=("positives", "weight", "alpha"))
    )

    def check_together(self) -> None:
        super().check_together()
        normalizer = self.normalizer if isinstance(self.normalizer, str) else None
        if normalizer == "positives" and self.background is None:
            raise ValueError(
                "normalizer='positives' counts the labels that are not the background; give "
                "background, the label of that class"
            )
        if self.background is not None and normalizer != "positives":
            raise ValueError(
                f"background is the class that normalizer='positives' does not count; found "
                f"background={self.background} with normalizer={self.normalizer!r}"
            )
        if normalizer == "alpha" and self.alpha is None:
            raise ValueError("normalizer='alpha' divides by the sum of alpha=, which is None")


@dataclass(frozen=True, kw_only=True)
class Softmax(LossSpec):
    """The base of the losses of rows of logits, against labels or distributions."""

    axis: int
    soft_targets: SoftTargets = "expected"
    label_smoothing: float = 0.0

    def logits_of(self, xp: Namespace, operands: Operands, counted: Array | None) -> Array:
        """Return the logits to compute from, 0 in rows that are left out."""
        return zero_left_out(xp, self.with_class_axis(xp, counted), operands.wide(xp, "scores"))

    def distribution_formula(
        self, xp: Namespace, x: Array, y: Array, operands: Operands
    ) -> focal.Formula:
        """Return the formula of logits against distributions."""
        s, shares = self.label_smoothing, focal.Target.of(y)
        smoothed = shares.smoothed(s, x.shape[self.axis]) if s else shares
        row = softmax.row_of(xp, x, largest_of(xp, x, self.axis, self.device))
        gamma, alpha = operands.exponent(), operands.get("alpha")
        if self.is_per_row("gamma"):
            gamma = self.with_class_axis(xp, gamma)
        epsilon = operands.get("poly_epsilon")
        if self.soft_targets == "mixture":
            return softmax.mixture(xp, row, smoothed, self.modulated(gamma, epsilon), alpha)
        modulating = shares if self.soft_targets == "hard" else smoothed
        if not self.is_per_row("gamma"):
            gamma = expected(xp, modulating.y, gamma, self.axis)
        alpha = expected(xp, modulating.y, alpha, self.axis)
        factor = self.modulated(gamma, epsilon)
        return softmax.Expected(xp, row, modulating, smoothed, factor, alpha)


@dataclass(frozen=True, kw_only=True)
class SoftmaxOfLabels(Softmax):
    """The loss of rows of logits, each against a class label."""

    background: int | None = None  # the class that does not count as positive
    per_row: tuple[str, ...] = ("mask", "weight", "targets")

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

    def class_weight(self, xp: Namespace, operands: Operands, targets: Array) -> Array:
        """Return alpha of each row's class."""
        alpha = operands.get("alpha")
        if is_number(alpha):
            return xp.astype(xp.zeros_like(targets), operands.dtype(xp)) + alpha
        labels = xp.expand_dims(targets, axis=self.axis)
        choice = choice_of(xp, operands.arrays["scores"], labels, self.axis, self.device)
        return xp.squeeze(choice.gather(alpha), axis=self.axis)

    def label_formula(
        self, xp: Namespace, x: Array, choice: softmax.Choice, operands: Operands
    ) -> focal.Formula:
        """Return the formula of logits against labels that are not smoothed."""
        gamma, alpha = per_row_parameters(self, xp, operands, choice)
        return softmax.OfLabel(xp, x, choice, gamma, alpha)

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        targets, counted = self.read(xp, operands)
        x = self.logits_of(xp, operands, counted)
        rows = self.with_class_axis(xp, counted)
        targets = zero_left_out(xp, rows, xp.expand_dims(targets, axis=self.axis))
        choice = choice_of(xp, x, targets, self.axis, self.device)
        if not self.label_smoothing:
            return self.label_formula(xp, x, choice, operands)
        nothing = xp.zeros_like(x)  # `gather` makes NaN of it where a label is no class
        y = choice.scatter(nothing + choice.gather(nothing), 1.0)
        return self.distribution_formula(xp, x, y, operands)


@dataclass(frozen=True, kw_only=True)
class SoftmaxOfDistributions(Softmax):
    """The loss of rows of logits, each against a distribution over the classes."""

    def class_weight(self, xp: Namespace, operands: Operands, targets: Array) -> Array:
        """Return the sum of each row's targets, each times the alpha of its class."""
        return xp.sum(targets * operands.get("alpha"), axis=self.axis, keepdims=False)

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        y, counted = self.read(xp, operands)
        x = self.logits_of(xp, operands, counted)
        y = distributions_or_nan(xp, y, self.axis)
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
        "detach_factor": options.detach_factor,
    }
    gamma, is_per_row = class_axis.per_class_or_row(inputs, "gamma", axis)
    loss: Softmax
    if class_axis.are_class_labels(inputs, door, axis, options.ignore_index):
        ignored = class_axis.representable_label(inputs.targets.dtype, options.ignore_index)
        background = class_axis.representable_label(inputs.targets.dtype, options.background)
        loss = SoftmaxOfLabels(ignore_index=ignored, background=background, **shared)
        look = partial(checks.check_class_labels, inputs, door, axis, ignored)
    else:
        class_axis.check_no_background(door, options.background)
        loss = SoftmaxOfDistributions(**shared)
        look = partial(checks.check_distributions, inputs, door, axis)
    if is_per_row:
        loss = replace(loss, per_row=(*loss.per_row, "gamma"))
    alpha = class_axis.per_class(inputs, "alpha", axis)
    given = {"gamma": gamma, "alpha": alpha, "poly_epsilon": options.poly_epsilon}
    return loss_call(inputs, loss, options, look, **given)


RECIPE = Recipe(prepare, SOFTMAX, SoftmaxOptions)
