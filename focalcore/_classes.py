"""The class axis: where it is, what lies along it, and what kind of targets go with it."""

from __future__ import annotations

from typing import Any

from ._arrays import FLOATS, Given, dtype_name, same_shape
from ._options import Parameter, parse_axis

Array = Any


def class_axis(name: str, axis: int, shape: Any) -> int:
    """The class axis, counted from the front."""
    if not shape:
        raise ValueError(f"{name} must have a class axis; found a single number")
    index = parse_axis(axis)
    if not -len(shape) <= index < len(shape):
        raise ValueError(f"axis must be one of the {len(shape)} axes of {name}; found {axis}")
    if shape[index] is None:
        raise ValueError(f"{name} of shape {tuple(shape)}: the number of classes must be known")
    return index % len(shape)


def is_indexed(given: Given, rows: Any, ignore_index: int | None) -> bool:
    """Whether the softmax targets are class labels; else they are distributions."""
    if not same_shape(given.targets.shape, given.logits.shape):
        check_labels(given, "targets", "logits", rows)
        return True
    if ignore_index is not None:
        raise ValueError(
            f"ignore_index is for class labels; found {ignore_index} with targets that are "
            f"distributions over the classes; leave rows out with mask="
        )
    return False


def check_labels(given: Given, labels: str, scores: str, rows: Any) -> None:
    """Class labels are integers, one for each row."""
    shape, found = tuple(given.targets.shape), dtype_name(given.targets.dtype)
    if not same_shape(shape, rows):
        fix = f"reshape {labels} to {rows}" if shape == (*rows, 1) else "one label a row"
        raise ValueError(
            f"{labels} of shape {shape} do not fit {scores} of shape "
            f"{tuple(given.logits.shape)}; {fix}: class labels have the shape {rows}"
        )
    if found in FLOATS:
        raise TypeError(f"{labels} are class labels and must be integer; found {found}")


def label_or_none(given: Given, number: int | None) -> int | None:
    """A number that labels may have; None where their type has none such.

    Libraries wrap, or raise, where they compare an integer with one of another range.
    """
    kind = dtype_name(given.targets.dtype)
    if number is None or "int" not in kind:
        return number
    bits = int(kind.lstrip("uint")) - (kind[0] != "u")
    least = 0 if kind[0] == "u" else -int(2**bits)
    return number if least <= number < int(2**bits) else None


def per_class(given: Given, name: str, axis: int) -> Parameter:
    """A number, or one entry per class, laid along the class axis."""
    value, shape = given.parameters[name], given.logits.shape
    if value is None or isinstance(value, float) or value.ndim == 0:
        return value
    if tuple(value.shape) != (shape[axis],):
        raise ValueError(
            f"{name} must be a number or have one entry for each of the {shape[axis]} classes; "
            f"found shape {tuple(value.shape)}"
        )
    return given.home.xp.reshape(value, _along(axis, len(shape)))


def _along(axis: int, ndim: int) -> tuple[int, ...]:
    return tuple(-1 if i == axis else 1 for i in range(ndim))
