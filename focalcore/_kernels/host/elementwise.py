"""The loop over independent elements."""

from __future__ import annotations

from ..emit import Value
from ..program import Result
from ..symbols import Over, Symbol
from ..writer import SIZES, vector
from .loops import UNALIGNED, Loop

TILE = 512  # elements that are copied at once, where they do not lie side by side


class Elementwise(Loop):
    """A kernel of independent elements.

    A tile of elements that lie side by side is read and written where it lies. What lies otherwise,
    or is no whole tile, so that a vector would reach beyond it, is copied first.
    """

    def block(self, start: str, stop: str) -> None:
        """Write what is done for the elements from a start to a stop."""
        w = self.w
        copies = {f"a{i}": w.place(f"i{8 * SIZES[a.dtype]}", TILE) for i, a in self.over_rows}
        for i, result in self.stored:
            copies[f"o{i}"] = w.place(f"i{8 * _size(result)}", TILE)
        with w.loop(start, stop, TILE) as tile:
            count = w.least(w.sub(stop, tile), TILE)
            is_whole = w.is_(count, "eq", TILE)
            self.pointers = {}
            for i, array in self.over_rows:
                self.pointers[f"a{i}"] = self.readable(
                    f"%a{i}", SIZES[array.dtype], tile, count, is_whole, copies[f"a{i}"]
                )
            for i, result in self.stored:
                there = self.at(f"%o{i}", tile, _size(result))
                self.pointers[f"o{i}"] = w.either(is_whole, "ptr", there, copies[f"o{i}"])
            with w.loop(0, count, self.width) as self.first:
                self._vector(w.sub(count, self.first))
            with w.unless(is_whole):
                for i, result in self.stored:
                    size = _size(result)
                    w.copy(size, self.at(f"%o{i}", tile, size), copies[f"o{i}"], count)

    def _vector(self, left: str) -> None:
        """Write the operations on a vector of elements, of which some may be left."""
        before = dict(self.emitter.known)
        for i, result in self.stored:
            name = self.emitter.wide(result.symbol, self.width)
            kind = vector(result.symbol.dtype, self.width)
            there = self.at(self.pointers[f"o{i}"], self.first, _size(result))
            self.w.store(kind, name, there, UNALIGNED)
            self.look(result.looked_at)
        if self.summed:
            is_used = self.lanes_below(left)
            for place, result in zip(self.sums, self.summed, strict=True):
                self.add_lanes(place, result.symbol, is_used)
        self.emitter.known = before

    def leaf(self, symbol: Symbol) -> Value:
        """Return the value of a symbol that is read."""
        if symbol.over is Over.ALL:
            return super().leaf(symbol)
        i, array = self.array_of(symbol)
        there = self.at(self.pointers[f"a{i}"], self.first, SIZES[array.dtype])
        return Value(self.loaded(array.dtype, there, self.width), self.width)


def _size(result: Result) -> int:
    return SIZES[result.symbol.dtype]
