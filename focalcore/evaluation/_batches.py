"""What a block adds to the sums of a report, by its task and by what its scores are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .. import _execution
from .._backends.numpy import BACKEND
from .._formulas.posterior import softmax_log_loss
from .._formulas.softmax import OneHot
from .._inputs import parse
from .._losses.measures import BINS, PER_UNIT, REACH, BinaryMeasures, Measure, SigmoidMeasures
from .._losses.operands import Operands
from .._losses.sigmoid import weights_of
from .._typing import HostArray, Task
from ..functional import sigmoid_focal_loss, softmax_focal_loss
from ..posterior import softmax_focal_posterior
from ..scoring import binary_focal_loss, sparse_categorical_focal_loss
from ._sums import Sums, histogram
from .block import Block, for_targets
from .report import Alpha

TINY = 1e-200  # below it a posterior may have lost digits


class Measures(NamedTuple):
    """What is known of the targets of a block, weighed."""

    cross_entropy: HostArray  # summed by class
    losses: Sequence[HostArray]  # of each target, by gamma
    factors: Sequence[float]  # summed, by gamma
    log_losses: Sequence[float]  # likewise; none, where there is no posterior
    bins: HostArray  # of the targets' margins, those of positives behind those of negatives


@dataclass(frozen=True)
class Batch:
    """The rows of a block, and what they say of each target, which depends on the task."""

    block: Block
    from_logits: bool
    classes: int

    @property
    def weight(self) -> HostArray | None:
        """Return the weight of each target, 0 where it is ignored; None: all weigh 1."""
        _, y, weight, kept, _ = self.block
        if weight is None:
            return None if kept is None else kept.astype(np.float64)
        weight = for_targets(weight, y)
        return weight if kept is None else weight * kept

    def loss(self, gamma: float, alpha: Alpha) -> HostArray:
        """Return the loss of each target, not weighed."""
        raise NotImplementedError

    def measures(self, gammas: Sequence[float], alpha: Alpha) -> Measures:
        """Return what a report adds up."""
        raise NotImplementedError

    def by_class(self, values: HostArray | None, in_bins: HostArray) -> HostArray:
        """Return the sums by class of values (None: of ones), which are also given in bins."""
        raise NotImplementedError

    def counts(self) -> HostArray:
        """Return how many targets of each class count: positives, if each class has negatives."""
        raise NotImplementedError


class Independent(Batch):
    """Scores and targets in [0, 1] of one class, or of several that are independent."""

    cross_entropies: tuple[Measure, ...]

    def loss(self, gamma: float, alpha: Alpha) -> HostArray:
        x, y = self.block[:2]
        if self.from_logits:
            return sigmoid_focal_loss(x, y, gamma=gamma, alpha=alpha)
        return binary_focal_loss(y, x, gamma, alpha=alpha)

    def measures(self, gammas: Sequence[float], alpha: Alpha) -> Measures:
        """Return what a report adds up, from one reading of the scores."""
        asked = [Measure("loss", gamma) for gamma in gammas]
        asked += [Measure("factor", gamma, is_sum=True) for gamma in gammas]
        if has_posterior("multi-label", alpha):
            asked += [Measure("log loss", gamma, is_sum=True) for gamma in gammas]
        found = self._measured((Measure("bin"), *self.cross_entropies, *asked), alpha)
        bins, n, m = found[0].astype(np.intp), len(gammas), 1 + len(self.cross_entropies)
        losses, factors, log_losses = (found[m + i * n : m + (i + 1) * n] for i in range(3))
        return Measures(self._summed(found[1:m]), losses, factors, log_losses, bins)

    def _measured(self, asked: tuple[Measure, ...], alpha: Alpha) -> Any:
        """Return measures by a kernel; scores that are weighed are read as float64."""
        x, y, weight, kept, _ = self.block
        if weight is not None:
            x, weight = x.astype(np.float64), weight.reshape(-1, *[1] * (y.ndim - 1))
        is_logits, balance = self.from_logits, alpha
        if isinstance(alpha, tuple):
            balance = np.asarray(alpha, x.dtype)  # type: ignore[assignment]
        operands = Operands.of(
            scores=x,
            targets=y.astype(x.dtype, copy=False) if y.dtype.kind == "f" else y,
            weight=weight,
            mask=kept,
            **weights_of({"alpha": balance}),
        )
        loss = SigmoidMeasures() if is_logits else BinaryMeasures(eps=parse.eps_of(None, x))
        outputs: Any = asked
        return _execution.run(BACKEND, loss, operands, outputs)

    def _summed(self, cross_entropies: Sequence[HostArray]) -> HostArray:
        """Return the cross-entropy by class."""
        raise NotImplementedError


class Binary(Independent):
    """(N,) and (N,): negatives and positives are the classes, whose bins are apart."""

    cross_entropies = (
        Measure("cross entropy", is_sum=True, of="negatives"),
        Measure("cross entropy", is_sum=True, of="positives"),
    )

    def by_class(self, values: HostArray | None, in_bins: HostArray) -> HostArray:  # noqa: ARG002
        found: HostArray = in_bins.sum(axis=1)
        return found

    def counts(self) -> HostArray:
        """Return how many are negative, and how many are positive."""
        y, kept = self.block.targets > 0.5, self.block.kept
        n = len(y) if kept is None else np.count_nonzero(kept)
        positives = np.count_nonzero(y if kept is None else y & kept)
        return np.asarray([n - positives, positives])

    def _summed(self, cross_entropies: Sequence[HostArray]) -> HostArray:
        return np.asarray(cross_entropies)


class MultiLabel(Independent):
    """(N, C) and (N, C): each class has its own positives and negatives."""

    cross_entropies = (Measure("cross entropy"),)

    def by_class(self, values: HostArray | None, in_bins: HostArray) -> HostArray:  # noqa: ARG002
        if values is None:
            return np.full(self.classes, float(len(self.block.scores)))
        return np.asarray(np.sum(values, axis=0, dtype=np.float64))

    def counts(self) -> HostArray:
        """Return how many of each class are positive."""
        y, kept = self.block.targets > 0.5, self.block.kept
        return np.asarray(np.count_nonzero(y if kept is None else y & kept, axis=0))

    def _summed(self, cross_entropies: Sequence[HostArray]) -> HostArray:
        return np.asarray(np.sum(cross_entropies[0], axis=0, dtype=np.float64))


class MultiClass(Batch):
    """(N, C) and (N,): rows of scores of classes that exclude each other, and their labels."""

    def loss(self, gamma: float, alpha: Alpha) -> HostArray:
        """Return the loss of each row, not weighed."""
        x, y = self.block[:2]
        if self.from_logits:
            return softmax_focal_loss(x, y, gamma=gamma, alpha=alpha)
        return sparse_categorical_focal_loss(y, x, gamma, class_weight=alpha)

    def measures(self, gammas: Sequence[float], alpha: Alpha) -> Measures:
        """Return what a report adds up, by the functions of the losses."""
        w, ce = self.weight, self.loss(0.0, None).astype(np.float64, copy=False)
        losses, factors, log_losses = [], [], []
        for gamma in gammas:
            plain = ce if gamma == 0 else self.loss(gamma, None)
            losses.append(times(w, plain if alpha is None else self.loss(gamma, alpha)))
            factors.append(float(np.sum(times(w, _modulating_factor(plain, ce, gamma)))))
            if has_posterior("multi-class", alpha):
                log_losses.append(float(np.sum(times(w, self._log_loss(gamma, alpha)))))
        # the log-odds of each row's class against all others
        place = np.clip((REACH - np.log(np.expm1(ce))) * PER_UNIT, 0, BINS - 1)
        bins = np.nan_to_num(place).astype(np.intp) + BINS
        return Measures(self._sums(times(w, ce)), losses, factors, log_losses, bins)

    def by_class(self, values: HostArray | None, in_bins: HostArray) -> HostArray:  # noqa: ARG002
        return self._sums(values)

    def counts(self) -> HostArray:
        """Return how many rows each class has."""
        return self._sums(self.block.kept)

    def _sums(self, values: HostArray | None) -> HostArray:
        return np.bincount(self.block.targets, values, self.classes)

    def _log_loss(self, gamma: float, alpha: Alpha) -> HostArray:
        """Return the log loss of each row by the posterior, in logarithms where that is tiny."""
        x, labels = self.block.scores.astype(np.float64), self.block.targets
        if not self.from_logits:
            x = np.log(np.maximum(x, parse.eps_of(None, self.block.scores)))
        posterior = softmax_focal_posterior(x, gamma=gamma, alpha=alpha)
        own = np.take_along_axis(posterior, labels[:, None], axis=1)[:, 0]
        np.put_along_axis(posterior, labels[:, None], 0.0, axis=1)
        # near 1 a probability has lost the digits that the others have
        found = np.where(own > 0.5, -np.log1p(-posterior.sum(axis=1)), -np.log(own))
        is_tiny = ~(own > TINY)
        if is_tiny.any():
            found[is_tiny] = _log_loss_of(x[is_tiny], labels[is_tiny], gamma, alpha)
        return found


def _log_loss_of(x: HostArray, labels: HostArray, gamma: float, alpha: Alpha) -> HostArray:
    """Return the log loss of rows of logits, which does not saturate, and takes some ten times."""
    xp = BACKEND.formula_xp
    top, own = (
        OneHot(xp, each[:, None] == np.arange(x.shape[1]), 1)
        for each in (np.argmax(x, axis=1), labels)
    )
    weights = None if alpha is None else np.broadcast_to(alpha, x.shape)
    found: Any = softmax_log_loss(xp, x, top, own, gamma, weights)
    return np.asarray(found[:, 0])


def has_posterior(task: Task, alpha: Alpha) -> bool:
    """Tell whether every class has a loss: without one it has no posterior."""
    given = np.asarray(0.5 if alpha is None else alpha)
    return bool(np.all((given > 0) & ((given < 1) | (task == "multi-class"))))


def batch_of(task: Task, block: Block, from_logits: bool, classes: int) -> Batch:
    """Return a block as what its task makes of it."""
    if task != "multi-class":
        return (Binary if task == "binary" else MultiLabel)(block, from_logits, classes)
    labels = block.targets.astype(np.intp, copy=False)
    return MultiClass(block._replace(targets=labels), from_logits, classes)


def sums_of(batch: Batch, gammas: Sequence[float], alpha: Alpha) -> Sums:
    """Return the sums of a block, of which some targets may not count."""
    sums, kept = Sums(batch.classes, len(gammas)), batch.block.kept
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        found, weight = batch.measures(gammas, alpha), batch.weight
    sums.rows += _rows(batch.block.targets.shape, kept)
    sums.count += batch.counts()
    sums.cross_entropy += found.cross_entropy
    sums.by_margin[..., 0] += (in_bins := histogram(found.bins, weight))
    sums.weight += batch.by_class(weight, in_bins)
    for i, loss in enumerate(found.losses):
        sums.by_margin[..., 1 + i] += (in_bins := histogram(found.bins, loss))
        sums.loss[:, i] += batch.by_class(loss, in_bins)
    sums.factor += found.factors
    sums.log_loss += found.log_losses or 0.0
    return sums


def _rows(shape: tuple[int, ...], kept: HostArray | None) -> tuple[int, int, int]:
    """Return how many examples count, how many are ignored, and how many targets count."""
    if kept is None:
        return shape[0], 0, int(np.prod(shape))
    examples = np.count_nonzero(kept if kept.ndim == 1 else kept.any(axis=1))
    return int(examples), int(shape[0] - examples), int(np.count_nonzero(kept))


def times(weight: HostArray | None, x: HostArray) -> HostArray:
    """Return weight times x, 0 where the weight is 0 even if x is infinite."""
    return x if weight is None else weight * np.where(weight > 0, x, 0.0)


def _modulating_factor(loss: HostArray, ce: HostArray, gamma: float) -> HostArray:
    """Return (1 - p_t)^gamma as loss / ce, or its limit where both are 0 or infinite."""
    limit = np.where(np.isinf(ce) | (gamma == 0), 1.0, 0.0)
    return np.divide(loss, ce, out=limit, where=np.isfinite(ce) & (ce > 0))
