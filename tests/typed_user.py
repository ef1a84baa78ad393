"""What a user writes, as type checkers see it: mypy and pyright read this file, nobody runs it.

A line that has to be an error says so: a checker that finds none there complains of that.
"""

from __future__ import annotations

from typing import Any, assert_type

import jax
import numpy as np
import torch
from numpy.typing import NDArray

import focalcore
import focalcore.jax
import focalcore.torch

# pyright: reportUnnecessaryTypeIgnoreComment=true

Host = NDArray[Any]


def numpy(x: NDArray[np.float32], y: NDArray[np.int64], good: NDArray[np.bool]) -> None:
    assert_type(focalcore.sigmoid_focal_loss(x, y, mask=good, alpha=0.25), Host)
    assert_type(focalcore.softmax_focal_loss(x, y, axis=0, gamma=[1.0, 2.0]), Host)
    assert_type(
        focalcore.sigmoid_focal_loss_value_and_grad(x, good, pos_weight=x), tuple[Host, Host]
    )
    assert_type(focalcore.softmax_focal_loss_grad_and_hess(x, [0, 1]), tuple[Host, Host])
    assert_type(focalcore.binary_focal_loss(y, x, 1.5, from_logits=True), Host)
    assert_type(focalcore.FocalLoss(task_type="multi-class")(x, y, weight=x), Host)
    assert_type(focalcore.asymmetric_loss(x, y, gamma_neg=2.0, mask=good), Host)
    assert_type(focalcore.quality_focal_loss_value_and_grad(x, x, beta=1.0), tuple[Host, Host])
    assert_type(focalcore.focal_cost(x, y), Host)


class Column:
    """As pandas has, and polars."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Host:
        return np.zeros(2)

    def to_numpy(self) -> Host:
        return np.zeros(2)


def numbers() -> None:
    assert_type(focalcore.sigmoid_focal_loss(Column(), Column(), weight=Column()), Host)
    assert_type(focalcore.sigmoid_focal_loss([0.5, -1.0], (0, 1)), Host)
    assert_type(focalcore.sigmoid_focal_loss(0.5, 1), Host)
    assert_type(focalcore.binary_focal_loss([0, 1], [0.5, 0.5], eps=None), Host)
    assert_type(focalcore.sparse_categorical_focal_loss(range(2), [[0.5, 0.5]] * 2, 2), Host)
    assert_type(focalcore.categorical_focal_loss([[1, 0]], [[0.5, 0.5]], alpha=[1, 2]), Host)
    assert_type(focalcore.sigmoid_focal_loss_grad_and_hess([0.5], [1]), tuple[Host, Host])
    assert_type(focalcore.FocalLoss(alpha=0.25)([0.5], [1]), Host)


def torch_tensors(x: torch.Tensor, y: torch.Tensor, learned: torch.nn.Parameter) -> None:
    assert_type(focalcore.sigmoid_focal_loss(x, y, reduction="mean", alpha=learned), torch.Tensor)
    assert_type(focalcore.softmax_focal_loss(x, [0, 1]), torch.Tensor)
    assert_type(focalcore.sigmoid_focal_loss([0.5], y), torch.Tensor)
    both = focalcore.softmax_focal_loss_value_and_grad(x, y, soft_targets="mixture")
    assert_type(both, tuple[torch.Tensor, torch.Tensor])
    assert_type(focalcore.sparse_categorical_focal_loss(y, x, class_weight=[1.0]), torch.Tensor)
    assert_type(focalcore.FocalLoss()(x, y), torch.Tensor)
    assert_type(focalcore.varifocal_loss(x, y, weighted=False), torch.Tensor)
    bent = focalcore.gaussian_focal_loss_grad_and_hess(x, [[0.5, 1.0]], gamma=3.0)
    assert_type(bent, tuple[torch.Tensor, torch.Tensor])
    focalcore.torch.SigmoidFocalLoss(0.25, 2.0, "mean_positive")
    focalcore.torch.FocalLoss(alpha=[1.0, 2.0], task_type="multi-class", num_classes=2)
    assert_type(
        focalcore.torch.linear_softmax_focal_loss(x, x, y, chunk_rows="auto", sample_weight=x),
        torch.Tensor,
    )


def jax_arrays(x: jax.Array, y: jax.Array) -> None:
    assert_type(focalcore.sigmoid_focal_loss(x, y), jax.Array)
    assert_type(focalcore.softmax_focal_loss(x, y, normalizer=y, reduction="mean"), jax.Array)
    assert_type(focalcore.sigmoid_focal_loss_grad_and_hess(x, y), tuple[jax.Array, jax.Array])
    assert_type(focalcore.binary_focal_loss([0, 1], x), jax.Array)
    assert_type(focalcore.jax.linear_softmax_focal_loss(x, x, y, x, background=0), jax.Array)


def mistakes(x: Host) -> None:
    focalcore.sigmoid_focal_loss(x, x, reduction="average")  # type: ignore[call-overload]
    focalcore.softmax_focal_loss(x, x, soft_targets="soft")  # type: ignore[call-overload]
    focalcore.sigmoid_focal_loss(x, x, gama=2.0)  # type: ignore[call-overload]
    focalcore.softmax_focal_loss_value_and_grad(x, x, pos_weight=2)  # type: ignore[call-overload]
    focalcore.sigmoid_focal_loss(x, x, axis=0)  # type: ignore[call-overload]
    focalcore.asymmetric_loss(x, x, gamma=2.0)  # type: ignore[call-overload]
    focalcore.asymmetric_loss_value_and_grad(x, x, gamma=2.0)  # type: ignore[call-overload]
    focalcore.binary_focal_loss(x, x, 2.0, None)  # type: ignore[call-overload]
    focalcore.sigmoid_focal_loss(x)  # type: ignore[call-overload]
    focalcore.sigmoid_focal_loss({"a": 1.0}, x)  # type: ignore[call-overload]
    focalcore.FocalLoss(reduction="mean_positive")  # type: ignore[arg-type]
    focalcore.FocalLoss(task_type="multiclass")  # type: ignore[arg-type]
    focalcore.FocalLoss()(x, x, reduction="sum")  # type: ignore[call-overload]
    focalcore.torch.SigmoidFocalLoss(reduction="average")  # type: ignore[arg-type]
    focalcore.torch.FocalLoss(task_type="multiclass")  # type: ignore[arg-type]
    focalcore.jax.linear_softmax_focal_loss(x, x, x, axis=1)  # type: ignore[call-arg]
