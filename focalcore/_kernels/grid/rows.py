"""The grid kernels of rows: a row for a thread, for a team, or for several teams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from ..emit import Value
from ..program import Program
from ..schedule import Pass, schedule
from ..sums import PART
from ..symbols import Over, Symbol
from ..writer import SIZES, TYPES
from .loops import Grid, Kind, Make
from .reductions import Reduction, SumOfThread, reduction

SLOT = 16  # bytes of what is reduced of a part: a number, and that of its class
ANY_COST = 10**9  # nothing is kept between passes: to compute again is faster than memory


def passes_of(program: Program) -> list[Pass]:
    """Return the passes over the classes, between which nothing is kept."""
    stored = [r.symbol for _, r in program.stored if r.over is Over.CLASS]
    return schedule(program.symbols, stored, ANY_COST).passes


class Rows(Grid):
    """A kernel of rows, which makes the passes over the classes that their outputs need."""

    classes: str  # the number of the class of each lane
    row_is_used: str | None = None  # the lanes that have a row (None: all)

    @cached_property
    def passes(self) -> list[Pass]:
        """Return the passes over the classes."""
        return passes_of(self.program)

    def enter_rows(self, rows: str) -> None:
        """Find where the rows of the lanes lie."""
        names = [n for n, kind in self.kinds.items() if kind.over is not Over.ALL]
        self.offsets = {name: self.row_of(name, rows) for name in names}

    def visit(self, step: Pass, found: Iterable[Reduction]) -> None:
        """Do what a pass does at the class of each lane."""
        for one in found:
            one.take(self.is_used, self.numbers_of_classes("int32"))
        for i, result in self.stored:
            if result.over is Over.CLASS and step.stores(result.symbol):
                self._put(f"o{i}", result.symbol, self.class_of(f"o{i}", self.classes))

    def read_classes(self, step: Pass) -> None:
        """Read what a pass needs of the class of each lane."""
        for symbol in step.symbols:
            if symbol.op == "load" and symbol.over is Over.CLASS:
                self.emitter.emit(symbol)

    def _put(self, name: str, symbol: Symbol, beyond: str) -> None:
        lanes = self.lanes
        there = lanes.at(f"%{name}", lanes.do("add", self.offsets[name], beyond))
        value = self.emitter.wide(symbol, lanes.registers)
        lanes.store(symbol.dtype, value, there, self.is_used)

    def numbers_of_classes(self, dtype: str) -> str:
        """Return the number of the class of each lane."""
        if TYPES[dtype] == "i64":
            return self.classes
        return self.lanes.converted("trunc", self.classes, "int64", dtype)

    def leaf(self, symbol: Symbol) -> Value:
        """Return the value of a symbol that is read."""
        lanes = self.lanes
        if symbol.op == "class":
            return Value(self.numbers_of_classes(symbol.dtype), lanes.registers)
        if symbol.over is Over.ALL:
            return super().leaf(symbol)
        name, array = self.array_of(symbol)
        offsets = self.offsets[name]
        if symbol.op == "pick":
            index = self.emitter.wide(symbol.args[0], lanes.registers)
            wide = lanes.converted("sext", index, "int32", "int64")
            offsets = lanes.do("add", offsets, self.class_of(name, wide))
        elif symbol.over is Over.CLASS:
            offsets = lanes.do("add", offsets, self.class_of(name, self.classes))
        is_used = self.row_is_used if symbol.over is Over.ROW else self.is_used
        there = lanes.at(f"%{name}", offsets)
        return Value(lanes.load(array.dtype, there, is_used), lanes.registers)


class RowsOfThreads(Rows):
    """A kernel in which each thread has a row: for few classes, or rows that lie side by side."""

    def team(self, team: str) -> None:
        """Write what a team does: as many rows at once as it has lanes."""
        w, lanes = self.w, self.lanes
        start, stop = self.bounds(team)
        sums = [self.partial_sum() for _ in self.summed]
        with w.loop(start, stop, self.width) as first, self.scope():
            rows = self.of_each(first)
            self.is_used = self.row_is_used = lanes.do("icmp slt", rows, lanes.each(stop))
            with lanes.only(self.is_used):
                self.enter_rows(rows)
                for step in self.passes:
                    self._pass(step)
                for i, result in self.stored:
                    if result.over is Over.ROW:
                        self._put(f"o{i}", result.symbol, self.splat(0))
                for sum_, result in zip(sums, self.summed, strict=True):
                    self.add_to(sum_, self.double_of(result.symbol), self.is_used)
        self.store_sums(team, sums)

    def _pass(self, step: Pass) -> None:
        w = self.w
        self.emitter.emit_below(Over.CLASS, step.symbols)
        sums = [SumOfThread(self, s) for s in step.reduced if s.op == "sum"]
        others = [reduction(self, s) for s in step.reduced if s.op != "sum"]
        with w.loop(0, "%classes", PART) as begin:
            length = w.least(w.sub("%classes", begin), PART)
            most = w.least(length, self.width)
            for sum_ in sums:
                sum_.begin_part(most)
            with w.loop(0, length) as index, self.scope():
                self.classes = self.lanes.each(w.add(begin, index))
                self.read_classes(step)
                self.visit(step, others)
                for sum_ in sums:
                    sum_.take(self.is_used, w.value(f"and i64 {index}, {self.width - 1}"))
            for sum_ in sums:
                sum_.end_part(most)
        for one in (*sums, *others):
            self.emitter.known[one.symbol] = one.of_lanes()


class RowsOfTeams(Rows):
    """A kernel in which a team has a row, and each of its lanes some of the classes."""

    def team(self, team: str) -> None:
        self.enter_rows(self.lanes.each(team))
        for step in self.passes:
            found = self.begin(step)
            self.parts("0", "%classes", step, found)
            for one in found:
                self.emitter.known[one.symbol] = one.of_team()
        self.finish(team)

    def begin(self, step: Pass) -> list[Reduction]:
        """Begin a pass, and return its reductions."""
        self.emitter.emit_below(Over.CLASS, step.symbols)
        return [reduction(self, symbol) for symbol in step.reduced]

    def parts(self, start: str, stop: str, step: Pass, found: list[Reduction]) -> None:
        """Visit the classes from a start to a stop."""

        def read(classes: str) -> None:
            self.classes = classes
            self.read_classes(step)

        def compute(classes: str) -> None:
            self.classes = classes
            self.visit(step, found)

        self.over_all(start, stop, self.reading_first(read, compute))

    def finish(self, row: str) -> None:
        """Store what there is one of for each row."""
        for i, result in self.stored:
            if result.over is Over.ROW:
                value = self.emitter.wide(result.symbol, self.lanes.registers)
                there = self.w.at(f"%o{i}", self.w.mul(row, SIZES[self.dtypes[f"o{i}"]]))
                self.lanes.store_first(result.symbol.dtype, value, there)
        for i, result in enumerate(self.summed):
            number = self.double_of(result.symbol)
            there = self.w.at(
                "%sums", self.w.mul(self.w.add(self.w.mul("%n", i), row), SIZES["float64"])
            )
            self.lanes.store_first("float64", number, there)


class RowsOfParts(RowsOfTeams):
    """One of several kernels that are launched one after the other, each for a pass.

    A team has a part of the classes of a row. What it reduces is stored for the launches after it,
    which first put the parts together.
    """

    def __init__(self, program: Program, kinds: Sequence[Kind], make: Make, number: int) -> None:
        super().__init__(program, kinds, make)
        self.number = number  # of the launch
        self.earlier, self.own = self.passes[:number], self.passes[number : number + 1]
        self.is_last = number == launches_of_parts(self.passes) - 1

    def team(self, team: str) -> None:
        w = self.w
        n_parts = w.value(f"udiv i64 {w.add('%classes', PART - 1)}, {PART}")
        row, part = team, "0"
        if self.own:
            row, part = (w.value(f"{how} i64 {team}, {n_parts}") for how in ("udiv", "urem"))
        self.enter_rows(self.lanes.each(row))
        for step in self.earlier:
            self._put_together(step, row, n_parts)
        for step in self.own:
            found, start = self.begin(step), w.mul(part, PART)
            self.parts(start, w.least(w.add(start, PART), "%classes"), step, found)
            for one in found:
                one.put(self._place(one.symbol, row, part, n_parts))
        if self.is_last:
            with w.when(w.is_(part, "eq", 0)), self.scope():
                self.finish(row)

    def _put_together(self, step: Pass, row: str, n_parts: str) -> None:
        found = self.begin(step)
        with self.w.loop(0, n_parts) as part:
            for one in found:
                one.get(self._place(one.symbol, row, part, n_parts))
        for one in found:
            self.emitter.known[one.symbol] = one.of_lanes()

    def _place(self, symbol: Symbol, row: str, part: str, n_parts: str) -> str:
        """Return where what is reduced of a part of a row is stored."""
        w, number = self.w, reduced(self.passes)[symbol]
        place = w.add(w.mul(w.add(w.mul("%n", number), row), n_parts), part)
        return w.at("%parts", w.mul(place, SLOT))


def reduced(passes: Iterable[Pass]) -> dict[Symbol, int]:
    """Return all that passes reduce, with the numbers of it."""
    return {s: i for i, s in enumerate(s for step in passes for s in step.reduced)}


def launches_of_parts(passes: list[Pass]) -> int:
    """Return how many launches the rows take: one for each pass, and one for what comes after."""
    return len(passes) + bool(passes[-1].reduced)
