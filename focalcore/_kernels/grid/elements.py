"""The grid kernel of independent elements."""

from __future__ import annotations

from ..emit import Value
from ..symbols import Over, Symbol
from .loops import Grid


class Elements(Grid):
    """A kernel in which a team takes elements that follow each other, a vector's at once."""

    def team(self, team: str) -> None:
        self.sums = [self.partial_sum() for _ in self.summed]
        self.over_all(*self.bounds(team), self.reading_first(self._read, self._compute))
        self.store_sums(team, self.sums)

    def _read(self, elements: str) -> None:
        self.elements = elements
        for symbol in self.program.symbols:
            if symbol.op == "load":
                self.emitter.emit(symbol)

    def _compute(self, elements: str) -> None:
        lanes, self.elements = self.lanes, elements
        for i, result in self.stored:
            dtype = result.symbol.dtype
            value = self.emitter.wide(result.symbol, lanes.registers)
            there = lanes.at(f"%o{i}", self.row_of(f"o{i}", elements))
            lanes.store(dtype, value, there, self.is_used)
        for sum_, result in zip(self.sums, self.summed, strict=True):
            self.add_to(sum_, self.double_of(result.symbol), self.is_used)

    def leaf(self, symbol: Symbol) -> Value:
        """Return the value of a symbol that is read."""
        if symbol.over is Over.ALL:
            return super().leaf(symbol)
        name, array = self.array_of(symbol)
        there = self.lanes.at(f"%{name}", self.row_of(name, self.elements))
        return Value(self.lanes.load(array.dtype, there, self.is_used), self.lanes.registers)
