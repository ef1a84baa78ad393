"""The checks of targets and probabilities; an error names the bad value and its place.

Values are read only where that is cheap, and each check returns whether it read them. Where it did
not (traced, lazy, on a device), the losses turn what is bad into NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from .._dtypes import FLOATS, dtype_name
from .._typing import Array
from .arrays import ArrayContext, Inputs
from .doors import Door

PART = 2**16  # how many numbers are checked at once
SUM_TOLERANCE = 0.01  # how far from 1 the sum of a distribution may be


class TargetFacts(NamedTuple):
    """What is known of targets that have to lie in [0, 1]."""

    checked: bool = False  # whether they were read, and do
    binary: bool = False  # whether each of those that do is 0 or 1


UNKNOWN = TargetFacts()


def check_targets_in_unit_interval(
    inputs: Inputs, door: Door, ignore_index: int | None
) -> TargetFacts:
    """Check that every counted target lies in [0, 1], and return what is known of the targets."""
    context, y = inputs.context, inputs.targets
    kind = dtype_name(y.dtype)
    if kind == "bool":
        return TargetFacts(checked=True, binary=True)
    seen, is_integer = context.backend.host_values(y), kind not in FLOATS
    if seen is not None and _is_binary(seen):
        return TargetFacts(checked=True, binary=True)
    advice = door.left_out("ignore_index=", "mask=")
    claim = Claim(f"{door.labels} must lie in [0, 1]", 0, 1, _unless_swapped(inputs, door, advice))
    return TargetFacts(_check(context, y, ignore_index, inputs.mask, claim), binary=is_integer)


def check_probabilities(inputs: Inputs, door: Door) -> bool:
    """Check that every probability lies in [0, 1], and return whether they could be read."""
    p = inputs.scores
    claim = Claim(
        f"{door.scores} must lie in [0, 1]", 0, 1, lambda: "; logits go with from_logits=True"
    )
    return _check(inputs.context, p, None, None, claim)


def check_class_labels(inputs: Inputs, door: Door, axis: int, ignore_index: int | None) -> bool:
    """Check that every counted label is a class, and return whether the labels could be read."""
    n_classes = inputs.scores.shape[axis]
    if n_classes == 0:
        raise ValueError("the class axis is empty; there must be a class to be right")
    text = f"{door.labels} must be class labels from 0 to {n_classes - 1}"
    claim = Claim(text, 0, n_classes - 1, lambda: door.left_out("ignore_index=", "mask="))
    return _check(inputs.context, inputs.targets, ignore_index, inputs.mask, claim)


def check_distributions(inputs: Inputs, door: Door, axis: int) -> bool:
    """Check that counted rows are in [0, 1] and sum to 1; return whether they could be read."""
    context, mask = inputs.context, inputs.mask
    seen = context.backend.host_values(inputs.targets)
    rows = None if mask is None else context.backend.host_values(mask)
    if seen is None or (mask is not None and rows is None):
        return False
    everywhere = None if rows is None else np.broadcast_to(np.expand_dims(rows, axis), seen.shape)
    advice = _unless_swapped(inputs, door, door.left_out("mask="))
    _raise_outside(seen, everywhere, Claim(f"{door.labels} must lie in [0, 1]", 0, 1, advice))
    total = np.sum(seen, axis=axis, dtype=np.float64)
    text = f"{door.labels} must sum to 1 over the classes"
    _raise_outside(total, rows, Claim(text, 1 - SUM_TOLERANCE, 1 + SUM_TOLERANCE, advice))
    return True


def counted_mask(targets: Array, ignore_index: int | None, mask: Array | None) -> Array | None:
    """Return which targets count, or None if all of them do."""
    if ignore_index is None:
        return mask
    kept = targets != ignore_index
    return kept if mask is None else kept & mask


class Claim(NamedTuple):
    """A range that values have to lie in, and the words of the error where they do not."""

    text: str
    least: float
    most: float
    advice: Callable[[], str]


def _unless_swapped(inputs: Inputs, door: Door, advice: str) -> Callable[[], str]:
    """Return a function that gives the advice, or says that the arguments seem to be swapped."""

    def way_out() -> str:
        scores = inputs.context.backend.host_values(inputs.scores)
        # logits that are all 0 are no targets: an untrained output layer gives them
        is_swapped = scores is not None and scores.any() and _is_binary(scores)
        return door.swapped if is_swapped else advice

    return way_out


def _is_binary(seen: Any) -> bool:
    """Tell whether every number is 0 or 1."""
    if seen.dtype.kind in "iu":
        return bool(np.bitwise_or.reduce(seen, axis=None) in (0, 1)) if seen.size else True
    return all(np.all((part == 0) | (part == 1)) for part in _parts(seen))


def _parts(x: Any) -> Iterable[Any]:
    """Return pieces of an array, of a few hundred kilobytes where its first axis allows."""
    if x.size <= PART:
        return (x,)
    rows = x.reshape(-1) if x.flags.c_contiguous else x
    step = max(1, PART * len(rows) // x.size)
    return (rows[i : i + step] for i in range(0, len(rows), step))


def _check(
    context: ArrayContext, y: Array, ignore_index: int | None, mask: Array | None, claim: Claim
) -> bool:
    seen = context.backend.host_values(y)
    counted = None if mask is None else context.backend.host_values(mask)
    if seen is None or (mask is not None and counted is None):
        return False
    _raise_outside(seen, counted_mask(seen, ignore_index, counted), claim)
    return True


def _raise_outside(seen: Any, counted: Any, claim: Claim) -> None:
    if seen.size == 0 or (seen.dtype == bool and claim.most >= 1):
        return
    # the usual case, tested at the least cost
    if counted is None and np.min(seen) >= claim.least and np.max(seen) <= claim.most:
        return
    bad = ~((seen >= claim.least) & (seen <= claim.most))  # NaN is bad
    if counted is not None:
        bad, seen = np.broadcast_arrays(bad & counted, seen)
    if not np.any(bad):
        return
    place = tuple(int(i) for i in np.argwhere(bad)[0])
    where = f" at index {place}" if place else ""
    raise ValueError(f"{claim.text}; found {seen[place]}{where}{claim.advice()}")
