"""JAX's eager calls, and its strict settings."""

import contextlib
import logging

import numpy as np
import pytest

from focalcore import (
    FocalLoss,
    binary_focal_loss,
    sigmoid_focal_loss,
    sigmoid_focal_loss_value_and_grad,
    softmax_focal_loss,
    softmax_focal_loss_grad_and_hess,
    sparse_categorical_focal_loss,
)

jax = pytest.importorskip("jax", reason="jax is not installed")
jnp = jax.numpy

# a sweep that nobody else runs, of exponents with and without a root
SWEEP = np.linspace(0.013, 4.917, 20).tolist()


@contextlib.contextmanager
def compilations():
    """The programs that JAX compiles."""
    found, logger = [], logging.getLogger("jax")

    class Listener(logging.Handler):
        def emit(self, record):
            if record.getMessage().startswith("Compiling"):
                found.append(record.getMessage())

    listener, propagates = Listener(), logger.propagate
    logger.addHandler(listener)
    logger.propagate = False
    try:
        with jax.log_compiles():
            yield found
    finally:
        logger.removeHandler(listener)
        logger.propagate = propagates


X = np.asarray([[2.0, -1.0, 0.5], [1.0, 0.0, -3.0]], "float32")
CALLS = {
    "sigmoid": lambda x, v: sigmoid_focal_loss(x, x > 0, gamma=v),
    "mean": lambda x, v: sigmoid_focal_loss(x, x > 0, gamma=v, reduction="mean"),
    "softmax": lambda x, v: softmax_focal_loss(x, [0, 1], gamma=v),
    "value and gradient": lambda x, v: sigmoid_focal_loss_value_and_grad(x, x > 0, gamma=v),
    "differentiated": lambda x, v: jax.grad(
        lambda x: softmax_focal_loss(x, [0, 1], gamma=v, reduction="mean")
    )(x),
    "object": lambda x, v: FocalLoss(gamma=v)(x, x > 0),
    "probabilities": lambda x, v: binary_focal_loss(x > 0, jax.nn.sigmoid(x), v),
    "alpha": lambda x, v: sigmoid_focal_loss(x, x > 0, alpha=v / 5),
    "pos_weight": lambda x, v: sigmoid_focal_loss(x, x > 0, pos_weight=v),
    "alpha, differentiated": lambda x, v: jax.grad(
        lambda x: softmax_focal_loss(x, [0, 1], alpha=v, reduction="mean")
    )(x),
    "pos_weight, differentiated": lambda x, v: jax.grad(
        lambda x: sigmoid_focal_loss(x, x > 0, pos_weight=v, reduction="mean")
    )(x),
    "normalizer": lambda x, v: sigmoid_focal_loss(x, x > 0, reduction="mean", normalizer=v),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_sweep_of_numbers_compiles_no_program_for_each(call):
    x = jnp.asarray(X)
    CALLS[call](x, SWEEP[0])
    with compilations() as found:
        for value in SWEEP[1:]:
            CALLS[call](x, value)
    assert len(found) <= 2, found


@pytest.mark.parametrize("gamma", [0.013, 0.25, 2.5, 3.7, 8.9])
def test_a_gamma_that_is_data_keeps_its_digits(gamma):
    """float32 has no 3.7: what it lacks would be 17 ulp of the loss of a confident example."""
    x = np.linspace(0, 30, 301).astype("float32")
    found = sigmoid_focal_loss(jnp.asarray(x), 1, gamma=gamma)
    expected = sigmoid_focal_loss(x.astype("float64"), 1, gamma=gamma)
    is_normal = expected > 1e-37
    error = np.abs(np.asarray(found, "float64") - expected) / np.spacing(expected.astype("float32"))
    assert error[is_normal].max() <= 2 * gamma + 3


def test_the_strictest_promotion_of_ranks_is_kept_to():
    x, p = jnp.asarray(X), jax.nn.softmax(jnp.asarray(X))
    labels, row = jnp.asarray([0, 1]), [0.1, 0.2, 0.3]
    with jax.numpy_rank_promotion("raise"):
        sigmoid_focal_loss(x, x > 0, gamma=row, alpha=row, pos_weight=jnp.ones(3))
        sigmoid_focal_loss(x, 1, weight=2.0, mask=True, alpha=row, reduction="mean")
        softmax_focal_loss(x, labels, alpha=row, weight=jnp.ones(2), reduction="mean")
        softmax_focal_loss(x, p, alpha=row, gamma=row, soft_targets="mixture")
        softmax_focal_loss_grad_and_hess(x, p, alpha=row, gamma=row, label_smoothing=0.1)
        binary_focal_loss(jnp.ones((2, 1)), p[0], alpha=row)
        sparse_categorical_focal_loss(labels, p, class_weight=row)
        FocalLoss(alpha=row)(x, x > 0)
        jax.grad(lambda x: softmax_focal_loss(x, p, alpha=row, reduction="mean"))(x)
        jax.hessian(lambda x: sigmoid_focal_loss(x, p, alpha=row, reduction="mean"))(x)
