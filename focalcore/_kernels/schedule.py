"""The passes over the classes of a row that its outputs need.

A reduction over the classes has to be finished before what depends on it starts: each pass computes
the reductions that earlier passes made possible. What a later pass needs again is kept in memory if
it would cost much to compute again, as an exponential does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .symbols import Over, Symbol, reachable

REDUCTIONS = ("sum", "max", "any", "argmax")
MOST_REPEATED = 8  # the most operations that are rather done again than kept


@dataclass
class Pass:
    """A pass over the classes: what it reduces, keeps for later passes, and stores."""

    reduced: list[Symbol] = field(default_factory=list)
    kept: list[Symbol] = field(default_factory=list)
    stored: list[Symbol] = field(default_factory=list)

    @property
    def made(self) -> list[Symbol]:
        """Return what it computes of each class."""
        return [*(s.args[0] for s in self.reduced), *self.kept, *self.stored]

    @property
    def symbols(self) -> list[Symbol]:
        """Return all that this is made of, each after its parts."""
        return reachable(self.made)

    def stores(self, symbol: Symbol) -> bool:
        """Tell whether it stores a symbol."""
        return any(each is symbol for each in self.stored)  # for == of symbols is one itself


@dataclass
class Schedule:
    """The passes over the classes, and what is kept between them, with the numbers of it."""

    passes: list[Pass]
    kept: dict[Symbol, int]


def schedule(
    wanted: Iterable[Symbol], stored: Iterable[Symbol], most_repeated: int = MOST_REPEATED
) -> Schedule:
    """Return the passes that the outputs of a row need, some of them stored for each class.

    What takes more than so many operations is kept between passes, and not done again.
    """
    wanted, stored = list(wanted), list(stored)
    level = _levels([*wanted, *stored])
    passes: dict[int, Pass] = {}
    for symbol in level:
        if symbol.op in REDUCTIONS:
            passes.setdefault(level[symbol] - 1, Pass()).reduced.append(symbol)
    for symbol in stored:
        passes.setdefault(level[symbol], Pass()).stored.append(symbol)
    kept = _keep(passes, most_repeated)
    return Schedule([passes[i] for i in sorted(passes)], {s: i for i, s in enumerate(kept)})


def _levels(roots: list[Symbol]) -> dict[Symbol, int]:
    """Return how many reductions, one after the other, each symbol depends on."""
    level: dict[Symbol, int] = {}
    for symbol in reachable(roots):
        deepest = max((level[a] for a in symbol.args), default=0)
        level[symbol] = deepest + (symbol.op in REDUCTIONS)
    return level


def _keep(passes: dict[int, Pass], most_repeated: int) -> list[Symbol]:
    """Choose what passes keep for later ones, and return it."""
    made_in: dict[Symbol, int] = {}
    kept: dict[Symbol, None] = {}
    for i in sorted(passes):
        seen: dict[Symbol, None] = {}
        stack = passes[i].made
        while stack:
            symbol = stack.pop()
            if symbol in seen or symbol.over < Over.CLASS:
                continue
            seen[symbol] = None
            before = made_in.setdefault(symbol, i)
            if before == i or symbol.dtype == "bool" or _cost(symbol) <= most_repeated:
                stack.extend(symbol.args)
            elif symbol not in kept:
                kept[symbol] = None
                passes[before].kept.append(symbol)
    return list(kept)


def _cost(symbol: Symbol) -> int:
    """Return the number of operations for each class that make a symbol."""
    return sum(s.over is Over.CLASS and s.op != "load" for s in reachable([symbol]))
