"""Plans: what is launched on a grid for a call, in which order, and with which arguments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..placement import Arguments, Call, Place, planned
from ..program import Program, Request, traced
from ..schedule import Pass
from ..sums import BLOCK, LANES, PART, rows_of_block
from ..writer import SIZES
from .lanes import THREADS
from .loops import UNROLLED, Kind, kind_of
from .registers import most_classes, threads_of_row
from .rows import SLOT, launches_of_parts, passes_of, reduced

MANY_TEAMS = 2**13  # that keep a large GPU busy: beyond, each may as well have more to do
SIDE_BY_SIDE = 32  # so many rows that follow each other, a warp reads at once
SUMS, PARTS = 1, 2  # where these are among the arguments beside those of a launch

Shape = tuple[int, ...]


class Source(NamedTuple):
    """What a module of kernels is made from."""

    request: Request
    kinds: tuple[Kind, ...]
    loop: str
    classes: int = 0  # that they are made for; 0: for any number
    threads: int = 0  # of a row, where these are given


class Launch(NamedTuple):
    """A kernel on a grid: so many teams of threads, and how much there is to do for each."""

    name: str
    teams: int
    per_team: int
    n: int  # rows, elements, or numbers to be added up
    width: int  # threads of a team

    @property
    def blocks(self) -> int:
        """Return the number of blocks of threads."""
        return -(-self.teams * self.width // THREADS)

    @property
    def arguments(self) -> tuple[int, int, int]:
        """Return the arguments that come before all others."""
        return self.teams, self.per_team, self.n


@dataclass(frozen=True)
class GridPlan:
    """How kernels are launched on arrays that lie in a certain way."""

    source: Source
    launches: tuple[Launch, ...]
    folds: tuple[Launch, ...]  # that add up each of the sums, after these
    arguments: Arguments  # beside those of a launch
    shapes: tuple[Shape | None, ...]  # of the outputs; None: a sum
    dtypes: tuple[str, ...]
    summed: tuple[int, ...]  # which outputs are sums
    parts: int  # bytes of memory for what is reduced of parts of rows

    @property
    def memory(self) -> tuple[int, int]:
        """Return the bytes of memory that sums take, and what is reduced of parts of rows."""
        first, *others = [fold.n for fold in self.folds] or [0]
        return SIZES["float64"] * (len(self.summed) * first + sum(others)), self.parts

    def given(
        self, pointers: Sequence[int], numbers: Sequence[float], sums: int, parts: int
    ) -> tuple[Any, ...]:
        """Return the arguments of all launches, beside their own."""
        arguments = self.arguments.filled(pointers, numbers)
        arguments[SUMS], arguments[PARTS] = sums, parts
        return tuple(arguments)

    def given_to_folds(
        self, number: int, sums: int, denominator: float, to: int
    ) -> Iterator[tuple[Any, ...]]:
        """Return the arguments of each fold of a sum, beside its own; the last one divides."""
        size, last = SIZES["float64"], self.folds[-1]
        source, after = (sums + size * self.folds[0].n * i for i in (number, len(self.summed)))
        for fold in self.folds:
            yield source, denominator, to if fold is last else after
            source, after = after, after + size * fold.teams


def grid_plan_of(call: Call) -> GridPlan | None:
    """Return the plan of a call, or None where it has no kernel."""
    return planned(_PLANS, call, _made)


_PLANS: dict[Call, GridPlan | None] = {}


def _made(call: Call) -> GridPlan | None:
    if call.rows * call.classes == 0:
        return None
    operands, made = call.operands(), call.made()
    request = call.request(operands)
    try:
        program = traced(request)
    except Exception:  # what a formula does with symbols may fail in any way: it goes the plain way
        return None
    placed = [place for _, place in operands]
    stored = [place for *_, place in made if place is not None]
    passes = passes_of(program)
    way = _way_of(call, placed[0], program, passes)
    kinds = tuple(map(kind_of, (*placed, *stored)))
    launches = _launches(way, call, program, passes)
    dtypes = tuple(dtype for _, dtype, _ in made)
    summed = tuple(i for i, (shape, *_) in enumerate(made) if shape is None)
    described = map(_described, placed), map(_described, stored)
    return GridPlan(
        Source(request, kinds, *way),
        tuple(launches),
        tuple(_folds(way, call, launches[0], dtypes[summed[0]])) if summed else (),
        Arguments.of((call.classes, 0, 0), described[0], len(call.numbers), described[1]),
        tuple(shape for shape, *_ in made),
        dtypes,
        summed,
        SLOT * len(reduced(passes)) * launches[0].teams if way.loop == "parts" else 0,
    )


class Way(NamedTuple):
    """A loop, and what a kernel of it is made for."""

    loop: str
    classes: int = 0  # 0: any number
    threads: int = 0  # of a row


def _way_of(call: Call, scores: Place, program: Program, passes: list[Pass]) -> Way:
    """Return which loop suits a call and its logits."""
    if call.loss.axis is None:
        return Way("elements")
    has_dense_rows = bool(scores.axes) and scores.axes[-1][1] == scores.size
    lie_side_by_side = has_dense_rows and scores.axes[-1][0] >= SIDE_BY_SIDE
    most = most_classes(program, lie_side_by_side=lie_side_by_side)
    threads = threads_of_row(call.classes, program.width, most)
    if threads and passes:
        return Way("registers", call.classes, threads)
    if lie_side_by_side or not passes:
        return Way("threads")
    return Way("teams" if call.classes <= PART else "parts")


def _launches(way: Way, call: Call, program: Program, passes: list[Pass]) -> list[Launch]:
    """Return the kernels that make the outputs."""
    rows, width = call.rows, program.width
    if way.loop == "teams":
        return [Launch("kernel", rows, 1, rows, width)]
    if way.loop == "parts":
        teams = rows * -(-call.classes // PART)
        # the last one may have nothing to do with the classes
        each = [teams] * len(passes) + [rows] * (launches_of_parts(passes) - len(passes))
        return [Launch(f"kernel{i}", n, 1, rows, width) for i, n in enumerate(each)]
    block = rows_of_block(width, call.classes)
    per_team = min(width * UNROLLED, block) if way.loop == "elements" else width
    if program.summed or rows >= MANY_TEAMS * block:
        per_team = block
    return [Launch("kernel", -(-rows // per_team), per_team, rows, width)]


def _folds(way: Way, call: Call, before: Launch, dtype: str) -> Iterator[Launch]:
    """Return the kernels that add up sums: of rows where these have one each, then of blocks."""
    n = before.teams
    if way.loop in ("teams", "parts"):
        block = rows_of_block(before.width, call.classes)
        n = -(-call.rows // block)
        yield Launch("fold_rows", n, block, call.rows, before.width)
    while n > BLOCK:
        yield Launch("fold", -(-n // BLOCK), BLOCK, n, LANES)
        n = -(-n // BLOCK)
    yield Launch(f"total_{dtype}", 1, BLOCK, n, LANES)


def _described(place: Place) -> tuple[int, ...]:
    """Return what a kernel has to know of an array but its pointer."""
    axes = place.axes[: kind_of(place).axes]
    return (*(n for axis in axes for n in axis), *place.step)
