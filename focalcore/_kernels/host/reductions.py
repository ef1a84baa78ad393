"""Reductions over the classes, in the lanes of a vector, and from its lanes to one number.

The order of a sum is the same whether classes or rows are in the lanes: every width-th class is
added up in float64, and then these partial sums are, from the first to the last.
"""

from __future__ import annotations

from ..emit import SHORT, Value
from ..symbols import Symbol
from ..writer import SIZES, constant, vector
from .loops import Loop

INFINITY = float("inf")


class Reduction:
    """A sum, a maximum, or whether any: its state while a pass goes over the classes."""

    def __init__(self, loop: Loop, symbol: Symbol) -> None:
        self.loop, self.w, self.lanes = loop, loop.w, loop.width
        self.symbol, self.of = symbol, symbol.args[0]
        self.dtype = "float64" if symbol.op == "sum" else self.of.dtype
        start = -INFINITY if symbol.op in ("max", "argmax") else 0.0
        self.neutral = constant(self.dtype, start, self.lanes)
        self.kind = vector(self.dtype, self.lanes)
        self.part = self.w.variable(self.kind, self.neutral)
        self.total = self.w.variable(self.kind, self.neutral)

    def begin_part(self) -> None:
        """Begin a partial sum of some of the classes of each lane."""
        if self.symbol.op == "sum":
            self.w.set(self.part, self.neutral)

    def end_part(self) -> None:
        """Add a partial sum to those before."""
        if self.symbol.op == "sum":
            total, part = self.w.get(self.total), self.w.get(self.part)
            self.w.set(self.total, self.w.value(f"fadd {self.kind} {total}, {part}"))

    def take(self, is_used: str | None, index: Value) -> None:  # noqa: ARG002
        """Take in the classes of a vector, or those that are used of them."""
        name = self._taken(is_used)
        self.w.set(self.part, self._joined(self.w.get(self.part), name, self.lanes))

    def _taken(self, is_used: str | None) -> str:
        """Return what is reduced, and what changes nothing in the lanes that are not used."""
        name = self.loop.emitter.wide(self.of, self.lanes)
        if self.symbol.op == "sum":
            name = self.loop.as_doubles(name, self.of.dtype, self.lanes)
        if is_used is None:
            return name
        used = f"<{self.lanes} x i1> {is_used}"
        return self.w.value(f"select {used}, {self.kind} {name}, {self.kind} {self.neutral}")

    def of_lanes(self) -> Value:
        """Return the result of each lane."""
        found = self.total if self.symbol.op == "sum" else self.part
        return self._rounded(self.w.get(found), self.lanes)

    def of_all(self) -> Value:
        """Return the result of all lanes together, from the first to the last."""
        place = self.w.place(self.kind)
        self.w.store(self.kind, self.w.get(self.part), place)
        if self.dtype == "bool":
            return self._any_lane()
        size = SIZES[self.dtype]
        found = self.w.load(vector(self.dtype, 1), place)
        for lane in range(1, self.lanes):
            other = self.w.load(vector(self.dtype, 1), self.w.at(place, str(lane * size)))
            found = self._joined(found, other, 1)
        return self._rounded(found, 1)

    def _any_lane(self) -> Value:
        bits = self.w.value(f"bitcast {self.kind} {self.w.get(self.part)} to i{self.lanes}")
        return Value(self.w.value(f"icmp ne i{self.lanes} {bits}, 0"), 1)

    def _joined(self, a: str, b: str, lanes: int) -> str:
        kind, truth = vector(self.dtype, lanes), vector("bool", lanes)
        if self.symbol.op == "sum":
            return self.w.value(f"fadd {kind} {a}, {b}")
        if self.symbol.op == "any":
            return self.w.value(f"or {kind} {a}, {b}")
        # NaN gets through, whichever of the two it is
        is_more = self.w.value(f"fcmp ogt {kind} {a}, {b}")
        is_nan = self.w.value(f"fcmp uno {kind} {a}, {a}")
        is_kept = self.w.value(f"or {truth} {is_more}, {is_nan}")
        return self.w.value(f"select {truth} {is_kept}, {kind} {a}, {kind} {b}")

    def _rounded(self, name: str, lanes: int) -> Value:
        if self.symbol.op == "sum" and self.symbol.dtype != "float64":
            source, kind = vector("float64", lanes), vector(self.symbol.dtype, lanes)
            how = "fptrunc" if self.symbol.dtype in SHORT else "fptosi"
            name = self.w.value(f"{how} {source} {name} to {kind}")
        return Value(name, lanes)


class Largest(Reduction):
    """The number of the largest class, the first of equals."""

    def __init__(self, loop: Loop, symbol: Symbol) -> None:
        super().__init__(loop, symbol)
        self.numbers = vector("int32", self.lanes)
        self.index = self.w.variable(self.numbers, constant("int32", 0, self.lanes))

    def take(self, is_used: str | None, index: Value) -> None:
        """Take in the classes of a vector, or those that are used of them."""
        name = self._taken(is_used)
        number = self.loop.emitter.spread(index, "int32", self.lanes)
        before = self.w.get(self.part), self.w.get(self.index)
        best = self._better(before, (name, number), self.lanes)
        self.w.set(self.part, best[0])
        self.w.set(self.index, best[1])

    def of_lanes(self) -> Value:
        """Return the result of each lane."""
        return Value(self.w.get(self.index), self.lanes)

    def of_all(self) -> Value:
        """Return the result of all lanes together."""
        values, numbers = self.w.place(self.kind), self.w.place(self.numbers)
        self.w.store(self.kind, self.w.get(self.part), values)
        self.w.store(self.numbers, self.w.get(self.index), numbers)
        size, kind = SIZES[self.dtype], vector(self.dtype, 1)
        best = self.w.load(kind, values), self.w.load("i32", numbers)
        for lane in range(1, self.lanes):
            value = self.w.load(kind, self.w.at(values, str(size * lane)))
            number = self.w.load("i32", self.w.at(numbers, str(4 * lane)))
            best = self._better(best, (value, number), 1)
        return Value(best[1], 1)

    def _better(self, a: tuple[str, str], b: tuple[str, str], lanes: int) -> tuple[str, str]:
        """Return the better one of two pairs of a value and its number."""
        kind, numbers, truth = (
            vector(self.dtype, lanes),
            vector("int32", lanes),
            vector("bool", lanes),
        )
        is_more = self.w.value(f"fcmp ogt {kind} {b[0]}, {a[0]}")
        is_equal = self.w.value(f"fcmp oeq {kind} {b[0]}, {a[0]}")
        is_earlier = self.w.value(f"icmp slt {numbers} {b[1]}, {a[1]}")
        is_first = self.w.value(f"and {truth} {is_equal}, {is_earlier}")
        is_better = self.w.value(f"or {truth} {is_more}, {is_first}")
        return (
            self.w.value(f"select {truth} {is_better}, {kind} {b[0]}, {kind} {a[0]}"),
            self.w.value(f"select {truth} {is_better}, {numbers} {b[1]}, {numbers} {a[1]}"),
        )


def reduction(loop: Loop, symbol: Symbol) -> Reduction:
    """Return the state of a reduction at the start of its pass."""
    return (Largest if symbol.op == "argmax" else Reduction)(loop, symbol)
