"""A namespace whose arrays are symbols: a loss that is run on it leaves its operations behind.

A loss of independent elements is traced for one element, a loss of rows for one row and one of its
classes, the last axis. What an array's shape is does not matter: a symbol knows only whether it is
one for all, one for each row (or element), or one for each class of each row.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._backends.namespaces import Hooks
from . import elementary, halves, powers, ranges
from .choice import COUNTED, Choice
from .symbols import Over, Symbol, UntraceableError

FLOATS = ("float32", "float64")  # the types of the arithmetic


class Trace(Hooks):
    """The namespace of symbols, which keeps each of them once."""

    inf, nan = math.inf, math.nan
    int32, int64, float32, float64 = "int32", "int64", "float32", "float64"

    def __init__(self, has_classes: bool) -> None:
        self.symbols: dict[Any, Symbol] = {}
        self.ndim = 1 + has_classes
        self.shape: tuple[Any, ...] = ()  # a number, of which the lengths are made, has no axis
        self.shape = ("rows", self.number("classes"))[: self.ndim]

    # how symbols are made

    def made(
        self,
        op: str,
        args: tuple[Symbol, ...],
        dtype: str,
        of: Any = None,
        over: Over | None = None,
    ) -> Symbol:
        """Return the symbol of an operation, the same for the same."""
        if over is None:
            over = max((a.over for a in args), default=Over.ALL)
        key = (op, tuple(map(id, args)), dtype, of, over)
        if key not in self.symbols:
            range_ = ranges.range_of(op, dtype, [a.range for a in args])
            self.symbols[key] = Symbol(self, op, args, dtype, of, over, range_)
        return self.symbols[key]

    def operand(self, name: str, dtype: str, over: Over) -> Symbol:
        """Return the symbol of an array's entry."""
        return self.made("load", (), dtype, name, over)

    def number(self, name: str) -> Symbol:
        """Return the symbol of a number that is given at each call."""
        return self.made("number", (), "float64", name)

    def constant(self, value: float, dtype: str) -> Symbol:
        """Return the symbol of a constant, rounded to a type."""
        if dtype in FLOATS:
            value = float(np.dtype(dtype).type(value))
            key = value.hex()  # which tells 0 from -0, and NaN is itself
        else:
            key = repr(int(value))
        made = self.made("constant", (), dtype, key)
        made.range = ranges.of_constant(float(value))
        return made

    def paired(self, a: Any, b: Any) -> tuple[Symbol, Symbol]:
        """Return two operands in one type: numbers take that of what they meet."""
        symbols = [x for x in (a, b) if isinstance(x, Symbol)]
        strong = [x for x in symbols if not x.is_weak]
        is_weak, dtype = not strong, (strong or symbols)[0].dtype
        a, b = (self._as(x, dtype, is_weak) for x in (a, b))
        if a.dtype != b.dtype:
            raise UntraceableError(f"a formula mixes {a.dtype} and {b.dtype}")
        return a, b

    def _as(self, x: Any, dtype: str, is_weak: bool) -> Symbol:
        if isinstance(x, Symbol):
            return self.astype(x, dtype) if x.is_weak and not is_weak and dtype in FLOATS else x
        if not isinstance(x, bool | int | float):
            raise UntraceableError(f"a formula meets {type(x).__name__}")
        return self.constant(x, dtype)

    def arithmetic(self, op: str, a: Any, b: Any) -> Symbol:
        """Return the symbol of an operation of two values of one type."""
        a, b = self.paired(a, b)
        if a.dtype == "bool" and 0 in (a.range.most, b.range.most):  # one of them is never true
            never, other = (a, b) if a.range.most == 0 else (b, a)
            return never if op == "and" else other
        return self.made(op, (a, b), a.dtype)

    def compared(self, op: str, a: Any, b: Any) -> Symbol:
        """Return the symbol of a comparison, or a constant where it is never true."""
        a, b = self.paired(a, b)
        if ranges.is_false(op, a.range, b.range):
            return self.constant(0, "bool")
        return self.made(op, (a, b), "bool")

    # what elementary functions are made of

    def select(self, condition: Symbol, a: Any, b: Any) -> Symbol:
        a, b = self.paired(a, b)
        if condition.range.most == 0:
            return b
        return self.made("select", (condition, a, b), a.dtype)

    def bits(self, x: Symbol) -> Symbol:
        return self.made("bitcast", (x,), x.dtype.replace("float", "int"))

    def from_bits(self, x: Symbol) -> Symbol:
        return self.made("bitcast", (x,), x.dtype.replace("int", "float"))

    def plus_exact(self, c: Any, a: Any, b: Any) -> Symbol:
        """Return c + a b, where a b is exact: it makes no difference whether that is rounded."""
        a, b = self.paired(a, b)
        c, a = self.paired(c, a)
        return self.made("fmuladd", (a, b, c), a.dtype)

    def sqrt(self, x: Symbol) -> Symbol:
        return self.made("sqrt", (x,), x.dtype)

    def wide(self, x: Symbol) -> Symbol:
        return self.astype(x, "float64")

    def narrow(self, x: Symbol) -> Symbol:
        return self.astype(x, "float32")

    # what formulas and losses call

    def astype(self, x: Symbol, dtype: str, copy: bool = True) -> Symbol:  # noqa: ARG002
        if x.dtype == dtype and not x.is_weak:
            return x
        if x.dtype in halves.FROM:
            bits = self.made("convert", (self.made("bitcast", (x,), "uint16"),), "int32")
            return self.astype(halves.FROM[x.dtype](self, bits), dtype)
        if dtype in halves.TO:
            bits = self.made("convert", (halves.TO[dtype](self, x),), "uint16")
            return self.made("bitcast", (bits,), dtype)
        if x.dtype in FLOATS and dtype not in FLOATS:
            raise UntraceableError(f"a formula makes {dtype} of {x.dtype}")
        converted = self.made("convert", (x,), dtype)
        converted.is_weak, converted.ndim = False, max(converted.ndim, x.ndim)
        return converted

    def where(self, condition: Symbol, a: Any, b: Any) -> Symbol:
        return self.select(condition, a, b)

    def abs(self, x: Symbol) -> Symbol:
        return self.made("abs", (x,), x.dtype)

    def isinf(self, x: Symbol) -> Symbol:
        return self.abs(x) == math.inf

    def maximum(self, a: Any, b: Any) -> Symbol:
        """Return the larger one, NaN where either is."""
        return self._chosen("gt", a, b)

    def minimum(self, a: Any, b: Any) -> Symbol:
        """Return the smaller one, NaN where either is."""
        return self._chosen("lt", a, b)

    def _chosen(self, op: str, a: Any, b: Any) -> Symbol:
        a, b = self.paired(a, b)
        if a.range.is_number:  # where the other one is none, that is chosen
            return self.select(self.compared(op, a, b), a, b)
        if b.range.is_number:
            return self.select(self.compared(op, b, a), b, a)
        return self.select(self.compared(op, a, b) | (a != a), a, b)

    def clip(self, x: Symbol, least: float, most: float) -> Symbol:
        return self.minimum(self.maximum(x, least), most)

    def exp(self, x: Symbol) -> Symbol:
        return self._power_of_e(elementary.exp(self, x), x)

    def choice(self, labels: Symbol, axis: int) -> Choice:  # type: ignore[override] # of symbols
        return Choice(self, labels, axis)

    def exp_and_lost(self, x: Symbol) -> tuple[Symbol, Symbol]:  # type: ignore[override] # of symbols
        power, lost = elementary.exp_and_lost(self, x)
        return self._power_of_e(power, x), lost

    @staticmethod
    def _power_of_e(power: Symbol, x: Symbol) -> Symbol:
        power.range = ranges.Range(0.0, 2.0 if x.range.most <= 0 else math.inf)
        return power

    def log(self, x: Symbol) -> Symbol:
        return elementary.log(self, x)

    def log1p(self, x: Symbol) -> Symbol:
        return elementary.log1p(self, x)

    def pow(self, x: Symbol, y: Any) -> Symbol:
        if not isinstance(y, Symbol):
            y = self.constant(y, "float64")
        return powers.pow(self, x, y)

    def shifted_exp(self, x: Symbol, shift: Symbol) -> Symbol:  # type: ignore[override] # of symbols
        return self.exp(self.select(x == shift, 0.0, x - shift))

    def ones_like(self, x: Symbol) -> Symbol:
        return self.constant(1, x.dtype)

    def zeros_like(self, x: Symbol) -> Symbol:
        return self.constant(0, x.dtype)

    def finfo(self, dtype: str) -> Any:
        return np.finfo(dtype)

    def arange(self, stop: Symbol, *, dtype: str, device: Any) -> Symbol:  # noqa: ARG002
        return self.made("class", (), dtype, over=Over.CLASS)

    # the shape of a symbol is what it has a value for, and these change nothing else

    def expand_dims(self, x: Symbol, *, axis: int) -> Symbol:  # noqa: ARG002
        return x

    def squeeze(self, x: Symbol, *, axis: int) -> Symbol:  # noqa: ARG002
        return x

    def reshape(self, x: Symbol, shape: Any) -> Symbol:  # noqa: ARG002
        return x

    def broadcast_to(self, x: Symbol, shape: Any) -> Symbol:  # noqa: ARG002
        return x

    # reductions over the classes

    def sum(self, x: Symbol, *, axis: int, keepdims: bool) -> Symbol:  # noqa: ARG002
        return x * self.shape[1] if x.over < Over.CLASS else self._reduced("sum", x, x.dtype)

    def max(self, x: Symbol, *, axis: int, keepdims: bool) -> Symbol:  # noqa: ARG002
        return x if x.over < Over.CLASS else self._reduced("max", x, x.dtype)

    def any(self, x: Symbol, *, axis: int, keepdims: bool) -> Symbol:  # noqa: ARG002
        return x if x.over < Over.CLASS else self._reduced("any", x, "bool")

    def argmax(self, x: Symbol, *, axis: int, keepdims: bool) -> Symbol:  # noqa: ARG002
        return self._reduced("argmax", x, COUNTED)

    def _reduced(self, op: str, x: Symbol, dtype: str) -> Symbol:
        return self.made(op, (x,), dtype, over=Over.ROW)
