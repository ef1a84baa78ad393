"""The reduction of a loss: its sums and their dtypes, and the division of a mean."""

from __future__ import annotations

import math
from collections.abc import Iterable

from .._dtypes import arithmetic_dtype, cast
from .._inputs.shapes import is_known
from .._typing import Array, ArrayT, Device, DType, Library, Namespace, Parameter
from .operands import Operands, Output

# what each named normalizer divides a mean by
NORMALIZERS = {
    "positives": Output.POSITIVES,
    "weight": Output.WEIGHT,
    "alpha": Output.CLASS_WEIGHT,
}


def dtype_of(xp: Library, output: Output, dtype: DType) -> DType:
    """Return the dtype of an output, from that of the logits."""
    if output.is_double:
        return xp.float64
    return dtype if output.is_rounded else arithmetic_dtype(xp, dtype)


def summed(xp: Namespace, x: Array, dtype: DType) -> Array:
    """Return the sum of all elements in a dtype."""
    return cast(xp, xp.total(x), dtype)


def sum_of_block(xp: Namespace, x: Array) -> float:
    """Return the sum of a block in float64, with digits to spare for adding other blocks."""
    return float(xp.sum(x, dtype=xp.float64))


def sum_of_blocks(xp: Namespace, sums: Iterable[float], dtype: DType, device: Device) -> Array:
    """Return the sum of all blocks from their sums, added in their order."""
    return xp.asarray(sum(sums), dtype=dtype, device=device)[()]


def size_of(xp: Namespace, x: Array, axis: int | None) -> Array:
    """Return the number of elements, or of rows along an axis; lazy where a length is not known."""
    lengths = [n for i, n in enumerate(x.shape) if i != axis]
    is_jagged = getattr(x, "is_nested", False)  # its rows have different lengths
    if not is_jagged and all(map(is_known, lengths)):
        return math.prod(lengths)
    ones = xp.astype(xp.ones_like(x), xp.int64)  # float16 can't count beyond 2048
    return xp.sum(ones) / (1 if axis is None else x.shape[axis])


def denominator_of(
    xp: Library, operands: Operands, named: Output | None, axis: int | None, *, is_partial: bool
) -> Parameter | Output:
    """Return what a mean is divided by: what was given, the size, or an output to be computed."""
    given = operands.get("normalizer")
    if given is not None:
        return given
    if named is not None or is_partial:
        return named or Output.COUNT
    return size_of(xp, operands.arrays["scores"], axis)


def quotients(
    xp: Library, operands: Operands, outputs: Iterable[Output], found: Iterable[Array]
) -> tuple[Array, ...]:
    """Return the outputs, the sums among them divided by the denominator among the operands."""
    denominator = operands.get("denominator")
    return tuple(
        divided(xp, x, denominator) if output.is_sum else x
        for output, x in zip(outputs, found, strict=True)
    )


def divided(xp: Library, x: ArrayT, denominator: Parameter | None) -> ArrayT:
    """Return ``x / denominator``, where 0 counts as 1 so that the mean of nothing is 0, not NaN."""
    if denominator is None:
        return x
    # a number, or a size that is traced
    if isinstance(denominator, (int, float)) or not hasattr(denominator, "dtype"):
        return cast(xp, x / (denominator or 1), x.dtype)  # NumPy 1 widens what an int divides
    denominator = xp.astype(denominator, x.dtype, copy=False)
    return x / xp.where(denominator == 0, xp.ones_like(denominator), denominator)
