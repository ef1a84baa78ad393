"""Rows of the losses beside the focal loss, in torch beside the forms that people copy."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import focalcore

from .row import OURS, Array, Loss, Row, Runs, backwards, numbers
from .rows_torch import NEEDS

SIZES = (100_000, 10_000_000)
BINS = ((20_000, 17), (500_000, 17))  # sides of boxes, and the bins of each


def asymmetric(x: Array, y: Array) -> Array:
    p = x.sigmoid()
    q = (1 - p + 0.05).clamp(max=1)
    p_t, gamma = p * y + q * (1 - y), 1 * y + 4 * (1 - y)
    ce = y * p.clamp(min=1e-8).log() + (1 - y) * q.clamp(min=1e-8).log()
    return -(ce * (1 - p_t) ** gamma)


def quality(x: Array, y: Array) -> Array:
    return _bce(x, y) * (y - x.sigmoid()).abs() ** 2


def varifocal(x: Array, y: Array) -> Array:
    weight = y * (y > 0) + 0.75 * (x.sigmoid() - y).abs() ** 2 * (y <= 0)
    return _bce(x, y) * weight


def gaussian(x: Array, y: Array) -> Array:
    p = x.sigmoid()
    positive = (p + 1e-12).log() * (1 - p) ** 2 * y.eq(1)
    return -positive - (1 - p + 1e-12).log() * p**2 * (1 - y) ** 4


def poly(x: Array, y: Array) -> Array:
    p = x.sigmoid()
    u = 1 - (p * y + (1 - p) * (1 - y))
    return _bce(x, y) * u**2 + u**3


def distribution(x: Array, v: Array) -> Array:
    import torch

    ce, left = partial(torch.nn.functional.cross_entropy, reduction="none"), v.long()
    return ce(x, left) * (left + 1 - v) + ce(x, left + 1) * (v - left)


def _bce(x: Array, y: Array) -> Array:
    import torch

    return torch.nn.functional.binary_cross_entropy_with_logits(x, y, reduction="none")


def scores(n: int) -> tuple[Array, Array]:
    """Logits, and scores of which nine in ten are 0 and one in a hundred is 1."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(n, dtype="float32") * np.float32(3)
    chance = rng.random(n, dtype="float32")
    return x, np.where(chance < 0.1, np.minimum(1, chance * 11), 0).astype("float32")


def values(shape: tuple[int, int]) -> tuple[Array, Array]:
    """Logits of bins, and numbers among these."""
    rng = np.random.default_rng(0)
    among = rng.random(shape[0], dtype="float32") * np.float32(shape[1] - 1.01)
    return rng.standard_normal(shape, dtype="float32"), among


def training(ours: Loss, form: Loss, arrays: Callable[[Any], tuple[Array, Array]]) -> Any:
    def runs(size: Any) -> Runs:
        import torch

        x, y = map(torch.from_numpy, arrays(size))
        both = {
            OURS: lambda x, y: ours(x, y, reduction="mean"),
            "published form": lambda x, y: form(x, y).mean(),
        }
        return backwards(both, x.requires_grad_(), y)

    return lambda: runs


def row(
    name: str, ours: Loss, form: Loss, arrays: Any = scores, sizes: tuple[Any, ...] = SIZES
) -> Row:
    title = f"{name}, torch eager, mean forward and backward"
    return Row(title, NEEDS, training(ours, form, arrays), sizes)


ROWS = (
    row("asymmetric", focalcore.asymmetric_loss, asymmetric, numbers),
    row("quality focal", focalcore.quality_focal_loss, quality),
    row("varifocal", focalcore.varifocal_loss, varifocal),
    row("Gaussian focal", focalcore.gaussian_focal_loss, gaussian),
    row(
        "focal with epsilon", partial(focalcore.sigmoid_focal_loss, poly_epsilon=1.0), poly, numbers
    ),
    row("distribution focal", focalcore.distribution_focal_loss, distribution, values, BINS),
)
