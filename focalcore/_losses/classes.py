"""Rows of classes: labels that hold every class, and the class that each of them names."""

from __future__ import annotations

from .._dtypes import cast, dtype_name
from .._formulas import softmax
from .._inputs.shapes import is_number
from .._typing import Array, Device, Namespace, Parameter
from .operands import Operands


def wide_labels(xp: Namespace, labels: Array) -> Array:
    """Labels of a type that holds every class; of what counts, nothing wraps to one."""
    is_64_bit = dtype_name(labels.dtype).endswith("int64")
    return cast(xp, labels, xp.int64 if is_64_bit else xp.int32)


def choice_of(
    xp: Namespace, x: Array, labels: Array, axis: int, device: Device, are_checked: bool
) -> softmax.Choice:
    """The class that each row's label names; a namespace may have a way of its own."""
    own = xp.Choice if are_checked else None
    if own is not None:
        choice: softmax.Choice = own(labels, axis)
        return choice
    # a bad label is none of the classes, and chooses none
    return one_hot(xp, x, labels, axis, device)


def one_hot(xp: Namespace, x: Array, labels: Array, axis: int, device: Device) -> softmax.OneHot:
    """The same by comparison with the number of every class."""
    along = [1] * x.ndim
    along[axis] = -1
    classes = xp.arange(x.shape[axis], dtype=labels.dtype, device=device)
    return softmax.OneHot(xp, labels == xp.reshape(classes, tuple(along)), axis)


def of_each_class(operands: Operands, choice: softmax.Choice) -> tuple[Parameter, Parameter]:
    """gamma and alpha of each row's class."""
    gamma, alpha = (
        p if is_number(p) else choice.gather(p)
        for p in (operands.exponent(), operands.get("alpha"))
    )
    return gamma, alpha
