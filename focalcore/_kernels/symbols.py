"""Symbols: values of an element, a row or a class that are computed when a kernel runs."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from .ranges import Range

if TYPE_CHECKING:
    from .trace import Trace


class UntraceableError(TypeError):
    """What a formula does with symbols that kernels can't do."""


class Over(IntEnum):
    """What a symbol has a value for."""

    ALL = 0
    ROW = 1
    CLASS = 2


class Symbol:
    """A value of a type, and the operation that makes it; one of a kind in its trace."""

    __slots__ = ("args", "dtype", "is_weak", "ndim", "of", "op", "over", "range", "trace")

    def __init__(
        self,
        trace: Trace,
        op: str,
        args: tuple[Symbol, ...],
        dtype: str,
        of: Any = None,
        over: Over = Over.ALL,
        range_: Range = Range(),  # noqa: B008 - it can't be changed
    ) -> None:
        self.trace, self.op, self.args, self.dtype, self.of = trace, op, args, dtype, of
        self.over, self.range = over, range_
        # a number, and what numbers alone make, takes the type of what it meets
        weak = [a.is_weak for a in args if a.op != "constant"]
        self.is_weak: bool = op == "number" or (bool(weak) and all(weak))
        self.ndim = 0 if self.is_weak else trace.ndim

    @property
    def shape(self) -> tuple[Any, ...]:
        return self.trace.shape[: self.ndim]

    def __bool__(self) -> bool:
        raise UntraceableError("a formula asks for the value of a symbol")

    __hash__ = object.__hash__

    def __add__(self, other: Any) -> Symbol:
        return self.trace.arithmetic("add", self, other)

    def __radd__(self, other: Any) -> Symbol:
        return self.trace.arithmetic("add", other, self)

    def __sub__(self, other: Any) -> Symbol:
        return self.trace.arithmetic("sub", self, other)

    def __rsub__(self, other: Any) -> Symbol:
        return self.trace.arithmetic("sub", other, self)

    def __mul__(self, other: Any) -> Symbol:
        return self.trace.arithmetic("mul", self, other)

    def __rmul__(self, other: Any) -> Symbol:
        return self.trace.arithmetic("mul", other, self)

    def __truediv__(self, other: Any) -> Symbol:
        return self.trace.arithmetic("div", self, other)

    def __rtruediv__(self, other: Any) -> Symbol:
        return self.trace.arithmetic("div", other, self)

    def __neg__(self) -> Symbol:
        return self.trace.made("neg", (self,), self.dtype)

    def __lt__(self, other: Any) -> Symbol:
        return self.trace.compared("lt", self, other)

    def __le__(self, other: Any) -> Symbol:
        return self.trace.compared("le", self, other)

    def __gt__(self, other: Any) -> Symbol:
        return self.trace.compared("gt", self, other)

    def __ge__(self, other: Any) -> Symbol:
        return self.trace.compared("ge", self, other)

    def __eq__(self, other: Any) -> Symbol:  # type: ignore[override]
        return self.trace.compared("eq", self, other)

    def __ne__(self, other: Any) -> Symbol:  # type: ignore[override]
        return self.trace.compared("ne", self, other)

    def __and__(self, other: Any) -> Symbol:
        return self.trace.arithmetic("and", self, other)

    def __or__(self, other: Any) -> Symbol:
        return self.trace.arithmetic("or", self, other)

    def __invert__(self) -> Symbol:
        return self.trace.made("not", (self,), self.dtype)

    def __lshift__(self, other: int) -> Symbol:
        return self.trace.arithmetic("shl", self, other)

    def __rshift__(self, other: int) -> Symbol:
        return self.trace.arithmetic("ashr", self, other)


def reachable(roots: Iterable[Symbol]) -> list[Symbol]:
    """Return the symbols that some symbols are made of, and themselves, each after its parts."""
    found: dict[Symbol, None] = {}
    stack = [(root, False) for root in reversed(list(roots))]
    while stack:
        symbol, is_expanded = stack.pop()
        if is_expanded:
            found[symbol] = None
        elif symbol not in found:
            stack.append((symbol, True))
            stack.extend((part, False) for part in symbol.args)
    return list(found)
