"""The two losses that a booster can have, one for each shape of its raw scores.

No mathematics of the loss is here: the derivatives, the best constant and the probabilities are
those of the package's functions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from .. import functional
from .._typing import HostArray
from ..posterior import (
    sigmoid_focal_logit,
    sigmoid_focal_posterior,
    softmax_focal_logits,
    softmax_focal_posterior,
)
from . import _labels

Alpha = float | tuple[float, ...] | Literal["balanced"] | None
Pair = tuple[HostArray, HostArray]


@dataclass(frozen=True)
class Binary:
    """The loss of one raw score for each example, of the class 1."""

    gamma: float
    alpha: Alpha
    pos_weight: float | None

    n_classes = 2
    coupling = 1.0  # what a booster's curvature is, of the diagonal of the Hessian

    def __post_init__(self) -> None:
        if isinstance(self.alpha, tuple):
            raise ValueError(
                f"alpha of a binary problem must be a number in [0, 1], 'balanced' or None, as "
                f"there is one raw score for each example; found {self.alpha}"
            )

    @property
    def options(self) -> dict[str, Any]:
        """Return the options by name."""
        return {"gamma": self.gamma, "alpha": self.alpha, "pos_weight": self.pos_weight}

    def targets(self, labels: HostArray) -> HostArray:
        """Return the checked labels, as the loss takes them."""
        return _labels.positives(labels)

    def balanced(self, shares: HostArray) -> Binary:
        """Return the loss whose alpha balances classes that have these shares of the weight."""
        return replace(self, alpha=float(shares[0]))

    def grad_and_hess(self, raw: HostArray, targets: HostArray, weight: HostArray | None) -> Pair:
        """Return the derivatives of the loss of each example."""
        options = self.options | {"weight": weight}
        return functional.sigmoid_focal_loss_grad_and_hess(raw, targets, **options)

    def mean(self, raw: HostArray, targets: HostArray, weight: HostArray | None) -> float:
        """Return the mean of the examples' losses."""
        options = self.options | _mean(weight)
        return float(functional.sigmoid_focal_loss(raw, targets, **options))

    @property
    def class_weights(self) -> tuple[float, float]:
        """Return what an example weighs, of the class 0 and of the class 1."""
        alpha: Any = self.alpha
        negative, positive = (1.0, 1.0) if alpha is None else (1 - alpha, alpha)
        return negative, positive * (1.0 if self.pos_weight is None else self.pos_weight)

    def class_weight(self, targets: HostArray) -> HostArray | float:
        """Return what the class of each example weighs."""
        negative, positive = self.class_weights
        return negative if negative == positive else np.where(targets, positive, negative)

    def best_constant(self, shares: HostArray) -> float:
        """Return the raw score at which the mean loss of these shares of the classes is least."""
        return float(sigmoid_focal_logit(shares[1], **self.options))

    def probabilities(self, raw: HostArray) -> HostArray:
        """Return the sigmoid of raw scores, for both classes."""
        return _both(sigmoid_focal_posterior(raw, gamma=0.0))

    def posterior(self, raw: HostArray) -> HostArray:
        """Return the true probabilities of both classes, of which the loss is least at `raw`."""
        return _both(sigmoid_focal_posterior(raw, **self.options))


@dataclass(frozen=True)
class MultiClass:
    """The loss of a raw score for each example and class; of classes that exclude each other."""

    gamma: float
    alpha: Alpha
    n_classes: int

    # twice the diagonal is the least multiple of it that is nowhere less curved than the softmax
    # cross-entropy, whose classes move together; XGBoost's own softmax has it too
    coupling = 2.0

    def __post_init__(self) -> None:
        alpha, n = self.alpha, self.n_classes
        if isinstance(alpha, float) or (isinstance(alpha, tuple) and len(alpha) != n):
            raise ValueError(
                f"alpha of {n} classes must be a list of {n} weights, 'balanced' or None; "
                f"found {alpha}"
            )

    @property
    def options(self) -> dict[str, Any]:
        """Return the options by name."""
        return {"gamma": self.gamma, "alpha": self.alpha}

    def targets(self, labels: HostArray) -> HostArray:
        """Return the checked labels, as the loss takes them."""
        return _labels.classes(labels, self.n_classes)

    def balanced(self, shares: HostArray) -> MultiClass:
        """Return the loss whose alpha balances classes that have these shares of the weight."""
        return replace(self, alpha=tuple((1 / (self.n_classes * shares)).tolist()))

    def grad_and_hess(self, raw: HostArray, targets: HostArray, weight: HostArray | None) -> Pair:
        """Return the derivatives of the loss of each example, which lie in memory as `raw` does."""
        options = self.options | {"weight": weight}
        if not raw.flags.f_contiguous:
            return functional.softmax_focal_loss_grad_and_hess(raw, targets, **options)
        # LightGBM's scores, and what it asks for, lie one class behind the other
        grad, hess = functional.softmax_focal_loss_grad_and_hess(raw.T, targets, axis=0, **options)
        return grad.T, hess.T

    def mean(self, raw: HostArray, targets: HostArray, weight: HostArray | None) -> float:
        """Return the mean of the examples' losses."""
        options = self.options | _mean(weight)
        return float(functional.softmax_focal_loss(raw, targets, **options))

    def class_weight(self, targets: HostArray) -> HostArray | float:
        """Return what the class of each example weighs, beside its row of classes."""
        if self.alpha is None:
            return 1.0
        return np.take(np.asarray(self.alpha, like=targets), targets)[:, None]

    def best_constant(self, shares: HostArray) -> HostArray:
        """Return the raw scores at which the mean loss of these shares of the classes is least."""
        return np.asarray(softmax_focal_logits(shares, **self.options))

    def probabilities(self, raw: HostArray) -> HostArray:
        """Return the softmax of raw scores."""
        return softmax_focal_posterior(raw, gamma=0.0)

    def posterior(self, raw: HostArray) -> HostArray:
        """Return the true probabilities of the classes, of which the loss is least at `raw`."""
        return softmax_focal_posterior(raw, **self.options)


Loss = Binary | MultiClass


def _mean(weight: HostArray | None) -> dict[str, Any]:
    """Return the options of a mean, which weights enter above and below."""
    normalizer = None if weight is None else "weight"
    return {"weight": weight, "reduction": "mean", "normalizer": normalizer}


def _both(positive: HostArray) -> HostArray:
    """Return the probabilities of both classes, from those of the class 1."""
    return np.stack([1 - positive, positive], axis=-1)
