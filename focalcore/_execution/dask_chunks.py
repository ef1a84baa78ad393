"""dask's way to run: one lazy task per chunk, in which the chunk's own library computes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
from dask.delayed import delayed

from .. import _execution, _kernels
from .._backends import NUMPY, backend_of
from .._losses.operands import Operands, Output
from .._losses.reduction import dtype_of, quotients, summed
from .._losses.spec import LossSpec
from .._typing import Array, DType, HostArray, Namespace, Result, Shape
from . import numpy_host


def run(
    xp: Namespace, loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]
) -> tuple[Result, ...]:
    """Return the outputs, each from tasks of its own, because a task has one result."""
    found, undivided = [], operands.bind(denominator=None)
    for output in outputs:
        dtype = dtype_of(xp, output, operands.arrays["scores"].dtype)
        if not output.is_sum:
            found.append(_tasks(_OfChunk, loss, operands, output, dtype))
        elif _is_numpy(operands.arrays["scores"]):
            blocks = _tasks(_SumsOfBlocks, loss, undivided, output, np.dtype(object))
            total = delayed(_total)(blocks, dtype)
            found.append(da.from_delayed(total, (), dtype, meta=np.empty((), dtype)))
        else:
            found.append(summed(xp, _tasks(_OfChunk, loss, undivided, output, dtype), dtype))
    return quotients(xp, operands, outputs, found)


@dataclass(frozen=True)
class _OfChunk:
    """An output of a loss as a function of chunks; a class, because closures can't be pickled."""

    loss: LossSpec
    output: Output
    numbers: tuple[tuple[str, float], ...]
    names: tuple[str, ...]

    def __call__(self, *chunks: Array) -> Array:
        backend = backend_of(chunks[0]) or NUMPY  # dask makes a NumPy scalar of a single number
        operands = self.operands(chunks)
        (found,) = _execution.run(backend, self.loss, operands, (self.output,))
        if not self.output.is_sum:
            return found
        return backend.xp.reshape(backend.xp.asarray(found), self.one_each(operands))

    def operands(self, chunks: tuple[Array, ...]) -> Operands:
        """Return the operands that chunks are."""
        own = (np.asarray(c) if isinstance(c, np.generic) else c for c in chunks)
        return Operands(dict(zip(self.names, own, strict=True)), self.numbers)

    def one_each(self, operands: Operands) -> Shape:
        """Return the shape of what has one entry for the chunk."""
        return (1,) * len(self.loss.rows_of(operands.arrays["scores"].shape))


class _SumsOfBlocks(_OfChunk):
    """The sums of the blocks of a chunk, in one entry."""

    def __call__(self, *chunks: Array) -> Array:
        operands = self.operands(chunks)
        found = np.empty(self.one_each(operands), dtype=object)
        found.flat[0] = numpy_host.sums_of_blocks(self.loss, operands, self.output)
        return found


def _total(blocks: HostArray, dtype: DType) -> Any:
    """Return the sum of all blocks in their order, the one that NumPy's own arrays have."""
    found = list(itertools.chain.from_iterable(blocks.flat))
    return np.dtype(dtype).type(_kernels.total(found))


def _is_numpy(x: Any) -> bool:
    return type(getattr(x, "_meta", None)) is np.ndarray


def _tasks(
    kind: type[_OfChunk], loss: LossSpec, operands: Operands, output: Output, dtype: DType
) -> Array:
    """Return the output of each element or row, or one entry for each chunk."""
    axes = tuple(range(operands.arrays["scores"].ndim))
    placed: list[Any] = []
    for name, x in operands.arrays.items():
        own = loss.rows_of(axes) if loss.is_per_row(name) else axes
        placed += [_with_whole_rows(x, loss, len(axes)), own[len(own) - x.ndim :]]
    result = loss.shape_of(output, axes)
    return da.blockwise(
        kind(loss, output, operands.numbers, tuple(operands.arrays)),
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
