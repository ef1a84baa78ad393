"""Reductions over the classes, in the lanes of a vector, and from its lanes to one number.

The order of a sum, which `sums` tells, is the same whether classes or rows are in the lanes: where
rows are, a vector in memory takes the place of a lane. For a maximum no order makes a difference.
"""

from __future__ import annotations

from ..emit import Value, better, maximum
from ..sums import PART
from ..symbols import Symbol
from ..writer import SIZES, constant, vector
from .loops import Loop

INFINITY = float("inf")


class Reduction:
    """A maximum, or whether any: its state while a pass goes over the classes."""

    def __init__(self, loop: Loop, symbol: Symbol) -> None:
        self.loop, self.w, self.lanes = loop, loop.w, loop.width
        self.symbol, self.of = symbol, symbol.args[0]
        self.dtype = "float64" if symbol.op == "sum" else self.of.dtype
        start = -INFINITY if symbol.op in ("max", "argmax") else 0.0
        self.neutral = constant(self.dtype, start, self.lanes)
        self.kind = vector(self.dtype, self.lanes)
        self.found = self.w.variable(self.kind, self.neutral)

    def begin_part(self) -> None:
        """Begin a part of the classes."""

    def end_part(self, count: str) -> None:
        """End a part of so many classes."""

    def take(self, is_used: str | None, index: Value) -> None:  # noqa: ARG002
        """Take in the classes of a vector, or those that are used of them."""
        name = self.taken(is_used)
        self.w.set(self.found, self.joined(self.w.get(self.found), name, self.lanes))

    def taken(self, is_used: str | None) -> str:
        """Return what is reduced, and what changes nothing in the lanes that are not used."""
        name = self.loop.emitter.wide(self.of, self.lanes)
        if self.symbol.op == "sum":
            name = self.w.as_doubles(self.of.dtype, self.lanes, name)
        if is_used is None:
            return name
        used = f"<{self.lanes} x i1> {is_used}"
        return self.w.value(f"select {used}, {self.kind} {name}, {self.kind} {self.neutral}")

    def of_lanes(self) -> Value:
        """Return the result of each lane."""
        return Value(self.w.get(self.found), self.lanes)

    def of_all(self) -> Value:
        """Return the result of all lanes together."""
        if self.dtype == "bool":
            return self._any_lane()
        return Value(self.loop.folded(self.dtype, self.w.get(self.found), self.joined), 1)

    def _any_lane(self) -> Value:
        bits = self.w.value(f"bitcast {self.kind} {self.w.get(self.found)} to i{self.lanes}")
        return Value(self.w.value(f"icmp ne i{self.lanes} {bits}, 0"), 1)

    def joined(self, a: str, b: str, lanes: int) -> str:
        """Return what two values are together, or those of lanes."""
        match self.symbol.op:
            case "sum":
                return self.loop.added(a, b, lanes)
            case "any":
                return self.w.value(f"or {vector(self.dtype, lanes)} {a}, {b}")
        return self.w.value(maximum(self.dtype, lanes, a, b))

    def rounded(self, name: str, lanes: int) -> Value:
        """Return a sum in the type that it is wanted in."""
        return Value(self.w.from_doubles(self.symbol.dtype, lanes, name), lanes)


class SumOverLanes(Reduction):
    """A sum over classes that are in the lanes."""

    def __init__(self, loop: Loop, symbol: Symbol) -> None:
        super().__init__(loop, symbol)
        self.total = self.w.variable("double", constant("float64", 0.0, 1))

    def begin_part(self) -> None:
        """Begin with no class in any lane."""
        self.w.set(self.found, self.neutral)

    def end_part(self, count: str) -> None:  # noqa: ARG002
        """Fold the lanes."""
        part = self.loop.folded(self.dtype, self.w.get(self.found), self.joined)
        self.w.set(self.total, self.joined(self.w.get(self.total), part, 1))

    def of_all(self) -> Value:
        """Return the sum of all parts."""
        return self.rounded(self.w.get(self.total), 1)


class SumOfLanes(Reduction):
    """A sum of each lane, class by class; a vector in memory is the partial sums of a lane each."""

    def __init__(self, loop: Loop, symbol: Symbol) -> None:
        super().__init__(loop, symbol)
        self.place = self.w.place(self.kind, self.lanes)

    def take(self, is_used: str | None, index: Value) -> None:
        """Take in a class; the first ones of a part begin a partial sum each."""
        w, name = self.w, self.taken(is_used)
        in_part = w.value(f"and i32 {index.name}, {PART - 1}")
        i = w.value(f"and i32 {in_part}, {self.lanes - 1}")
        there = self._partial(w.value(f"zext i32 {i} to i64"))
        is_first = w.value(f"icmp ult i32 {in_part}, {self.lanes}")
        with w.when(is_first):
            w.store(self.kind, self.joined(name, self.neutral, self.lanes), there)
        with w.unless(is_first):
            self._add(there, name)

    def end_part(self, count: str) -> None:
        """Fold the partial sums."""
        w = self.w
        there = w.variable("i64", w.least(count, self.lanes))
        with w.loop(1, self.lanes.bit_length()) as fold:
            half = w.value(f"lshr i64 {self.lanes}, {fold}")
            with w.loop(half, w.get(there)) as i:
                more = w.load(self.kind, self._partial(i))
                self._add(self._partial(w.sub(i, half)), more)
            w.set(there, w.least(w.get(there), half))
        part = w.load(self.kind, self.place)
        w.set(self.found, self.joined(w.get(self.found), part, self.lanes))

    def of_lanes(self) -> Value:
        """Return the sum of each lane."""
        return self.rounded(self.w.get(self.found), self.lanes)

    def _partial(self, i: str) -> str:
        return self.loop.at(self.place, i, 8 * self.lanes)

    def _add(self, there: str, name: str) -> None:
        kind = self.kind
        self.w.store(kind, self.joined(self.w.load(kind, there), name, self.lanes), there)


class Largest(Reduction):
    """The number of the largest class, the first of equals."""

    def __init__(self, loop: Loop, symbol: Symbol) -> None:
        super().__init__(loop, symbol)
        self.numbers = vector("int32", self.lanes)
        self.index = self.w.variable(self.numbers, constant("int32", 0, self.lanes))

    def take(self, is_used: str | None, index: Value) -> None:
        name = self.taken(is_used)
        number = self.loop.emitter.spread(index, "int32", self.lanes)
        before = self.w.get(self.found), self.w.get(self.index)
        best = better(self.w, self.dtype, self.lanes, before, (name, number))
        self.w.set(self.found, best[0])
        self.w.set(self.index, best[1])

    def of_lanes(self) -> Value:
        return Value(self.w.get(self.index), self.lanes)

    def of_all(self) -> Value:
        values, numbers = self.w.place(self.kind), self.w.place(self.numbers)
        self.w.store(self.kind, self.w.get(self.found), values)
        self.w.store(self.numbers, self.w.get(self.index), numbers)
        size, kind = SIZES[self.dtype], vector(self.dtype, 1)
        best = self.w.load(kind, values), self.w.load("i32", numbers)
        for lane in range(1, self.lanes):
            value = self.w.load(kind, self.w.at(values, str(size * lane)))
            number = self.w.load("i32", self.w.at(numbers, str(4 * lane)))
            best = better(self.w, self.dtype, 1, best, (value, number))
        return Value(best[1], 1)
