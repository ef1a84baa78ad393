"""The loop over rows with a row in each lane, for few classes, or rows that lie side by side."""

from __future__ import annotations

from ..emit import Value
from ..schedule import Pass
from ..symbols import Over, Symbol
from ..writer import SIZES, TYPES, vector
from .loops import UNALIGNED
from .reductions import Reduction, SumOfLanes
from .rows import Rows


class RowsInLanes(Rows):
    """A kernel in which a vector holds one class of several rows.

    Where rows do not lie side by side, they are copied so that they do.
    """

    def units(self) -> str:
        return self.w.mul("%classes", self.width)

    def block(self, start: str, stop: str) -> None:
        """Write what is done for the rows from a start to a stop."""
        w, before = self.w, dict(self.emitter.known)
        with w.loop(start, stop, self.width) as row:
            count = w.least(w.sub(stop, row), self.width)
            is_whole = w.is_(count, "eq", self.width)
            self.pointers = self.read_rows(row, count, is_whole)
            self.steps: dict[str, str] = {}
            for i, _ in self.over_classes:
                self._copy("turn", f"a{i}", *self._enter(f"a{i}", row, count, is_whole), count)
            outputs = [
                (f"o{i}", self._enter(f"o{i}", row, count, is_whole))
                for i, _ in self.classes_stored
            ]
            self.is_used = self.lanes_below(count)
            self.run_passes()
            self._store_rows(row, count, is_whole)
            for place, result in zip(self.sums, self.summed, strict=True):
                self.add_lanes(place, result.symbol, self.is_used)
            for name, where in outputs:
                self._copy("turn_back", name, *where, count)
            self.emitter.known = dict(before)

    def _enter(self, name: str, row: str, count: str, is_whole: str) -> tuple[str, str]:
        """Find where a class of several rows lies: in a region, if the rows are not side by side.

        Return where the offsets of the rows are, and whether they are side by side.
        """
        w, size = self.w, self.sizes[name]
        offsets, is_dense = self.offsets(f"%{name}", size, row, count)
        is_direct = w.value(f"and i1 {is_dense}, {is_whole}")
        there = w.at(f"%{name}", w.load("i64", offsets))
        self.pointers[name] = w.either(is_direct, "ptr", there, self.region(name))
        self.steps[name] = w.either(is_direct, "i64", f"%{name}_step", str(size * self.width))
        return offsets, is_direct

    def _copy(self, how: str, name: str, offsets: str, is_direct: str, count: str) -> None:
        w, size = self.w, self.sizes[name]
        region = self.region(name)
        to, source = (region, f"%{name}") if how == "turn" else (f"%{name}", region)
        with w.unless(is_direct):
            w.do(
                f"call void @{how}{size}(ptr {to}, ptr {source}, ptr {offsets}, "
                f"i64 %{name}_step, i64 %classes, i64 {count})"
            )

    def _store_rows(self, row: str, count: str, is_whole: str) -> None:
        """Store the outputs that have one number for each row."""
        w = self.w
        for i, result in self.rows_stored:
            size, kind = SIZES[result.symbol.dtype], vector(result.symbol.dtype, self.width)
            place, there = w.place(kind), self.at(f"%o{i}", row, size)
            name = self.emitter.wide(result.symbol, self.width)
            w.store(kind, name, w.either(is_whole, "ptr", there, place), UNALIGNED)
            self.look(result.looked_at, self.is_used)
            with w.unless(is_whole):
                w.copy(size, there, place, count)

    def over_all_classes(self, step: Pass, found: list[Reduction], earlier: list[Symbol]) -> None:
        """Write a pass, class by class."""
        with self.parts(found) as (start, stop), self.w.loop(start, stop) as self.class_:
            self.one_step(step, found, earlier)
        for one in found:
            self.emitter.known[one.symbol] = one.of_lanes()

    adder = SumOfLanes
    is_reduced = None

    def class_numbers(self) -> Value:
        """Return the number of the class that a pass is at."""
        return Value(self.w.value(f"trunc i64 {self.class_} to i32"), 1)

    def kept_at(self, i: int, symbol: Symbol) -> str:
        return self.at(self.region(f"k{i}"), self.class_, SIZES[symbol.dtype] * self.width)

    def stored_at(self, i: int) -> str:
        return self.at(self.pointers[f"o{i}"], self.class_, self.steps[f"o{i}"])

    def leaf(self, symbol: Symbol) -> Value:
        """Return the value of a symbol that is read."""
        if symbol.op == "class":
            kind = TYPES[symbol.dtype]
            is_whole = kind == "i64"
            return Value(
                self.class_ if is_whole else self.w.value(f"trunc i64 {self.class_} to {kind}"), 1
            )
        if symbol.op == "pick":
            return self._picked(symbol)
        if symbol.over is Over.ALL:
            return super().leaf(symbol)
        i, array = self.array_of(symbol)
        there = self.pointers[f"a{i}"]
        if symbol.over is Over.CLASS:
            there = self.at(there, self.class_, self.steps[f"a{i}"])
        return Value(self.loaded(array.dtype, there, self.width), self.width)

    def _picked(self, symbol: Symbol) -> Value:
        """Return the entry of each lane's class."""
        w, (i, array) = self.w, self.array_of(symbol)
        size, name = SIZES[array.dtype], f"a{i}"
        numbers, found = w.place("i32", self.width), w.place(f"i{8 * size}", self.width)
        index = self.emitter.wide(symbol.args[0], self.width)
        w.store(vector("int32", self.width), index, numbers)
        with w.loop(0, self.width) as lane:
            number = w.value(f"sext i32 {w.load('i32', self.at(numbers, lane, 4))} to i64")
            there = self.at(self.pointers[name], number, self.steps[name])
            entry = w.load(f"i{8 * size}", self.at(there, lane, size), UNALIGNED)
            w.store(f"i{8 * size}", entry, self.at(found, lane, size))
        return Value(self.loaded(array.dtype, found, self.width), self.width)
