"""The checks that shapes fit each other; an error names both, and what may have been meant."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

from .._typing import Array, Length, Library, Parameter, Shape

Hint = Callable[[], str]  # returns what may have been meant, called where a shape is refused


def check_shape(name: str, array: Array, onto_name: str, onto: Shape, hint: Hint = str) -> None:
    """Check that an array has a shape, or that shape with lengths of 1, or is a single number."""
    if array.ndim == 0 or array.shape == onto:
        return
    shape, onto = tuple(array.shape), tuple(onto)
    if len(shape) == len(onto) and _stretches(shape, onto):
        return
    fix = hint() or _reshaping(name, shape, onto)
    raise ValueError(f"{name} of shape {shape} does not fit {onto_name} of shape {onto}; {fix}")


def check_classifier(hidden: Array, weight: Array, bias: Array | None) -> None:
    """Check that hidden features, a classifier's weight and its bias fit each other."""
    features, shape = tuple(hidden.shape), tuple(weight.shape)
    if len(shape) != 2:
        raise ValueError(
            f"weight must have the shape (C, d), as that of nn.Linear; found shape {shape}"
        )
    named = f"weight of shape (C, d) = {shape}"
    if not features or features[-1] != shape[1]:
        raise ValueError(
            f"hidden of shape {features} does not fit {named}; its last axis must have the length "
            f"d = {shape[1]}" + ("; or transpose weight" if features[-1:] == shape[:1] else "")
        )
    if bias is not None and tuple(bias.shape) != shape[:1]:
        raise ValueError(
            f"bias of shape {tuple(bias.shape)} does not fit {named}; it must have the shape "
            f"(C,) = ({shape[0]},)"
        )


def _reshaping(name: str, shape: Shape, onto: Shape) -> str:
    """Return the advice for an array of a wrong shape: how to reshape it, or the right shape."""
    lengths = [n for n in shape if n != 1]
    fits = [
        str(tuple(n if i in kept else 1 for i, n in enumerate(onto)))
        for kept in combinations(range(len(onto)), len(lengths))
        if [onto[i] for i in kept] == lengths
    ]
    if fits:
        return f"reshape {name} to {' or '.join(fits)}"
    return f"it must have the shape {onto}, or 1 in place of some of these lengths"


def broadcastable(xp: Library, name: str, value: Array, onto_name: str, onto: Shape) -> Array:
    """Return a parameter with as many axes as a shape, which it has to broadcast to, not past."""
    shape, onto = tuple(value.shape), tuple(onto)
    padded = (1,) * (len(onto) - len(shape)) + shape
    if not shape or (len(padded) == len(onto) and _stretches(padded, onto)):
        return full_rank(xp, value, len(onto)) if shape else value
    raise ValueError(
        f"{name} of shape {shape} does not fit {onto_name} of shape {onto}; "
        f"it must broadcast to {onto}"
    )


def _stretches(shape: Shape, onto: Shape) -> bool:
    return all(n == 1 or _same(n, other) for n, other in zip(shape, onto, strict=True))


def check_broadcast(
    name: str, shape: Shape, other_name: str, other: Shape, hint: Hint = str
) -> None:
    """Check that two shapes broadcast, and clearly: no length meets itself on another axis."""
    if shape == other:
        return
    named = f"{name} of shape {tuple(shape)} and {other_name} of shape {tuple(other)}"
    short, long = sorted((tuple(shape), tuple(other)), key=len)
    missing = long[: len(long) - len(short)]
    pairs = list(zip((1,) * len(missing) + short, long, strict=True))
    if not all(1 in pair or _same(*pair) for pair in pairs):
        fix = hint() or "each length must be the same in both, or 1"
        raise ValueError(f"{named} do not broadcast; {fix}")
    short_grows = [b for a, b in pairs if a == 1]
    long_grows = [a for a, b in pairs if b == 1]
    twice = [n for n in missing if n in short] + [n for n in long_grows if n in short_grows]
    if any(is_known(n) and n != 1 for n in twice):
        fix = hint() or "reshape one to the shape of the other"
        raise ValueError(f"{named} would meet in every pair; {fix}")


def without_axis(shape: Shape, axis: int) -> Shape:
    """Return a shape without one of its axes."""
    return shape[:axis] + shape[axis + 1 :]


def same_shape(shape: Shape, other: Shape) -> bool:
    """Tell whether two shapes are equal, as far as they are known."""
    return len(shape) == len(other) and all(map(_same, shape, other))


def is_empty(x: Array) -> bool:
    """Tell whether an array is known to have no elements."""
    return any(isinstance(n, int) and n == 0 for n in x.shape)


def full_rank(xp: Library, x: Array | None, ndim: int) -> Any:
    """Return the array, if there is one, with all the leading axes that broadcasting gives it."""
    if x is not None:
        for _ in range(ndim - x.ndim):
            x = xp.expand_dims(x, axis=0)
    return x


def is_number(x: Parameter) -> bool:
    """Tell whether a parameter is None or one number."""
    return x is None or isinstance(x, float) or x.ndim == 0


def _same(length: Length, other: Length) -> bool:
    return bool(not (is_known(length) and is_known(other)) or length == other)


def is_known(length: Length) -> bool:
    """Tell whether a length is known: of a dask array it may be NaN, in TensorFlow None."""
    return length is not None and bool(length == length)


def is_ragged(length: Length) -> bool:
    """Tell whether a length stands for the different lengths of rows in a jagged torch tensor."""
    if isinstance(length, int):  # to Dynamo all lengths are int, and have no attributes
        return False
    return hasattr(length, "node") and bool(length.node.is_nested_int())
