"""What is known of the classes: of labels that name them, and of distributions over them."""

from __future__ import annotations

from typing import Any

from .._dtypes import cast, dtype_name
from .._formulas import focal, softmax
from .._formulas.arrays import Number
from .._inputs import checks
from .._inputs.shapes import is_number
from .._typing import Array, Device, DType, Namespace, Parameter, Shape
from .operands import Operands
from .spec import LossSpec, nan_outside


def wide_labels(xp: Namespace, labels: Array) -> Array:
    """Return labels in a type that holds every class, so that none that counts wraps to another."""
    return cast(xp, labels, _wide(xp, labels.dtype))


def class_numbers(xp: Namespace, labels: Array, shape: Shape, axis: int, device: Device) -> Array:
    """Return the numbers of the classes along their axis, in the wide type of labels."""
    numbers = xp.arange(shape[axis], dtype=_wide(xp, labels.dtype), device=device)
    return xp.reshape(numbers, tuple(-1 if i == axis else 1 for i in range(len(shape))))


def choice_of(xp: Namespace, x: Array, labels: Array, axis: int, device: Device) -> softmax.Choice:
    """Return a choice of each row's labelled class; a label that is no class chooses none."""
    own: softmax.Choice | None = xp.choice(labels, axis)
    if own is not None:
        return own
    classes = class_numbers(xp, labels, x.shape, axis, device)
    return softmax.OneHot(xp, labels == classes, axis)


def largest_of(xp: Namespace, x: Array, axis: int, device: Device) -> softmax.Choice:
    """Return a choice of each row's largest class, the first of equals."""
    return choice_of(xp, x, xp.argmax(x, axis=axis, keepdims=True), axis, device)


def per_row_parameters(
    loss: LossSpec, xp: Namespace, operands: Operands, choice: softmax.Choice
) -> tuple[focal.Gamma, Number | None]:
    """Return gamma and alpha of each row, those of its class where each class has its own."""

    def of_row(name: str, p: Any) -> Any:
        if is_number(p):
            return p
        return loss.with_class_axis(xp, p) if loss.is_per_row(name) else choice.gather(p)

    gamma = of_row("gamma", operands.exponent())
    epsilon = operands.get("poly_epsilon")
    return loss.modulated(gamma, epsilon), of_row("alpha", operands.get("alpha"))


def distributions_or_nan(xp: Namespace, y: Array, axis: int) -> Array:
    """Return rows of targets, with NaN for those that are no distributions."""
    total = xp.sum(y, axis=axis, keepdims=True)
    return xp.where(xp.abs(total - 1) <= checks.SUM_TOLERANCE, nan_outside(xp, y), xp.nan)


def expected(xp: Namespace, y: Array, parameter: Parameter, axis: int) -> Parameter:
    """Return what a parameter of the classes is by a distribution over them."""
    return parameter if is_number(parameter) else xp.sum(y * parameter, axis=axis, keepdims=True)


def _wide(xp: Namespace, dtype: DType) -> DType:
    return xp.int64 if dtype_name(dtype).endswith("int64") else xp.int32
