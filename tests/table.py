"""The losses, one row for each kind of targets: what `test_every_loss` claims of all of them.

A new loss gets every claim there by a row here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import focalcore
from focalcore._losses.asymmetric import AsymmetricOptions
from focalcore._losses.asymmetric_softmax import AsymmetricSoftmaxOptions
from focalcore._losses.binary import BinaryOptions
from focalcore._losses.categorical import CategoricalOptions
from focalcore._losses.distribution_focal import DistributionFocalOptions
from focalcore._losses.distributions import DistributionOptions
from focalcore._losses.gaussian import GaussianOptions
from focalcore._losses.quality import QualityOptions
from focalcore._losses.sigmoid import SigmoidOptions
from focalcore._losses.softmax import SoftmaxOptions
from focalcore._losses.varifocal import VarifocalOptions

from .new_loss import function as new
from .new_loss.loss import MarginOptions

SHAPE = (4, 3)
rng = np.random.default_rng(11)

LOGITS = 2 * rng.normal(size=SHAPE)
SHARES = rng.random(SHAPE) + 0.1
ROWS = SHARES / SHARES.sum(axis=1, keepdims=True)
BITS, SOFT = rng.integers(0, 2, SHAPE), rng.random(SHAPE)
LABELS = rng.integers(0, SHAPE[1], SHAPE[0])


@dataclass(frozen=True)
class Row:
    """A loss with one kind of targets."""

    id: str
    loss: Callable[..., Any]
    scores: Any
    targets: Any
    options: type
    value_and_grad: Callable[..., Any] | None = None
    grad_and_hess: Callable[..., Any] | None = None
    of_rows: bool = False  # of classes, which lie on the last axis
    bad: Any = 2.0  # what no target may be
    labels: str = "targets"  # what these are called
    module: str = ""  # of torch, if it is of the family beside the focal loss

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the loss of each element or row."""
        return SHAPE[:-1] if self.of_rows else SHAPE


def of_logits(
    title: str,
    name: str,
    targets: Any,
    options: type,
    class_axis: int | None = None,
    **more: Any,
) -> Row:
    """A row of a loss that has gradient, curvature, masks, weights and reductions."""
    own = {} if class_axis is None else {"class_axis": class_axis}
    functions = (partial(getattr(focalcore, f"{name}{kind}"), **own) for kind in KINDS)
    return Row(title, next(functions), LOGITS, targets, options, *functions, **more)


KINDS = ("", "_value_and_grad", "_grad_and_hess")
SIGMOID, SOFTMAX = "sigmoid_focal_loss", "softmax_focal_loss"
from_logits = partial(focalcore.binary_focal_loss, from_logits=True)


def swapped(loss: Callable[..., Any]) -> Callable[..., Any]:
    """A loss of scikit-learn's order of arguments, in the order of the others."""
    return lambda scores, targets, **options: loss(targets, scores, **options)


# those beside the focal loss
ASYMMETRIC = partial(of_logits, module="AsymmetricLoss")
RIVALS = partial(of_logits, module="AsymmetricSoftmaxLoss", labels="labels")
QUALITY = partial(of_logits, module="QualityFocalLoss", labels="scores")
VARIFOCAL = partial(of_logits, module="VarifocalLoss", labels="scores")
DISTRIBUTION = partial(of_logits, module="DistributionFocalLoss", labels="values")
GAUSSIAN = partial(of_logits, module="GaussianFocalLoss", labels="heatmap")
FAMILY = (
    ASYMMETRIC("asymmetric", "asymmetric_loss", BITS, AsymmetricOptions),
    ASYMMETRIC("asymmetric-soft", "asymmetric_loss", SOFT, AsymmetricOptions),
    RIVALS(
        "asymmetric-softmax",
        "asymmetric_softmax_loss",
        LABELS,
        AsymmetricSoftmaxOptions,
        of_rows=True,
        bad=SHAPE[1],
    ),
    QUALITY("quality", "quality_focal_loss", SOFT, QualityOptions),
    VARIFOCAL("varifocal", "varifocal_loss", SOFT * BITS, VarifocalOptions),
    DISTRIBUTION(
        "distribution",
        "distribution_focal_loss",
        2 * SOFT[:, 0],
        DistributionFocalOptions,
        of_rows=True,
        bad=2.5,
    ),
    GAUSSIAN("gaussian", "gaussian_focal_loss", np.maximum(SOFT, BITS), GaussianOptions),
)
LOSSES = (
    of_logits("sigmoid-binary", SIGMOID, BITS, SigmoidOptions),
    of_logits("sigmoid-soft", SIGMOID, SOFT, SigmoidOptions),
    of_logits("sigmoid-labels", SIGMOID, LABELS, SigmoidOptions, class_axis=-1, bad=SHAPE[1] + 1),
    of_logits("softmax-labels", SOFTMAX, LABELS, SoftmaxOptions, of_rows=True, bad=SHAPE[1]),
    of_logits("softmax-distributions", SOFTMAX, ROWS, SoftmaxOptions, of_rows=True),
    *FAMILY,
    Row("binary", swapped(focalcore.binary_focal_loss), SOFT, BITS, BinaryOptions),
    Row("binary-logits", swapped(from_logits), LOGITS, SOFT, BinaryOptions),
    Row(
        "categorical",
        swapped(focalcore.sparse_categorical_focal_loss),
        ROWS,
        LABELS,
        CategoricalOptions,
        of_rows=True,
        bad=SHAPE[1],
    ),
    Row(
        "categorical-distributions",
        swapped(focalcore.categorical_focal_loss),
        ROWS,
        ROWS[::-1],
        DistributionOptions,
        of_rows=True,
    ),
    Row(
        "squared-margin",
        new.squared_margin,
        LOGITS,
        BITS,
        MarginOptions,
        new.squared_margin_value_and_grad,
        new.squared_margin_grad_and_hess,
    ),
)
WITH_DERIVATIVES = tuple(row for row in LOSSES if row.value_and_grad)
