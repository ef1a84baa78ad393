"""Computation in blocks of the size of a cache, into outputs made beforehand, over threads.

Large arrays spend their time on fresh memory for intermediate results; a block's stay in the cache.
How an array is cut depends on its size alone, and sums are added up block by block in their order,
so that the result does not depend on the number of threads.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from .._losses.operands import Operands, Output
from .._losses.reduction import dtype_of, sum_of_block, sum_of_blocks
from .._losses.spec import LossSpec
from .._typing import Array, Namespace, Result, Shape

Cut = tuple[slice, ...]  # a slice for each axis of the logits; that of the class axis is whole


def run(
    xp: Namespace,
    loss: LossSpec,
    operands: Operands,
    outputs: tuple[Output, ...],
    *,
    size: int,
    run_all: Callable[[Callable[[int], None], int], None],
) -> tuple[Result, ...]:
    """Return the outputs, from blocks of about ``size`` logits that ``run_all`` works on."""
    logits = operands.arrays["scores"]
    shape, device = tuple(logits.shape), getattr(logits, "device", None)  # in NumPy 1 it has none
    cuts = list(cuts_of(shape, loss.axis, size))
    dtypes = [dtype_of(xp, output, logits.dtype) for output in outputs]
    wholes: list[Any] = [
        [0.0] * len(cuts)
        if output.is_sum
        else xp.empty(loss.shape_of(output, shape), dtype=dtype, device=device)
        for output, dtype in zip(outputs, dtypes, strict=True)
    ]

    def work(i: int) -> None:
        found = loss.compute(xp, _cut(loss, operands, cuts[i]), outputs)
        for output, whole, x in zip(outputs, wholes, found, strict=True):
            if output.is_sum:
                whole[i] = sum_of_block(xp, x)
            else:
                whole[loss.shape_of(output, cuts[i])] = x

    run_all(work, len(cuts))
    return tuple(
        sum_of_blocks(xp, whole, dtype, device) if output.is_sum else whole
        for output, whole, dtype in zip(outputs, wholes, dtypes, strict=True)
    )


def cuts_of(shape: Shape, whole: int | None, size: int) -> Iterator[Cut]:
    """Cut a shape into blocks of about ``size`` along the leading axes, and keep one axis whole."""
    inner, ranges = 1, [[slice(None)] for _ in shape]
    if whole is not None:
        inner = max(shape[whole], 1)
    for axis in (axis for axis in reversed(range(len(shape))) if axis != whole):
        step = max(1, min(shape[axis], size // inner))
        ranges[axis] = [slice(i, i + step) for i in range(0, shape[axis], step)]
        inner *= step
    return itertools.product(*ranges)


def _cut(loss: LossSpec, operands: Operands, cut: Cut) -> Operands:
    """Return the operands of a block; an axis that broadcasts is not cut."""
    rows = loss.rows_of(cut)
    arrays = {
        name: _cut_one(x, rows if loss.is_per_row(name) else cut)
        for name, x in operands.arrays.items()
    }
    return Operands(arrays, operands.numbers)


def _cut_one(x: Array, cut: Sequence[slice]) -> Array:
    own = cut[len(cut) - x.ndim :]
    return x[tuple(slice(None) if n == 1 else c for n, c in zip(x.shape, own, strict=True))]


def serially(work: Callable[[int], None], n: int) -> None:
    """Do all of the work in the calling thread."""
    for i in range(n):
        work(i)


def over_threads(work: Callable[[int], None], n: int, threads: int) -> None:
    """Do all of the work in several threads; an error or an interruption stops all of them.

    The calling thread does it where the interpreter is shutting down, and no thread may start.
    """
    stopped = threading.Event()

    def worker(first: int) -> None:
        for i in range(first, n, threads):
            if stopped.is_set():
                return
            with _setting_if_it_fails(stopped):
                work(i)

    with ThreadPoolExecutor(threads) as pool, _setting_if_it_fails(stopped):
        started: list[Future[None]] = []
        with contextlib.suppress(RuntimeError):
            for first in range(threads):
                started.append(pool.submit(worker, first))
        for first in range(len(started), threads):
            worker(first)
        for task in started:
            task.result()


@contextlib.contextmanager
def _setting_if_it_fails(event: threading.Event) -> Iterator[None]:
    try:
        yield
    except BaseException:
        event.set()
        raise
