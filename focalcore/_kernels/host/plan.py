"""Plans: how a kernel is run on arrays that lie in memory in a certain way.

A plan holds all that does not change from call to call, so that a call looks it up, and then has
only pointers to pass on.
"""

from __future__ import annotations

import ctypes
import struct
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..._losses.spec import LossSpec
from .. import compiler
from ..placement import Arguments, Call, Place, planned
from ..sums import rows_of_block
from ..symbols import Over
from .kernel import Key, find
from .threads import share
from .totals import total

FEW_CLASSES = 64  # up to so many, the rows and not the classes lie in the lanes of a vector
WORTH_A_THREAD = 2**16  # logits from which on a second thread gains
PER_TURN, COUNTER, SCRATCH, SUMS = 2, 4, 5, 6  # where these are among a kernel's arguments
TURNS = 8  # how often a thread takes blocks at least, where there are enough of them
MOST_PER_TURN = 512  # blocks: those of float32 fill a large page, which threads should not share

# has several threads call a function, by its address, with the address of what it is given
Lead = Callable[[int, int, int], Any]


class Crew(NamedTuple):
    """The threads that work on a call."""

    threads: int
    worth_it: int = WORTH_A_THREAD
    lead: Lead | None = None  # None: helpers of our own


@dataclass(frozen=True)
class Plan:
    """How a kernel is run on arrays that lie in a certain way."""

    code: compiler.Code
    arguments: Arguments
    shapes: tuple[tuple[int, ...] | None, ...]  # of the outputs; None: a sum
    dtypes: tuple[str, ...]
    summed: tuple[int, ...]  # which outputs are sums
    scratch: int  # bytes of memory for each thread
    n_blocks: int
    size: int  # the number of logits
    owners: tuple[Any, ...]  # of memory that arguments point to

    def run(
        self, pointers: Sequence[int], numbers: Sequence[float], crew: Crew
    ) -> tuple[bool, list[float]]:
        """Run the kernel, and return whether it has found NaN, and the sums."""
        is_bad, sums = self.blocks(pointers, numbers, crew)
        return is_bad, [total(of_blocks) for of_blocks in sums]

    def blocks(
        self, pointers: Sequence[int], numbers: Sequence[float], crew: Crew
    ) -> tuple[bool, list[array[float]]]:
        """Run the kernel, and return whether it has found NaN, and for each sum those of blocks."""
        arguments = self.arguments.filled(pointers, numbers)
        counter = ctypes.c_int64()
        arguments[COUNTER] = ctypes.addressof(counter)
        n = len(self.summed)
        if not n:
            return self._found_bad(arguments, crew), []
        sums = array("d", bytes(8 * n * self.n_blocks))
        arguments[SUMS], _ = sums.buffer_info()
        is_bad = self._found_bad(arguments, crew)
        return is_bad, [sums[i::n] for i in range(n)]

    def _found_bad(self, arguments: list[Any], crew: Crew) -> bool:
        threads = min(crew.threads, self.n_blocks) if self.size >= crew.worth_it else 1
        if threads == 1:
            return bool(self._call(arguments))
        turns = self.n_blocks // (TURNS * threads)
        arguments[PER_TURN] = min(max(turns, 1), MOST_PER_TURN)
        if crew.lead is not None:
            return self._led(crew.lead, arguments, threads)
        found: list[int] = []
        share(lambda: found.append(self._call(list(arguments))), threads)
        return any(found)

    def _call(self, arguments: list[Any]) -> int:
        if self.scratch:
            scratch = np.empty(self.scratch, np.uint8)
            arguments[SCRATCH] = scratch.ctypes.data
        return self.code.kernel(*arguments)

    def _led(self, lead: Lead, arguments: list[Any], threads: int) -> bool:
        scratch = np.empty(self.scratch * threads, np.uint8)
        arguments[SCRATCH] = scratch.ctypes.data
        kinds = "".join("d" if isinstance(x, float) else "q" for x in arguments)
        call = bytearray(struct.pack(f"3q{kinds}", 0, 0, self.scratch, *arguments))
        lead(self.code.work, ctypes.addressof(ctypes.c_char.from_buffer(call)), threads)
        return any(call[8:16])


def plan_of(call: Call) -> Plan | None:
    """Return the plan of a call, or None where it has no kernel."""
    return planned(_PLANS, call, _made)


_PLANS: dict[Call, Plan | None] = {}


def _made(call: Call) -> Plan | None:
    rows, classes = call.rows, call.classes
    if rows * classes == 0:
        return None
    operands, made = call.operands(), call.made()
    loop = _loop_of(call.loss, operands[0][1], classes)
    kernel = find(Key(call.request(operands), loop))
    if kernel is None:
        return None
    width = kernel.program.width
    per_block = rows_of_block(width, classes)
    n_blocks = -(-rows // per_block)
    first = rows, per_block, n_blocks, classes, 0, 0, 0  # one thread takes all
    placed = [_described(place) for _, place in operands]
    stored = [_described(place) for *_, place in made if place is not None]
    units = classes * width if loop == "rows" else -(-classes // width) * width
    return Plan(
        kernel.code,
        Arguments.of(first, (d for d, _ in placed), len(call.numbers), (d for d, _ in stored)),
        tuple(shape for shape, *_ in made),
        tuple(dtype for _, dtype, _ in made),
        tuple(i for i, (shape, *_) in enumerate(made) if shape is None),
        kernel.scratch * units,
        n_blocks,
        rows * classes,
        tuple(owner for _, owner in (*placed, *stored)),
    )


def _loop_of(loss: LossSpec, scores: Place, classes: int) -> str:
    """Return which loop suits a loss and its logits."""
    if loss.axis is None:
        return "elementwise"
    has_dense_rows = bool(scores.axes) and scores.axes[-1][1] == scores.size
    lie_side_by_side = has_dense_rows and scores.axes[-1][0] >= FEW_CLASSES
    return "rows" if classes <= FEW_CLASSES or lie_side_by_side else "classes"


def _described(place: Place) -> tuple[tuple[int, ...], Any]:
    """Return what a kernel has to know of an array but its pointer, and the owner of it."""
    if place.over is Over.ALL:
        return (), None
    if place.over is Over.ROW and place.is_dense:
        return (0,), None
    axes = place.axes or ((1, 0),)
    table = [len(axes), *(n for axis in reversed(axes) for n in axis)]
    owner = (ctypes.c_int64 * len(table))(*table)
    return (ctypes.addressof(owner), *place.step), owner
