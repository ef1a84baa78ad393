"""Libraries against each other: pairwise, and through a whole training."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from . import tolerances
from .implementations import FOCALCORE
from .measure import Found, bound
from .targets import Target
from .vectors import Vectors, load

Array = Any

STEPS, RATE, GAMMA = 100, 0.5, 2.0


class Distance(NamedTuple):
    """How far two targets are from each other."""

    one: str
    other: str
    share: float  # of what their bounds allow


def pairs(found: dict[Target, Found]) -> list[Distance]:
    """Every two targets of one type: the largest difference, as a part of what is allowed."""
    return [
        Distance(a.id, b.id, max(apart(a, b, found[a], found[b])))
        for a, b in itertools.combinations(found, 2)
        if a.dtype == b.dtype
    ]


def apart(a: Target, b: Target, one: Found, other: Found) -> Iterator[float]:
    """The differences, as parts of the sums of both bounds."""
    for vectors in a.vectors():
        for quantity in one[vectors.id].keys() & other[vectors.id].keys():
            both = one[vectors.id][quantity], other[vectors.id][quantity]
            yield _apart(a, b, vectors, quantity, *both)


def _apart(
    a: Target, b: Target, vectors: Vectors, quantity: str, one: Array, other: Array
) -> float:
    exact = vectors.exact[quantity]
    with np.errstate(invalid="ignore"):
        differences = np.where(one == other, 0.0, np.abs(one - other))
    errors = differences / tolerances.ulp(exact.scale, a.dtype)
    errors[np.isnan(exact.high)] = 0
    if a.place.flushes or b.place.flushes:
        errors[tolerances.is_denormal(exact.scale, a.dtype)] = 0
    allowed = sum(
        bound(t, vectors, quantity)
        + tolerances.allowance(t.place.arithmetic, t.dtype, vectors.gamma)
        for t in (a, b)
    )
    return float(np.max(errors)) / allowed


def trajectories(targets: list[Target]) -> list[Distance]:
    """Trainings from one start: how far they end from the first, as a part of what is allowed.

    Only the loss is the target's own. Descent forgets the errors of the steps before, so what is
    allowed is what two slopes may be apart.
    """
    first = {}
    distances = []
    for target in targets:
        weights = train(target)
        start, base = first.setdefault(target.dtype, (target.id, weights))
        ulps = np.max(np.abs(weights - base)) / tolerances.ulp(np.max(np.abs(base)), target.dtype)
        allowed = 2 * tolerances.bound(target.dtype, "slope", GAMMA)
        distances.append(Distance(start, target.id, float(ulps) / allowed))
    return distances


def train(target: Target) -> Array:
    """Logistic regression by gradient descent, on one example in ten; what it ends with."""
    rng = np.random.default_rng(5)
    labels = np.arange(200) % 10 == 0
    features = rng.normal(size=(200, 5)) + labels[:, None]
    vectors = next(v for v in load(target.dtype) if v.id == f"sigmoid-hard[gamma={GAMMA:g}]")
    place, loss = target.place, FOCALCORE.value(vectors)
    own = place.differentiates
    slope = place.gradient(target.mode, loss) if own else FOCALCORE.slope(vectors)
    y, weights = (
        place.array(labels),
        np.zeros(5, target.dtype if "b" not in target.dtype else "float32"),
    )
    with place.running():
        for _ in range(STEPS):
            x = place.array((features @ weights).astype(weights.dtype), target.dtype)
            grad = features.T @ np.asarray(place.numpy(slope(x, y)), "float64") / len(labels)
            weights = (weights - RATE * grad).astype(weights.dtype)
    return weights.astype("float64")
