"""Inputs that several files of tests draw on."""

import numpy as np

N, C = 6, 5  # rows and classes

# how else than in C order an array may lie
LAYOUTS = {
    "reversed": lambda x: x[::-1].copy()[::-1],
    "other order": np.asfortranarray,
    "every other": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "broadcast": lambda x: np.broadcast_to(x[:1], x.shape),
}


def problem(shape=(N, C), axis=-1, dtype="float64", seed=7):
    """Logits at random, and beside them every kind of targets, weights and masks."""
    rng = np.random.default_rng(seed)
    rows = np.delete(shape, axis)  # the shape of what lies beside a row of classes
    shares = rng.random(shape)
    return {
        "x": (rng.normal(size=shape) * 3).astype(dtype),
        "y": rng.integers(0, 2, shape),
        "p": rng.random(shape).astype(dtype),
        "soft": rng.random(shape).astype(dtype),
        "labels": rng.integers(0, shape[axis], rows),
        "distributions": (shares / shares.sum(axis=axis, keepdims=True)).astype(dtype),
        "weight": rng.random(shape).astype(dtype),
        "mask": rng.random(shape) < 0.7,
        "row_weight": rng.random(rows).astype(dtype),
        "row_mask": rng.random(rows) < 0.7,
        "row_gamma": np.expand_dims(3 * rng.random(rows), axis).astype(dtype),
    }
