"""The calls whose bits are compared between a device and the host."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from conformance.places import ALL, Place

from ..row import elements

Array = Any
Shape = tuple[int, ...]
Record = dict[str, Any]

GAMMAS = (0.0, 0.5, 2.0, 2.3)
IGNORED = -100
BACKWARD = ("backward of mean", "backward of none")
OF_EACH = ("none", "value and gradient", "gradient and curvature", "backward of none")
OUTPUTS = (*OF_EACH, "sum", "mean", "mean with mask", "backward of mean")
SIGMOID_OPTIONS: tuple[Record, ...] = (
    {},
    {"alpha": 0.25},
    {"pos_weight": 3.0},
    {"label_smoothing": 0.1},
    {"alpha": 0.25, "pos_weight": 3.0, "label_smoothing": 0.1},
)
LABEL_OPTIONS: tuple[Any, ...] = (
    {},
    {"alpha"},
    {"ignore_index"},
    {"alpha", "ignore_index"},
    {"label_smoothing"},
)
SIGMOID_SHAPES = ((1,), (1_003,), (37, 29), (5, 7, 11, 13), (200_003,))
ROWS_OF = ((1_003, 2), (1_003, 10), (517, 100), (131, 1_000), (37, 5_000))
IMAGES, MANY_ROWS = (3, 21, 17, 13), (100_003, 10)
SOFT_SHAPES = ((1_003, 3), (517, 100), (131, 1_000), IMAGES)


class Case(NamedTuple):
    """A call whose bits are compared."""

    loss: str
    output: str
    dtype: str
    targets: str
    shape: Shape
    options: Record
    is_strided: bool = False

    @property
    def name(self) -> str:
        parts = [self.loss, self.output, self.dtype, f"{self.targets} targets"]
        parts += [" x ".join(f"{n:,}" for n in self.shape)]
        parts += [f"{key} {_short(value)}" for key, value in self.options.items()]
        return ", ".join([*parts, *["strided"][: self.is_strided]])

    def is_for(self, place: Place) -> bool:
        return self.dtype in place.dtypes and (place.differentiates or self.output not in BACKWARD)


def cases(limit: int) -> list[Case]:
    """All cases of few enough logits, shuffled: where time ends early, some of each were run."""
    drawn = random.Random(0)
    found = [case for case in (*_sigmoid(drawn), *_softmax(drawn)) if elements(case.shape) <= limit]
    drawn.shuffle(found)
    return found


def _sigmoid(drawn: random.Random) -> Iterator[Case]:
    def case(output: str, dtype: str, targets: str, gamma: float, options: Record) -> Case:
        shape, is_strided = drawn.choice(SIGMOID_SHAPES), drawn.random() < 0.2
        every = {"gamma": gamma} | options
        return Case("sigmoid", output, dtype, targets, shape, every, is_strided)

    for dtype in ALL:
        for targets in ("float", "int64", "bool"):
            for output in OUTPUTS:
                options = drawn.choice(SIGMOID_OPTIONS)
                yield case(output, dtype, targets, drawn.choice(GAMMAS), options)
    for gamma in GAMMAS:
        for options in SIGMOID_OPTIONS:
            yield case("value and gradient", "float32", "float", gamma, options)


def _softmax(drawn: random.Random) -> Iterator[Case]:
    def case(output: str, dtype: str, shape: Shape, options: Record) -> Case:
        every = {"gamma": drawn.choice(GAMMAS), "axis": 1} | options
        kind = "distribution" if "soft_targets" in options else "label"
        return Case("softmax", output, dtype, kind, shape, every, drawn.random() < 0.2)

    for dtype in ALL:
        for shape in (*ROWS_OF, IMAGES):
            for output in OUTPUTS:
                yield case(output, dtype, shape, _of_labels(drawn.choice(LABEL_OPTIONS), shape[1]))
        for shape in SOFT_SHAPES:
            for output in ("none", "mean", "value and gradient"):
                meaning = drawn.choice(("expected", "mixture"))
                yield case(output, dtype, shape, {"soft_targets": meaning})
        yield case("value and gradient", dtype, MANY_ROWS, {})


def _of_labels(names: tuple[str, ...], classes: int) -> Record:
    every = {
        "alpha": [round(0.5 + c % 7 / 4, 2) for c in range(classes)],
        "ignore_index": IGNORED,
        "label_smoothing": 0.1,
    }
    return {name: every[name] for name in names}


def _short(value: Any) -> str:
    return "of each class" if isinstance(value, list) else str(value)


class Given(NamedTuple):
    """The numbers of a case, on the host in float64."""

    x: Array
    y: Array
    mask: Array
    upstream: Array  # what backward multiplies by


def given(case: Case) -> Given:
    """Logits with the edges among them, unless a sum would hide the other numbers behind them."""
    rng = np.random.default_rng(0)
    x = 8 * rng.standard_normal(case.shape)
    if case.loss == "sigmoid":
        rows: Shape = case.shape
        y = {"float": rng.random(rows).round(1), "bool": rng.random(rows) < 0.3}.get(
            case.targets, rng.integers(0, 2, rows)
        )
    else:
        rows = case.shape[:1] + case.shape[2:]
        labels = rng.integers(0, case.shape[1], rows)
        is_soft = case.targets == "distribution"
        y = _distributions(rng, case.shape) if is_soft else labels
        if "ignore_index" in case.options:
            y = np.where(rng.random(rows) < 0.2, IGNORED, y)
    mask = rng.random(rows) < 0.7
    if case.output == "mean with mask":
        mask.flat[0], x.flat[0] = False, math.nan  # what is left out doesn't count
    elif case.output in OF_EACH and elements(case.shape) > 100:
        edges = [math.inf, -math.inf, math.nan, 0.0, -0.0, 95.0, -95.0, 1e4, -1e4]
        x.flat[: len(edges)] = edges
    return Given(x, y, mask, rng.standard_normal(rows))


def _distributions(rng: Any, shape: Shape) -> Array:
    y = rng.random(shape) ** 4
    return y / y.sum(1, keepdims=True)
