"""Rows of NumPy: the value of every element."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from focalcore import sigmoid_focal_loss

from .row import COPY, OURS, Array, Loss, Row, Runs, copy, numbers, values


def usual(x: Array, y: Array) -> Array:
    """The formula as the paper has it."""
    p = 1 / (1 + np.exp(-x))
    p_t = p * y + (1 - p) * (1 - y)
    return -(0.25 * y + 0.75 * (1 - y)) * (1 - p_t) ** 2.0 * np.log(p_t)


def with_numexpr() -> Callable[[Array, Array], Array]:
    import numexpr

    def loss(x: Array, y: Array) -> Array:
        arrays = {"x": x, "y": y}
        arrays["p"] = numexpr.evaluate("1 / (1 + exp(-x))", arrays)
        arrays["p_t"] = numexpr.evaluate("p * y + (1 - p) * (1 - y)", arrays)
        weighted = "-(0.25 * y + 0.75 * (1 - y)) * (1 - p_t) ** 2 * log(p_t)"
        return numexpr.evaluate(weighted, arrays)

    return loss


def with_numba() -> Callable[[Array, Array], Array]:
    import numba

    one = np.float32(1)

    @numba.njit(parallel=True)
    def loss(x, y):  # type: ignore[no-untyped-def] # numba's
        out = np.empty_like(x)
        for i in numba.prange(x.size):
            p = one / (one + np.exp(-x[i]))
            p_t = p if y[i] else one - p
            weight = np.float32(0.25) if y[i] else np.float32(0.75)
            out[i] = -weight * (one - p_t) ** 2 * np.log(p_t)
        return out

    return loss


def on_numpy(labels: str) -> Callable[[int], Runs]:
    """The value of every element."""
    losses: dict[str, Loss] = {
        OURS: lambda x, y: sigmoid_focal_loss(x, y, alpha=0.25),
        "usual formula": usual,
        "numexpr": with_numexpr(),
        "numba": with_numba(),
    }

    def runs(n: int) -> Runs:
        arrays = numbers(n, labels)
        return values(losses, *arrays) | {COPY: copy(*arrays)}

    return runs


NEEDS = ("numexpr", "numba")

ROWS = (
    Row("NumPy value, float32 labels", NEEDS, partial(on_numpy, "float32"), largest=True),
    Row("NumPy value, int64 labels", NEEDS, partial(on_numpy, "int64"), largest=True),
)
