"""What a batch adds to the sums of a report, by its task and by what its scores are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._backends.numpy import FORMULAS
from .._formulas.posterior import sigmoid_log_odds
from .._typing import HostArray
from ..functional import sigmoid_focal_loss, softmax_focal_loss
from ..posterior import softmax_focal_posterior
from ..scoring import binary_focal_loss, sparse_categorical_focal_loss
from ._sums import Sums
from .report import Alpha


@dataclass(frozen=True)
class Batch:
    """Scores and targets, and what they say of each target, which depends on the task."""

    scores: HostArray
    targets: HostArray
    from_logits: bool

    @staticmethod
    def has_posterior(alpha: Alpha) -> bool:
        """Tell whether every class has a loss: without one it has no posterior."""
        raise NotImplementedError

    @property
    def is_positive(self) -> HostArray:
        """Return which targets are positive; all, where there are no negatives beside them."""
        return np.ones(self.targets.shape, dtype=bool)

    @property
    def counted(self) -> HostArray:
        """Return which targets are counted: positives, where each class has negatives too."""
        return np.ones(self.targets.shape, dtype=bool)

    def loss(self, gamma: float, alpha: Alpha) -> HostArray:
        """Return the loss of each target."""
        raise NotImplementedError

    def log_loss(self, gamma: float, alpha: Alpha) -> HostArray:
        """Return the log loss of each target by the posterior."""
        raise NotImplementedError

    def margins(self, cross_entropy: HostArray) -> HostArray:
        """Return how far each logit is on the side of its target."""
        raise NotImplementedError

    def by_class(self, values: HostArray, n: int) -> HostArray:
        """Return the sum of values for each class."""
        raise NotImplementedError


class Independent(Batch):
    """Scores and targets in [0, 1] of independent classes: (N,) of one, or (N, C)."""

    @staticmethod
    def has_posterior(alpha: Alpha) -> bool:
        """Tell whether both positives and negatives have a loss."""
        given = np.asarray(0.5 if alpha is None else alpha)
        return bool(np.all((given > 0) & (given < 1)))

    def loss(self, gamma: float, alpha: Alpha) -> HostArray:
        """Return the loss of each target."""
        if self.from_logits:
            return sigmoid_focal_loss(self.scores, self.targets, gamma=gamma, alpha=alpha)
        return binary_focal_loss(self.targets, self.scores, gamma, alpha=alpha)

    @property
    def is_positive(self) -> HostArray:
        """Return which targets are positive."""
        return self.targets > 0.5

    @property
    def counted(self) -> HostArray:
        """Return which targets are counted: positives, if each class has them."""
        return self.is_positive if self.targets.ndim == 2 else np.ones(self.targets.shape, bool)

    def by_class(self, values: HostArray, n: int) -> HostArray:
        """Return the sum of values for each class; the two of one score are its targets."""
        if self.targets.ndim == 2:
            return np.sum(values, axis=0)
        return np.bincount(self.is_positive.astype(np.intp), weights=values, minlength=n)

    def margins(self, cross_entropy: HostArray) -> HostArray:  # noqa: ARG002 - of rows
        """Return how far each logit is on the side of its target."""
        return np.where(self.is_positive, self._logits(), -self._logits())

    def log_loss(self, gamma: float, alpha: Alpha) -> HostArray:
        """Return the log loss of each target by the posterior."""
        y, balance = self.targets, None
        if alpha is not None:
            balance = np.asarray(alpha), 1 - np.asarray(alpha)
        x = self._logits().astype(np.float64)
        odds: Any = sigmoid_log_odds(FORMULAS, x, gamma, balance)
        own, other = np.logaddexp(0.0, -odds), np.logaddexp(0.0, odds)
        return np.where(y > 0, y * own, 0.0) + np.where(y < 1, (1 - y) * other, 0.0)

    def _logits(self) -> HostArray:
        x = self.scores
        return x if self.from_logits else np.log(x) - np.log1p(-x)


class Exclusive(Batch):
    """Rows of scores of classes that exclude each other, and their labels: (N, C) and (N,)."""

    @staticmethod
    def has_posterior(alpha: Alpha) -> bool:
        """Tell whether every class has a loss."""
        return bool(np.all(np.asarray(1.0 if alpha is None else alpha) > 0))

    def loss(self, gamma: float, alpha: Alpha) -> HostArray:
        """Return the loss of each row."""
        if self.from_logits:
            return softmax_focal_loss(self.scores, self.targets, gamma=gamma, alpha=alpha)
        return sparse_categorical_focal_loss(self.targets, self.scores, gamma, class_weight=alpha)

    def by_class(self, values: HostArray, n: int) -> HostArray:
        """Return the sum of values for each class."""
        return np.bincount(self.targets, weights=values, minlength=n)

    def margins(self, cross_entropy: HostArray) -> HostArray:
        """Return the log-odds of each row's class against all others."""
        return -np.log(np.expm1(cross_entropy))

    def log_loss(self, gamma: float, alpha: Alpha) -> HostArray:
        """Return the log loss of each row by the posterior."""
        x = (self.scores if self.from_logits else np.log(self.scores)).astype(np.float64)
        posterior = softmax_focal_posterior(x, gamma=gamma, alpha=alpha)
        found: HostArray = -np.log(
            np.take_along_axis(posterior, self.targets[:, None], axis=1)[:, 0]
        )
        return found


def sums_of(
    batch: Batch,
    gammas: Sequence[float],
    alpha: Alpha,
    classes: int,
    weight: HostArray | None,
    kept: HostArray | None,
) -> Sums:
    """Return the sums of a batch, of which some targets may not count (None: all do)."""
    sums, y = Sums(classes, len(gammas)), batch.targets
    kept = np.ones(y.shape, dtype=bool) if kept is None else kept
    w = kept * (1.0 if weight is None else weight.reshape(-1, *[1] * (y.ndim - 1)))
    rows = kept if y.ndim == 1 else kept.any(axis=1)
    sums.rows += np.sum(rows), np.sum(~rows), np.sum(kept)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        ce = batch.loss(0.0, None)
        bins = sums.bins_of(np.where(kept, batch.margins(ce), 0.0), batch.is_positive)
        sums.fill(0, bins, w)
        sums.weight += batch.by_class(w, classes)
        sums.count += batch.by_class((kept & batch.counted).astype(float), classes)
        sums.cross_entropy += batch.by_class(_times(w, ce), classes)
        for i, gamma in enumerate(gammas):
            plain = ce if gamma == 0 else batch.loss(gamma, None)
            loss = _times(w, plain if alpha is None else batch.loss(gamma, alpha))
            sums.loss[:, i] += batch.by_class(loss, classes)
            sums.fill(1 + i, bins, loss)
            sums.factor[i] += np.sum(w * _modulating_factor(plain, ce, gamma))
            if batch.has_posterior(alpha):
                sums.log_loss[i] += np.sum(_times(w, batch.log_loss(gamma, alpha)))
    return sums


def _times(weight: HostArray, loss: HostArray) -> HostArray:
    """Return weight times loss, 0 where the weight is 0 even if the loss is infinite."""
    return weight * np.where(weight > 0, loss, 0.0)


def _modulating_factor(loss: HostArray, ce: HostArray, gamma: float) -> HostArray:
    """Return (1 - p_t)^gamma as loss / ce, or its limit where both are 0 or infinite."""
    limit = np.where(np.isinf(ce) | (gamma == 0), 1.0, 0.0)
    return np.divide(loss, ce, out=limit, where=np.isfinite(ce) & (ce > 0))
