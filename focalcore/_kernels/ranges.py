"""Where a value lies: what is known of it before any number is seen.

By this a comparison whose answer is known is not made, nor what would be chosen by it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

FAR = 2.0**100  # beyond, a result may be infinite in float32, and a difference of two such NaN


class Range(NamedTuple):
    """The least and the most that a value is if it is not NaN, and whether it surely is not."""

    least: float = -math.inf
    most: float = math.inf
    is_number: bool = False


TRUTH = Range(0.0, 1.0, True)


def of_constant(value: float) -> Range:
    """Return the range of a constant."""
    return Range(value, value, True) if value == value else Range()


def range_of(op: str, dtype: str, args: Sequence[Range]) -> Range:
    """Return the range of the result of an operation."""
    if dtype == "bool" or (op == "convert" and args[0] == TRUTH):
        return TRUTH
    match op, args:
        case "add", (a, b):
            found = Range(a.least + b.least, a.most + b.most, a.is_number and b.is_number)
        case "sub", (a, b):
            found = Range(a.least - b.most, a.most - b.least, a.is_number and b.is_number)
        case "mul", (a, b):
            ends = [x * y for x in a[:2] for y in b[:2]]
            is_known = all(end == end for end in ends)  # 0 times infinity is not
            found = (
                Range(min(ends), max(ends), a.is_number and b.is_number) if is_known else Range()
            )
        case "fmuladd", (a, b, c):
            return range_of("add", dtype, (range_of("mul", dtype, (a, b)), c))
        case "neg", (a,):
            found = Range(-a.most, -a.least, a.is_number)
        case "abs", (a,):
            found = Range(0.0, max(abs(a.least), abs(a.most)), a.is_number)
        case "select", (_, a, b):
            found = Range(min(a.least, b.least), max(a.most, b.most), a.is_number and b.is_number)
        case "convert", (a,):
            found = a
        case _:
            return Range()
    is_near = found.least > -FAR and found.most < FAR
    return found._replace(is_number=found.is_number and is_near)


def is_false(op: str, a: Range, b: Range) -> bool:
    """Tell whether a comparison is false whatever the numbers are; of NaN it is false anyway."""
    match op:
        case "gt":
            return a.most <= b.least
        case "ge":
            return a.most < b.least
        case "lt":
            return a.least >= b.most
        case "le":
            return a.least > b.most
        case "eq":
            return a.most < b.least or b.most < a.least
    return False
