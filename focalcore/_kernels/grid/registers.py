"""The grid kernel of rows of few classes, which lie in the registers of one or several threads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ..emit import Value
from ..program import Program
from ..schedule import Pass
from ..symbols import Over, Symbol
from ..writer import Variable
from .loops import Kind, Make, halves
from .reductions import Reduction, SumInRegisters, reduction
from .rows import Rows

# the most classes of a thread, by the threads of a row: of a few threads, each writes memory in
# places far from those of the next, and the fewer the better
MOST_STORED = {1: 5, 2: 10, 4: 10, 8: 16, 16: 20, 32: 32}
MOST_READ = 25  # where nothing is stored for each class
MOST_SIDE_BY_SIDE = 32  # where the rows, and not the classes, follow each other in memory


def threads_of_row(classes: int, width: int, most: dict[int, int]) -> int:
    """Return how many threads share a row of so many classes, or 0 where these are too many."""
    fitting = (n for n in most if n <= width and classes <= n * most[n])
    return next(fitting, 0)


def most_classes(program: Program, *, lie_side_by_side: bool) -> dict[int, int]:
    """Return the most classes of a thread, by the threads that share a row."""
    if lie_side_by_side:
        return {1: MOST_SIDE_BY_SIDE}
    is_stored = any(r.over is Over.CLASS for _, r in program.stored)
    return MOST_STORED if is_stored else dict.fromkeys(MOST_STORED, MOST_READ)


class RowsInRegisters(Rows):
    """A kernel for a number of classes, in which each is read once, and computed once.

    Thread s of the T threads of a row has the classes s, s + T, s + 2 T and so on. A team has W / T
    rows at once, and in T turns one row for each lane, as the sum over the rows needs it.
    """

    def __init__(
        self, program: Program, kinds: Sequence[Kind], make: Make, classes: int, threads: int
    ) -> None:
        super().__init__(program, kinds, make)
        self.n_classes, self.threads = classes, threads
        self.at_once = self.width // threads

    @property
    def distances(self) -> list[int]:
        return halves(self.threads)

    @property
    def distances_of_rows(self) -> list[int]:
        """Return the distances of lanes whose rows are joined: these are numbered turn by turn."""
        return [*halves(self.threads), *(d * self.threads for d in halves(self.at_once))]

    def team(self, team: str) -> None:
        w, lanes = self.w, self.lanes
        self.place = lanes.do("urem", lanes.numbers, self.splat(self.threads))
        group = lanes.do("udiv", lanes.numbers, self.splat(self.threads))
        start, stop = self.bounds(team)
        sums = [self.partial_sum() for _ in self.summed]
        with w.loop(start, stop, self.width) as first:
            own = [self.partial_sum() for _ in self.summed]
            with w.loop(0, self.threads) as turn, self.scope():
                begin = w.add(first, w.mul(turn, self.at_once))
                rows = lanes.do("add", lanes.each(begin), group)
                self._rows(rows, stop, lanes.do("icmp eq", self.place, lanes.each(turn)), own)
            begins = lanes.do("mul", self.place, self.splat(self.at_once))
            rows = lanes.do("add", lanes.do("add", begins, group), lanes.each(first))
            has_row = lanes.do("icmp slt", rows, lanes.each(stop))
            for sum_, value in zip(sums, own, strict=True):
                self.add_to(sum_, w.get(value), has_row)
        self.store_sums(team, sums)

    def _rows(self, rows: str, stop: str, is_turn: str, own: list[Variable]) -> None:
        """Write what is done for as many rows as a team has at once."""
        w, lanes = self.w, self.lanes
        self.is_row = lanes.do("icmp slt", rows, lanes.each(stop))
        last = lanes.each(w.add(stop, -1))
        self.enter_rows(self.in_used(self.is_row, "int64", rows, last))
        self.slots: list[dict[Symbol, Value]] = [{} for _ in range(0, self.n_classes, self.threads)]
        for step in self.passes:
            self._pass(step)
        is_first = lanes.do("icmp eq", self.place, self.splat(0))
        for i, result in self.stored:
            if result.over is Over.ROW:
                is_used = lanes.do("and", self.is_row, is_first, "bool")
                self._store(f"o{i}", result.symbol, self.splat(0), is_used)
        for sum_, result in zip(own, self.summed, strict=True):
            number = self.double_of(result.symbol)
            w.set(sum_, self.in_used(is_turn, "float64", number, w.get(sum_)))

    def _pass(self, step: Pass) -> None:
        found = [self._reduction(symbol) for symbol in step.reduced]
        for number in range(len(self.slots)):
            with self._slot(number) as is_class:
                for one in found:
                    one.take(is_class, self.numbers_of_classes("int32"))
                for i, result in self.stored:
                    if result.over is Over.CLASS and step.stores(result.symbol):
                        self._store_class(f"o{i}", result.symbol, is_class)
        for one in found:
            self.emitter.known[one.symbol] = one.of_team()

    def _reduction(self, symbol: Symbol) -> Reduction:
        return SumInRegisters(self, symbol) if symbol.op == "sum" else reduction(self, symbol)

    @contextmanager
    def _slot(self, number: int) -> Iterator[str | None]:
        """Enter a class of each lane; what is computed of it stays known. Tell which there are."""
        lanes, first = self.lanes, number * self.threads
        self.classes, is_class = lanes.do("add", self.place, self.splat(first)), None
        if first + self.threads > self.n_classes:
            last = self.splat(self.n_classes - 1)
            is_class = lanes.do("icmp sle", self.classes, last)
            self.classes = self.in_used(is_class, "int64", self.classes, last)
        self.emitter.known |= self.slots[number]
        yield is_class
        known = self.emitter.known
        self.slots[number] = {s: known.pop(s) for s in list(known) if s.over is Over.CLASS}

    def _store_class(self, name: str, symbol: Symbol, is_class: str | None) -> None:
        is_used = self.is_row
        if is_class is not None:
            is_used = self.lanes.do("and", is_class, is_used, "bool")
        self._store(name, symbol, self.class_of(name, self.classes), is_used)

    def _store(self, name: str, symbol: Symbol, beyond: str, is_used: str) -> None:
        lanes = self.lanes
        there = lanes.at(f"%{name}", lanes.do("add", self.offsets[name], beyond))
        value = self.emitter.wide(symbol, lanes.registers)
        with lanes.only(is_used):
            lanes.store(symbol.dtype, value, there, is_used)

    def leaf(self, symbol: Symbol) -> Value:
        if symbol.op == "count":
            return Value(str(self.n_classes), 1)
        if symbol.op == "number" and symbol.of == "classes":
            return Value(f"{float(self.n_classes)!r}", 1)
        return super().leaf(symbol)
