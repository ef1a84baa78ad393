"""How a backend runs a loss: the formula says what is computed, this room says how.

The straight way is the operations as they are written. A backend that has a better way gets a
function of its own here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._arrays import arithmetic_dtype
from ._backends import NUMPY, Backend, backend_of
from ._terms import Operands, Terms

Array = Any
Term = Callable[[Terms, Any, Operands], Any]


def value(backend: Backend, loss: Terms, operands: Operands) -> Array:
    """The loss of each element or row."""
    return _run(backend, Terms.value, loss, operands)


def slope(backend: Backend, loss: Terms, operands: Operands) -> Array:
    """Its gradient with respect to the logits."""
    return _run(backend, Terms.slope, loss, operands)


def value_and_slope(backend: Backend, loss: Terms, operands: Operands) -> tuple[Array, Array]:
    """Both, at the price of little more than one."""
    parts = Terms.value, Terms.slope
    return _pair(backend, Terms.value_and_slope, parts, loss, operands)


def slope_and_curvature(backend: Backend, loss: Terms, operands: Operands) -> tuple[Array, Array]:
    """The gradient and the diagonal of the Hessian."""
    parts = Terms.slope, Terms.curvature
    return _pair(backend, Terms.slope_and_curvature, parts, loss, operands)


def _pair(
    backend: Backend, both: Term, parts: tuple[Term, Term], loss: Terms, operands: Operands
) -> tuple[Array, Array]:
    if backend.name == "dask":  # a task has one result
        first, second = (_run(backend, part, loss, operands) for part in parts)
    else:
        first, second = _run(backend, both, loss, operands)
    return first, second


def _run(backend: Backend, term: Term, loss: Terms, operands: Operands) -> Any:
    if backend.name == "dask":
        return _by_chunk(backend, term, loss, operands)
    if backend.name == "numpy":
        # an underflow or an infinity on the way is meant; the caller's errstate stays as it is
        with np.errstate(all="ignore"):
            return term(loss, backend.xp, operands)
    return term(loss, backend.xp, operands)


def _by_chunk(backend: Backend, term: Term, loss: Terms, operands: Operands) -> Array:
    """One task per chunk of dask, each run the way of the chunk's own library."""
    import dask.array as da

    arrays, numbers = operands.split()

    def of_chunk(*chunks: Array) -> Array:
        chunk = backend_of(chunks[0]) or NUMPY  # of one number, dask makes a NumPy scalar
        parts = (np.asarray(c) if isinstance(c, np.generic) else c for c in chunks)
        return _run(chunk, term, loss, numbers._replace(**dict(zip(arrays, parts, strict=True))))

    axes = tuple(range(operands.logits.ndim))
    rows = tuple(i for i in axes if i != loss.axis)
    lies_in_rows = {"mask", "weight", "targets"} if loss.indexed else {"mask", "weight"}
    placed: list[Any] = []
    for name, x in arrays.items():
        own = rows if name in lies_in_rows else axes
        placed += [x, own[len(own) - x.ndim :]]
    result = rows if term is Terms.value else axes
    if loss.axis is not None:  # a row is never cut
        whole = {loss.axis: -1}
        placed = [
            x.rechunk(whole) if isinstance(x, da.Array) and x.ndim == len(axes) else x
            for x in placed
        ]
    dtype = arithmetic_dtype(backend.xp, operands.logits.dtype)
    meta = da.utils.meta_from_array(operands.logits, ndim=len(result), dtype=dtype)
    return da.blockwise(of_chunk, result, *placed, concatenate=True, dtype=dtype, meta=meta)
