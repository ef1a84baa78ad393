"""What the loops of all grid kernels have in common: teams, parameters, places and sums."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from ..emit import SHORT, Emitter, Value, given, intrinsics, maximum, minimum
from ..placement import Place
from ..program import Array, Program
from ..symbols import Over, Symbol
from ..writer import SIZES, Variable, Writer
from .lanes import Lanes

UNROLLED = 8  # vectors that are read at once, so that no thread waits for each one
Make = Callable[[Writer, int], Lanes]


class Kind(NamedTuple):
    """What a kernel is made for of where an array lies; the numbers are given at each call."""

    over: Over
    axes: int = 0  # 0: one row, or element, follows the other
    is_packed: bool = True  # one class follows the other


def halves(n: int) -> list[int]:
    """Return n / 2, n / 4, and so on to 1, of a power of 2."""
    return [n >> i for i in range(1, n.bit_length())]


def kind_of(place: Place) -> Kind:
    """Return what a kernel is made for of a place."""
    is_packed = place.step in ((), (place.size,))
    axes = 0 if place.over is Over.ROW and place.is_dense else len(place.axes)
    return Kind(place.over, axes, is_packed)


class GridEmitter(Emitter):
    """What writes the instructions of symbols for a GPU, which bounds a number by one."""

    def instruction(self, symbol: Symbol, args: list[str], lanes: int) -> str | None:
        bound = _bound_of(symbol)
        if bound is None:
            return super().instruction(symbol, args, lanes)
        return bound(symbol.dtype, lanes, args[1], args[2])


def _bound_of(symbol: Symbol) -> Callable[[str, int, str, str], str] | None:
    """Return how a choice bounds a number by a constant, or None where that isn't what it does."""
    if symbol.op != "select" or symbol.dtype not in SHORT:
        return None
    condition, constant, x = symbol.args
    how = {"lt": maximum, "gt": minimum}.get(condition.op)
    if how is None or constant.op != "constant" or constant.range.least == 0:
        return None
    return how if condition.args[0] is x and condition.args[1] is constant else None


class Grid:
    """A kernel of a grid; its subclasses say what a team does."""

    is_used: str | None = None  # the lanes that have something to do (None: all)

    def __init__(self, program: Program, kinds: Sequence[Kind], make: Make) -> None:
        self.program, self.width, self.w = program, program.width, Writer()
        self.lanes = make(self.w, self.width)
        self.emitter = GridEmitter(self.w, self.lanes.registers, self.leaf)
        self.stored, self.summed = program.stored, program.summed
        arrays = [(f"a{i}", a.dtype) for i, a in enumerate(program.arrays)]
        results = [(f"o{i}", r.symbol.dtype) for i, r in self.stored]
        self.dtypes = dict(arrays + results)
        self.kinds = dict(zip(self.dtypes, kinds, strict=True))

    def text(self, name: str) -> str:
        """Return the kernel as a function, and what it calls, as LLVM IR."""
        w = self.w
        with self.lanes.teams("%teams") as team:
            self.emitter.emit_below(Over.ROW, self.program.symbols)
            self.team(team)
        return w.function(self.lanes.header(name, self.parameters()))

    def declarations(self) -> dict[str, str]:
        """Return the declarations of the functions of LLVM that are called, by their names."""
        lines = intrinsics(self.lanes.registers).splitlines()
        return {line.partition("@")[2].partition("(")[0]: line for line in lines} | (
            self.lanes.declared
        )

    def parameters(self) -> list[str]:
        """Return the parameters, with their types."""
        found = ["i64 %teams", "i64 %per_team", "i64 %n", "i64 %classes", "ptr %sums", "ptr %parts"]
        for name in (n for n in self.kinds if n[0] == "a"):
            found += self._placed(name)
        found += [f"double %number{i}" for i in range(len(self.program.numbers))]
        for name in (n for n in self.kinds if n[0] == "o"):
            found += self._placed(name)
        return found

    def _placed(self, name: str) -> list[str]:
        kind = self.kinds[name]
        found = [f"ptr %{name}"]
        for axis in range(kind.axes):
            found += [f"i64 %{name}_length{axis}", f"i64 %{name}_stride{axis}"]
        return found + [f"i64 %{name}_step"] * (kind.over is Over.CLASS)

    def team(self, team: str) -> None:
        """Write what a team does."""
        raise NotImplementedError

    # where the lanes are

    def bounds(self, team: str) -> tuple[str, str]:
        """Return from where on, and up to where, a team has rows, elements or numbers."""
        start = self.w.mul(team, "%per_team")
        return start, self.w.least(self.w.add(start, "%per_team"), "%n")

    def over_all(
        self, start: str, stop: str, visit: Callable[[list[str], str | None], None]
    ) -> None:
        """Visit all numbers from a start to a stop, a vector's at once, or those of several.

        What is visited are the numbers of each lane, and then which lanes are used (None: all).
        """
        w, lanes = self.w, self.lanes
        at_once = UNROLLED * self.width
        whole = w.add(start, w.value(f"and i64 {w.sub(stop, start)}, -{at_once}"))
        with w.loop(start, whole, at_once) as first:
            visit([self.of_each(w.add(first, i * self.width)) for i in range(UNROLLED)], None)
        with w.loop(whole, stop, self.width) as first:
            numbers = self.of_each(first)
            is_used = lanes.do("icmp slt", numbers, lanes.each(stop))
            with lanes.only(is_used):
                visit([numbers], is_used)

    def reading_first(
        self, read: Callable[[str], None], compute: Callable[[str], None]
    ) -> Callable[[list[str], str | None], None]:
        """Return a visit that reads what several vectors need before it waits for any of it."""

        def visit(vectors: list[str], is_used: str | None) -> None:
            before, self.is_used = dict(self.emitter.known), is_used
            known = []
            for numbers in vectors:
                self.emitter.known = dict(before)
                read(numbers)
                known.append(self.emitter.known)
            for numbers, self.emitter.known in zip(vectors, known, strict=True):
                compute(numbers)
            self.emitter.known, self.is_used = before, None

        return visit

    def of_each(self, first: str) -> str:
        """Return the numbers of the lanes, the first of which has a number."""
        return self.lanes.do("add", self.lanes.each(first), self.lanes.numbers)

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Forget, at the end, the values of symbols that are written inside."""
        before = dict(self.emitter.known)
        yield
        self.emitter.known = before

    # where arrays lie

    def row_of(self, name: str, rows: str) -> str:
        """Return the offsets of rows, or elements, of an array, in bytes."""
        kind, lanes = self.kinds[name], self.lanes
        if kind.axes == 0:
            is_row = kind.over is Over.ROW
            return lanes.do("mul", rows, self.splat(SIZES[self.dtypes[name]] if is_row else 0))
        offsets, left = self.splat(0), rows
        for axis in reversed(range(kind.axes)):
            length = lanes.each(f"%{name}_length{axis}")
            index = left if axis == 0 else lanes.do("urem", left, length)
            left = left if axis == 0 else lanes.do("udiv", left, length)
            step = lanes.do("mul", index, lanes.each(f"%{name}_stride{axis}"))
            offsets = lanes.do("add", offsets, step)
        return offsets

    def class_of(self, name: str, classes: str) -> str:
        """Return the offsets of classes within a row of an array, in bytes."""
        size = SIZES[self.dtypes[name]]
        step = self.splat(size) if self.kinds[name].is_packed else self.lanes.each(f"%{name}_step")
        return self.lanes.do("mul", classes, step)

    def splat(self, number: int) -> str:
        """Return an integer for each lane."""
        n = self.lanes.registers
        return str(number) if n == 1 else f"splat (i64 {number})"

    # sums

    def partial_sum(self) -> Variable:
        """Return a variable for the sum of what a lane has, which is 0."""
        return self.w.variable(self.lanes.kind("float64"), self.zero)

    @property
    def zero(self) -> str:
        """Return 0 in float64 for each lane."""
        return "0.0" if self.lanes.registers == 1 else "zeroinitializer"

    def add_to(self, sum_: Variable, number: str, is_used: str | None) -> None:
        """Add a number to a sum, in the lanes that are used."""
        kept = self.in_used(is_used, "float64", number, self.zero)
        self.w.set(sum_, self.lanes.do("fadd", self.w.get(sum_), kept, "float64"))

    def in_used(self, is_used: str | None, dtype: str, value: str, other: str) -> str:
        """Return a value in the lanes that are used, and another one elsewhere."""
        if is_used is None:
            return value
        kind, truth = self.lanes.kind(dtype), self.lanes.kind("bool")
        return self.w.value(f"select {truth} {is_used}, {kind} {value}, {kind} {other}")

    def double_of(self, symbol: Symbol) -> str:
        """Return the value of a symbol in float64 for each lane."""
        n = self.lanes.registers
        return self.w.as_doubles(symbol.dtype, n, self.emitter.wide(symbol, n))

    @property
    def distances(self) -> list[int]:
        """Return the distances of lanes whose classes are joined, by halves."""
        return halves(self.width)

    @property
    def distances_of_rows(self) -> list[int]:
        """Return the distances of lanes whose rows, or elements, are joined, by halves."""
        return halves(self.width)

    def total_of(self, sum_: Variable) -> str:
        """Return the sum of the lanes' sums, for each lane."""
        value = self.w.get(sum_)
        for distance in self.distances_of_rows:
            other = self.lanes.from_other("float64", value, distance)
            value = self.lanes.do("fadd", value, other, "float64")
        return value

    def store_sums(self, team: str, sums: list[Variable]) -> None:
        """Store the sums of a team, beside those of other teams."""
        w = self.w
        for i, sum_ in enumerate(sums):
            number = w.add(w.mul("%teams", i), team)
            there = w.at("%sums", w.mul(number, SIZES["float64"]))
            self.lanes.store_first("float64", self.total_of(sum_), there)

    # what is read

    def leaf(self, symbol: Symbol) -> Value:
        """Return the value of a symbol that is read; here of those that are one for all."""
        argument = given(self.w, symbol, self.program.numbers)
        if argument is not None:
            return argument
        name, array = self.array_of(symbol)
        return Value(self.w.number(array.dtype, f"%{name}"), 1)

    def array_of(self, symbol: Symbol) -> tuple[str, Array]:
        """Return the operand that a symbol is read from, and its name in the kernel."""
        return next((f"a{i}", a) for i, a in enumerate(self.program.arrays) if a.name == symbol.of)
