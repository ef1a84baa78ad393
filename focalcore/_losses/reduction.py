"""What a sum is divided by."""

from __future__ import annotations

import math
from typing import Any

from .._backends import is_known
from .._dtypes import cast

Array = Any
Namespace = Any


def divided(xp: Namespace, x: Array, divisor: Array) -> Array:
    """``x / divisor``; a divisor of 0 counts as 1, so that nothing gives 0 and not NaN."""
    if divisor is None:
        return x
    # a number, or a size that is traced
    if isinstance(divisor, (int, float)) or not hasattr(divisor, "dtype"):
        return cast(xp, x / (divisor or 1), x.dtype)  # NumPy 1 widens what it divides by an int
    divisor = xp.astype(divisor, x.dtype, copy=False)
    return x / xp.where(divisor == 0, xp.ones_like(divisor), divisor)


def size_of(xp: Namespace, x: Array, axis: int | None) -> Array:
    """The number of elements, or of rows along an axis; lazy where a length is not known."""
    lengths = [n for i, n in enumerate(x.shape) if i != axis]
    is_jagged = getattr(x, "is_nested", False)  # whose rows have lengths of their own
    if not is_jagged and all(map(is_known, lengths)):
        return math.prod(lengths)
    ones = xp.astype(xp.ones_like(x), xp.int64)  # those of a half would end at 2048
    return xp.sum(ones) / (1 if axis is None else x.shape[axis])
