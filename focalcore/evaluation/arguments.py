"""The parsers of the values of the command line."""

from __future__ import annotations

import argparse
import sys

from .._inputs import parse
from ._source import shown

MOST_INDEX = 2**63 - 1


def name(text: str) -> str:
    """Return a name, or names as a,b,c."""
    if not all(part.strip() for part in text.split(",")):
        raise argparse.ArgumentTypeError(f"must be a name, or names as a,b,c; found {text!r}")
    return text


def number(text: str) -> float:
    """Return a parameter >= 0, as gamma and alpha are."""
    try:
        return float(parse.parameter("the value", float(text), parse.MOST_GAMMA))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a number from 0 to {parse.MOST_GAMMA:g}; found {shown(text)}"
        ) from None


def numbers(text: str) -> float | tuple[float, ...]:
    """Return a parameter, or a tuple of one for each class."""
    values = tuple(number(part) for part in text.split(","))
    return values if len(values) > 1 else values[0]


def count(text: str) -> int:
    """Return a number of things, 1 or more, cut to the most that there can be."""
    value = _whole(text)
    if value is None or value < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0; found {shown(text)}")
    return min(value, sys.maxsize)


def index(text: str) -> int:
    """Return a whole number that arrays can hold."""
    value = _whole(text)
    if value is None or not -MOST_INDEX - 1 <= value <= MOST_INDEX:
        raise argparse.ArgumentTypeError(
            f"must be a whole number from {-MOST_INDEX - 1} to {MOST_INDEX}; found {shown(text)}"
        )
    return value


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None
