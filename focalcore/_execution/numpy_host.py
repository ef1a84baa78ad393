"""NumPy's way to run: a kernel, or the operations as written in blocks that the caches hold."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import settings
from .._backends.numpy import BACKEND, FORMULAS
from .._dtypes import dtype_name
from .._kernels import Crew, Layout
from .._losses.operands import Operands, Output
from .._losses.spec import LossSpec
from .._typing import HostArray, Result, Shape
from . import blocks, host, plain
from .kinds import KINDS

BLOCK = 2**18  # bytes: some ten arrays of a block are in use at a time, and the caches hold them


def run(loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]) -> tuple[Result, ...]:
    """Return the outputs."""
    operands = _native(operands)
    found = host.run(MEMORY, loss, operands, outputs)
    if found is None:
        # an underflow or an infinity on the way is no error; the caller's errstate stays as it is
        with np.errstate(all="ignore"):
            found = blocks.run(FORMULAS, loss, operands, outputs, size=BLOCK)
            found = plain.looked(BACKEND, operands, found)
    return tuple(map(_result, found))


def _native(operands: Operands) -> Operands:
    """Return the operands as arrays in the machine's order of bytes: kernels read no other."""
    arrays = map(np.asarray, operands.arrays.values())  # of scalars too
    return operands.with_arrays(
        x if x.dtype.isnative else x.astype(x.dtype.newbyteorder("=")) for x in arrays
    )


def sums_of_blocks(loss: LossSpec, operands: Operands, output: Output) -> Sequence[float]:
    """Return numbers in float64 that add up to a sum, in an order that the shape alone decides."""
    operands = _native(operands)
    run_ = host.run_of(MEMORY, loss, operands, (output,))
    if run_ is not None:
        return run_.sums_of_blocks(tuple(operands.arrays.values()))
    return [float(run(loss, operands, (output,))[0])]


def _layout(name: str, x: HostArray) -> Layout | None:
    kind = _KINDS.get(x.dtype)
    if kind is None:
        kind = _KINDS[x.dtype] = dtype_name(x.dtype) if x.dtype.isnative else ""
    return Layout(name, kind, x.shape, x.strides) if kind else None


_KINDS: dict[Any, str] = {}  # the names of dtypes; "" is another order of bytes


def _pointer(x: HostArray) -> int:
    buffer: Any = x
    try:  # an eighth of the time
        return ctypes.addressof(ctypes.c_char.from_buffer(buffer))
    except (BufferError, TypeError, ValueError):  # it is read-only, or not in one piece
        return x.ctypes.data


def _empty(shape: Shape, dtype: str, like: HostArray) -> HostArray:
    # NumPy has no name for the bfloat16 that the logits are of
    return np.empty(shape, like.dtype if dtype == _KINDS[like.dtype] else dtype)


def _number(value: Any, dtype: str) -> Any:  # noqa: ARG001
    return value


def _kind(x: HostArray, y: Any) -> tuple[Any, ...] | None:
    if type(y) is not np.ndarray or not (x.ndim and y.ndim):
        return None
    return x.dtype, x.shape, x.strides, y.dtype, y.shape, y.strides


def _result(x: Any) -> Any:
    return x if x.ndim else x[()]  # a scalar, as NumPy's own functions return


def _crew() -> Crew:
    return Crew(settings.threads())


MEMORY = host.Memory(BACKEND.xp, _layout, _pointer, _empty, _number, _result, _crew)
KINDS[np.ndarray] = _kind
