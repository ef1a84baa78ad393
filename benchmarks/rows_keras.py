"""Rows of Keras on TensorFlow, whose own focal loss is the other.

A process has one backend of Keras: `KERAS_BACKEND=tensorflow python -m benchmarks 'Keras*'`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .row import OURS, Row, Runs

FEATURES = 256
SIZES = ((1_024, 10), (4_096, 80), (1_000, 1_000))

Shape = tuple[int, int]


def losses() -> dict[str, Any]:
    """Each loss of logits, as a Keras object."""
    import keras

    from focalcore.keras import BinaryFocalLoss

    theirs = keras.losses.BinaryFocalCrossentropy(from_logits=True)
    return {OURS: BinaryFocalLoss(from_logits=True), "Keras": theirs}


def numbers(shape: Shape) -> tuple[Any, Any]:
    """Logits, and labels of which one in ten is positive."""
    rng = np.random.default_rng(0)
    labels = rng.random(shape, dtype="float32") < 0.1
    return rng.standard_normal(shape, dtype="float32"), labels.astype("float32")


def bare() -> Callable[[Shape], Runs]:
    """The mean and its gradient in a graph, and nothing else."""
    there = losses()
    import tensorflow as tf

    def runs(shape: Shape) -> Runs:
        x, y = map(tf.constant, numbers(shape))

        def of(loss: Any) -> Callable[[], Any]:
            @tf.function
            def step() -> Any:
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    value = loss(y, x)
                return value, tape.gradient(value, x)

            return lambda: step()[1].numpy()

        return {name: of(loss) for name, loss in there.items()}

    return runs


def training(jit: bool) -> Callable[[Shape], Runs]:
    """A step of training of one dense layer."""
    there = losses()
    import keras

    def runs(shape: Shape) -> Runs:
        rows, classes = shape
        x, _ = numbers((rows, FEATURES))
        _, y = numbers(shape)

        def of(loss: Any) -> Callable[[], Any]:
            keras.utils.set_random_seed(0)
            model = keras.Sequential([keras.Input((FEATURES,)), keras.layers.Dense(classes)])
            model.compile(optimizer="sgd", loss=loss, jit_compile=jit)
            return lambda: model.train_on_batch(x, y)

        return {name: of(loss) for name, loss in there.items()}

    return runs


def another_backend() -> str | None:
    """Which other backend Keras runs on in this process."""
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    return None if backend == "tensorflow" else f"Keras runs on {backend}, by KERAS_BACKEND"


NEEDS = ("keras", "tensorflow")
NAME = "Keras on TensorFlow"

row = partial(Row, why_not=another_backend)

ROWS = (
    row(f"{NAME}, mean and gradient in a graph", NEEDS, bare, SIZES),
    row(f"{NAME}, train_on_batch", NEEDS, partial(training, jit=False), SIZES[:2]),
    row(f"{NAME}, train_on_batch by XLA", NEEDS, partial(training, jit=True), SIZES[:2]),
)
