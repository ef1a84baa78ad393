"""Rows of a classifier and its loss: in one, and in two steps through the logits of all rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from focalcore import softmax_focal_loss

from .row import OURS, Array, Row, Runs

FEATURES = 1_024
VOCABULARY = (4_096, 32_000)
LARGE_VOCABULARY = (4_096, 128_256)

Shape = tuple[int, int]
mean = partial(softmax_focal_loss, reduction="mean")


def numbers(shape: Shape) -> tuple[Array, Array, Array]:
    """Features, the weight of a classifier, and a class for each row."""
    rng = np.random.default_rng(0)
    rows, classes = shape
    hidden = rng.standard_normal((rows, FEATURES), dtype="float32")
    weight = rng.standard_normal((classes, FEATURES), dtype="float32")
    weight *= FEATURES**-0.5
    return hidden, weight, rng.integers(0, classes, rows)


def on_torch(dtype: str) -> Callable[[Shape], Runs]:
    """The mean and its gradients, forward and backward."""
    import torch

    from focalcore.torch import linear_softmax_focal_loss

    losses = {
        OURS: partial(linear_softmax_focal_loss, reduction="mean"),
        "two steps": lambda x, w, y: mean(torch.nn.functional.linear(x, w), y),
    }

    def runs(shape: Shape) -> Runs:
        hidden, weight, labels = map(torch.from_numpy, numbers(shape))
        learned = [x.to(getattr(torch, dtype)).requires_grad_() for x in (hidden, weight)]
        return {
            name: lambda f=f: torch.autograd.grad(f(*learned, labels), learned)
            for name, f in losses.items()
        }

    return runs


def on_jax() -> Callable[[Shape], Runs]:
    """The mean and its gradients, compiled."""
    import jax

    from focalcore.jax import linear_softmax_focal_loss

    losses: dict[str, Any] = {
        OURS: partial(linear_softmax_focal_loss, reduction="mean"),
        "two steps": lambda x, w, y: mean(x @ w.T, y),
    }
    compiled = {name: jax.jit(jax.value_and_grad(f, (0, 1))) for name, f in losses.items()}

    def runs(shape: Shape) -> Runs:
        arrays = [jax.numpy.asarray(x) for x in numbers(shape)]
        return {name: lambda f=f: jax.block_until_ready(f(*arrays)) for name, f in compiled.items()}

    return runs


def without_bfloat16() -> str | None:
    """Why products of bfloat16 would take hours."""
    import torch

    asked = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    is_quick = asked is not None and asked()
    return None if is_quick else "torch multiplies no bfloat16 on this processor"


NAME = "linear and softmax, 1,024 features"

ROWS = (
    Row(
        f"{NAME}, torch eager, mean forward and backward",
        ("torch",),
        lambda: on_torch("float32"),
        (VOCABULARY, LARGE_VOCABULARY),
        free=10e9,
    ),
    Row(
        f"{NAME}, bfloat16, torch eager, mean forward and backward",
        ("torch",),
        lambda: on_torch("bfloat16"),
        (LARGE_VOCABULARY,),
        free=6e9,
        why_not=without_bfloat16,
    ),
    Row(
        f"{NAME}, JAX jit, value and gradient of the mean",
        ("jax",),
        on_jax,
        (VOCABULARY,),
        free=6e9,
    ),
)
