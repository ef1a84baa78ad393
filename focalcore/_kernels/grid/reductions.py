"""Reductions over the classes, by a thread over its row, or by a team over a row of all."""

from __future__ import annotations

from ..emit import Value, better, maximum
from ..symbols import Symbol
from ..writer import SIZES, constant
from .loops import Grid, halves

INFINITY = float("inf")


class Reduction:
    """A maximum, or whether any, in each lane while a pass goes over the classes."""

    def __init__(self, grid: Grid, symbol: Symbol) -> None:
        self.grid, self.w, self.lanes = grid, grid.w, grid.lanes
        self.symbol, self.of = symbol, symbol.args[0]
        self.dtype = "float64" if symbol.op == "sum" else self.of.dtype
        start = -INFINITY if symbol.op in ("max", "argmax") else 0.0
        self.neutral = constant(self.dtype, start, self.lanes.registers)
        self.found = self.w.variable(self.lanes.kind(self.dtype), self.neutral)

    def take(self, is_used: str | None, index: str) -> None:  # noqa: ARG002
        """Take in a class for each lane that is used."""
        self.w.set(self.found, self.joined(self.w.get(self.found), self.taken(is_used)))

    def taken(self, is_used: str | None) -> str:
        """Return what is reduced, and what changes nothing in the lanes that are not used."""
        name = self.grid.emitter.wide(self.of, self.lanes.registers)
        if self.symbol.op == "sum":
            name = self.w.as_doubles(self.of.dtype, self.lanes.registers, name)
        return self.grid.in_used(is_used, self.dtype, name, self.neutral)

    def joined(self, a: str, b: str) -> str:
        """Return what two numbers are together."""
        match self.symbol.op:
            case "sum":
                return self.lanes.do("fadd", a, b, self.dtype)
            case "any":
                return self.lanes.do("or", a, b, self.dtype)
        return self.w.value(maximum(self.dtype, self.lanes.registers, a, b))

    def of_lanes(self) -> Value:
        """Return the result of each lane."""
        return self.rounded(self.w.get(self.found))

    def of_team(self) -> Value:
        """Return the result of all lanes, in each."""
        return self.rounded(self.folded(self.w.get(self.found)))

    def put(self, there: str) -> None:
        """Store the result of all lanes for a later launch."""
        value = self.folded(self.w.get(self.found))
        if self.dtype == "bool":
            value = self.lanes.converted("zext", value, "bool", "uint8")
        dtype = "uint8" if self.dtype == "bool" else self.dtype
        self.lanes.store_first(dtype, value, there)

    def get(self, there: str) -> None:
        """Take in the result that an earlier launch has stored."""
        value = self.lanes.each(self.w.number(self.dtype, there), self.dtype)
        self.w.set(self.found, self.joined(self.w.get(self.found), value))

    def folded(self, value: str) -> str:
        """Return what all lanes of a row have, joined, in each."""
        for distance in self.grid.distances:
            value = self.joined(value, self.lanes.from_other(self.dtype, value, distance))
        return value

    def rounded(self, name: str) -> Value:
        """Return the result in its own type."""
        n = self.lanes.registers
        if self.symbol.op == "sum":
            name = self.w.from_doubles(self.symbol.dtype, n, name)
        return Value(name, n)


class Largest(Reduction):
    """The number of the largest class, the first of equals."""

    def __init__(self, grid: Grid, symbol: Symbol) -> None:
        super().__init__(grid, symbol)
        zero = constant("int32", 0, self.lanes.registers)
        self.number = self.w.variable(self.lanes.kind("int32"), zero)

    def take(self, is_used: str | None, index: str) -> None:
        self._take(self.taken(is_used), index)

    def _take(self, value: str, number: str) -> None:
        best = self._better_of((self.w.get(self.found), self.w.get(self.number)), (value, number))
        self.w.set(self.found, best[0])
        self.w.set(self.number, best[1])

    def of_lanes(self) -> Value:
        return Value(self.w.get(self.number), self.lanes.registers)

    def of_team(self) -> Value:
        return Value(self._folded()[1], self.lanes.registers)

    def put(self, there: str) -> None:
        value, number = self._folded()
        self.lanes.store_first(self.dtype, value, there)
        self.lanes.store_first("int32", number, self._beside(there))

    def get(self, there: str) -> None:
        number = self.w.number("int32", self._beside(there))
        value = self.lanes.each(self.w.number(self.dtype, there), self.dtype)
        self._take(value, self.lanes.each(number, "int32"))

    def _beside(self, there: str) -> str:
        return self.w.at(there, str(SIZES["float64"]))

    def _folded(self) -> tuple[str, str]:
        best = self.w.get(self.found), self.w.get(self.number)
        for distance in self.grid.distances:
            value = self.lanes.from_other(self.dtype, best[0], distance)
            other = value, self.lanes.from_other("int32", best[1], distance)
            best = self._better_of(best, other)
        return best

    def _better_of(self, a: tuple[str, str], b: tuple[str, str]) -> tuple[str, str]:
        return better(self.w, self.dtype, self.lanes.registers, a, b)


class SumInRegisters(Reduction):
    """A sum of few classes, of which each lane has every so-many-th: no class is in memory."""

    def __init__(self, grid: Grid, symbol: Symbol) -> None:
        super().__init__(grid, symbol)
        self.terms: list[str] = []

    def take(self, is_used: str | None, index: str) -> None:  # noqa: ARG002
        self.terms.append(self.taken(is_used))

    def of_team(self) -> Value:
        """Return the sum of all classes of a row, in each of its lanes.

        Each term belongs to one of the lanes that a team has for a row, of which a thread has some.
        """
        n = self.grid.width // (2 * self.grid.distances[0] if self.grid.distances else 1)
        sums = self.terms[:n]
        for i, term in enumerate(self.terms[n:], start=n):
            sums[i % n] = self.joined(sums[i % n], term)
        for half in halves(n):
            for i in range(half, len(sums)):
                sums[i - half] = self.joined(sums[i - half], sums[i])
            del sums[half:]
        # from 0, as every sum, so that it isn't -0
        return self.rounded(self.joined(self.folded(sums[0]), self.neutral))


class SumOfThread(Reduction):
    """A sum of one thread: as a team has a sum in each lane, it has as many in its memory."""

    def __init__(self, grid: Grid, symbol: Symbol) -> None:
        super().__init__(grid, symbol)
        self.kind = self.lanes.kind("float64")
        self.sums = self.w.place(self.kind, grid.width)

    def begin_part(self, most: str) -> None:
        """Begin the sums of some classes, of which there may be fewer than lanes."""
        with self.w.loop(0, most) as lane:
            self.w.store(self.kind, self.neutral, self._sum(lane))

    def take(self, is_used: str | None, index: str) -> None:
        """Take in a class for each lane; the index is that of the sum it belongs to."""
        there = self._sum(index)
        sum_ = self.joined(self.w.load(self.kind, there), self.taken(is_used))
        self.w.store(self.kind, sum_, there)

    def end_part(self, most: str) -> None:
        """Fold the sums, and add what they make to those before."""
        w, stride, left = self.w, self.grid.width, most
        while stride > 1:
            stride //= 2
            with w.loop(0, w.least(w.sub(left, stride), stride)) as lane:
                there, other = self._sum(lane), self._sum(w.add(lane, stride))
                w.store(
                    self.kind, self.joined(*(w.load(self.kind, x) for x in (there, other))), there
                )
            left = w.least(left, stride)
        first = w.load(self.kind, self._sum("0"))
        w.set(self.found, self.joined(w.get(self.found), first))

    def _sum(self, lane: str) -> str:
        return self.w.at(self.sums, self.w.mul(lane, SIZES["float64"] * self.lanes.registers))


def reduction(grid: Grid, symbol: Symbol) -> Reduction:
    """Return the state of a reduction at the start of its pass."""
    return (Largest if symbol.op == "argmax" else Reduction)(grid, symbol)
