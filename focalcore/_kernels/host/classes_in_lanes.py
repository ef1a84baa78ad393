"""The loop over rows with a class in each lane, for many classes that lie side by side."""

from __future__ import annotations

from ..emit import Value
from ..schedule import Pass
from ..symbols import Over, Symbol
from ..writer import SIZES, vector
from .loops import UNALIGNED
from .reductions import Reduction, SumOverLanes
from .rows import Rows


class ClassesInLanes(Rows):
    """A kernel in which a vector holds several classes of one row.

    The last classes, which may be no whole vector, are copied to where one can be read.
    """

    adder = SumOverLanes

    def units(self) -> str:
        w = self.w
        return w.value(f"and i64 {w.add('%classes', self.width - 1)}, -{self.width}")

    def block(self, start: str, stop: str) -> None:
        """Write what is done for the rows from a start to a stop."""
        w, before = self.w, dict(self.emitter.known)
        self.whole = w.value(f"and i64 %classes, -{self.width}")
        self.rest = w.sub("%classes", self.whole)
        self.tails = {n: w.place(f"i{8 * s}", self.width) for n, s in self.sizes.items()}
        with w.loop(start, stop, self.width) as group:
            count = w.least(w.sub(stop, group), self.width)
            is_whole = w.is_(count, "eq", self.width)
            rows = self.read_rows(group, count, is_whole)
            names = [f"a{i}" for i, _ in self.over_classes]
            names += [f"o{i}" for i, _ in self.classes_stored]
            offsets = {
                name: self.offsets(f"%{name}", self.sizes[name], group, count)[0] for name in names
            }
            with w.loop(0, count) as lane:
                self.pointers = {
                    f"a{i}": self.at(rows[f"a{i}"], lane, SIZES[array.dtype])
                    for i, array in self.over_rows
                }
                there = {
                    n: w.at(f"%{n}", w.load("i64", self.at(offsets[n], lane, 8))) for n in names
                }
                self._row(there, w.add(group, lane), lane)
                self.emitter.known = dict(before)

    def _row(self, there: dict[str, str], row: str, lane: str) -> None:
        """Write what is done for a row, whose arrays lie there."""
        w = self.w
        self.places = there
        self.is_direct = {}
        for name, place in there.items():
            size = self.sizes[name]
            self.is_direct[name] = w.is_(f"%{name}_step", "eq", size)
            if name[0] == "a":
                with w.unless(self.is_direct[name]):
                    w.copy(size, self.region(name), place, "%classes", step=f"%{name}_step")
            self.pointers[name] = w.either(self.is_direct[name], "ptr", place, self.region(name))
            if name[0] == "a":
                w.store(vector(f"uint{8 * size}", self.width), "zeroinitializer", self.tails[name])
                w.copy(size, self.tails[name], self._end(name), self.rest)
        self.run_passes()
        for i, result in self.rows_stored:
            kind, size = vector(result.symbol.dtype, 1), SIZES[result.symbol.dtype]
            name = self.emitter.wide(result.symbol, 1)
            w.store(kind, name, self.at(f"%o{i}", row, size), UNALIGNED)
            self.look(result.looked_at)
        for place, result in zip(self.sums, self.summed, strict=True):
            number = w.as_doubles(result.symbol.dtype, 1, self.emitter.wide(result.symbol, 1))
            there_ = self.at(place, lane, 8)
            w.store("double", w.value(f"fadd double {w.load('double', there_)}, {number}"), there_)

    def _end(self, name: str) -> str:
        """Return a pointer to the classes that are no whole vector."""
        return self.at(self.pointers[name], self.whole, self.sizes[name])

    def over_all_classes(self, step: Pass, found: list[Reduction], earlier: list[Symbol]) -> None:
        """Write a pass over vectors of classes, of which the last may lie elsewhere."""
        w = self.w
        with self.parts(found) as (start, stop), w.loop(start, stop, self.width) as self.class_:
            left = w.sub("%classes", self.class_)
            self.is_tail = w.is_(left, "slt", self.width)
            self.is_used = self.is_reduced = self.lanes_below(left)
            self.one_step(step, found, earlier)
        for i, result in self.classes_stored:
            if step.stores(result.symbol):
                self._give_back(f"o{i}")
        for one in found:
            self.emitter.known[one.symbol] = one.of_all()

    def _give_back(self, name: str) -> None:
        """Copy the last classes of an output, or all, to where they belong."""
        w, size = self.w, self.sizes[name]
        w.copy(size, self._end(name), self.tails[name], self.rest)
        with w.unless(self.is_direct[name]):
            there = self.places[name]
            w.copy(size, there, self.pointers[name], "%classes", onto=f"%{name}_step")

    def kept_at(self, i: int, symbol: Symbol) -> str:
        return self.at(self.region(f"k{i}"), self.class_, SIZES[symbol.dtype])

    def stored_at(self, i: int) -> str:
        return self._vector_at(f"o{i}")

    def _vector_at(self, name: str) -> str:
        there = self.at(self.pointers[name], self.class_, self.sizes[name])
        return self.w.either(self.is_tail, "ptr", self.tails[name], there)

    def class_numbers(self) -> Value:
        """Return the numbers of the classes in the lanes."""
        first = self.w.value(f"trunc i64 {self.class_} to i32")
        each = self.emitter.spread(Value(first, 1), "int32", self.width)
        kind = vector("int32", self.width)
        return Value(self.w.value(f"add {kind} {each}, {self.lanes}"), self.width)

    def leaf(self, symbol: Symbol) -> Value:
        """Return the value of a symbol that is read."""
        if symbol.op == "class":
            numbers = self.class_numbers()
            if symbol.dtype == "int32":
                return numbers
            kind = vector("int32", self.width)
            to = vector(symbol.dtype, self.width)
            return Value(self.w.value(f"sext {kind} {numbers.name} to {to}"), self.width)
        if symbol.over is Over.ALL:
            return super().leaf(symbol)
        i, array = self.array_of(symbol)
        name = f"a{i}"
        if symbol.op == "pick":
            index = self.emitter.wide(symbol.args[0], 1)
            number = self.w.value(f"sext i32 {index} to i64")
            there = self.at(self.pointers[name], number, SIZES[array.dtype])
            return Value(self.loaded(array.dtype, there, 1), 1)
        if symbol.over is Over.CLASS:
            return Value(self.loaded(array.dtype, self._vector_at(name), self.width), self.width)
        return Value(self.loaded(array.dtype, self.pointers[name], 1), 1)
