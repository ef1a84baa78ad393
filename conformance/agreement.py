"""Libraries against each other: pairwise, and through a whole training."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from . import tolerances
from .implementations import FOCALCORE
from .measure import Found, allowance, bound, in_ulp
from .targets import Target
from .vectors import Exact, load

Array = Any

STEPS, RATE, GAMMA = 100, 0.5, 2.0


class Distance(NamedTuple):
    """How far two targets are from each other."""

    dtype: str
    one: str
    other: str
    share: float  # of what their bounds allow


def pairs(found: dict[Target, Found]) -> list[Distance]:
    """Every two targets of one type: the largest difference, as a part of what is allowed."""
    return [
        Distance(a.dtype, a.id, b.id, max(apart(a, b, found[a], found[b]), default=0.0))
        for a, b in itertools.combinations(found, 2)
        if a.dtype == b.dtype
    ]


def apart(a: Target, b: Target, one: Found, other: Found) -> Iterator[float]:
    """The differences of what both gave, as parts of the sums of their bounds."""
    for vectors in load(a.dtype):
        if vectors.id in one.keys() & other.keys():
            for quantity in one[vectors.id].keys() & other[vectors.id].keys():
                both = one[vectors.id][quantity], other[vectors.id][quantity]
                allowed = sum(bound(t, vectors, quantity) + allowance(t, vectors) for t in (a, b))
                yield _difference(a, b, vectors.exact[quantity], quantity, *both) / allowed


def _difference(
    a: Target, b: Target, exact: Exact, quantity: str, one: Array, other: Array
) -> float:
    """The largest, in ulp; infinite where one is NaN and the other is not."""
    as_exact = Exact(other, np.zeros_like(other), exact.scale)
    errors = in_ulp(a, as_exact, quantity, one)
    errors[np.isnan(one) != np.isnan(other)] = np.inf
    if b.place.flushes:
        least = tolerances.least(a.dtype, quantity)
        errors[(exact.scale < least) & (np.maximum(np.abs(one), np.abs(other)) < least)] = 0
    errors[np.isnan(exact.high)] = 0
    return float(np.max(errors))


def trajectories(targets: list[Target]) -> list[Distance]:
    """Trainings from one start: how far apart they ever are, as a part of what is allowed.

    Only the loss is the target's own. Descent forgets the errors of the steps before, so what is
    allowed at each step is what two slopes may be apart.
    """
    paths = {target: train(target) for target in targets}
    distances = []
    for a, b in itertools.combinations(targets, 2):
        if a.dtype == b.dtype:
            size = np.max(np.abs(paths[a]), axis=1, keepdims=True)
            ulps = np.abs(paths[a] - paths[b]) / tolerances.ulp(size, a.dtype)
            allowed = 2 * tolerances.bound(a.dtype, "slope", GAMMA)
            distances.append(Distance(a.dtype, a.id, b.id, float(np.max(ulps)) / allowed))
    return distances


def train(target: Target) -> Array:
    """The weights of a logistic regression by gradient descent, after each step."""
    rng = np.random.default_rng(5)
    labels = np.arange(200) % 10 == 0
    features = rng.normal(size=(200, 5)) + labels[:, None]
    vectors = next(v for v in load(target.dtype) if v.id == f"sigmoid-hard[gamma={GAMMA:g}]")
    place, loss = target.place, FOCALCORE.value(vectors)
    own, mode = place.differentiates, target.mode
    slope = place.gradient(mode, loss) if own else place.run(mode, FOCALCORE.slope(vectors))
    kind = "float64" if target.dtype == "float64" else "float32"  # weights are not kept in halves
    y, path = place.array(labels), [np.zeros(5, kind)]
    with place.running():
        for _ in range(STEPS):
            x = place.array((features @ path[-1]).astype(kind), target.dtype)
            grad = features.T @ np.asarray(place.numpy(slope(x, y)), "float64") / len(labels)
            path.append((path[-1] - RATE * grad).astype(kind))
    return np.asarray(path[1:], "float64")
