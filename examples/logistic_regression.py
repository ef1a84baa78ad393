"""The same training in NumPy, torch and JAX: one loop, three ways to get the gradient.

NumPy has no automatic differentiation, so focalcore gives the gradient; torch and JAX differentiate
the loss themselves. All end at the same weights. Run it with

    python examples/logistic_regression.py
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import focalcore

OPTIONS: dict[str, Any] = {"gamma": 2.0, "alpha": 0.75, "reduction": "mean"}


def train(
    features: Any, gradient: Callable[[Any], Any], steps: int = 200, rate: float = 0.5
) -> Any:
    """Gradient descent from zero."""
    weights = 0 * features[0]
    for _ in range(steps):
        weights = weights - rate * gradient(weights)
    return weights


def with_numpy(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The gradient of the logits from focalcore, the rest of the chain by hand."""

    def gradient(weights: np.ndarray) -> np.ndarray:
        _, grad = focalcore.sigmoid_focal_loss_value_and_grad(x @ weights, y, **OPTIONS)
        return x.T @ grad

    return train(x, gradient)


def with_torch(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The gradient from torch."""
    import torch

    features, labels = torch.asarray(x), torch.asarray(y)

    def loss(weights: torch.Tensor) -> torch.Tensor:
        return focalcore.sigmoid_focal_loss(features @ weights, labels, **OPTIONS)

    return train(features, torch.func.grad(loss)).numpy()


def with_jax(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The gradient from JAX, compiled."""
    import jax
    import jax.numpy as jnp

    features, labels = jnp.asarray(x), jnp.asarray(y)

    def loss(weights: jax.Array) -> jax.Array:
        return focalcore.sigmoid_focal_loss(features @ weights, labels, **OPTIONS)

    return np.asarray(train(features, jax.jit(jax.grad(loss))))


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Tell the eights from the rest by the logits of a model of all ten digits."""
    with np.load(Path(__file__).parent / "digits-multiclass.npz") as file:
        return file["logits"].astype(np.float64) / 10, file["targets"] == 8


if __name__ == "__main__":
    for way in (with_numpy, with_torch, with_jax):
        print(f"{way.__name__:<12}", way(*digits()).round(5))
