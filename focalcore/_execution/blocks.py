"""In blocks of the size of a cache, into outputs made beforehand, over threads.

Large arrays spend their time on fresh memory for what is in between; a block's stays in the cache.
How an array is cut depends on its size alone, and sums are added up block by block in their order:
the number of threads is not seen in the result.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from .._dtypes import arithmetic_dtype
from .._losses.operands import Operands, Part
from .._losses.spec import LossSpec

Array = Any
Namespace = Any
Shape = tuple[int, ...]
Cut = tuple[slice, ...]  # of the shape of the logits; the class axis is whole


def run(
    xp: Namespace,
    loss: LossSpec,
    operands: Operands,
    parts: tuple[Part, ...],
    *,
    size: int,
    share: Callable[[Callable[[int], None], int], None],
) -> tuple[Array, ...]:
    """The parts, from blocks of about ``size`` logits; ``share`` does the work of each."""
    shape, rows = tuple(operands.logits.shape), loss.rows_of(operands.logits.shape)
    cuts = list(cuts_of(shape, loss.axis, size))
    dtype = operands.logits.dtype
    device = getattr(operands.logits, "device", None)  # NumPy 1 has none
    wide = arithmetic_dtype(xp, dtype)
    outputs: list[Any] = [
        [0.0] * len(cuts)
        if part.summed
        else xp.empty(
            rows if part.in_rows else shape, dtype=dtype if part.rounded else wide, device=device
        )
        for part in parts
    ]

    def work(i: int) -> None:
        found = loss.parts(xp, _cut(loss, operands, cuts[i]), parts)
        for part, output, x in zip(parts, outputs, found, strict=True):
            if part.summed:
                output[i] = float(xp.sum(x, dtype=xp.float64))
            else:
                output[loss.rows_of(cuts[i]) if part.in_rows else cuts[i]] = x

    share(work, len(cuts))
    return tuple(
        xp.asarray(sum(output), dtype=wide, device=device)[()] if part.summed else output
        for part, output in zip(parts, outputs, strict=True)
    )


def cuts_of(shape: Shape, whole: int | None, size: int) -> Iterator[Cut]:
    """Cut a shape into blocks of about ``size``, along the leading axes; one axis stays whole."""
    inner, ranges = 1, [[slice(None)] for _ in shape]
    if whole is not None:
        inner = max(shape[whole], 1)
    for axis in (axis for axis in reversed(range(len(shape))) if axis != whole):
        step = max(1, min(shape[axis], size // inner))
        ranges[axis] = [slice(i, i + step) for i in range(0, shape[axis], step)]
        inner *= step
    return itertools.product(*ranges)


def _cut(loss: LossSpec, operands: Operands, cut: Cut) -> Operands:
    """The operands of a block; what is broadcast stays as it is."""
    rows, arrays = loss.rows_of(cut), operands.split()[0]
    return operands._replace(
        **{
            name: _cut_one(x, rows if loss.lies_in_rows(name) else cut)
            for name, x in arrays.items()
        }
    )


def _cut_one(x: Array, cut: Sequence[slice]) -> Array:
    own = cut[len(cut) - x.ndim :]
    return x[tuple(slice(None) if n == 1 else c for n, c in zip(x.shape, own, strict=True))]


def in_turn(work: Callable[[int], None], n: int) -> None:
    """All of the work, by the calling thread."""
    for i in range(n):
        work(i)


def over_threads(work: Callable[[int], None], n: int, threads: int) -> None:
    """All of the work, by several threads; an error or an interruption stops all of them.

    Where the interpreter is shutting down, and no thread may start any more, by the calling one.
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
