"""NumPy: blocks over threads, and functions that its kernels are quick at."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import array_api_compat.numpy as numpy_namespace
import numpy as np

from .. import settings
from .._backends.namespaces import Namespace
from .._losses.operands import Operands, Part
from .._losses.spec import LossSpec
from . import blocks, fallback, plain

Array = Any

# bytes of a block: some ten arrays of it are in use at a time, and the caches hold them; for
# several threads it is larger, so that they seldom wait for the interpreter
BLOCK, LARGE_BLOCK = 2**18, 2**19
LARGE = 2**23  # bytes of logits from which blocks are large, and several threads gain


def run(loss: LossSpec, operands: Operands, parts: tuple[Part, ...]) -> tuple[Array, ...]:
    """The parts; small arrays go the plain way."""
    found = _compiled(loss, operands, parts) if settings.compiler() else None
    if found is not None:
        return found
    x = operands.logits
    # an underflow or an infinity on the way is meant; the caller's errstate stays as it is
    with np.errstate(all="ignore"):
        if x.nbytes <= BLOCK:
            return plain.run(NAMESPACE, loss, operands, parts)
        is_large = x.nbytes >= LARGE
        size = (LARGE_BLOCK if is_large else BLOCK) // max(x.itemsize, 4)
        threads = settings.threads() if is_large else 1
        share = blocks.in_turn if threads == 1 else partial(_over_threads, threads=threads)
        return blocks.run(NAMESPACE, loss, operands, parts, size=size, share=share)


def _compiled(
    loss: LossSpec, operands: Operands, parts: tuple[Part, ...]
) -> tuple[Array, ...] | None:
    """The parts by torch's compiler, None where it can't be used."""
    try:
        from . import torch_compiler
    except ImportError as error:
        fallback.warn_once(str(error))
        return None
    return torch_compiler.run_numpy(loss, operands, parts)


def _over_threads(work: Callable[[int], None], n: int, threads: int) -> None:
    def quietly(i: int) -> None:
        with np.errstate(all="ignore"):  # each thread has an errstate of its own
            work(i)

    blocks.over_threads(quietly, n, threads)


class Choice(NamedTuple):
    """The entry that each row's label names, a good one, by NumPy's own indexing."""

    labels: Array
    axis: int

    def entry(self, x: Array) -> Array:
        """That entry of each row."""
        return np.take_along_axis(x, self.labels, axis=self.axis)

    def replaced(self, x: Array, by: Array) -> Array:
        """The rows with that entry replaced."""
        return self.overwritten(x.copy(), by)

    def overwritten(self, x: Array, by: Array) -> Array:
        """The same for rows that nothing else needs any more."""
        np.put_along_axis(x, self.labels, by, axis=self.axis)
        return x


# log1p(e) = 2 t (1 + v P(v)), t = e / (2 + e), v = t^2: a fit to atanh, good to 5e-9 for e in
# [-1/2, 1], which are all that the formulas ask for
P = (0.33333207, 0.2001085, 0.1399957, 0.14012233)


def _log1p(e: Array) -> Array:
    """log(1 + e) for e in [-1/2, 1], where NumPy's own is not vectorised."""
    if e.dtype != np.float32:
        whole = 1 + e
        return np.log(whole) + (e - (whole - 1)) / whole
    t = e / (e + 2)
    v = t * t
    t = t + t
    return t + t * (v * (((P[3] * v + P[2]) * v + P[1]) * v + P[0]))


def _is_vectorised(name: str) -> bool:
    try:
        found = np.lib.introspect.opt_func_info(func_name=f"^{name}$", signature="float32")
        return not found[name]["ff"]["current"].startswith("baseline")
    except (AttributeError, KeyError):  # an older NumPy does not tell
        return False


FILLED = (0.0, 2.0**60)  # the numbers that formulas compare with at every call


def _maximum(a: Array, b: Array) -> Array:
    return np.maximum(a, _filled(b, a) if isinstance(b, float) and b in FILLED else b)


def _minimum(a: Array, b: Array) -> Array:
    return np.minimum(a, _filled(b, a) if isinstance(b, float) and b in FILLED else b)


def _filled(number: float, like: Array) -> Array:
    """A number as an array, beside which NumPy compares three times as fast."""
    key = number, like.dtype
    known = _FILLED.get(key)
    if known is None or known.size < like.size:
        known = np.full(max(like.size, 2**12), number, dtype=like.dtype)
        if known.nbytes <= LARGE_BLOCK:
            _FILLED[key] = known
    return known[: like.size].reshape(like.shape)


_FILLED: dict[tuple[float, Any], Array] = {}


def _astype(x: Array, dtype: Any, copy: bool = True) -> Array:
    return x.astype(dtype, copy=copy)


def _odds(others: Array, M: Array) -> Array:
    far = np.finfo(M.dtype).max
    if (np.abs(M) >= far).any():  # infinities that are equal are 0 apart
        others, M = np.clip(others, -far, far), np.clip(M, -far, far)
    return np.exp(np.subtract(others, M, out=others), out=others)


NAMESPACE = Namespace(
    numpy_namespace,
    Choice=Choice,
    maximum=_maximum,
    minimum=_minimum,
    astype=_astype,
    clip=np.clip,
    odds=_odds,
    total=lambda x: np.sum(x, dtype=np.float64),
    **({} if _is_vectorised("log1p") else {"log1p": _log1p}),
)
