"""Plans: how a kernel is run on arrays that lie in memory in a certain way.

A plan holds all that does not change from call to call, so that a call looks it up, and then has
only pointers to pass on.
"""

from __future__ import annotations

import ctypes
import math
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .._losses.operands import Output
from .._losses.reduction import dtype_of
from .._losses.spec import LossSpec
from . import compiler
from .kernel import Key, find
from .loops import Array
from .symbols import Over
from .threads import share
from .trace import Trace
from .writer import SIZES

BLOCK = 2**12  # elements that a thread takes at least, and whose sum has a place of its own
FEW_CLASSES = 64  # up to so many, the rows and not the classes lie in the lanes of a vector
WORTH_A_THREAD = 2**16  # logits from which on a second thread gains
PER_TURN, COUNTER, SCRATCH, SUMS = 2, 4, 5, 6  # where these are among a kernel's arguments
TURNS = 8  # how often a thread takes blocks at least, where there are enough of them
MOST_PER_TURN = 128  # blocks: those of float32 fill a large page, which threads should not share
STATIC_GAMMA = 8.0  # up to here, multiples of 1/4 are products and roots, of a kernel of their own


# has several threads call a function, by its address, with the address of what it is given
Lead = Callable[[int, int, int], Any]


class Crew(NamedTuple):
    """The threads that work on a call."""

    threads: int
    worth_it: int = WORTH_A_THREAD
    lead: Lead | None = None  # None: helpers of our own


class Layout(NamedTuple):
    """How an array lies in memory; strides are in bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class Call(NamedTuple):
    """What plans are looked up by."""

    loss: LossSpec
    outputs: tuple[Output, ...]
    constants: tuple[tuple[str, float], ...]
    numbers: tuple[str, ...]
    layouts: tuple[Layout, ...]  # the logits are the first


@dataclass(frozen=True)
class Plan:
    """How a kernel is run on arrays that lie in a certain way."""

    code: compiler.Code
    arguments: tuple[Any, ...]  # of the kernel, with 0 in place of what each call has of its own
    pointers: tuple[int, ...]  # which arguments are the pointers of operands, and then of outputs
    numbers: slice  # which are numbers
    shapes: tuple[tuple[int, ...] | None, ...]  # of the outputs; None: a sum
    dtypes: tuple[str, ...]
    summed: tuple[int, ...]  # which outputs are sums
    scratch: int  # bytes of memory for each thread
    n_sums: int
    n_blocks: int
    size: int  # the number of logits
    owners: tuple[Any, ...]  # of memory that arguments point to

    def run(
        self, pointers: Sequence[int], numbers: Sequence[float], crew: Crew
    ) -> tuple[bool, list[list[float]]]:
        """Run the kernel, and return whether it has found NaN, and for each sum those of blocks."""
        arguments = list(self.arguments)
        for i, pointer in zip(self.pointers, pointers, strict=True):
            arguments[i] = pointer
        arguments[self.numbers] = numbers
        counter = ctypes.c_int64()
        arguments[COUNTER] = ctypes.addressof(counter)
        if not self.n_sums:
            return self._found_bad(arguments, crew), []
        sums = (ctypes.c_double * (self.n_sums * self.n_blocks))()
        arguments[SUMS] = ctypes.addressof(sums)
        is_bad = self._found_bad(arguments, crew)
        return is_bad, [sums[i :: self.n_sums] for i in range(self.n_sums)]

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


def split(
    numbers: Iterable[tuple[str, float]],
) -> tuple[tuple[tuple[str, float], ...], dict[str, float]]:
    """Return the numbers that a kernel is made for, and those that it is given at each call."""
    constants, given = [], {}
    for name, value in numbers:
        if name == "gamma" and value <= STATIC_GAMMA and value * 4 == int(value * 4):
            constants.append((name, value))
        else:
            given[name] = float(value)
    return tuple(constants), given


def plan_of(call: Call) -> Plan | None:
    """Return the plan of a call, or None where it has no kernel."""
    if call not in _PLANS:
        if len(_PLANS) >= MOST_PLANS:
            _PLANS.clear()
        _PLANS[call] = _made(call)
    return _PLANS[call]


_PLANS: dict[Call, Plan | None] = {}
MOST_PLANS = 1024


def _made(call: Call) -> Plan | None:
    loss, shape = call.loss, call.layouts[0].shape
    if math.prod(shape) == 0:
        return None
    classes = 1 if loss.axis is None else shape[loss.axis]
    placed = [_placed(loss, layout, shape) for layout in call.layouts]
    loop = _loop_of(loss, call.layouts[0])
    arrays = [
        Array(layout.name, layout.dtype, over)
        for layout, (over, _, _) in zip(call.layouts, placed, strict=True)
    ]
    kernel = find(Key(loss, call.constants, call.numbers, call.outputs, tuple(arrays), loop))
    n = math.prod(loss.rows_of(shape))
    if kernel is None:
        return None
    width = kernel.program.width
    shapes, dtypes = [], []
    stored = []
    for output, result in zip(call.outputs, kernel.program.results, strict=True):
        found = None if output.is_sum else loss.shape_of(output, shape)
        shapes.append(found)
        dtypes.append(dtype_of(Trace, output, call.layouts[0].dtype))
        if found is not None:
            layout = Layout("", dtypes[-1], found, _strides(found, dtypes[-1]))
            stored.append((result.over, *_place_of(loss, layout, result.over)))
    per_block = max(width, BLOCK // classes // width * width)
    arguments: list[Any] = [n, per_block, 1, classes, 0, 0, 0]
    pointers = _append(arguments, placed)
    numbers = slice(len(arguments), len(arguments) + len(call.numbers))
    arguments += [0.0] * len(call.numbers)
    pointers += _append(arguments, stored)
    units = classes * width if loop == "rows" else -(-classes // width) * width
    return Plan(
        kernel.code,
        tuple(arguments),
        tuple(pointers),
        numbers,
        tuple(shapes),
        tuple(dtypes),
        tuple(i for i, found in enumerate(shapes) if found is None),
        kernel.scratch * units,
        kernel.n_sums,
        -(-n // per_block),
        n * classes,
        tuple(owner for *_, owner in (*placed, *stored)),
    )


def _append(arguments: list[Any], placed: Iterable[tuple[Over, tuple[int, ...], Any]]) -> list[int]:
    """Append what says where arrays lie, and return which arguments are their pointers."""
    pointers = []
    for _, place, _ in placed:
        pointers.append(len(arguments))
        arguments += [0, *place]
    return pointers


def _loop_of(loss: LossSpec, scores: Layout) -> str:
    """Return which loop suits a loss and its logits."""
    if loss.axis is None:
        return "elementwise"
    is_short = scores.shape[loss.axis] <= FEW_CLASSES
    return "rows" if is_short or _rows_are_dense(loss, scores) else "classes"


def _placed(
    loss: LossSpec, layout: Layout, shape: tuple[int, ...]
) -> tuple[Over, tuple[int, ...], Any]:
    """Return what an operand has one for, and where it lies."""
    is_scores = layout.name == "scores"
    if not is_scores and math.prod(layout.shape) == 1:
        return Over.ALL, (), None
    is_row = loss.axis is None or loss.is_per_row(layout.name)
    over = Over.ROW if is_row else Over.CLASS
    onto = loss.rows_of(shape) if loss.is_per_row(layout.name) else shape
    missing = len(onto) - len(layout.shape)
    strides = (0,) * missing + tuple(
        0 if n == 1 else s for n, s in zip(layout.shape, layout.strides, strict=True)
    )
    broadcast = layout._replace(shape=onto, strides=strides)
    return over, *_place_of(loss, broadcast, over)


def _place_of(loss: LossSpec, layout: Layout, over: Over) -> tuple[tuple[int, ...], Any]:
    """Return what a kernel has to know of an array but its pointer, and the owner of it."""
    axes = list(zip(layout.shape, layout.strides, strict=True))
    step: tuple[int, ...] = ()
    if over is Over.CLASS:
        step = (axes.pop(loss.axis)[1],)  # type: ignore[arg-type]
    joined = _joined(axes)
    size = SIZES[layout.dtype]
    is_dense = joined == [] or (len(joined) == 1 and joined[0][1] == size)
    if over is Over.ROW and is_dense:
        return (0, *step), None
    table = [max(len(joined), 1), *(n for axis in reversed(joined or [(1, 0)]) for n in axis)]
    owner = (ctypes.c_int64 * len(table))(*table)
    return (ctypes.addressof(owner), *step), owner


def _joined(axes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return axes without those of length 1, and neighbours that are one axis joined."""
    joined: list[tuple[int, int]] = []
    for n, stride in axes:
        if n == 1:
            continue
        if joined and joined[-1][1] == stride * n:
            joined[-1] = (joined[-1][0] * n, stride)
        else:
            joined.append((n, stride))
    return joined


def _rows_are_dense(loss: LossSpec, scores: Layout) -> bool:
    axes = list(zip(scores.shape, scores.strides, strict=True))
    axes.pop(loss.axis)  # type: ignore[arg-type]
    joined = _joined(axes)
    return bool(joined) and joined[-1][1] == SIZES[scores.dtype] and joined[-1][0] >= FEW_CLASSES


def _strides(shape: tuple[int, ...], dtype: str) -> tuple[int, ...]:
    """Return the strides of an array in C order."""
    steps, step = [], SIZES[dtype]
    for n in reversed(shape):
        steps.append(step)
        step *= n
    return tuple(reversed(steps))
