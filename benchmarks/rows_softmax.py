"""Rows of torch's classes: the mean, forward and backward, of every form of the targets."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from conformance.peers import CrossEntropyForm
from focalcore import softmax_focal_loss

from .row import OURS, Array, Loss, Row, Runs, backwards
from .rows_torch import NEEDS, Losses, compiled

Shape = tuple[int, ...]

SHAPES = ((64, 10), (50_000, 20), (500_000, 20), (20_000, 1_000), (200, 50_000))
SHAPES_COMPILED = (
    (5_000, 20), (50_000, 20), (500_000, 20), (10_000, 1_000), (20_000, 1_000), (200, 50_000)
)  # fmt: skip
IMAGES = ((2, 19, 256, 256),)
VOCABULARY = ((4_096, 32_000),)
SMOOTHING = 0.1


def by_labels() -> Losses:
    form = CrossEntropyForm().loss("softmax", 2.0, None)
    return beside({"cross-entropy form": form})


def by_expected_probability() -> Losses:
    return beside({"plain form": expected})


def by_mixture() -> Losses:
    return beside({"plain form": mixture}, soft_targets="mixture")


def by_smoothed_labels() -> Losses:
    return beside({"cross-entropy form": smoothed}, label_smoothing=SMOOTHING)


def beside(theirs: Losses, **options: Any) -> Losses:
    """Our mean, and the mean of the others' rows."""
    ours = partial(softmax_focal_loss, axis=1, reduction="mean", **options)
    return {OURS: ours} | {name: mean_of(f) for name, f in theirs.items()}


def mean_of(loss: Loss) -> Loss:
    return lambda x, y: loss(x, y).mean()


def expected(x: Array, y: Array) -> Array:
    """The paper's formula with the expected probability."""
    log_p = x.log_softmax(1)
    p_t, ce = (y * log_p.exp()).sum(1), -(y * log_p).sum(1)
    return (1 - p_t) ** 2.0 * ce


def mixture(x: Array, y: Array) -> Array:
    """A modulating factor for each class."""
    log_p = x.log_softmax(1)
    return -(y * (1 - log_p.exp()) ** 2.0 * log_p).sum(1)


def smoothed(x: Array, y: Array) -> Array:
    """The smoothed cross-entropy, as usual copies have it: no expected probability is in it."""
    import torch

    ce = torch.nn.functional.cross_entropy(x, y, label_smoothing=SMOOTHING, reduction="none")
    return (1 - torch.exp(-ce)) ** 2.0 * ce


def labels(shape: Shape, dtype: str = "float32") -> tuple[Array, Array]:
    """Logits that learn, and a class for each row."""
    import torch

    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.standard_normal(shape, dtype="float32")).to(getattr(torch, dtype))
    y = torch.from_numpy(rng.integers(0, shape[1], (shape[0], *shape[2:])))
    return x.requires_grad_(), y


def distributions(shape: Shape) -> tuple[Array, Array]:
    """Logits that learn, and a distribution over the classes for each row."""
    import torch

    x, _ = labels(shape)
    rng = np.random.default_rng(1)
    return x, torch.from_numpy(rng.standard_normal(shape, dtype="float32")).softmax(1)


def training(losses: Losses, arrays: Callable[..., Any] = labels) -> Callable[[Shape], Runs]:
    return lambda shape: backwards(losses, *arrays(shape))


def row(name: str, prepare: Callable[[], Any], sizes: tuple[Shape, ...], **more: Any) -> Row:
    return Row(f"softmax, {name}, mean forward and backward", NEEDS, prepare, sizes, **more)


ROWS = (
    row("torch eager", lambda: training(by_labels()), SHAPES),
    row(
        "expected probability, torch eager",
        lambda: training(by_expected_probability(), distributions),
        IMAGES,
    ),
    row("mixture, torch eager", lambda: training(by_mixture(), distributions), IMAGES),
    row(
        "label smoothing, torch eager",
        lambda: training(by_smoothed_labels()),
        IMAGES,
        is_one_formula=False,
    ),
    row(
        "bfloat16, torch eager",
        lambda: training(by_labels(), partial(labels, dtype="bfloat16")),
        VOCABULARY,
        free=12e9,
    ),
    row("torch compiled", lambda: training(compiled(by_labels())), SHAPES_COMPILED),
)
