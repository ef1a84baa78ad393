"""A training step on four devices of JAX, each way that JAX has; run as a program, prints JSON.

How many devices a processor is has to be said before JAX starts: hence the program.
"""

import itertools
import json
import sys

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

from focalcore import sigmoid_focal_loss, softmax_focal_loss

ROWS = P("rows")
# how many rows of each device count; the rest fills up
SHARDS = {"equal": (16, 16, 16, 16), "unequal": (16, 16, 16, 14), "empty": (16, 0, 9, 16)}
POSITIVES = {"no-positives": 0, "one-positive": 1, "positives": 9}


def batch(shards, positives):
    """Features, labels, and which rows count, in the order of the devices."""
    rng = np.random.default_rng(POSITIVES[positives])
    features = rng.normal(size=(64, 5))
    counted = np.concatenate([np.arange(16) < n for n in SHARDS[shards]])
    labels = np.zeros(64, dtype=int)
    labels[np.flatnonzero(counted)[: POSITIVES[positives]]] = 1
    features[~counted] = np.nan  # what fills up may be anything
    return features, labels, counted


def parameters(name):
    rng = np.random.default_rng(0)
    return rng.normal(size=5) if name == "sigmoid" else rng.normal(size=(5, 3))


def whole(name):
    """The loss of a whole batch, as one writes it for one device."""

    def sigmoid(w, x, y, counted):
        x = jnp.where(counted[:, None], x, 0.0)  # a NaN would come back through the features
        return sigmoid_focal_loss(
            x @ w, y, alpha=0.25, mask=counted, reduction="mean", normalizer="positives"
        )

    def softmax(w, x, y, counted):
        x = jnp.where(counted[:, None], x, 0.0)
        return softmax_focal_loss(x @ w, y, alpha=[1.0, 2.0, 3.0], mask=counted, reduction="mean")

    return {"sigmoid": sigmoid, "softmax": softmax}[name]


def part(name):
    """The same from the part of one device, inside shard_map."""

    def sigmoid(w, x, y, counted):
        x = jnp.where(counted[:, None], x, 0.0)
        total = sigmoid_focal_loss(x @ w, y, alpha=0.25, mask=counted, reduction="sum")
        count = jnp.sum(jnp.where(counted, y, 0))
        total, count = jax.lax.psum((total, count), "rows")
        return total / jnp.maximum(count, 1)

    def softmax(w, x, y, counted):
        x = jnp.where(counted[:, None], x, 0.0)
        total = softmax_focal_loss(x @ w, y, alpha=[1.0, 2.0, 3.0], mask=counted, reduction="sum")
        total, count = jax.lax.psum((total, jnp.sum(counted)), "rows")
        return total / jnp.maximum(count, 1)

    return {"sigmoid": sigmoid, "softmax": softmax}[name]


def jitted(name, _):
    return jax.jit(jax.value_and_grad(whole(name)))


def eager(name, _):
    return jax.value_and_grad(whole(name))


def mapped(name, mesh, **options):
    """Differentiated outside of shard_map."""
    f = jax.shard_map(part(name), mesh=mesh, in_specs=(P(), *[ROWS] * 3), out_specs=P(), **options)
    return jax.jit(jax.value_and_grad(f))


def mapped_unchecked(name, mesh):
    return mapped(name, mesh, check_vma=False)


def inside(name, mesh):
    """Differentiated inside of shard_map, which sums the gradient of what all devices share."""
    f = jax.value_and_grad(part(name))
    specs = {"in_specs": (P(), *[ROWS] * 3), "out_specs": (P(), P())}
    return jax.jit(jax.shard_map(f, mesh=mesh, **specs))


def inside_unchecked(name, mesh):
    """The same without the check, where each device has its own gradient: their mean is it."""

    def f(*arguments):
        value, gradient = jax.value_and_grad(part(name))(*arguments)
        return value, jax.lax.pmean(gradient, "rows")

    specs = {"in_specs": (P(), *[ROWS] * 3), "out_specs": (P(), P())}
    return jax.jit(jax.shard_map(f, mesh=mesh, check_vma=False, **specs))


WAYS = {f.__name__: f for f in (jitted, eager, mapped, mapped_unchecked, inside, inside_unchecked)}
AXES = {"auto": AxisType.Auto, "explicit": AxisType.Explicit}
CASES = [
    case
    for case in itertools.product(AXES, WAYS, ("sigmoid", "softmax"), SHARDS, POSITIVES)
    if case[:2] != ("explicit", "eager")  # JAX differentiates nothing there, of no function
]


def step(axes, way, name, shards, positives):
    """The loss on each device, and the gradient."""
    mesh = jax.make_mesh((4,), ("rows",), axis_types=(AXES[axes],))
    over_rows, everywhere = NamedSharding(mesh, ROWS), NamedSharding(mesh, P())
    arrays = (jax.device_put(x, over_rows) for x in batch(shards, positives))
    w = jax.device_put(parameters(name), everywhere)
    value, gradient = FUNCTIONS.setdefault((axes, way, name), WAYS[way](name, mesh))(w, *arrays)
    return [float(x.data) for x in value.addressable_shards], np.asarray(gradient).tolist()


FUNCTIONS = {}  # each is compiled once

if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    json.dump({"-".join(case): step(*case) for case in CASES}, sys.stdout)
