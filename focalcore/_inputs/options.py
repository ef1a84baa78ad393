"""What the options may be: each is parsed once, before any arithmetic.

A parameter (gamma, alpha, pos_weight) comes out as a float, as nested tuples of floats, or, where a
framework's array was given, as that array: it may be traced, or learned.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from .._backends import NUMPY, backend_of, in_memory, is_list, is_loose
from .._dtypes import dtype_name

Parameter = Any

REDUCTIONS = ("none", "sum", "mean")
TASKS = ("binary", "multi-class", "multi-label")
SOFT_TARGETS = ("expected", "mixture", "hard")
INFINITY = float("inf")
_NUMBERS = (int, float, Real)  # the first two are known at a glance
MOST_GAMMA = 1e9  # its square is a number in every type
EPS = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}


class Loss(NamedTuple):
    """The options of both losses from logits."""

    gamma: Parameter
    alpha: Parameter | None
    label_smoothing: float
    soft_targets: str
    ignore_index: int | None
    reduction: str
    normalizer: Any


def parse_loss(
    *,
    alpha_most: float,
    normalizers: Sequence[str],
    weighted: bool,
    gamma: Parameter = 2.0,
    alpha: Parameter | None = None,
    label_smoothing: float = 0.0,
    soft_targets: str = "expected",
    ignore_index: int | None = None,
    reduction: str = "none",
    normalizer: Any = None,
) -> Loss:
    """Check what the two losses have in common."""
    smoothing = parse_number("label_smoothing", label_smoothing, most=1.0)
    choose("soft_targets", soft_targets, SOFT_TARGETS)
    if soft_targets == "hard" and smoothing == 0:
        raise ValueError(
            "soft_targets='hard' says how label_smoothing enters, and label_smoothing is 0; "
            "give label_smoothing, or use 'expected'"
        )
    return Loss(
        parse_gamma(gamma),
        parse_alpha(alpha, most=alpha_most),
        smoothing,
        soft_targets,
        parse_index("ignore_index", ignore_index),
        choose("reduction", reduction, REDUCTIONS),
        parse_normalizer(normalizer, reduction, normalizers, weighted),
    )


def parse_gamma(gamma: Parameter) -> Parameter:
    """A focusing parameter, >= 0."""
    return parse_parameter("gamma", gamma, most=MOST_GAMMA)


def parse_alpha(alpha: Parameter | None, *, most: float) -> Parameter | None:
    """A class balance: in [0, 1], or per-class weights >= 0."""
    if isinstance(alpha, (int, float)) and alpha == -1:
        raise ValueError("alpha is -1; use alpha=None to turn the class balance off")
    return None if alpha is None else parse_parameter("alpha", alpha, most=most)


def parse_optional(name: str, value: Parameter | None) -> Parameter | None:
    """A parameter >= 0, or None."""
    return None if value is None else parse_parameter(name, value)


def parse_parameter(name: str, value: Parameter, most: float = INFINITY) -> Parameter:
    """A number in [0, most], a list or NumPy array of them, or a framework's array."""
    backend = None if is_loose(value) else backend_of(value)
    if backend is None:
        parsed = _floats(name, value, most)
        if isinstance(parsed, tuple) and any(isinstance(row, tuple) for row in parsed):
            rectangular(name, parsed)
        return parsed
    seen = backend.peek(value)
    if seen is None:
        return value
    if seen.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be {_range(most)}; found an array of {seen.dtype}")
    for extreme in (seen.min(), seen.max()) if seen.size else ():
        parse_number(name, extreme.item(), most)
    if backend is not NUMPY:
        return value
    # few constants become hashable, many stay as they are
    return _floats(name, seen.tolist(), most) if seen.ndim < 2 and seen.size < 4096 else seen


def parse_number(name: str, value: Any, most: float = INFINITY) -> float:
    """A finite number in [0, most]; NumPy's scalars are numbers."""
    if type(value) is np.ndarray and value.ndim == 0:
        value = value[()]
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        raise TypeError(f"{name} must be {_range(most)}; found {type(value).__name__}")
    number = float(value)
    if not 0 <= number < INFINITY or number > most <= 1:
        raise ValueError(f"{name} must be {_range(most)}; found {number}")
    if number > most:
        raise ValueError(f"{name} must be at most {most:g}; found {number}")
    return number


def parse_smoothing(value: float | None) -> float | None:
    """How far labels are smoothed, or None: not at all."""
    return None if value is None else parse_number("label_smoothing", value, most=1.0)


def parse_eps(eps: float | None, dtype: Any) -> float:
    """What the arguments of logarithms are kept at; None: the machine epsilon of their type."""
    return EPS[dtype_name(dtype)] if eps is None else parse_number("eps", eps, most=0.5)


def parse_index(name: str, value: Any) -> int | None:
    """An integer, or None."""
    if value is None:
        return None
    try:
        index = operator.index(value)
    except TypeError:
        index = None
    if index is None or isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be an integer or None; found {value!r}")
    return index


def parse_flag(name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False; found {value!r}")
    return bool(value)


def parse_axis(value: Any) -> int:
    """An axis."""
    axis = parse_index("axis", value)
    if axis is None:
        raise TypeError("axis must be an integer; found None")
    return axis


def parse_count(name: str, value: int | None) -> int | None:
    """A positive integer, or None."""
    count = parse_index(name, value)
    if count is not None and count < 1:
        raise ValueError(f"{name} must be at least 1; found {count}")
    return count


def parse_normalizer(normalizer: Any, reduction: str, names: Sequence[str], weighted: bool) -> Any:
    """What the mean divides by: None, a name, a number, or a 0-d array."""
    if normalizer is None:
        return None
    if reduction != "mean":
        raise ValueError(f"normalizer is for reduction='mean'; found reduction={reduction!r}")
    if isinstance(normalizer, str):
        choose("normalizer", normalizer, names, ", or a number")
        if normalizer == "weight" and not weighted:
            raise ValueError("normalizer='weight' divides by the sum of weight=, which is None")
        return normalizer
    parsed = parse_parameter("normalizer", normalizer)
    if not isinstance(parsed, float) and (isinstance(parsed, tuple) or parsed.ndim):
        raise ValueError(f"normalizer must be one number; found {normalizer!r}")
    return parsed


def choose(name: str, value: Any, allowed: Sequence[str], more: str = "") -> str:
    """One of the allowed names."""
    if not isinstance(value, str) or value not in allowed:
        names = ", ".join(repr(a) for a in allowed)
        raise ValueError(f"{name} must be one of {names}{more}; found {value!r}")
    return value


def _floats(name: str, value: Any, most: float) -> Parameter:
    if isinstance(value, _NUMBERS):
        return parse_number(name, value, most)
    if is_list(value):
        return tuple(_floats(name, v, most) for v in value)
    if isinstance(value, Mapping):
        of_classes = f" in the order of the classes, such as {list(value.values())}"
        raise TypeError(
            f"{name} is a {type(value).__name__}; it must be {_range(most)}, or a list of them"
            + (of_classes if most > 1 else "; positives weigh alpha, negatives 1 - alpha")
        )
    if hasattr(value, "__array__"):  # a column, or an array in a list
        if backend_of(value) not in (None, NUMPY):
            raise TypeError(
                f"{name} is a list of arrays ({type(value).__name__}); stack them first"
            )
        return _floats(name, in_memory(name, value).tolist(), most)
    return parse_number(name, value, most)


def rectangular(name: str, value: Any) -> Any:
    """A list as a NumPy array."""
    try:
        return np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} must be a rectangular list; found rows that differ") from None


def _range(most: float) -> str:
    return "a finite number >= 0" if most > 1 else f"a number in [0, {most:g}]"
