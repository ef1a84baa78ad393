"""Half precision by its bits: exact to float32, and back rounded to the nearest, ties to even.

Written with integers, so that it needs no instruction that a machine may lack.
"""

from __future__ import annotations

from typing import Any

Value = Any


def from_float16(ops: Any, bits: Value) -> Value:
    """Return the float32 of the bits of a float16."""
    magnitude = bits & 0x7FFF
    # exponents differ by 112; the product is exact, of subnormal numbers too
    finite = ops.bits(ops.from_bits(magnitude << 13) * 2.0**112)
    shifted = ops.select(magnitude >= 0x7C00, (magnitude << 13) | 0x7F800000, finite)
    return ops.from_bits(shifted | ((bits & 0x8000) << 16))


def to_float16(ops: Any, x: Value) -> Value:
    """Return the bits of the float16 that is nearest to a float32."""
    bits = ops.bits(x)
    magnitude = bits & 0x7FFFFFFF
    is_odd = (magnitude >> 13) & 1
    normal = (magnitude + (is_odd + (0xFFF - (112 << 23)))) >> 13
    # the sum's last digit is worth 2^-24, as the subnormal numbers' is
    subnormal = ops.bits(ops.from_bits(magnitude) + 0.5) - 0x3F000000
    # infinity, or a NaN that keeps nothing but to be one
    special = ops.select(magnitude > 0x7F800000, magnitude | 0x7E00, 0x7C00) & 0x7E00
    found = ops.select(magnitude < 0x38800000, subnormal, normal)
    found = ops.select(magnitude >= 0x47800000, special, found)
    return found | ((bits >> 16) & 0x8000)


def from_bfloat16(ops: Any, bits: Value) -> Value:
    """Return the float32 of the bits of a bfloat16."""
    return ops.from_bits(bits << 16)


def to_bfloat16(ops: Any, x: Value) -> Value:
    """Return the bits of the bfloat16 that is nearest to a float32."""
    bits = ops.bits(x)
    rounded = (bits + (((bits >> 16) & 1) + 0x7FFF)) >> 16
    return ops.select(x == x, rounded, 0x7FC0)


FROM = {"float16": from_float16, "bfloat16": from_bfloat16}
TO = {"float16": to_float16, "bfloat16": to_bfloat16}
