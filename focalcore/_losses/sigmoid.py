"""The sigmoid loss: independent logits, each against a target in [0, 1], or a row's class label."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from .._formulas import focal, sigmoid
from .._inputs import checks, class_axis, parse
from .._inputs.arrays import Inputs, convert_inputs
from .._inputs.doors import SIGMOID, Door
from .._inputs.options import option, options, parameter
from .._typing import Array, ArrayLike, DType, Library, Namespace, Parameter, SoftTargets
from .classes import class_numbers, wide_labels
from .elements import LossOfElements, has_soft_targets
from .operands import Operands
from .options import LogitsOptions
from .prepare import LossCall, Recipe, elementwise_inputs, fit_parameters, loss_call


@options
class SigmoidOptions(LogitsOptions):
    """The options of the sigmoid loss."""

    alpha: Parameter | None = parameter(None, parse.alpha, most=1.0)
    pos_weight: Parameter | None = parameter(None)
    class_axis: int | None = option(None, parse.index)
    background: int | None = option(None, parse.label)
    normalizer: Parameter | str | None = parameter(
        None, partial(parse.normalizer, names=("positives", "weight"))
    )

    def check_together(self) -> None:
        super().check_together()
        if self.background is not None and self.class_axis is None:
            raise ValueError(
                f"background is for class labels; found background={self.background} without "
                f"class_axis; give class_axis, the axis of the classes"
            )


@dataclass(frozen=True, kw_only=True)
class Sigmoid(LossOfElements):
    """The loss of independent logits, each against a target in [0, 1]."""

    soft_targets: SoftTargets = "expected"
    label_smoothing: float = 0.0

    def of_elements(
        self, xp: Namespace, x: Array, target: focal.Target, operands: Operands
    ) -> focal.Formula:
        """Return the formula of logits against targets, which are smoothed here."""
        gamma = self.modulated(operands.exponent(), operands.get("poly_epsilon"))
        balance = balance_of(operands)
        if not (has_soft_targets(operands) or self.label_smoothing):
            return sigmoid.BinaryTarget(xp, x, target, gamma, balance)
        smoothed = target.smoothed(self.label_smoothing) if self.label_smoothing else target
        if self.soft_targets == "mixture":
            return sigmoid.mixture(xp, x, smoothed, gamma, balance)
        modulating = target if self.soft_targets == "hard" else smoothed
        return sigmoid.Expected(xp, x, modulating, smoothed, gamma, balance)

    def with_soft_targets(self, xp: Library, operands: Operands) -> Operands:
        return operands.bind(targets=operands.wide(xp, "targets"))


@dataclass(frozen=True, kw_only=True)
class SigmoidOfLabels(Sigmoid):
    """The loss of independent logits, which share a class label along an axis.

    The operands `classes` and `last_class` are the classes' numbers and the last of these, so that
    a label is compared with the number of each logit's class.
    """

    background: int | None = None  # the label that is no class; None: the one after the last

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array | None]:
        arrays = operands.arrays
        counted = checks.counted_mask(arrays["targets"], self.ignore_index, arrays.get("mask"))
        label = wide_labels(xp, arrays["targets"])
        is_own, last = label == arrays["classes"], arrays["last_class"]
        if self.background is None:
            is_known = (label >= 0) & (label <= last + 1)
        else:
            is_background = self._is_background(label, arrays["targets"].dtype)
            is_known = ((label >= 0) & (label <= last)) | is_background
            is_own = is_own & ~is_background
        return xp.where(is_known, xp.astype(is_own, operands.dtype(xp)), xp.nan), counted

    def _is_background(self, label: Array, dtype: DType) -> Any:
        """Return which wide labels, of a dtype before, are the background."""
        can_be = class_axis.representable_label(dtype, self.background) is not None
        return label == self.background if can_be else label != label

    def with_soft_targets(self, xp: Library, operands: Operands) -> Operands:  # noqa: ARG002
        """Return the operands as they are, for labels are never soft."""
        return operands


def prepare(door: Door, logits: ArrayLike, targets: ArrayLike, options: SigmoidOptions) -> LossCall:
    """Return the loss and its operands, from what the caller gave."""
    if options.class_axis is not None:
        return _prepare_labels(door, logits, targets, options, options.class_axis)
    inputs = elementwise_inputs(door, logits, targets, options)
    look = partial(checks.check_unit_interval, inputs, door, options.ignore_index)
    loss = Sigmoid(
        soft_targets=options.soft_targets,
        label_smoothing=options.label_smoothing,
        ignore_index=options.ignore_index,
        detach_factor=options.detach_factor,
    )
    return loss_call(inputs, loss, options, look, **_given(inputs, options))


RECIPE = Recipe(prepare, SIGMOID, SigmoidOptions)


def _prepare_labels(
    door: Door, logits: ArrayLike, labels: ArrayLike, options: SigmoidOptions, axis: int
) -> LossCall:
    """Return the loss of class labels and its operands."""
    inputs = convert_inputs(door, logits, labels, options)
    axis = class_axis.from_the_front(door, axis, inputs.scores.shape)
    class_axis.check_labels(inputs, door, axis)
    class_axis.lay_along(inputs, axis)
    fit_parameters(inputs, door)
    inputs = class_axis.with_class_axis(inputs, door, axis)
    loss = SigmoidOfLabels(
        soft_targets=options.soft_targets,
        label_smoothing=options.label_smoothing,
        background=options.background,
        ignore_index=class_axis.representable_label(inputs.targets.dtype, options.ignore_index),
        detach_factor=options.detach_factor,
    )
    look = partial(
        checks.check_labels_or_background, inputs, door, axis, loss.ignore_index, loss.background
    )
    shape, (backend, device) = inputs.scores.shape, inputs.context
    classes = class_numbers(backend.xp, inputs.targets, shape, axis, device)
    of_classes = {"classes": classes, "last_class": class_axis.last(classes, axis)}
    return loss_call(inputs, loss, options, look, **_given(inputs, options), **of_classes)


def _given(inputs: Inputs, options: SigmoidOptions) -> dict[str, Parameter]:
    """Return gamma, epsilon, and the weights of positives and negatives, by name."""
    given = {"gamma": inputs.parameters["gamma"], "poly_epsilon": options.poly_epsilon}
    return given | weights_of(inputs.parameters)


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
