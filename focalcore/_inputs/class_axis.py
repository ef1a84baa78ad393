"""The class axis: where it is, what lies along it, and what kind of targets go with it."""

from __future__ import annotations

import operator
from typing import Any

from .._dtypes import FLOATS, dtype_name
from .._typing import Array, ArrayLike, DType, Parameter, Shape
from .arrays import Inputs
from .doors import Door
from .shapes import (
    broadcastable,
    check_shape,
    is_empty,
    is_number,
    is_ragged,
    same_shape,
    without_axis,
)


def from_the_front(door: Door, axis: int, shape: Shape) -> int:
    """Return the class axis as a number >= 0, counted from the first axis."""
    if not shape:
        raise ValueError(f"{door.scores} must have a class axis; found a single number")
    axis = operator.index(axis)  # this makes it a constant for torch.compile
    if not -len(shape) <= axis < len(shape):
        if not door.class_axis:
            raise ValueError(f"{door.scores} must have classes on axis {axis}; found shape {shape}")
        raise ValueError(
            f"{door.class_axis} must be one of the {len(shape)} axes of {door.scores}; found {axis}"
        )
    if shape[axis] == 0:
        raise ValueError("the class axis is empty; there must be a class to be right")
    if shape[axis] is None or is_ragged(shape[axis]):
        raise ValueError(
            f"{door.scores} of shape {shape}: the number of classes must be known, and the same "
            f"for all rows; found {shape[axis]} on axis {axis}"
        )
    return axis % len(shape)


def are_class_labels(inputs: Inputs, door: Door, axis: int, ignore_index: int | None) -> bool:
    """Tell whether targets are class labels; if not, they are distributions over the classes."""
    if not same_shape(inputs.targets.shape, inputs.scores.shape):
        check_labels(inputs, door, axis)
        return True
    if ignore_index is not None and ignore_index >= 0:  # no class of a distribution is negative
        is_option = "mask=" in door.leave_out
        raise ValueError(
            f"ignore_index is for class labels; found {ignore_index} with {door.labels} that are "
            f"distributions over the classes; give ignore_index=None"
            + (", and leave rows out with mask=" if is_option else "")
        )
    return False


def check_labels(inputs: Inputs, door: Door, axis: int) -> None:
    """Check that class labels are integers, one for each row."""
    scores, labels = tuple(inputs.scores.shape), tuple(inputs.targets.shape)
    rows = without_axis(scores, axis)
    if not same_shape(labels, rows):
        raise ValueError(
            f"{door.labels} of shape {labels} do not fit {door.scores} of shape {scores}; "
            f"class labels have the shape {rows}{_fix(door, scores, labels, rows)}"
        )
    check_integers(inputs, door)


def check_integers(inputs: Inputs, door: Door) -> None:
    """Check that class labels are integers."""
    found = dtype_name(inputs.targets.dtype)
    if found in FLOATS and not is_empty(inputs.targets):  # an empty array's type says nothing
        raise TypeError(
            f"{door.labels} are class labels and must be integer; found {found}: "
            f"cast with {inputs.context.cast(door.labels, 'int64')}"
        )


def check_rows_of_targets(inputs: Inputs, door: Door) -> None:
    """Check that targets are distributions over the classes, one entry for each score."""
    scores, targets = tuple(inputs.scores.shape), tuple(inputs.targets.shape)
    if not same_shape(targets, scores):
        raise ValueError(
            f"{door.labels} of shape {targets} do not fit {door.scores} of shape {scores}; one-hot "
            f"rows and distributions have that shape, and class labels go to {door.for_classes}"
        )


def _fix(door: Door, scores: Shape, labels: Shape, rows: Shape) -> str:
    """Return the end of an error on labels that do not fit: what may have been meant, if known."""
    if labels == (*rows, 1):
        return f"; reshape {door.labels} to {rows}"
    if labels == scores:
        return f"; {door.for_one_hot}"
    axes = " or ".join(f"{door.class_axis or 'axis'}={i}" for i in _axes_that_fit(scores, labels))
    if not axes:
        return ""
    return f"; {axes} would fit" if door.class_axis else f"; the classes may lie on {axes}: move it"


def hint_of_classes(inputs: Inputs, door: Door) -> str:
    """Return where class labels belong, if the targets of independent logits seem to be such."""
    labels, found = tuple(inputs.targets.shape), dtype_name(inputs.targets.dtype)
    scores = tuple(inputs.scores.shape)
    if "int" not in found or all(scores[i] == 1 for i in _axes_that_fit(scores, labels)):
        return ""
    axes = _axes_that_fit(scores, labels)
    take = f", or take {door.class_axis}={axes[-1]}" if door.class_axis and axes else ""
    way = f"go to {door.for_classes}{take}" if door.for_classes else "have to become one-hot rows"
    return f"labels of classes {way}; here every class of a row has a target of its own, 0 or 1"


def check_no_pairs(door: Door, scores: ArrayLike) -> None:
    """Refuse a list of arrays (N, 2), as predict_proba of a forest gives for several labels."""
    if not (isinstance(scores, list | tuple) and scores):
        return
    shapes = {tuple(getattr(p, "shape", ())) for p in scores}
    if all(len(shape) == 2 and shape[1] == 2 for shape in shapes):
        name = door.scores
        raise ValueError(
            f"{name} is a list of {len(scores)} arrays of shape {shapes.pop()}, as predict_proba "
            f"gives of several labels; give the positives' columns, "
            f"np.stack([p[:, 1] for p in {name}], axis=1)"
        )


def _axes_that_fit(scores: Shape, labels: Shape) -> list[int]:
    """Return the axes without which the scores have the shape of the labels."""
    return [i for i in range(len(scores)) if without_axis(scores, i) == labels]


def representable_label(dtype: DType, number: int | None) -> int | None:
    """Return a number if labels of a dtype can have it, else None.

    Where an integer is compared with one out of its range, libraries wrap it, or raise an error.
    """
    kind = dtype_name(dtype)
    if number is None or "int" not in kind:
        return number
    bits = int(kind.lstrip("uint")) - (kind[0] != "u")
    least = 0 if kind[0] == "u" else -int(2**bits)
    return number if least <= number < int(2**bits) else None


def lay_along(inputs: Inputs, axis: int) -> None:
    """Lay parameters that are a list of numbers, one for each class, along the class axis."""
    for name, value in inputs.parameters.items():
        if not isinstance(value, float | str) and value.ndim == 1:
            inputs.parameters[name] = per_class(inputs, name, axis)


def with_class_axis(inputs: Inputs, door: Door, axis: int) -> Inputs:
    """Return the inputs of independent logits with a class axis in labels, mask and weight.

    Mask and weight may have the shape of the labels, or that of the logits.
    """
    shape = inputs.scores.shape
    # dask's expand_dims needs to know the number of rows
    along = (slice(None),) * axis + (None, ...)
    fitted: dict[str, Any] = {"targets": inputs.targets[along]}
    for option, name, x in (
        ("mask", "mask", inputs.mask),
        ("weight", door.weight, inputs.weight),
    ):
        if x is None:
            continue
        if 0 < x.ndim == len(shape) - 1:
            check_shape(name, x, door.labels, without_axis(tuple(shape), axis))
            fitted[option] = x[along]
        else:
            check_shape(name, x, door.scores, shape)
    return inputs._replace(**fitted)


def last(classes: Array, axis: int) -> Array:
    """Return the last entry along an axis, which is kept with length 1."""
    whole = slice(None)
    return classes[tuple(slice(-1, None) if i == axis else whole for i in range(classes.ndim))]


def check_no_background(door: Door, background: int | None) -> None:
    """Refuse a background beside targets that are distributions."""
    if background is not None:
        raise ValueError(
            f"background is a class label; found {background} with {door.labels} that are "
            f"distributions over the classes; give the number to divide by as normalizer"
        )


def per_class_or_row(inputs: Inputs, name: str, axis: int) -> tuple[Parameter, bool]:
    """Return a parameter, and whether it has an entry for each row and no class axis."""
    value, shape = inputs.parameters.get(name), tuple(inputs.scores.shape)
    if value is None or is_number(value) or value.ndim < max(2, len(shape)):
        return per_class(inputs, name, axis), False
    if value.shape[axis] != 1:
        raise ValueError(
            f"{name} must be a number, or have one entry for each of the {shape[axis]} classes, "
            f"or for each row, and 1 on the class axis; found shape {tuple(value.shape)}"
        )
    onto = tuple(1 if i == axis else n for i, n in enumerate(shape))
    value = broadcastable(inputs.context.xp, name, value, "rows", onto)
    return inputs.context.xp.squeeze(value, axis=axis), True


def per_class(inputs: Inputs, name: str, axis: int) -> Parameter:
    """Return a parameter as one number, or with one entry per class along the class axis."""
    value, shape = inputs.parameters.get(name), inputs.scores.shape
    if value is None or is_number(value):
        return value
    if tuple(value.shape) != (shape[axis],):
        raise ValueError(
            f"{name} must be a number or have one entry for each of the {shape[axis]} classes; "
            f"found shape {tuple(value.shape)}"
        )
    return inputs.context.xp.reshape(value, _along(axis, len(shape)))


def _along(axis: int, ndim: int) -> tuple[int, ...]:
    return tuple(-1 if i == axis else 1 for i in range(ndim))
