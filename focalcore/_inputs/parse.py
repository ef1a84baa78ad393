"""The parsers of options: each takes an option's name and value, and returns the checked value.

A parameter (gamma, alpha, pos_weight) comes out as a float, as nested tuples of floats, or, where a
framework's array was given, as that array: it may be traced, or learned.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from numbers import Real
from typing import Any, Literal, TypeVar

import numpy as np

from .._backends import NUMPY, backend_of
from .._backends.python_values import LISTS, PYTHON_VALUES, in_memory
from .._dtypes import dtype_name
from .._typing import Array, Parameter

INFINITY = float("inf")
MOST_GAMMA = 1e9  # so that its square is finite in float32 too
EPS = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}
_NUMBERS = (int, float, Real)  # int and float first, for they are the quickest to recognise

Parser = Callable[[str, Any], Any]
Name = TypeVar("Name", bound=str)


def alpha(name: str, value: Parameter, most: float) -> Parameter:
    """Return a checked class balance: in [0, 1], or per-class weights >= 0."""
    if isinstance(value, (int, float)) and value == -1:
        raise ValueError(f"{name} is -1; use {name}=None to turn the class balance off")
    return parameter(name, value, most=most)


def balance(name: str, value: Parameter, most: float = INFINITY) -> Parameter:
    """Return checked weights by which each class has a loss: above 0, and below the most."""
    parsed = alpha(name, value, most)
    for found in _numbers_of(parsed):
        if found in (0, most):
            allowed = "above 0" if most > 1 else f"in (0, {most:g})"
            raise ValueError(
                f"{name} must be {allowed}, for without a loss a class has no posterior; found "
                f"{found}"
            )
    return parsed


def parameter(name: str, value: Parameter, most: float = INFINITY) -> Parameter:
    """Return a checked number in [0, most], a list or array of them, or a framework's array."""
    backend = None if isinstance(value, PYTHON_VALUES) else backend_of(value)
    if backend is None:
        parsed = _floats(name, value, most)
        if isinstance(parsed, tuple) and any(isinstance(row, tuple) for row in parsed):
            rectangular(name, parsed)
        return parsed
    seen = backend.host_values(value)
    if seen is None:
        return value
    if seen.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be {_range(most)}; found an array of {seen.dtype}")
    for extreme in (seen.min(), seen.max()) if seen.size else ():
        number(name, extreme.item(), most)
    if backend is not NUMPY:
        return value
    # a short array becomes a hashable tuple, a long one stays as it is
    return _floats(name, seen.tolist(), most) if seen.ndim < 2 and seen.size < 4096 else seen


def number(name: str, value: Any, most: float = INFINITY) -> float:
    """Return a finite number in [0, most] as a float; NumPy's scalars are numbers too."""
    if type(value) is np.ndarray and value.ndim == 0:
        value = value[()]
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        raise TypeError(f"{name} must be {_range(most)}; found {type(value).__name__}")
    found = float(value)
    if not 0 <= found < INFINITY or found > most <= 1:
        raise ValueError(f"{name} must be {_range(most)}; found {found}")
    if found > most:
        raise ValueError(f"{name} must be at most {most:g}; found {found}")
    return found


def poly_epsilon(name: str, value: Any) -> float | None:
    """Return a finite number >= -1, down to which a loss with it is never negative, or None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        raise TypeError(f"{name} must be a finite number >= -1; found {type(value).__name__}")
    found = float(value)
    if not -1 <= found < INFINITY:
        raise ValueError(f"{name} must be a finite number >= -1; found {found}")
    return found


def at_most(most: float) -> Parser:
    """Return the parser of a number in [0, most]."""
    return partial(number, most=most)


def eps_of(eps: float | None, x: Array) -> float:
    """Return the least argument of logarithms: eps, or if None the machine epsilon of the dtype."""
    return EPS[dtype_name(x.dtype)] if eps is None else eps


def index(name: str, value: Any) -> int | None:
    """Return an integer or None, or raise an error at anything else."""
    if value is None:
        return None
    try:
        found = operator.index(value)
    except TypeError:
        found = None
    if found is None or isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be an integer or None; found {value!r}")
    return found


def label(name: str, value: Any) -> int | None:
    """Return an integer that every wide type of labels can hold, or None."""
    found = index(name, value)
    if found is not None and not -(2**31) <= found < 2**31:
        raise ValueError(f"{name} must be an integer of 32 bits, or None; found {found}")
    return found


def flag(name: str, value: Any) -> bool:
    """Return True or False, or raise an error at anything else."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False; found {value!r}")
    return bool(value)


def axis(name: str, value: Any) -> int:
    """Return the number of an axis, or raise an error at anything but an integer."""
    try:
        found = index(name, value)
    except TypeError:
        found = None
    if found is None:
        raise TypeError(f"{name} must be an integer; found {value!r}")
    return found


def count(name: str, value: int | None) -> int | None:
    """Return a positive integer or None, or raise an error at anything else."""
    found = index(name, value)
    if found is not None and found < 1:
        raise ValueError(f"{name} must be at least 1; found {found}")
    return found


def rows(name: str, value: Any) -> int | Literal["auto"]:
    """Return a positive number of rows, or "auto"."""
    if isinstance(value, str) and value == "auto":
        return "auto"
    try:
        found = operator.index(value)
    except TypeError:
        found = 0
    if found < 1 or isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be 'auto' or an integer >= 1; found {value!r}")
    return found


def normalizer(name: str, value: Any, most: float, names: Sequence[str]) -> Parameter | str:
    """Return what a mean divides by, which has to be a name, a number, or a 0-d array."""
    if isinstance(value, str):
        return choose(name, value, names, ", or a number")
    parsed = parameter(name, value, most)
    if not isinstance(parsed, float) and (isinstance(parsed, tuple) or parsed.ndim):
        raise ValueError(f"{name} must be one number; found shape {tuple(np.shape(value))}")
    return parsed


def at_call(name: str, value: Any) -> Parameter:
    """Return what the mean of one call divides by, which has to be a number, or a 0-d array."""
    if isinstance(value, str):
        raise TypeError(
            f"{name} of a call must be a number or a 0-d array, such as the count of the whole; "
            f"found {value!r}, which goes to the constructor"
        )
    return normalizer(name, value, INFINITY, ())


def one_of(allowed: Sequence[str]) -> Parser:
    """Return the parser of an option that is one of some names."""
    return partial(choose, allowed=allowed)


def choose(name: str, value: Any, allowed: Sequence[Name], more: str = "") -> Name:
    """Return the value if it is one of the allowed names, or raise an error."""
    if isinstance(value, str):
        for found in allowed:
            if found == value:
                return found
    names = ", ".join(repr(a) for a in allowed)
    raise ValueError(f"{name} must be one of {names}{more}; found {value!r}")


def _floats(name: str, value: Any, most: float) -> Parameter:
    if isinstance(value, _NUMBERS):
        return number(name, value, most)
    if isinstance(value, LISTS):
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
    return number(name, value, most)


def _numbers_of(parsed: Parameter) -> Iterator[float]:
    """Yield the numbers of a parsed option, of an array those that can be looked at."""
    if isinstance(parsed, float):
        yield parsed
    elif isinstance(parsed, tuple):
        for part in parsed:
            yield from _numbers_of(part)
    elif parsed is not None:
        backend = backend_of(parsed)
        seen = None if backend is None else backend.host_values(parsed)
        yield from () if seen is None else np.ravel(seen).tolist()


def rectangular(name: str, value: Any) -> Any:
    """Return a list as a NumPy array, or raise an error if its rows differ in length."""
    try:
        return np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} must be a rectangular list; found rows that differ") from None


def _range(most: float) -> str:
    return "a finite number >= 0" if most > 1 else f"a number in [0, {most:g}]"
