"""The asymmetric loss of classes that exclude each other: rows of logits against class labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from .._formulas import asymmetric, focal, softmax
from .._inputs import checks, class_axis, parse
from .._inputs.doors import Door
from .._inputs.options import option, options, parameter
from .._inputs.shapes import is_number
from .._typing import Array, ArrayLike, Namespace, Parameter
from .classes import largest_of
from .operands import Operands
from .options import MeanOptions
from .prepare import LossCall, Recipe, loss_call, rowwise_inputs
from .softmax import SoftmaxOfLabels


@options
class AsymmetricSoftmaxOptions(MeanOptions):
    """The options of the asymmetric loss of class labels."""

    gamma_pos: Parameter = parameter(0.0, most=parse.MOST_GAMMA)
    gamma_neg: Parameter = parameter(4.0, most=parse.MOST_GAMMA)
    label_smoothing: float = option(0.1, parse.at_most(1.0))
    axis: int = option(-1, parse.axis)
    ignore_index: int | None = option(None, parse.index)
    detach_factor: bool = option(False, parse.flag)


@dataclass(frozen=True, kw_only=True)
class AsymmetricOfLabels(SoftmaxOfLabels):
    """The loss of rows of logits, whose label and other classes focus apart."""

    def label_formula(
        self, xp: Namespace, x: Array, choice: softmax.Choice, operands: Operands
    ) -> focal.Formula:
        """Return the formula of logits against labels: other classes have no share without."""
        gamma = operands.exponent("gamma_pos")
        own = gamma if is_number(gamma) else choice.gather(gamma)
        return softmax.OfLabel(xp, x, choice, self.modulated(own), None)

    def distribution_formula(
        self, xp: Namespace, x: Array, y: Array, operands: Operands
    ) -> focal.Formula:
        """Return the formula of logits against labels as rows."""
        target = focal.Target.of(y)
        row = softmax.row_of(xp, x, largest_of(xp, x, self.axis, self.device))
        smoothed = target.smoothed(self.label_smoothing, x.shape[self.axis])
        gamma_pos = self.modulated(operands.exponent("gamma_pos"))
        gamma_neg = self.modulated(operands.exponent("gamma_neg"))
        return asymmetric.asymmetric_row(xp, row, target, smoothed, gamma_pos, gamma_neg)


def prepare(
    door: Door, logits: ArrayLike, labels: ArrayLike, options: AsymmetricSoftmaxOptions
) -> LossCall:
    """Return the loss and its operands, from what the caller gave."""
    inputs, axis = rowwise_inputs(door, logits, labels, options, options.axis)
    class_axis.check_labels(inputs, door, axis)
    ignored = class_axis.representable_label(inputs.targets.dtype, options.ignore_index)
    loss = AsymmetricOfLabels(
        axis=axis,
        label_smoothing=options.label_smoothing,
        ignore_index=ignored,
        device=inputs.context.device,
        detach_factor=options.detach_factor,
    )
    look = partial(checks.check_class_labels, inputs, door, axis, ignored)
    names = ("gamma_pos", "gamma_neg")
    gammas = {name: class_axis.per_class(inputs, name, axis) for name in names}
    return loss_call(inputs, loss, options, look, **gammas)


DOOR = Door(labels="labels", leave_out=("ignore_index=", "mask="), class_axis="axis")
RECIPE = Recipe(prepare, DOOR, AsymmetricSoftmaxOptions)
