"""From each element's loss to the number asked for, and what the mean divides by."""

from __future__ import annotations

import math
from typing import Any

Array = Any
Namespace = Any


def mean(xp: Namespace, loss: Array, divisor: Array) -> Array:
    """``sum / divisor``; a divisor of 0 counts as 1, so that nothing gives 0 and not NaN."""
    if divisor is None:
        # xp.mean knows its count where the shape does not (dask), but not that of nothing
        return xp.sum(loss) if 0 in loss.shape else xp.mean(loss)
    return divided(xp, xp.sum(loss), divisor)


def divided(xp: Namespace, x: Array, divisor: Array) -> Array:
    """``x / divisor``, where a divisor of 0 counts as 1."""
    if isinstance(divisor, float):
        return x / (divisor or 1.0)
    divisor = xp.astype(divisor, x.dtype, copy=False)
    return x / xp.where(divisor == 0, xp.ones_like(divisor), divisor)


def size_of(xp: Namespace, x: Array) -> Array:
    """The number of elements, lazy where the shape is not known."""
    size = math.prod(x.shape)
    return float(size) if size == size else xp.sum(xp.ones_like(x))


def number_of(xp: Namespace, counted: Array, shape: Any) -> Array:
    """How many elements count; None: all of them."""
    if counted is None:
        return None
    # as integers: a float32 sum of ones may stop at 2^24
    return xp.sum(xp.astype(xp.broadcast_to(counted, shape), xp.int32))


def total_of(xp: Namespace, x: Array, counted: Array, shape: Any) -> Array:
    """Sum of x over what counts, broadcast to the shape of the loss."""
    if counted is not None:
        x = xp.where(counted, x, xp.zeros_like(x))
    return xp.sum(xp.broadcast_to(x, shape))
