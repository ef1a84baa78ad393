"""Computation in blocks of the size of a cache, into outputs made beforehand.

Large arrays spend their time on fresh memory for intermediate results; a block's stay in the cache.
How an array is cut depends on its size alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from .._losses.operands import Operands, Output
from .._losses.reduction import dtype_of, quotients, sum_of_block, sum_of_blocks
from .._losses.spec import LossSpec
from .._typing import Array, Namespace, Result, Shape
from . import plain

Cut = tuple[slice, ...]  # a slice for each axis of the logits; that of the class axis is whole


def run(
    xp: Namespace, loss: LossSpec, operands: Operands, outputs: tuple[Output, ...], *, size: int
) -> tuple[Result, ...]:
    """Return the outputs, from blocks of about a size in bytes."""
    logits = operands.arrays["scores"]
    shape, device = tuple(logits.shape), getattr(logits, "device", None)  # in NumPy 1 it has none
    cuts = list(cuts_of(shape, loss.axis, size // 4))
    if len(cuts) == 1:
        return plain.run(xp, loss, operands, outputs)
    dtypes = [dtype_of(xp, output, logits.dtype) for output in outputs]
    wholes: list[Any] = [
        [] if o.is_sum else xp.empty(loss.shape_of(o, shape), dtype=dtype, device=device)
        for o, dtype in zip(outputs, dtypes, strict=True)
    ]
    for cut in cuts:
        found = loss.compute(xp, _cut(loss, operands, cut), outputs)
        for output, whole, x in zip(outputs, wholes, found, strict=True):
            if output.is_sum:
                whole.append(sum_of_block(xp, x))
            else:
                whole[loss.shape_of(output, cut)] = x
    made = [
        sum_of_blocks(xp, whole, dtype, device) if output.is_sum else whole
        for output, whole, dtype in zip(outputs, wholes, dtypes, strict=True)
    ]
    return quotients(xp, operands, outputs, made)


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
