"""The plain way: the operations as they are written, on whole arrays."""

from __future__ import annotations

from typing import Any

from .._dtypes import arithmetic_dtype, cast
from .._losses.operands import Operands, Part
from .._losses.spec import LossSpec

Array = Any
Namespace = Any


def run(
    xp: Namespace, loss: LossSpec, operands: Operands, parts: tuple[Part, ...]
) -> tuple[Array, ...]:
    """The parts, one after the other."""
    dtype = operands.logits.dtype
    wide, total = arithmetic_dtype(xp, dtype), getattr(xp, "total", xp.sum)
    return tuple(
        cast(xp, total(x), wide) if part.summed else cast(xp, x, dtype if part.rounded else wide)
        for part, x in zip(parts, loss.parts(xp, operands, parts), strict=True)
    )
