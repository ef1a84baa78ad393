"""The choice of one class in each row, of symbols."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .symbols import Over, Symbol

if TYPE_CHECKING:
    from .trace import Trace

COUNTED = "int32"  # the type of the numbers of classes


class Choice:
    """The choice of one class in each row, by a label that may be none of the classes."""

    def __init__(self, trace: Trace, labels: Symbol, axis: int) -> None:
        self.trace, self.axis = trace, axis
        if labels.op == "argmax":
            self.index, self.is_class = labels, None
        else:
            wide = trace.astype(labels, "int64")
            classes = trace.made("count", (), "int64")
            self.is_class = (wide >= 0) & (wide < classes)
            self.index = trace.astype(trace.select(self.is_class, wide, 0), COUNTED)
        numbers = trace.made("class", (), COUNTED, over=Over.CLASS)
        chosen = numbers == self.index
        self.chosen = chosen if self.is_class is None else chosen & self.is_class

    def gather(self, x: Symbol) -> Symbol:
        entry = self._at(x, {})
        return entry if self.is_class is None else self.trace.select(self.is_class, entry, math.nan)

    def scatter(self, x: Symbol, by: Any) -> Symbol:
        return self.trace.select(self.chosen, by, x)

    def _at(self, x: Symbol, known: dict[Symbol, Symbol]) -> Symbol:
        """Return what an entry of any class is at the chosen class."""
        if x.over < Over.CLASS:
            return x
        if x not in known:
            known[x] = self._made_at(x, known)
        return known[x]

    def _made_at(self, x: Symbol, known: dict[Symbol, Symbol]) -> Symbol:
        if x.op == "class":
            return self.trace.astype(self.index, x.dtype)
        if x.op == "load":
            return self.trace.made("pick", (self.index,), x.dtype, x.of, Over.ROW)
        args = tuple(self._at(a, known) for a in x.args)
        return self.trace.made(x.op, args, x.dtype, x.of)
