"""Rows of JAX, all of it compiled by `jit`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from conformance.peers import Optax
from focalcore import sigmoid_focal_loss

from .row import OURS, Array, Row, Runs, numbers


def losses() -> dict[str, Callable[[Array, Array], Array]]:
    import jax

    def naive(x: Array, y: Array) -> Array:
        p = jax.nn.sigmoid(x)
        p_t = p * y + (1 - p) * (1 - y)
        ce = -y * jax.nn.log_sigmoid(x) - (1 - y) * jax.nn.log_sigmoid(-x)
        return (0.25 * y + 0.75 * (1 - y)) * (1 - p_t) ** 2 * ce

    return {
        OURS: lambda x, y: sigmoid_focal_loss(x, y, alpha=0.25),
        "optax": Optax().loss("sigmoid", 2.0, 0.25),
        "naive form": naive,
    }


def means() -> dict[str, Callable[..., Any]]:
    import jax

    means = {
        name: (lambda x, y, f=f: f(x, y).mean()) for name, f in losses().items() if name != OURS
    }
    ours = {OURS: lambda x, y: sigmoid_focal_loss(x, y, alpha=0.25, reduction="mean")}
    return {name: jax.value_and_grad(f) for name, f in (ours | means).items()}


def on_jax(functions: Callable[[], dict[str, Callable[..., Any]]]) -> Callable[[int], Runs]:
    import jax
    import jax.numpy as jnp

    compiled = {name: jax.jit(f) for name, f in functions().items()}

    def runs(n: int) -> Runs:
        x, y = map(jnp.asarray, numbers(n))
        return {name: (lambda f=f: jax.block_until_ready(f(x, y))) for name, f in compiled.items()}

    return runs


NEEDS = ("jax", "optax")

ROWS = (
    Row("JAX jit, value", NEEDS, partial(on_jax, losses)),
    Row("JAX jit, value and gradient of the mean", NEEDS, partial(on_jax, means)),
)
