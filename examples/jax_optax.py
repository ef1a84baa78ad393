"""The training of logistic_regression.py in JAX, with an optimizer of optax.

python examples/jax_optax.py
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from logistic_regression import digits

from focalcore import sigmoid_focal_loss

features, labels = map(jnp.asarray, digits())
optimizer = optax.sgd(learning_rate=0.5)


@jax.value_and_grad
def loss(weights):
    """The loss of all rows."""
    return sigmoid_focal_loss(features @ weights, labels, gamma=2.0, alpha=0.75, reduction="mean")


@jax.jit
def step(weights, state):
    """One step down."""
    value, gradient = loss(weights)
    updates, state = optimizer.update(gradient, state)
    return optax.apply_updates(weights, updates), state, value


weights = jnp.zeros(10)
state = optimizer.init(weights)
for _ in range(200):
    weights, state, value = step(weights, state)
print(np.asarray(weights).round(5))
