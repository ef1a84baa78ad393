"""Class labels in an integer type that is wide enough, and the class that each of them names."""

from __future__ import annotations

from .._dtypes import cast, dtype_name
from .._formulas import softmax
from .._inputs.shapes import is_number
from .._typing import Array, Device, Namespace, Parameter
from .operands import Operands


def wide_labels(xp: Namespace, labels: Array) -> Array:
    """Return labels in a type that holds every class, so that none that counts wraps to another."""
    is_64_bit = dtype_name(labels.dtype).endswith("int64")
    return cast(xp, labels, xp.int64 if is_64_bit else xp.int32)


def choice_of(xp: Namespace, x: Array, labels: Array, axis: int, device: Device) -> softmax.Choice:
    """Return a choice of each row's labelled class; a label that is no class chooses none."""
    own: softmax.Choice | None = xp.choice(labels, axis)
    if own is not None:
        return own
    along = [1] * x.ndim
    along[axis] = -1
    classes = xp.arange(x.shape[axis], dtype=labels.dtype, device=device)
    return softmax.OneHot(xp, labels == xp.reshape(classes, tuple(along)), axis)


def per_row_parameters(operands: Operands, choice: softmax.Choice) -> tuple[Parameter, Parameter]:
    """Return gamma and alpha of each row's class."""
    gamma, alpha = (
        p if is_number(p) else choice.gather(p)
        for p in (operands.exponent(), operands.get("alpha"))
    )
    return gamma, alpha
