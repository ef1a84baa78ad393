"""The recipes for JAX: what a step moves the weights by is the closed form of the gradient."""

import numpy as np
import pytest

import focalcore

from .pages import recipe

FEATURES = np.random.default_rng(2).normal(size=(6, 10))
LABELS = np.asarray([0, 1, 2, -1, 0, -1])


def test_a_step_of_flax_is_the_closed_form(jax):
    names, y = recipe("jax", "Flax"), np.arange(18).reshape(6, 3) % 5 == 0
    model = names.nnx.Linear(10, 3, rngs=names.nnx.Rngs(0), param_dtype="float64")
    before = np.asarray(model.kernel[...])
    optimizer = names.nnx.Optimizer(model, names.optax.sgd(1.0), wrt=names.nnx.Param)
    names.step(model, optimizer, jax.numpy.asarray(FEATURES), y)
    _, slope = focalcore.sigmoid_focal_loss_value_and_grad(
        FEATURES @ before, y, reduction="mean", normalizer="positives"
    )
    np.testing.assert_allclose(
        before - np.asarray(model.kernel[...]), FEATURES.T @ slope, rtol=1e-9
    )


def test_a_step_of_equinox_is_the_closed_form(jax):
    names = recipe("jax", "Equinox")
    model = names.eqx.nn.Linear(10, 3, key=jax.random.key(0), dtype="float64")
    before, bias = np.asarray(model.weight), np.asarray(model.bias)
    state = names.optimizer.init(names.eqx.filter(model, names.eqx.is_array))
    model, _, _ = names.step(model, state, FEATURES, LABELS)
    _, slope = focalcore.softmax_focal_loss_value_and_grad(
        FEATURES @ before.T + bias, LABELS, ignore_index=-1, reduction="mean"
    )
    np.testing.assert_allclose(
        (before - np.asarray(model.weight)) / 0.1, slope.T @ FEATURES, rtol=1e-9
    )


def parts():
    """Two parts of three rows, of different counts."""
    return FEATURES.reshape(2, 3, 10), LABELS.reshape(2, 3)


def whole():
    """The gradient of both in one."""
    _, slope = focalcore.softmax_focal_loss_value_and_grad(
        np.zeros((6, 3)), LABELS, ignore_index=-1, reduction="mean"
    )
    return FEATURES.T @ slope


def test_parts_have_the_gradient_of_the_batch(jax):
    found = recipe("jax", "Gradient accumulation").gradient_in_parts(
        jax.numpy.zeros((10, 3)), *parts()
    )
    np.testing.assert_allclose(found, whole(), rtol=1e-9)


def test_optax_takes_the_mean_of_the_parts(jax):
    optax = pytest.importorskip("optax", reason="optax is not installed")
    optimizer = optax.MultiSteps(optax.sgd(1.0), every_k_schedule=2)
    weights, count = jax.numpy.zeros((10, 3)), int((LABELS >= 0).sum())

    def loss(weights, x, t):
        return focalcore.softmax_focal_loss(
            x @ weights, t, ignore_index=-1, reduction="mean", normalizer=count / 2
        )

    state = optimizer.init(weights)
    for part in zip(*map(jax.numpy.asarray, parts()), strict=True):
        updates, state = optimizer.update(jax.grad(loss)(weights, *part), state)
        weights = optax.apply_updates(weights, updates)
    # optax takes its mean in float32
    np.testing.assert_allclose(-weights, whole(), rtol=1e-6, atol=1e-8)
