"""dask: one task per chunk, run the way of the chunk's own library; nothing computes by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np

from .. import _execution
from .._backends import NUMPY, backend_of
from .._dtypes import arithmetic_dtype
from .._losses.operands import Operands, Part
from .._losses.spec import LossSpec

Array = Any


def run(xp: Any, loss: LossSpec, operands: Operands, parts: tuple[Part, ...]) -> tuple[Array, ...]:
    """The parts, each in tasks of its own: a task has one result."""
    wide = arithmetic_dtype(xp, operands.logits.dtype)
    found = (_elements(loss, operands, part, wide) for part in parts)
    return tuple(
        xp.astype(xp.sum(x), wide, copy=False) if part.summed else x
        for part, x in zip(parts, found, strict=True)
    )


@dataclass(frozen=True)
class _OfChunk:
    """A part of a loss as a function of chunks; a class, for closures don't pickle."""

    loss: LossSpec
    part: Part
    numbers: Operands
    names: tuple[str, ...]

    def __call__(self, *chunks: Array) -> Array:
        backend = backend_of(chunks[0]) or NUMPY  # of one number, dask makes a NumPy scalar
        own = (np.asarray(c) if isinstance(c, np.generic) else c for c in chunks)
        given = self.numbers._replace(**dict(zip(self.names, own, strict=True)))
        return _execution.run(backend, self.loss, given, (self.part,))[0]


def _elements(loss: LossSpec, operands: Operands, part: Part, wide: Any) -> Array:
    part = part._replace(summed=False, rounded=part.rounded and not part.summed)
    dtype = operands.logits.dtype if part.rounded else wide
    arrays, numbers = operands.split()
    axes = tuple(range(operands.logits.ndim))
    placed: list[Any] = []
    for name, x in arrays.items():
        own = loss.rows_of(axes) if loss.lies_in_rows(name) else axes
        placed += [_uncut(x, loss, len(axes)), own[len(own) - x.ndim :]]
    result = loss.rows_of(axes) if part.in_rows else axes
    meta = da.utils.meta_from_array(operands.logits, ndim=len(result), dtype=dtype)
    of_chunk = _OfChunk(loss, part, numbers, tuple(arrays))
    return da.blockwise(of_chunk, result, *placed, concatenate=True, dtype=dtype, meta=meta)


def _uncut(x: Array, loss: LossSpec, ndim: int) -> Array:
    """A row is never cut."""
    is_cut = loss.axis is not None and isinstance(x, da.Array) and x.ndim == ndim
    return x.rechunk({loss.axis: -1}) if is_cut else x
