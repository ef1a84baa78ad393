"""What is remembered of arrays: by their kind, a call finds the kernel that it ran before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .._typing import Result

# what tells two arrays from others that need another kernel; None: they need another way
Kind = Callable[[Any, Any], tuple[Any, ...] | None]
Again = Callable[[Sequence[Any]], tuple[Result, ...]]  # outputs of other arrays of the same kind

KINDS: dict[type, Kind] = {}  # by the type of an array


class AnewError(Exception):
    """What a remembered call raises where it has to be made anew, which finds out why."""
