"""The look for bad targets and probabilities; an error names the bad value and its place.

Losses make NaN of what is bad. Only where a result is NaN is anything looked for here, and only
where values can be read: what is traced or lazy stays NaN, and what is on a device does unless
FOCALCORE_CHECK=1 asks to wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .. import settings
from .._backends import Backend
from .._typing import Array
from .arrays import Inputs
from .doors import Door

Look = Callable[[], None]  # raises what names a bad value, if there is one
SUM_TOLERANCE = 0.01  # how far from 1 the sum of a distribution may be


def in_turn(*looks: Look) -> Look:
    """Return a look for one thing after the other."""

    def look() -> None:
        for each in looks:
            each()

    return look


def check_unit_interval(inputs: Inputs, door: Door, ignore_index: int | None) -> None:
    """Check that every counted target lies in [0, 1]."""
    advice = _unless_swapped(inputs, door, door.left_out("ignore_index=", "mask="))
    _check(inputs, inputs.targets, _in_unit_interval(door.labels, advice), ignore_index)


def check_probabilities(inputs: Inputs, door: Door) -> None:
    """Check that every probability lies in [0, 1]."""
    advice = "; logits go with from_logits=True"
    _check(inputs, inputs.scores, _in_unit_interval(door.scores, lambda: advice))


def check_shares(inputs: Inputs, door: Door, axis: int | None) -> None:
    """Check that the scores are in [0, 1], and along an axis, if there is one, sum to 1."""
    name = door.scores
    _check(inputs, inputs.scores, _in_unit_interval(name, str))
    seen = values_of(inputs.context.backend, inputs.scores)
    if axis is not None and seen is not None:
        total = np.sum(seen, axis=axis, dtype=np.float64)
        _raise_outside(total, None, _summing_to_1(name, lambda: f"; divide {name} by their sum"))


def check_class_labels(inputs: Inputs, door: Door, axis: int, ignore_index: int | None) -> None:
    """Check that every counted label is a class."""
    last = inputs.scores.shape[axis] - 1
    text = f"{door.labels} must be class labels from 0 to {last}"
    options = "ignore_index=", "ignore_class=", "mask="
    claim = Claim(text, 0, last, partial(door.left_out, *options))
    _check(inputs, inputs.targets, claim, ignore_index)


def check_labels_or_background(
    inputs: Inputs, door: Door, axis: int, ignore_index: int | None, background: int | None
) -> None:
    """Check that every counted label is a class or the background (None: the one after them)."""
    n = inputs.scores.shape[axis]
    labels, mask = _seen(inputs, inputs.targets)
    if labels is None:
        return
    last, labels = n - 1 + (background is None), np.squeeze(labels, axis)
    counted = counted_mask(labels, ignore_index, None if mask is None else mask.any(axis))
    if background is not None:
        counted = counted_mask(labels, background, counted)
    name = n if background is None else background
    text = f"{door.labels} must be class labels from 0 to {n - 1}, or {name}, the background"
    advice = partial(door.left_out, "ignore_index=", "mask=")
    _raise_outside(labels, counted, Claim(text, 0, last, advice))


def check_among_bins(inputs: Inputs, door: Door, axis: int) -> None:
    """Check that every counted value lies among the bins, which are numbered from 0."""
    last = inputs.scores.shape[axis] - 1
    text = f"{door.labels} must lie in [0, {last}], among the numbers of the bins"
    _check(inputs, inputs.targets, Claim(text, 0, last, partial(door.left_out, "mask=")))


def check_distributions(inputs: Inputs, door: Door, axis: int) -> None:
    """Check that counted rows are in [0, 1] and sum to 1."""
    seen, rows = _seen(inputs, inputs.targets)
    if seen is None:
        return
    everywhere = None if rows is None else np.broadcast_to(np.expand_dims(rows, axis), seen.shape)
    advice = _unless_swapped(inputs, door, door.left_out("mask="))
    _raise_outside(seen, everywhere, _in_unit_interval(door.labels, advice))
    total = np.sum(seen, axis=axis, dtype=np.float64)
    _raise_outside(total, rows, _summing_to_1(door.labels, advice))


def values_of(backend: Backend, x: Any) -> Any:
    """Return the values of an array as NumPy, or None where they can't be read."""
    seen = backend.host_values(x)
    return backend.device_values(x) if seen is None and settings.checks() else seen


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


def _in_unit_interval(name: str, advice: Callable[[], str]) -> Claim:
    return Claim(f"{name} must lie in [0, 1]", 0, 1, advice)


def _summing_to_1(name: str, advice: Callable[[], str]) -> Claim:
    text = f"{name} must sum to 1 over the classes"
    return Claim(text, 1 - SUM_TOLERANCE, 1 + SUM_TOLERANCE, advice)


def _unless_swapped(inputs: Inputs, door: Door, advice: str) -> Callable[[], str]:
    """Return a function that gives the advice, or says that the arguments seem to be swapped."""

    def way_out() -> str:
        scores = values_of(inputs.context.backend, inputs.scores)
        # logits that are all 0 are no targets: an untrained output layer gives them
        is_swapped = scores is not None and scores.any() and _is_binary(scores)
        return door.swapped if is_swapped else advice

    return way_out


def _is_binary(seen: Any) -> bool:
    """Tell whether every number is 0 or 1."""
    return bool(np.all((seen == 0) | (seen == 1)))


def _seen(inputs: Inputs, x: Array) -> tuple[Any, Any]:
    """Return the values of an array and of the mask as NumPy, None if either can't be read."""
    backend, mask = inputs.context.backend, inputs.mask
    if mask is None:
        return values_of(backend, x), None
    counted = values_of(backend, mask)
    return None if counted is None else values_of(backend, x), counted


def _check(inputs: Inputs, x: Array, claim: Claim, ignore_index: int | None = None) -> None:
    seen, mask = _seen(inputs, x)
    if seen is not None:
        _raise_outside(seen, counted_mask(seen, ignore_index, mask), claim)


def _raise_outside(seen: Any, counted: Any, claim: Claim) -> None:
    if seen.size == 0 or (seen.dtype == bool and claim.most >= 1):
        return
    bad = ~((seen >= claim.least) & (seen <= claim.most))  # NaN is bad
    if counted is not None:
        bad, seen = np.broadcast_arrays(bad & counted, seen)
    if not np.any(bad):
        return
    place = tuple(int(i) for i in np.argwhere(bad)[0])
    where = f" at index {place}" if place else ""
    raise ValueError(f"{claim.text}; found {seen[place]}{where}{claim.advice()}")
