"""Symbols as instructions: each in the lanes it needs, once in each scope."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from .symbols import Over, Symbol
from .writer import TYPES, Writer, constant, vector

OF_FLOATS = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
ORDERED = {"lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge", "eq": "oeq", "ne": "une"}
SIGNED = {"lt": "slt", "le": "sle", "gt": "sgt", "ge": "sge", "eq": "eq", "ne": "ne"}
SHORT = {"float32": "f32", "float64": "f64"}


class Value(NamedTuple):
    """The name of a value, and whether it is one number or one for each lane."""

    name: str
    lanes: int


class Emitter:
    """What writes the instructions of symbols; those of a scope are forgotten when it ends."""

    def __init__(self, writer: Writer, width: int, leaf: Callable[[Symbol], Value]) -> None:
        self.writer, self.width, self.leaf = writer, width, leaf
        self.known: dict[Symbol, Value] = {}

    def emit(self, symbol: Symbol) -> Value:
        """Return the value of a symbol, written where it is not known yet."""
        stack = [symbol]
        while stack:
            top = stack[-1]
            is_leaf = top.op in LEAVES
            missing = [] if top in self.known else [a for a in top.args if a not in self.known]
            if missing and not is_leaf:
                stack.extend(missing)
                continue
            stack.pop()
            if top not in self.known:
                self.known[top] = self.leaf(top) if is_leaf else self._operation(top)
        return self.known[symbol]

    def emit_below(self, over: Over, symbols: Iterable[Symbol]) -> None:
        """Write those of some symbols that do not differ by class, or for `Over.ROW` not by row."""
        for symbol in symbols:
            if symbol.over < over and symbol.op != "constant":
                self.emit(symbol)

    def wide(self, symbol: Symbol, lanes: int) -> str:
        """Return the name of a symbol's value in a number of lanes."""
        return self.spread(self.emit(symbol), symbol.dtype, lanes)

    def spread(self, value: Value, dtype: str, lanes: int) -> str:
        """Return the name of a value, which is repeated in each lane if it has but one."""
        return value.name if value.lanes == lanes else self.writer.spread(dtype, lanes, value.name)

    def _operation(self, symbol: Symbol) -> Value:
        if symbol.op == "constant":
            return Value(_written(symbol, 1), 1)
        lanes = max(self.known[a].lanes for a in symbol.args)
        args = [self._argument(a, lanes) for a in symbol.args]
        text = self.instruction(symbol, args, lanes)
        return Value(args[0] if text is None else self.writer.value(text), lanes)

    def instruction(self, symbol: Symbol, args: list[str], lanes: int) -> str | None:
        """Return the instruction of an operation, or None where there is nothing to do."""
        return _instruction(symbol, args, lanes)

    def _argument(self, symbol: Symbol, lanes: int) -> str:
        if symbol.op == "constant":
            return _written(symbol, lanes)
        return self.spread(self.known[symbol], symbol.dtype, lanes)


# what is read, and not computed from others here
LEAVES = ("load", "number", "count", "class", "pick", "sum", "max", "any", "argmax")


def _written(symbol: Symbol, lanes: int) -> str:
    """Return the text of a constant, in each lane."""
    number = float.fromhex(symbol.of) if symbol.dtype in SHORT else int(symbol.of)
    return constant(symbol.dtype, number, lanes)


def _instruction(symbol: Symbol, args: list[str], lanes: int) -> str | None:
    """Return the instruction of an operation, or None where there is nothing to do."""
    op, dtype = symbol.op, symbol.args[0].dtype
    kind, is_float = vector(dtype, lanes), dtype in SHORT
    result = vector(symbol.dtype, lanes)
    if op in ORDERED:
        how = f"fcmp {ORDERED[op]}" if is_float else f"icmp {SIGNED[op]}"
        return f"{how} {kind} {args[0]}, {args[1]}"
    match op:
        case "select":
            condition = vector("bool", lanes)
            return f"select {condition} {args[0]}, {result} {args[1]}, {result} {args[2]}"
        case "neg":
            return f"fneg {kind} {args[0]}"
        case "not":
            return f"xor {kind} {args[0]}, {constant(dtype, 1 if dtype == 'bool' else -1, lanes)}"
        case "fmuladd":
            passed = ", ".join(f"{kind} {arg}" for arg in args)
            return f"call {kind} @llvm.fmuladd.{suffix(dtype, lanes)}({passed})"
        case "abs" | "sqrt":
            name = {"abs": "fabs", "sqrt": "sqrt"}[op]
            return f"call {kind} @llvm.{name}.{suffix(dtype, lanes)}({kind} {args[0]})"
        case "bitcast":
            return f"bitcast {kind} {args[0]} to {result}"
        case "convert":
            return _conversion(dtype, symbol.dtype, args[0], lanes)
    return f"{OF_FLOATS[op] if is_float else op} {kind} {args[0]}, {args[1]}"


def _conversion(source: str, dtype: str, arg: str, lanes: int) -> str | None:
    """Return the instruction that converts a number to another type."""
    kind, result = vector(source, lanes), vector(dtype, lanes)
    if kind == result:
        return None
    if source == "bool":
        one, zero = constant(dtype, 1, lanes), constant(dtype, 0, lanes)
        return f"select {kind} {arg}, {result} {one}, {result} {zero}"
    if dtype == "bool":
        return f"icmp ne {kind} {arg}, zeroinitializer" if lanes > 1 else f"icmp ne {kind} {arg}, 0"
    if source in SHORT:
        return f"{'fpext' if dtype == 'float64' else 'fptrunc'} {kind} {arg} to {result}"
    if dtype in SHORT:
        return f"{'uitofp' if source[0] == 'u' else 'sitofp'} {kind} {arg} to {result}"
    widens = int(TYPES[dtype][1:]) > int(TYPES[source][1:])
    how = ("zext" if source[0] == "u" else "sext") if widens else "trunc"
    return f"{how} {kind} {arg} to {result}"


def maximum(dtype: str, lanes: int, a: str, b: str) -> str:
    """Return the instruction of the larger of two numbers: NaN gets through, +0 is above -0."""
    return _extreme("maximum", dtype, lanes, a, b)


def minimum(dtype: str, lanes: int, a: str, b: str) -> str:
    """Return the instruction of the smaller of two numbers: NaN gets through, -0 is below +0."""
    return _extreme("minimum", dtype, lanes, a, b)


def _extreme(name: str, dtype: str, lanes: int, a: str, b: str) -> str:
    kind = vector(dtype, lanes)
    return f"call {kind} @llvm.{name}.{suffix(dtype, lanes)}({kind} {a}, {kind} {b})"


def better(
    w: Writer, dtype: str, lanes: int, a: tuple[str, str], b: tuple[str, str]
) -> tuple[str, str]:
    """Return the better one of two pairs of a value and its number: the first of the largest."""
    kind, numbers, truth = (vector(each, lanes) for each in (dtype, "int32", "bool"))
    is_more = w.value(f"fcmp ogt {kind} {b[0]}, {a[0]}")
    is_equal = w.value(f"fcmp oeq {kind} {b[0]}, {a[0]}")
    is_earlier = w.value(f"icmp slt {numbers} {b[1]}, {a[1]}")
    is_first = w.value(f"and {truth} {is_equal}, {is_earlier}")
    is_better = w.value(f"or {truth} {is_more}, {is_first}")
    return (
        w.value(f"select {truth} {is_better}, {kind} {b[0]}, {kind} {a[0]}"),
        w.value(f"select {truth} {is_better}, {numbers} {b[1]}, {numbers} {a[1]}"),
    )


def given(w: Writer, symbol: Symbol, numbers: Sequence[str]) -> Value | None:
    """Return the value of a symbol that is an argument of a kernel, or None: it is in memory."""
    if symbol.op == "count":
        return Value("%classes", 1)
    if symbol.op != "number":
        return None
    if symbol.of == "classes":
        return Value(w.value("sitofp i64 %classes to double"), 1)
    return Value(f"%number{numbers.index(symbol.of)}", 1)


def intrinsics(width: int) -> str:
    """Return the declarations of the functions that LLVM brings with it."""
    found = []
    for dtype in SHORT:
        for lanes in (1, width):
            kind, end = vector(dtype, lanes), suffix(dtype, lanes)
            found += [f"declare {kind} @llvm.{name}.{end}({kind})" for name in ("fabs", "sqrt")]
            found.append(f"declare {kind} @llvm.fmuladd.{end}({kind}, {kind}, {kind})")
        for lanes in (2**i for i in range(width.bit_length())):  # of a vector, and of its halves
            kind = vector(dtype, lanes)
            for name in ("maximum", "minimum"):
                end = suffix(dtype, lanes)
                found.append(f"declare {kind} @llvm.{name}.{end}({kind}, {kind})")
    return "\n".join(found)


def suffix(dtype: str, lanes: int) -> str:
    """Return how a type is called in the names of LLVM's functions."""
    return SHORT[dtype] if lanes == 1 else f"v{lanes}{SHORT[dtype]}"
