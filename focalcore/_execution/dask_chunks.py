"""dask's way to run: one lazy task per chunk, in which the chunk's own library computes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np

from .. import _execution
from .._backends import NUMPY, backend_of
from .._losses.operands import Operands, Output
from .._losses.reduction import dtype_of, summed
from .._losses.spec import LossSpec
from .._typing import Array, DType, Namespace, Result


def run(
    xp: Namespace, loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]
) -> tuple[Result, ...]:
    """Return the outputs, each from tasks of its own, because a task has one result."""
    found = []
    for output in outputs:
        dtype = dtype_of(xp, output, operands.arrays["scores"].dtype)
        x = _elements(loss, operands, output, dtype)
        found.append(summed(xp, x, dtype) if output.is_sum else x)
    return tuple(found)


@dataclass(frozen=True)
class _OfChunk:
    """An output of a loss as a function of chunks; a class, because closures can't be pickled."""

    loss: LossSpec
    output: Output
    numbers: tuple[tuple[str, float], ...]
    names: tuple[str, ...]

    def __call__(self, *chunks: Array) -> Array:
        backend = backend_of(chunks[0]) or NUMPY  # dask makes a NumPy scalar of a single number
        own = (np.asarray(c) if isinstance(c, np.generic) else c for c in chunks)
        operands = Operands(dict(zip(self.names, own, strict=True)), self.numbers)
        (found,) = _execution.run(backend, self.loss, operands, (self.output,))
        if not self.output.is_sum:
            return found
        one_each = (1,) * len(self.loss.rows_of(operands.arrays["scores"].shape))
        return backend.xp.reshape(backend.xp.asarray(found), one_each)


def _elements(loss: LossSpec, operands: Operands, output: Output, dtype: DType) -> Array:
    """Return the output of each element or row, or the sum of each chunk."""
    axes = tuple(range(operands.arrays["scores"].ndim))
    placed: list[Any] = []
    for name, x in operands.arrays.items():
        own = loss.rows_of(axes) if loss.is_per_row(name) else axes
        placed += [_with_whole_rows(x, loss, len(axes)), own[len(own) - x.ndim :]]
    result = loss.shape_of(output, axes)
    of_chunk = _OfChunk(loss, output, operands.numbers, tuple(operands.arrays))
    return da.blockwise(
        of_chunk,
        result,
        *placed,
        concatenate=True,
        adjust_chunks=dict.fromkeys(result, 1) if output.is_sum else None,
        dtype=dtype,
        meta=da.utils.meta_from_array(operands.arrays["scores"], ndim=len(result), dtype=dtype),
    )


def _with_whole_rows(x: Any, loss: LossSpec, ndim: int) -> Any:
    """Return an operand whose class axis is in one chunk, so that no row is cut."""
    is_cut = loss.axis is not None and isinstance(x, da.Array) and x.ndim == ndim
    return x.rechunk({loss.axis: -1}) if is_cut else x
