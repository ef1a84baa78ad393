"""How a backend runs a loss: the formula says what is computed, this room says how.

The straight way is the operations as they are written. A backend that has a better way gets a
function of its own here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._arrays import arithmetic_dtype
from ._backends import Backend, backend_of
from ._terms import Loss, Operands

Array = Any


def value(backend: Backend, loss: Loss, operands: Operands) -> Array:
    """The loss of each element."""
    run = _WAYS.get(backend.name, _straight)
    return run(backend, loss, operands)


def _straight(backend: Backend, loss: Loss, operands: Operands) -> Array:
    return loss.value(backend.xp, operands)


def _quietly(backend: Backend, loss: Loss, operands: Operands) -> Array:
    # an underflow or an infinity on the way is meant; the caller's errstate stays as it is
    with np.errstate(all="ignore"):
        return loss.value(backend.xp, operands)


def _by_chunk(backend: Backend, loss: Loss, operands: Operands) -> Array:
    """One task per chunk of dask, each run the way of the chunk's own library."""
    import dask.array as da

    arrays = {name: x for name, x in operands._asdict().items() if isinstance(x, da.Array)}
    numbers = operands._replace(**dict.fromkeys(arrays))

    def of_chunk(*chunks: Array) -> Array:
        chunk = backend_of(chunks[0])
        assert chunk is not None
        return value(chunk, loss, numbers._replace(**dict(zip(arrays, chunks, strict=True))))

    axes = tuple(range(operands.logits.ndim))
    rows = tuple(i for i in axes if i != loss.axis)
    lies_in_rows = {"mask", "weight", "targets"} if loss.indexed else {"mask", "weight"}
    indexed = [
        part
        for name, x in arrays.items()
        for part in (x, (rows if name in lies_in_rows else axes)[-x.ndim :] if x.ndim else ())
    ]
    dtype = arithmetic_dtype(backend.xp, operands.logits.dtype)
    meta = da.utils.meta_from_array(operands.logits, ndim=len(rows), dtype=dtype)
    return da.blockwise(of_chunk, rows, *indexed, concatenate=True, dtype=dtype, meta=meta)


_WAYS = {"numpy": _quietly, "dask": _by_chunk}
