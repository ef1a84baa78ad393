"""The errors of an implementation on a target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import tolerances
from .implementations import FOCALCORE, Implementation
from .targets import Target
from .vectors import QUANTITIES, Exact, Vectors

Array = Any


@dataclass
class Tally:
    """The errors of one quantity, over all that was compared."""

    numbers: int = 0
    ulp: float = 0.0  # the largest error, of what is not lost
    share: float = 0.0  # the largest error as a part of its bound in the table
    where: str = ""  # the place of that one
    beyond: int = 0  # how many are off by more than the bound and what the library's exp adds
    far: int = 0  # how many are off by more than 1 %
    lost: int = 0  # how many are NaN, or infinite where the exact value is not, or the reverse


@dataclass
class Score:
    """What a target gave."""

    target: str
    cases: int = 0  # logits or rows, each with its options
    quantities: dict[str, Tally] = field(default_factory=lambda: {q: Tally() for q in QUANTITIES})

    @property
    def passes(self) -> bool:
        return self.cases > 0 and not any(t.beyond for t in self.quantities.values())


Found = dict[str, dict[str, Array]]  # by the ids of the exact values, and by quantity


def everything(target: Target, implementation: Implementation = FOCALCORE) -> Found:
    """All that an implementation gives on a target."""
    return {v.id: results(target, implementation, v) for v in target.vectors()}


def score(target: Target, found: Found) -> Score:
    """Compare it with the exact values."""
    result = Score(target.id)
    for vectors in target.vectors():
        result.cases += len(vectors) if found[vectors.id] else 0
        for quantity, numbers in found[vectors.id].items():
            add(result.quantities[quantity], target, vectors, quantity, numbers)
    return result


def results(target: Target, implementation: Implementation, vectors: Vectors) -> dict[str, Array]:
    """Value, slope and curvature, as far as they are to be had, in float64."""
    place, mode = target.place, target.mode
    loss = implementation.value(vectors)
    if loss is None:
        return {}
    ways = {"value": place.run(mode, loss)}
    slope, curvature = implementation.slope(vectors), implementation.curvature(vectors)
    if place.differentiates and "slope" in vectors.exact:
        ways["slope"] = place.gradient(mode, loss)
    elif slope is not None:
        ways["slope"] = slope
    if curvature is not None and "curvature" in target.quantities:
        ways["curvature"] = place.run(mode, curvature)
    x = place.array(vectors.logits, target.dtype)
    is_soft = vectors.targets.dtype.kind == "f"
    y = place.array(vectors.targets, target.dtype if is_soft else None)
    with place.running():
        found = {quantity: place.numpy(way(x, y)) for quantity, way in ways.items()}
    return {quantity: np.asarray(numbers, "float64") for quantity, numbers in found.items()}


def add(tally: Tally, target: Target, vectors: Vectors, quantity: str, found: Array) -> None:
    """Compare, and note what is worst."""
    exact = vectors.exact[quantity]
    assert found.shape == exact.high.shape, f"{vectors.id}: {quantity} is {found.shape}"
    errors = in_ulp(target, exact, found)
    most = bound(target, vectors, quantity)
    allowed = most + tolerances.allowance(target.place.arithmetic, target.dtype, vectors.gamma)
    worst = np.unravel_index(np.argmax(errors), errors.shape)
    if errors[worst] >= tally.share * most:
        tally.share = float(errors[worst]) / most
        tally.where = f"{vectors.id} at {vectors.logits[worst[0]]}, {vectors.targets[worst[0]]}"
    is_normal = ~tolerances.is_denormal(exact.scale, target.dtype) & ~np.isnan(exact.high)
    is_lost = np.isinf(errors)
    tally.ulp = max(tally.ulp, float(np.max(np.where(is_lost, 0, errors))))
    tally.lost += int(np.sum(is_lost))
    tally.numbers += int(np.sum(~np.isnan(exact.high)))
    tally.beyond += int(np.sum(errors > allowed))
    tally.far += int(np.sum(is_normal & (difference(found, exact) > 0.01 * exact.scale)))


def bound(target: Target, vectors: Vectors, quantity: str) -> float:
    """The entry of the table."""
    return tolerances.bound(target.dtype, quantity, vectors.gamma, vectors.n_classes)


def in_ulp(target: Target, exact: Exact, found: Array) -> Array:
    """The errors; 0 where nothing is defined, or where a denormal was flushed to 0."""
    with np.errstate(over="ignore"):
        errors = difference(found, exact) / tolerances.ulp(exact.scale, target.dtype)
    if target.place.flushes:
        errors[tolerances.is_denormal(exact.scale, target.dtype) & (found == 0)] = 0
    errors[np.isnan(exact.high)] = 0
    return errors


def difference(found: Array, exact: Exact) -> Array:
    """|found - exact|, infinite where one is infinite or NaN and the other is not."""
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs((found - exact.high) - exact.low)
    return np.where(found == exact.high, np.abs(exact.low), np.where(error == error, error, np.inf))
