"""Rows of independent logits with class labels, which others make one-hot."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from conformance.peers import Optax, TorchvisionForm
from focalcore import sigmoid_focal_loss

from .row import OURS, Array, Row, Runs, backwards
from .rows_jax import NEEDS as NEEDS_OF_JAX
from .rows_torch import NEEDS

Shape = tuple[int, ...]

ANCHORS = ((8, 5_000, 80),)
ours = partial(sigmoid_focal_loss, class_axis=-1, alpha=0.25, reduction="mean")


def arrays(shape: Shape) -> tuple[Array, Array]:
    """Logits, and a label for each anchor: a class, or the number of classes for background."""
    rng = np.random.default_rng(0)
    return rng.standard_normal(shape, dtype="float32"), rng.integers(0, shape[-1] + 1, shape[:-1])


def on_torch() -> Any:
    import torch

    form = TorchvisionForm().loss("sigmoid", 2.0, 0.25)

    def one_hot(x: Array, labels: Array) -> Array:
        n = x.shape[-1]
        targets = torch.nn.functional.one_hot(labels, n + 1)[..., :n].to(x.dtype)
        return form(x, targets).mean()

    def runs(shape: Shape) -> Runs:
        x, labels = map(torch.from_numpy, arrays(shape))
        losses = {OURS: ours, "torchvision form": one_hot}
        return backwards(losses, x.requires_grad_(), labels)

    return runs


def on_jax() -> Any:
    import jax
    import jax.numpy as jnp

    form = Optax().loss("sigmoid", 2.0, 0.25)

    def one_hot(x: Array, labels: Array) -> Array:
        return form(x, jax.nn.one_hot(labels, x.shape[-1])).mean()

    both = {OURS: ours, "optax": one_hot}
    compiled = {name: jax.jit(jax.value_and_grad(f)) for name, f in both.items()}

    def runs(shape: Shape) -> Runs:
        x, labels = map(jnp.asarray, arrays(shape))
        return {
            name: (lambda f=f: jax.block_until_ready(f(x, labels))) for name, f in compiled.items()
        }

    return runs


ROWS = (
    Row("class labels, torch eager, mean forward and backward", NEEDS, on_torch, ANCHORS),
    Row("class labels, JAX jit, value and gradient of the mean", NEEDS_OF_JAX, on_jax, ANCHORS),
)
