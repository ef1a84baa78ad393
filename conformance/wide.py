"""How good the float64 kernel is: that float32 may be judged by it.

It is compared with the stored values of 106 bits, and with the definitions at random logits.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import mpmath as mp
import numpy as np

from focalcore._losses.sigmoid import Sigmoid

from . import exact, measure
from .errors import FORMS, QUANTITIES
from .places import NUMPY
from .scan import run
from .targets import Target
from .vectors import Exact

Array = Any
Record = dict[str, Any]

ON_NUMPY = Target(NUMPY, "float64", "kernel")
FARTHEST = 700.0  # beyond it, results are denormal in float64


def against_stored() -> Record:
    """The largest errors at the stored logits, whatever gamma: both kinds of labels."""
    stored = [
        v for v in ON_NUMPY.vectors() if v.loss == "sigmoid" and v.options.keys() == {"gamma"}
    ]
    target = replace(ON_NUMPY, only=tuple(v.id for v in stored))
    score = measure.score(target, measure.everything(target))
    ulp = {quantity: score.quantities[quantity].ulp for quantity in QUANTITIES}
    return {"with": "stored values", "results": 2 * score.cases} | ulp


def against_definitions(gammas: Iterable[float], n: int) -> Record:
    """The largest errors at n random logits, for each gamma and form."""
    gammas, logits = tuple(gammas), random_logits(n)
    ulp = dict.fromkeys(QUANTITIES, 0.0)
    for gamma, label in itertools.product(gammas, (0, 1)):
        expected = by_definition(logits, label, gamma)
        for form in (f for f in FORMS if f.label == label):
            found = run(Sigmoid(), form, logits, gamma)
            for quantity in QUANTITIES:
                errors = measure.in_ulp(ON_NUMPY, expected[quantity], quantity, found[quantity])
                ulp[quantity] = max(ulp[quantity], float(np.max(errors)))
    return {"with": "definitions", "results": 2 * n * len(gammas) * len(FORMS)} | ulp


def random_logits(n: int) -> Array:
    """Logits of every size, and as many where the loss bends."""
    rng = np.random.default_rng(0)
    sizes = 2.0 ** rng.uniform(-60, np.log2(FARTHEST), n // 2)
    return np.concatenate([sizes * rng.choice([-1, 1], n // 2), rng.uniform(-40, 40, n - n // 2)])


def by_definition(logits: Array, label: int, gamma: float) -> dict[str, Exact]:
    """Exact values and slopes, each as the sum of two doubles."""
    pairs = [value_and_slope(x, label, gamma) for x in logits.tolist()]
    return {
        name: Exact(*np.asarray([*map(parts, column)]).T)
        for name, column in zip(QUANTITIES, zip(*pairs, strict=True), strict=True)
    }


def value_and_slope(x: float, label: int, gamma: float) -> tuple[Any, Any]:
    """The definition and its slope at a finite logit."""

    def loss(x: Any) -> Any:
        return exact.sigmoid_focal(x, label, gamma)

    slope, _ = exact.derivatives(loss, x)
    return loss(x), slope


def parts(x: Any) -> tuple[float, float, float]:
    """The nearest double, the rest, and the size."""
    high = float(x)
    with mp.workdps(60):
        return high, float(x - high), abs(high)
