"""The steps from the caller's arguments to a loss and its operands that losses have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from .._inputs import class_axis
from .._inputs.arrays import ArrayContext, Inputs, convert_inputs
from .._inputs.checks import Look
from .._inputs.doors import Door
from .._inputs.options import Options
from .._inputs.shapes import broadcastable, check_shape, full_rank, without_axis
from .._typing import ArrayLike, Parameter, Reduction, Shape
from .operands import Operands, Output
from .reduction import NORMALIZERS
from .spec import LossSpec


class LossCall(NamedTuple):
    """A loss and its operands, and how its elements or rows are reduced."""

    context: ArrayContext
    loss: LossSpec
    operands: Operands
    reduction: Reduction = "none"
    divide_by: Output | None = None  # None: the number that was given, or the count


class Recipe(NamedTuple):
    """What is known of a loss before it is called."""

    prepare: Callable[[Door, Any, Any, Any], LossCall]  # from a door, two arrays and the options
    door: Door
    options: Any  # the class that checks them, or what makes them of one call


def loss_call(
    inputs: Inputs,
    loss: LossSpec,
    options: Options,
    look: Look,
    **parameters: Parameter,
) -> LossCall:
    """Return the loss with its operands, to be reduced as the options say."""
    normalizer = inputs.parameters.get("normalizer")
    name = normalizer if isinstance(normalizer, str) else None
    operands = Operands.of(
        scores=inputs.scores,
        targets=inputs.targets,
        mask=inputs.mask,
        weight=inputs.weight,
        normalizer=normalizer if name is None else None,
        **parameters,
    )
    operands = replace(operands, look=look)
    reduction: Reduction = getattr(options, "reduction", "none")
    divide_by = None if name is None else NORMALIZERS[name]
    return LossCall(inputs.context, loss, operands, reduction, divide_by)


def elementwise_inputs(
    door: Door, scores: ArrayLike, targets: ArrayLike, options: Options
) -> Inputs:
    """Return the inputs of a loss of independent elements, which all fit the scores."""
    inputs = convert_inputs(door, scores, targets, options)
    shape, hint = inputs.scores.shape, partial(class_axis.hint_of_classes, inputs, door)
    check_shape(door.labels, inputs.targets, door.scores, shape, hint)
    check_beside(inputs, door, door.scores, shape)
    fit_parameters(inputs, door)
    return inputs


def check_beside(inputs: Inputs, door: Door, onto_name: str, onto: Shape) -> None:
    """Check that mask and weight, if they are given, fit the scores or their rows."""
    for name, x in (("mask", inputs.mask), (door.weight, inputs.weight)):
        if x is not None:
            check_shape(name, x, onto_name, onto)


def fit_parameters(inputs: Inputs, door: Door) -> None:
    """Give the parameters as many axes as the scores have, to which they have to broadcast."""
    xp, shape, parameters = inputs.context.xp, inputs.scores.shape, inputs.parameters
    for name, value in parameters.items():
        if not isinstance(value, float | str):
            parameters[name] = broadcastable(xp, name, value, door.scores, shape)


def rowwise_inputs(
    door: Door, scores: ArrayLike, targets: ArrayLike, options: Options, axis: int
) -> tuple[Inputs, int]:
    """Return the inputs of a loss of rows of classes, and the class axis counted from the front."""
    inputs = convert_inputs(door, scores, targets, options)
    xp, shape = inputs.context.xp, tuple(inputs.scores.shape)
    axis = class_axis.from_the_front(door, axis, shape)
    rows = without_axis(shape, axis)
    check_beside(inputs, door, f"rows of {door.scores}", rows)
    return inputs._replace(
        mask=full_rank(xp, inputs.mask, len(rows)), weight=full_rank(xp, inputs.weight, len(rows))
    ), axis
