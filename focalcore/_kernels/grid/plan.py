"""Plans: what is launched on a grid for a call, in which order, and with which arguments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..placement import Call, Place
from ..program import Array, Request, traced
from ..sums import BLOCK, LANES, PART, rows_of_block
from ..writer import SIZES
from .lanes import THREADS
from .loops import UNROLLED, Kind, kind_of
from .rows import SLOT, launches_of_parts, passes_of, reduced

FEW_CLASSES = 32  # up to so many, a thread has a row
MANY_TEAMS = 2**13  # that keep a large GPU busy: beyond, each may as well have more to do
SIDE_BY_SIDE = 32  # so many rows that follow each other, a warp reads at once
TEAMS, SUMS, PARTS = 0, 4, 5  # where these are among a kernel's arguments

Shape = tuple[int, ...]


class Source(NamedTuple):
    """What a module of kernels is made from."""

    request: Request
    kinds: tuple[Kind, ...]
    loop: str


class Launch(NamedTuple):
    """A kernel to be launched, on so many blocks of threads."""

    name: str
    blocks: int
    arguments: tuple[Any, ...]


class Fold(NamedTuple):
    """One of the kernels that add up sums one after the other: of how many, so many in a team."""

    name: str
    n: int
    per_team: int
    width: int

    @property
    def teams(self) -> int:
        """Return the number of teams."""
        return -(-self.n // self.per_team)


@dataclass(frozen=True)
class GridPlan:
    """How kernels are launched on arrays that lie in a certain way."""

    source: Source
    launches: tuple[tuple[str, int], ...]  # the names of the kernels, and how many teams each has
    arguments: tuple[Any, ...]  # of each, with 0 in place of what each call has of its own
    pointers: tuple[int, ...]  # which arguments are the pointers of operands, and then of outputs
    numbers: slice  # which are numbers
    shapes: tuple[Shape | None, ...]  # of the outputs; None: a sum
    dtypes: tuple[str, ...]
    summed: tuple[int, ...]  # which outputs are sums
    folds: tuple[Fold, ...]  # that add up each of the sums
    parts: int  # bytes of memory for what is reduced of parts of rows
    width: int  # threads of a team

    @property
    def memory(self) -> tuple[int, int]:
        """Return the bytes of memory that sums take, and what is reduced of parts of rows."""
        first, *others = [fold.n for fold in self.folds] or [0]
        return SIZES["float64"] * (len(self.summed) * first + sum(others)), self.parts

    def of_outputs(
        self, pointers: Sequence[int], numbers: Sequence[float], sums: int, parts: int
    ) -> Iterator[Launch]:
        """Return the launches that make the outputs, and the sums of blocks or rows."""
        arguments = list(self.arguments)
        for i, pointer in zip(self.pointers, pointers, strict=True):
            arguments[i] = pointer
        arguments[self.numbers] = numbers
        arguments[SUMS], arguments[PARTS] = sums, parts
        for name, teams in self.launches:
            arguments[TEAMS] = teams
            yield Launch(name, _blocks(teams, self.width), tuple(arguments))

    def of_sum(
        self, number: int, sums: int, denominator: float, to: int, dtype: str
    ) -> Iterator[Launch]:
        """Return the launches that add up a sum, and divide it."""
        size, *earlier, last = SIZES["float64"], *self.folds
        source, after = (sums + size * self.folds[0].n * i for i in (number, len(self.summed)))
        for fold in earlier:
            given = fold.teams, fold.per_team, fold.n, source, denominator, after
            yield Launch(fold.name, _blocks(fold.teams, fold.width), given)
            source, after = after, after + size * fold.teams
        given = 1, last.per_team, last.n, source, denominator, to
        yield Launch(f"total_{dtype}", 1, given)


def grid_plan_of(call: Call) -> GridPlan | None:
    """Return the plan of a call, or None where it has no kernel."""
    if call not in _PLANS:
        if len(_PLANS) >= MOST_PLANS:
            _PLANS.clear()
        _PLANS[call] = _made(call)
    return _PLANS[call]


_PLANS: dict[Call, GridPlan | None] = {}
MOST_PLANS = 1024


def _made(call: Call) -> GridPlan | None:
    rows, classes = call.rows, call.classes
    if rows * classes == 0:
        return None
    operands, made = call.operands(), call.made()
    arrays: tuple[Array, ...] = tuple(array for array, _ in operands)
    request = Request(call.loss, call.constants, call.numbers, call.outputs, arrays)
    try:
        program = traced(request)
    except Exception:  # what a formula does with symbols may fail in any way: it goes the plain way
        return None
    passes = passes_of(program).passes
    loop = _loop_of(call, operands[0][1], has_passes=bool(passes))
    placed = [place for _, place in operands]
    stored = [place for *_, place in made if place is not None]
    source = Source(request, tuple(map(kind_of, (*placed, *stored))), loop)
    n_sums, width = sum(r.is_sum for r in program.results), program.width
    per_team = _per_team(loop, width, rows, classes, has_sums=n_sums > 0)
    n_parts = -(-classes // PART)
    teams = {"teams": rows, "parts": rows * n_parts}.get(loop, -(-rows // per_team))
    launches = [("kernel", teams)]
    if loop == "parts":
        launches = [(f"kernel{i}", teams) for i in range(launches_of_parts(passes))]
        if len(launches) > len(passes):  # the last one has nothing to do with the classes
            launches[-1] = launches[-1][0], rows
    arguments: list[Any] = [teams, per_team, rows, classes, 0, 0]
    pointers = _append(arguments, placed)
    numbers = slice(len(arguments), len(arguments) + len(call.numbers))
    arguments += [0.0] * len(call.numbers)
    pointers += _append(arguments, stored)
    slots = len(reduced(passes)) if loop == "parts" else 0
    return GridPlan(
        source,
        tuple(launches),
        tuple(arguments),
        tuple(pointers),
        numbers,
        tuple(shape for shape, *_ in made),
        tuple(dtype for _, dtype, _ in made),
        tuple(i for i, (shape, *_) in enumerate(made) if shape is None),
        tuple(_folds(loop, rows, teams, width, rows_of_block(width, classes))) if n_sums else (),
        SLOT * slots * rows * n_parts,
        width,
    )


def _loop_of(call: Call, scores: Place, *, has_passes: bool) -> str:
    """Return which loop suits a call and its logits."""
    if call.loss.axis is None:
        return "elements"
    lie_side_by_side = bool(scores.axes) and scores.axes[-1][1] == scores.size
    lie_side_by_side = lie_side_by_side and scores.axes[-1][0] >= SIDE_BY_SIDE
    if call.classes <= FEW_CLASSES or lie_side_by_side or not has_passes:
        return "threads"
    return "teams" if call.classes <= PART else "parts"


def _per_team(loop: str, width: int, rows: int, classes: int, *, has_sums: bool) -> int:
    """Return how many rows or elements a team has: a block where there is a sum of each."""
    block = rows_of_block(width, classes)
    if has_sums or rows >= MANY_TEAMS * block:
        return block
    return min(width * UNROLLED, block) if loop == "elements" else width


def _folds(loop: str, rows: int, teams: int, width: int, block: int) -> Iterator[Fold]:
    """Return the kernels that add up sums: of rows where these have one each, then of blocks."""
    n = teams
    if loop in ("teams", "parts"):
        yield Fold("fold_rows", rows, block, width)
        n = -(-rows // block)
    while n > BLOCK:
        yield Fold("fold", n, BLOCK, LANES)
        n = -(-n // BLOCK)
    yield Fold("total", n, BLOCK, LANES)


def _append(arguments: list[Any], places: Sequence[Place]) -> list[int]:
    """Append what says where arrays lie, and return which arguments are their pointers."""
    pointers = []
    for place in places:
        pointers.append(len(arguments))
        axes = place.axes[: kind_of(place).axes]
        arguments += [0, *(n for axis in axes for n in axis), *place.step]
    return pointers


def _blocks(teams: int, width: int) -> int:
    """Return how many blocks of threads some teams are."""
    return -(-teams * width // THREADS)
