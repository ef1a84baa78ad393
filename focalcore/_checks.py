"""Bad targets: an error with the value and the place, where values can be looked at cheaply.

Each check returns whether it could look. Where it could not (traced, lazy, on a device), the terms
turn what is bad into NaN.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ._arrays import FLOATS, Home, dtype_name

Array = Any

PART = 2**16  # how many numbers to look at at once


class Seen(NamedTuple):
    """What is known of targets."""

    good: bool  # they could be looked at
    hard: bool  # each of them is 0 or 1, if it is good


def unit_interval(home: Home, name: str, y: Array, *left_out: Any) -> Seen:
    """Every counted value lies in [0, 1]."""
    kind = dtype_name(y.dtype)
    if kind == "bool":
        return Seen(good=True, hard=True)
    seen, is_integer = home.backend.peek(y), kind not in FLOATS
    if seen is not None and _is_hard(seen):
        return Seen(good=True, hard=True)
    good = _check(home, y, left_out, 0, 1, f"{name} must lie in [0, 1]")
    return Seen(good, hard=is_integer)


def class_labels(home: Home, name: str, labels: Array, n_classes: Any, *left_out: Any) -> bool:
    """Every counted label is one of the classes."""
    if n_classes == 0:
        raise ValueError("the class axis is empty; there must be a class to be right")
    claim = f"{name} must be class labels from 0 to {n_classes - 1}"
    return _check(home, labels, left_out, 0, n_classes - 1, claim)


def distributions(home: Home, y: Array, axis: int, mask: Array) -> bool:
    """Every counted row is a distribution: values in [0, 1] that sum to 1."""
    seen = home.backend.peek(y)
    rows = None if mask is None else home.backend.peek(mask)
    if seen is None or (mask is not None and rows is None):
        return False
    everywhere = None if rows is None else np.broadcast_to(np.expand_dims(rows, axis), seen.shape)
    advice = "; leave out with mask="
    _raise_outside(seen, everywhere, 0, 1, "targets must lie in [0, 1]", advice)
    total = np.sum(seen, axis=axis, dtype=np.float64)
    _raise_outside(total, rows, 0.99, 1.01, "targets must sum to 1 over the classes", advice)
    return True


def _is_hard(seen: Any) -> bool:
    """Whether every number is 0 or 1."""
    if seen.dtype.kind in "iu":
        return bool(np.bitwise_or.reduce(seen, axis=None) in (0, 1)) if seen.size else True
    return all(np.all((part == 0) | (part == 1)) for part in _parts(seen))


def _parts(x: Any) -> Iterable[Any]:
    """Pieces of an array, of a few hundred kilobytes where its first axis allows."""
    if x.size <= PART:
        return (x,)
    rows = x.reshape(-1) if x.flags.c_contiguous else x
    step = max(1, PART * len(rows) // x.size)
    return (rows[i : i + step] for i in range(0, len(rows), step))


def _check(home: Home, y: Array, left_out: Any, least: int, most: int, claim: str) -> bool:
    ignore_index, mask = left_out or (None, None)
    seen = home.backend.peek(y)
    counted = None if mask is None else home.backend.peek(mask)
    if seen is None or (mask is not None and counted is None):
        return False
    if ignore_index is not None:
        kept = seen != ignore_index
        counted = kept if counted is None else kept & counted
    advice = "; leave out with ignore_index= or mask=" if left_out else ""
    _raise_outside(seen, counted, least, most, claim, advice)
    return True


def _raise_outside(
    seen: Any, counted: Any, least: float, most: float, claim: str, advice: str
) -> None:
    if seen.dtype == bool or seen.size == 0:
        return
    if counted is None and np.min(seen) >= least and np.max(seen) <= most:  # the usual, cheapest
        return
    bad = ~((seen >= least) & (seen <= most))  # NaN is bad
    if counted is not None:
        bad, seen = np.broadcast_arrays(bad & counted, seen)
    if not np.any(bad):
        return
    place = tuple(int(i) for i in np.argwhere(bad)[0])
    where = f" at index {place}" if place else ""
    raise ValueError(f"{claim}; found {seen[place]}{where}{advice}")
