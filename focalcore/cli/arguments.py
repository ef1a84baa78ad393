"""The parsers of the values of the command line."""

from __future__ import annotations

import argparse
import codecs
import io
import sys
from typing import Literal

from .._inputs import parse
from ..evaluation.readers.errors import shown

MOST_INDEX = 2**63 - 1


def name(text: str) -> str:
    """Return a name, or names as a,b,c."""
    names(text)
    return text


def names(text: str) -> tuple[str, ...]:
    """Return names as a,b,c."""
    parts = tuple(part.strip() for part in text.split(","))
    if not all(parts):
        raise argparse.ArgumentTypeError(f"must be a name, or names as a,b,c; found {text!r}")
    return parts


def class_names(text: str) -> tuple[str, ...]:
    """Return names as a,b,c, of which each is there once."""
    found = names(text)
    if len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(f"must have each name once; found {shown(text)}")
    return found


def number(text: str) -> float:
    """Return a parameter >= 0, as gamma and alpha are."""
    try:
        return float(parse.parameter("the value", float(text), parse.MOST_GAMMA))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a number from 0 to {parse.MOST_GAMMA:g}; found {shown(text)}"
        ) from None


def numbers(text: str) -> tuple[float, ...]:
    """Return one parameter or several, as a,b,c."""
    return tuple(number(part) for part in text.split(","))


def alpha(text: str) -> float | tuple[float, ...] | Literal["balanced"]:
    """Return a class balance, a tuple of one for each class, or the word for what balances."""
    if text == "balanced":
        return "balanced"
    values = numbers(text)
    return values if len(values) > 1 else values[0]


def bound(text: str) -> float:
    """Return a number that a loss may not be above."""
    try:
        found = float(text)
    except ValueError:
        found = float("nan")
    if not found >= 0:
        raise argparse.ArgumentTypeError(f"must be a number >= 0; found {shown(text)}")
    return found


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


def character(text: str) -> str:
    """Return one character, which may be written as an escape."""
    found = {"\\t": "\t", "tab": "\t"}.get(text, text)
    if len(found) != 1 or not found.isascii():
        raise argparse.ArgumentTypeError(f"must be one character, or tab; found {shown(text)}")
    return found


def encoding(text: str) -> str:
    """Return the name of an encoding of text."""
    try:
        io.TextIOWrapper(io.BytesIO(), text)  # not all that codecs know is text
        return codecs.lookup(text).name
    except LookupError:
        raise argparse.ArgumentTypeError(
            f"must be an encoding, as utf-8, utf-16 or latin-1; found {shown(text)}"
        ) from None


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None
