"""What is remembered of arrays: by their kind, a call finds the kernel that it ran before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._typing import Result

# what tells two arrays from others that need another kernel; None: they need another way
Kind = Callable[[Any, Any], tuple[Any, ...] | None]
# outputs of other arrays of the same kind; where there is a denominator, by another one if given
Again = Callable[..., tuple[Result, ...]]

KINDS: dict[type, Kind] = {}  # by the type of an array


class AnewError(Exception):
    """What a remembered call raises where it has to be made anew, which finds out why."""
