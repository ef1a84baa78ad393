"""Modules of grid kernels: the text of all that a call launches, and its PTX."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from .. import compiler
from ..program import traced
from .elements import Elements
from .lanes import Threads
from .loops import Grid, Make
from .plan import Source
from .registers import RowsInRegisters
from .rows import RowsOfParts, RowsOfTeams, RowsOfThreads, launches_of_parts, passes_of
from .totals import totals


@cache
def ptx_of(source: Source, capability: tuple[int, int]) -> str:
    """Return the PTX of the kernels of a source, for a kind of GPU."""
    return compiler.ptx_of(module_of(source, Threads), capability)


def module_of(source: Source, make: Make) -> str:
    """Return the text of the kernels of a source, and of those that add up its sums."""
    program, kinds = traced(source.request), source.kinds
    match source.loop:
        case "elements":
            grids: list[tuple[str, Grid]] = [("kernel", Elements(program, kinds, make))]
        case "registers":
            few = RowsInRegisters(program, kinds, make, source.classes, source.threads)
            grids = [("kernel", few)]
        case "threads":
            grids = [("kernel", RowsOfThreads(program, kinds, make))]
        case "teams":
            grids = [("kernel", RowsOfTeams(program, kinds, make))]
        case _:
            n = launches_of_parts(passes_of(program))
            grids = [(f"kernel{i}", RowsOfParts(program, kinds, make, i)) for i in range(n)]
    if program.summed:
        grids += totals(make, program.width)
    return _text(grids)


def _text(grids: Iterable[tuple[str, Grid]]) -> str:
    functions: list[str] = []
    declared: dict[str, str] = {}
    for name, grid in grids:
        functions.append(grid.text(name))
        declared |= grid.declarations()
    return "\n".join([*declared.values(), *functions])
