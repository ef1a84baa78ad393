"""The options of a loss, each declared in one place with its name, its default and its range.

A loss lists its options in a class that `options` decorates. The constructor of that class checks
what was given, before any arithmetic, with the parsers of `parse`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

from .._typing import Parameter
from . import parse
from .parse import INFINITY, Parser

T = TypeVar("T")


def option(default: Any, parser: Parser | None = None) -> Any:
    """Declare an option that is one value, or an array that is checked later."""
    return field(default=default, metadata={"parser": parser})


def parameter(
    default: float | None,
    parser: Callable[..., Parameter] = parse.parameter,
    most: float = INFINITY,
) -> Any:
    """Declare an option that is a number in [0, most] or an array of them, None only by default."""
    return field(default=default, metadata={"parser": partial(parser, most=most), "most": most})


def fixed(value: Any) -> Any:
    """Declare an option that has one value, and is not given, where another loss can choose."""
    return field(default=value, init=False, metadata={"parser": None})


@dataclass_transform(
    frozen_default=True, kw_only_default=True, field_specifiers=(option, parameter, fixed)
)
def options(cls: type[T]) -> type[T]:
    """Make a class, whose fields are the options of a loss, a frozen dataclass that checks them."""
    made: Any = dataclass(frozen=True, kw_only=True, eq=False)(cls)
    listed = [(f.name, f.default, f.metadata) for f in fields(made) if f.init]
    made.names = tuple(name for name, _, _ in listed)
    made.parsers = tuple((name, default, m["parser"]) for name, default, m in listed if m["parser"])
    made.limits = {name: m["most"] for name, _, m in listed if "most" in m}
    checked: type[T] = made
    return checked


class Options:
    """The base of the classes of options, which checks the options that it is given."""

    names: ClassVar[tuple[str, ...]] = ()
    called: ClassVar[dict[str, str]] = {}  # what a public function calls options, if otherwise
    parsers: ClassVar[tuple[tuple[str, Any, Parser], ...]] = ()
    limits: ClassVar[dict[str, float]] = {}  # the most that each parameter may be

    def __post_init__(self) -> None:
        for name, default, parser in self.parsers:
            value = getattr(self, name)
            if type(value) is not type(default) or value != default:  # a default needs no check
                object.__setattr__(self, name, parser(name, value))
        self.check_together()

    def check_together(self) -> None:
        """Refuse options that contradict each other."""

    def parameters(self) -> dict[str, Parameter]:
        """Return the options that are numbers or arrays of them, where they are given."""
        given = {}
        for name in self.limits:
            value = getattr(self, name)
            if value is not None:
                given[name] = value
        return given

    @classmethod
    def parse(cls, name: str, value: Any) -> Any:
        """Check one option, and return it parsed."""
        _, default, parser = next(listed for listed in cls.parsers if listed[0] == name)
        return None if value is None and default is None else parser(name, value)

    @classmethod
    def of(cls, function: str, /, **given: Any) -> Self:
        """Return the checked options that a public function was given by name."""
        names = {cls.called.get(name, name): name for name in cls.names}
        for name in given:
            if name not in names:
                raise TypeError(
                    f"{function}() got an unexpected keyword argument {name!r}; its options are "
                    f"{', '.join(names)}"
                )
        return cls(**{names[name]: value for name, value in given.items()})
