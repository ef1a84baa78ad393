"""What the loops over rows have in common: passes over the classes, and memory between them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..emit import Value
from ..program import Program
from ..schedule import Pass, schedule
from ..sums import PART
from ..symbols import Over, Symbol
from ..writer import SIZES, vector
from .loops import UNALIGNED, Loop
from .reductions import Largest, Reduction


class Rows(Loop):
    """A kernel of rows, whose scratch memory has a region for each array that may be copied."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.over_classes = [(i, a) for i, a in enumerate(program.arrays) if a.over is Over.CLASS]
        self.rows_stored = [(i, r) for i, r in self.stored if r.over is Over.ROW]
        self.classes_stored = [(i, r) for i, r in self.stored if r.over is Over.CLASS]
        self.schedule = schedule(program.symbols, [r.symbol for _, r in self.classes_stored])
        sizes = {f"a{i}": SIZES[a.dtype] for i, a in self.over_classes}
        sizes |= {f"o{i}": SIZES[r.symbol.dtype] for i, r in self.classes_stored}
        sizes |= {f"k{i}": SIZES[s.dtype] for i, s in enumerate(self.schedule.kept)}
        self.sizes = sizes
        self.scratch = sum(sizes.values())  # bytes for each class, or for each class of each lane

    def region(self, name: str) -> str:
        """Return a pointer to the region of scratch memory of a name."""
        names = list(self.sizes)
        before = sum(self.sizes[n] for n in names[: names.index(name)])
        return self.at("%scratch", self.units(), before)

    def units(self) -> str:
        """Return how many elements a region of scratch memory has."""
        raise NotImplementedError

    def run_passes(self) -> None:
        """Write the passes over the classes, after which what is reduced is known."""
        for i, step in enumerate(self.schedule.passes):
            self.emitter.emit_below(Over.CLASS, step.symbols)
            earlier = [s for before in self.schedule.passes[:i] for s in before.kept]
            found = [self.reduction(symbol) for symbol in step.reduced]
            self.over_all_classes(step, found, earlier)

    def reduction(self, symbol: Symbol) -> Reduction:
        """Return the state of a reduction at the start of its pass."""
        kinds = {"sum": self.adder, "argmax": Largest}
        return kinds.get(symbol.op, Reduction)(self, symbol)

    adder: type[Reduction]  # what adds up the classes of a row

    @contextmanager
    def parts(self, found: list[Reduction]) -> Iterator[tuple[str, str]]:
        """Repeat for each part of the classes, from its start to its stop; each has own sums."""
        w = self.w
        with w.loop(0, "%classes", PART) as start:
            count = w.least(w.sub("%classes", start), PART)
            for one in found:
                one.begin_part()
            yield start, w.add(start, count)
            for one in found:
                one.end_part(count)

    def over_all_classes(self, step: Pass, found: list[Reduction], earlier: list[Symbol]) -> None:
        """Write a pass, and enter what it has reduced."""
        raise NotImplementedError

    def one_step(self, step: Pass, found: list[Reduction], earlier: list[Symbol]) -> None:
        """Write what a pass does at a class, or at a vector of classes."""
        before, numbers = dict(self.emitter.known), self.schedule.kept
        for symbol in earlier:
            name = self.loaded(symbol.dtype, self.kept_at(numbers[symbol], symbol), self.width)
            self.emitter.known[symbol] = Value(name, self.width)
        for one in found:
            one.take(self.is_reduced, self.class_numbers())
        for symbol in step.kept:
            self.put(symbol, self.kept_at(numbers[symbol], symbol))
        for i, result in self.classes_stored:
            if step.stores(result.symbol):
                self.put(result.symbol, self.stored_at(i))
                self.look(result.looked_at, self.is_used)
        self.emitter.known = before

    is_used: str  # the lanes that have a row, or a class
    is_reduced: str | None  # those that reductions take in; None: all

    def class_numbers(self) -> Value:
        """Return the number of the class that a pass is at, or of those in the lanes."""
        raise NotImplementedError

    def kept_at(self, i: int, symbol: Symbol) -> str:
        """Return where what is kept for a later pass lies."""
        raise NotImplementedError

    def stored_at(self, i: int) -> str:
        """Return where an output lies."""
        raise NotImplementedError

    def put(self, symbol: Symbol, there: str) -> None:
        """Store a symbol in lanes."""
        kind = vector(symbol.dtype, self.width)
        self.w.store(kind, self.emitter.wide(symbol, self.width), there, UNALIGNED)

    def read_rows(self, first: str, count: str, is_whole: str) -> dict[str, str]:
        """Return pointers to what some rows have one each of, side by side."""
        found = {}
        for i, array in self.over_rows:
            size = SIZES[array.dtype]
            place = self.w.place(f"i{8 * size}", self.width)
            found[f"a{i}"] = self.readable(f"%a{i}", size, first, count, is_whole, place)
        return found

    def offsets(self, name: str, size: int, first: str, count: str) -> tuple[str, str]:
        """Return where the offsets of some rows of an array are, and whether these are dense."""
        w, place = self.w, self.w.place("i64", self.width)
        dense = w.value(
            f"call i64 @offsets(ptr {place}, ptr {name}_table, i64 {first}, i64 {count}, "
            f"i64 {size})"
        )
        return place, w.is_(dense, "eq", 1)
