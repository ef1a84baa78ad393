"""The errors of an implementation on a target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import tolerances
from .implementations import FOCALCORE, Implementation, Loss
from .targets import Target
from .vectors import QUANTITIES, Exact, Vectors

Array = Any


@dataclass
class Tally:
    """The errors of one quantity, over all that was compared."""

    numbers: int = 0
    ulp: float = 0.0  # the largest error, where both are finite
    share: float = 0.0  # the largest error as a part of its bound in the table
    where: str = ""  # the place of that one
    beyond: int = 0  # how many are off by more than the bound and what the library's exp adds
    far: int = 0  # how many are off by more than 1 %, or wrongly infinite or finite, or NaN
    nan: int = 0


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
    """What there are exact values of, as far as it is to be had, in float64."""
    place = target.place
    ways = ways_of(target, implementation, vectors)
    if not ways:
        return {}
    x = place.array(vectors.logits, target.dtype)
    is_soft = vectors.targets.dtype.kind == "f"
    y = place.array(vectors.targets, target.dtype if is_soft else None)
    with place.running():
        found = {quantity: place.numpy(way(x, y)) for quantity, way in ways.items()}
    return {quantity: np.asarray(numbers, "float64") for quantity, numbers in found.items()}


def ways_of(target: Target, implementation: Implementation, vectors: Vectors) -> dict[str, Loss]:
    """How an implementation gives each quantity, as the target runs it."""
    place, mode = target.place, target.mode
    if "posterior" in vectors.exact:
        posterior = implementation.posterior(vectors)
        return {} if posterior is None else {"posterior": place.run(mode, posterior)}
    loss = implementation.value(vectors)
    if loss is None:
        return {}
    ways = {"value": place.run(mode, loss)}
    slope, curvature = implementation.slope(vectors), implementation.curvature(vectors)
    if place.differentiates and "slope" in vectors.exact:
        ways["slope"] = place.gradient(mode, loss)
    elif slope is not None:
        ways["slope"] = place.run(mode, slope)
    if curvature is not None and "curvature" in target.quantities:
        ways["curvature"] = place.run(mode, curvature)
    return ways


def add(tally: Tally, target: Target, vectors: Vectors, quantity: str, found: Array) -> None:
    """Compare, and note what is worst."""
    exact = vectors.exact[quantity]
    assert found.shape == exact.high.shape, f"{vectors.id}: {quantity} is {found.shape}"
    errors, is_defined = in_ulp(target, exact, quantity, found), ~np.isnan(exact.high)
    most = bound(target, vectors, quantity)
    worst = np.unravel_index(np.argmax(errors), errors.shape)
    if errors[worst] >= tally.share * most:
        tally.share = float(errors[worst]) / most
        tally.where = f"{vectors.id} at {vectors.logits[worst[0]]}, {vectors.targets[worst[0]]}"
    is_lost = np.isinf(errors)
    size = np.maximum(exact.scale, tolerances.least(target.dtype, quantity))
    is_far = is_defined & (difference(found, exact) > 0.01 * size)
    tally.ulp = max(tally.ulp, float(np.max(np.where(is_lost, 0, errors))))
    tally.numbers += int(np.sum(is_defined))
    tally.beyond += int(np.sum(errors > most + allowance(target, vectors)))
    tally.far += int(np.sum(is_far | is_lost))
    tally.nan += int(np.sum(np.isnan(found) & is_defined))


def bound(target: Target, vectors: Vectors, quantity: str) -> float:
    """The entry of the table."""
    return tolerances.bound(target.dtype, quantity, vectors.gamma, vectors.n_classes)


def allowance(target: Target, vectors: Vectors) -> float:
    """What the library's exp adds to it."""
    return tolerances.allowance(target.functions, target.dtype, vectors.gamma)


def in_ulp(target: Target, exact: Exact, quantity: str, found: Array) -> Array:
    """The errors; 0 where nothing is defined, or where a denormal may have been flushed."""
    least = tolerances.least(target.dtype, quantity)
    with np.errstate(over="ignore"):
        unit = tolerances.ulp(np.maximum(exact.scale, least), target.dtype)
        errors = difference(found, exact) / unit
    if target.place.flushes:
        errors[(exact.scale < least) & (np.abs(found) < least)] = 0
    errors[np.isnan(exact.high)] = 0
    return errors


def difference(found: Array, exact: Exact) -> Array:
    """|found - exact|, infinite where one is infinite or NaN and the other is not."""
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs((found - exact.high) - exact.low)
    return np.where(found == exact.high, np.abs(exact.low), np.where(error == error, error, np.inf))
