"""The options of a loss: each has one place, where its name, its default and its range stand.

A loss lists its options in a class that `options` decorates; making one checks what was given,
before any arithmetic. A parameter (gamma, alpha, pos_weight) comes out as a float, as nested tuples
of floats, or, where a framework's array was given, as that array: it may be traced, or learned.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from numbers import Real
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

import numpy as np

from .._backends import NUMPY, backend_of
from .._backends.python_values import LISTS, PYTHON_VALUES, in_memory
from .._dtypes import dtype_name
from .._typing import DType, Parameter

INFINITY = float("inf")
MOST_GAMMA = 1e9  # its square is a number in every type
EPS = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}
_NUMBERS = (int, float, Real)  # the first two are known at a glance

Parse = Callable[[str, Any], Any]  # of the name of an option and what was given
ParseUpTo = Callable[[str, Any, float], Any]  # and of the most that it may be
T = TypeVar("T")
Name = TypeVar("Name", bound=str)


def option(default: Any, parse: Parse | None = None) -> Any:
    """An option that is one value, or an array that is looked at later."""
    return field(default=default, metadata={"parse": parse})


def parameter(default: float | None, parse: ParseUpTo | None = None, most: float = INFINITY) -> Any:
    """An option that is a number in [0, most], or an array of them; None only by default."""
    up_to = parse or parse_parameter

    def parse_it(name: str, value: Any) -> Parameter:
        return up_to(name, value, most)

    return field(default=default, metadata={"parse": parse_it, "most": most})


@dataclass_transform(
    frozen_default=True, kw_only_default=True, field_specifiers=(option, parameter)
)
def options(cls: type[T]) -> type[T]:
    """A class whose fields are the options of a loss: a frozen dataclass that checks them."""
    made: Any = dataclass(frozen=True, kw_only=True, eq=False)(cls)
    listed = [(f.name, f.default, f.metadata) for f in fields(made)]
    made.names = tuple(name for name, _, _ in listed)
    made.parsers = tuple((name, default, m["parse"]) for name, default, m in listed if m["parse"])
    made.limits = {name: m["most"] for name, _, m in listed if "most" in m}
    checked: type[T] = made
    return checked


class Options:
    """What every list of options does."""

    names: ClassVar[tuple[str, ...]] = ()
    parsers: ClassVar[tuple[tuple[str, Any, Parse], ...]] = ()
    limits: ClassVar[dict[str, float]] = {}  # of parameters: the most that they may be

    def __post_init__(self) -> None:
        for name, default, parse in self.parsers:
            value = getattr(self, name)
            if type(value) is not type(default) or value != default:  # a default is good
                object.__setattr__(self, name, parse(name, value))
        self.check_together()

    def check_together(self) -> None:
        """Refuse options that contradict each other."""

    def parameters(self) -> dict[str, Parameter]:
        """The options that are numbers or arrays of them, where they are given."""
        given = {}
        for name in self.limits:
            value = getattr(self, name)
            if value is not None:
                given[name] = value
        return given

    @classmethod
    def parse(cls, name: str, value: Any) -> Any:
        """One option, checked."""
        _, default, parse = next(listed for listed in cls.parsers if listed[0] == name)
        return None if value is None and default is None else parse(name, value)

    @classmethod
    def of(cls, function: str, given: Mapping[str, Any]) -> Self:
        """The options that a public function was given by name."""
        for name in given:
            if name not in cls.names:
                raise TypeError(
                    f"{function}() got an unexpected keyword argument {name!r}; its options are "
                    f"{', '.join(cls.names)}"
                )
        return cls(**given)


def parse_alpha(name: str, value: Parameter, most: float) -> Parameter:
    """A class balance: in [0, 1], or per-class weights >= 0."""
    if isinstance(value, (int, float)) and value == -1:
        raise ValueError(f"{name} is -1; use {name}=None to turn the class balance off")
    return parse_parameter(name, value, most=most)


def parse_parameter(name: str, value: Parameter, most: float = INFINITY) -> Parameter:
    """A number in [0, most], a list or NumPy array of them, or a framework's array."""
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


def parse_fraction(name: str, value: Any) -> float:
    """A number in [0, 1]."""
    return parse_number(name, value, most=1.0)


def parse_eps(name: str, value: Any) -> float:
    """What the arguments of logarithms are kept at."""
    return parse_number(name, value, most=0.5)


def eps_of(eps: float | None, dtype: DType) -> float:
    """The same; None: the machine epsilon of a type."""
    return EPS[dtype_name(dtype)] if eps is None else eps


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


def parse_axis(name: str, value: Any) -> int:
    """An axis."""
    axis = parse_index(name, value)
    if axis is None:
        raise TypeError(f"{name} must be an integer; found None")
    return axis


def parse_count(name: str, value: int | None) -> int | None:
    """A positive integer, or None."""
    count = parse_index(name, value)
    if count is not None and count < 1:
        raise ValueError(f"{name} must be at least 1; found {count}")
    return count


def parse_normalizer(name: str, value: Any, most: float, names: Sequence[str]) -> Parameter | str:
    """What a mean divides by: a name, a number, or a 0-d array."""
    if isinstance(value, str):
        return choose(name, value, names, ", or a number")
    parsed = parse_parameter(name, value, most)
    if not isinstance(parsed, float) and (isinstance(parsed, tuple) or parsed.ndim):
        raise ValueError(f"{name} must be one number; found shape {tuple(np.shape(value))}")
    return parsed


def one_of(allowed: Sequence[str]) -> Parse:
    """The parser of an option that is one of some names."""
    return partial(choose, allowed=allowed)


def choose(name: str, value: Any, allowed: Sequence[Name], more: str = "") -> Name:
    """One of the allowed names."""
    if isinstance(value, str):
        for name_of_one in allowed:
            if name_of_one == value:
                return name_of_one
    names = ", ".join(repr(a) for a in allowed)
    raise ValueError(f"{name} must be one of {names}{more}; found {value!r}")


def _floats(name: str, value: Any, most: float) -> Parameter:
    if isinstance(value, _NUMBERS):
        return parse_number(name, value, most)
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
    return parse_number(name, value, most)


def rectangular(name: str, value: Any) -> Any:
    """A list as a NumPy array."""
    try:
        return np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} must be a rectangular list; found rows that differ") from None


def _range(most: float) -> str:
    return "a finite number >= 0" if most > 1 else f"a number in [0, {most:g}]"
