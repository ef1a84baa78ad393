"""Sums over the rows of a file, class by class, in float64, and the report made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .._typing import HostArray
from ..functional import sigmoid_focal_loss, softmax_focal_loss
from ..scoring import binary_focal_loss, sparse_categorical_focal_loss
from ._source import BadDataError, Block, Taken
from .predictions import CHUNK_ROWS, Predictions

Alpha = float | tuple[float, ...] | None


@dataclass(frozen=True)
class ClassScore:
    """The score of one class at one gamma; None if there are no examples, or no loss to share."""

    name: str
    count: int
    focal_loss: float | None
    share: float | None


@dataclass(frozen=True)
class Score:
    """The scores of all classes at one gamma."""

    gamma: float
    focal_loss: float
    modulating_factor: float
    classes: tuple[ClassScore, ...]


@dataclass(frozen=True)
class Report:
    """What `focalcore evaluate` reports; the counts of a multi-label task are of positives."""

    file: str
    task: str
    one_hot: bool  # whether targets are rows and not labels, where the task is multi-class
    scores: str
    taken: Taken
    examples: int
    ignored: int
    targets: int  # how many count; a multi-label task has several for an example
    positives: int | None
    alpha: Alpha
    weighted: bool
    cross_entropy: float
    losses: tuple[Score, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a dict of plain numbers, strings and lists."""
        return asdict(self)


def evaluate(
    predictions: Predictions,
    gammas: Sequence[float],
    alpha: Alpha = None,
    *,
    chunk_rows: int = CHUNK_ROWS,
    progress: Callable[[int], Any] | None = None,
) -> Report:
    """Return the report on a file, and call ``progress`` with the number of rows of each chunk."""
    tally = Tally(predictions, gammas, alpha)
    with np.errstate(over="ignore"):  # a sum beyond float64 is infinite, and reported so
        for chunk in predictions.chunks(chunk_rows):
            tally.add(chunk)
            if progress is not None:
                progress(len(chunk.scores))
        return tally.report()


class Tally:
    """The running sums, in arrays with a row for each class and a column for each gamma."""

    def __init__(self, predictions: Predictions, gammas: Sequence[float], alpha: Alpha) -> None:
        self.predictions, self.gammas, self.alpha = predictions, tuple(gammas), alpha
        self.loss = _LOSSES[predictions.task, predictions.source.from_logits]
        n = len(predictions.classes)
        self.losses = np.zeros((n, len(self.gammas)))
        self.modulating = np.zeros(len(self.gammas))
        self.cross_entropy = 0.0
        self.weights, self.counts = np.zeros(n), np.zeros(n, dtype=np.int64)
        self.examples = self.ignored = self.targets = 0
        self.weighted = False

    def add(self, chunk: Block) -> None:
        """Add the rows of a chunk to the sums."""
        x, y = chunk.scores, chunk.targets
        kept = np.ones(y.shape, dtype=bool) if chunk.kept is None else chunk.kept
        y = y.astype(np.int64) if self.predictions.task == "multi-class" else y
        weight = kept * (1.0 if chunk.weight is None else _beside(chunk.weight, y))

        by_class = self._sum_by_class(y)
        ce = self.loss(x, y, 0.0, None)
        self.cross_entropy += float(np.sum(_times(weight, ce)))
        for i, gamma in enumerate(self.gammas):
            plain = self.loss(x, y, gamma, None)
            balanced = plain if self.alpha is None else self.loss(x, y, gamma, self.alpha)
            self.losses[:, i] += by_class(_times(weight, balanced))
            self.modulating[i] += np.sum(weight * _modulating_factor(plain, ce, gamma))
        self.weights += by_class(weight)
        self.counts += by_class(kept * (y > 0.5 if self._is_multi_label else 1.0)).astype(np.int64)
        rows = kept.any(axis=-1) if self._is_multi_label else kept
        self.examples += int(np.sum(rows))
        self.ignored += int(np.sum(~rows))
        self.targets += int(np.sum(kept))
        self.weighted = chunk.weight is not None

    def report(self) -> Report:
        """Return the report, with the means of all rows that were added."""
        p, mass = self.predictions, self._mass()
        totals = self.losses.sum(axis=0)
        scores = tuple(
            Score(
                gamma,
                float(totals[i]) / mass,
                float(self.modulating[i]) / mass,
                tuple(self._class_score(c, i, totals[i]) for c in range(len(p.classes))),
            )
            for i, gamma in enumerate(self.gammas)
        )
        counted = {"binary": self.counts[1:], "multi-label": self.counts}.get(p.task)
        return Report(
            file=p.source.name,
            task=p.task,
            one_hot=p.one_hot,
            scores="logits" if p.source.from_logits else "probabilities",
            taken=p.source.taken,
            examples=self.examples,
            ignored=self.ignored,
            targets=self.targets,
            positives=None if counted is None else int(counted.sum()),
            alpha=self.alpha,
            weighted=self.weighted,
            cross_entropy=self.cross_entropy / mass,
            losses=scores,
        )

    def _mass(self) -> float:
        """Return the sum of the weights, which the means divide by."""
        source = self.predictions.source
        if self.targets == 0:
            raise BadDataError(
                f"{source.name}: all targets are {self.predictions.ignore_index}, which "
                f"--ignore-index leaves out; one at least must count"
            )
        mass = float(self.weights.sum())
        if not 0 < mass < np.inf:
            raise BadDataError(
                f"{source.name}: the weights of the {self.targets} targets that count add up to "
                f"{mass:g}; the sum must be finite and above 0: name others with --weight"
            )
        return mass

    @property
    def _is_multi_label(self) -> bool:
        return self.predictions.task == "multi-label"

    def _sum_by_class(self, y: HostArray) -> Callable[[HostArray], HostArray]:
        if self._is_multi_label:
            return lambda x: np.sum(x, axis=0)
        n = len(self.predictions.classes)
        label = y if self.predictions.task == "multi-class" else (y > 0.5).astype(np.int64)
        return lambda x: np.bincount(label, weights=x, minlength=n)

    def _class_score(self, c: int, i: int, total: float) -> ClassScore:
        weight, loss = float(self.weights[c]), float(self.losses[c, i])
        return ClassScore(
            self.predictions.classes[c],
            int(self.counts[c]),
            loss / weight if weight else None,
            loss / float(total) if 0 < total < np.inf else None,
        )


def _softmax(x: HostArray, y: HostArray, gamma: float, alpha: Alpha) -> HostArray:
    return softmax_focal_loss(x, y, gamma=gamma, alpha=alpha)


def _sigmoid(x: HostArray, y: HostArray, gamma: float, alpha: Alpha) -> HostArray:
    return sigmoid_focal_loss(x, y, gamma=gamma, alpha=alpha)


def _categorical(p: HostArray, y: HostArray, gamma: float, alpha: Alpha) -> HostArray:
    return sparse_categorical_focal_loss(y, p, gamma, class_weight=alpha)


def _binary(p: HostArray, y: HostArray, gamma: float, alpha: Alpha) -> HostArray:
    return binary_focal_loss(y, p, gamma, alpha=alpha)


_LOSSES = {
    ("binary", True): _sigmoid,
    ("multi-label", True): _sigmoid,
    ("multi-class", True): _softmax,
    ("binary", False): _binary,
    ("multi-label", False): _binary,
    ("multi-class", False): _categorical,
}


def _beside(weight: HostArray, y: HostArray) -> HostArray:
    """Return the weight of each row, shaped to broadcast over the classes of the row."""
    return weight[:, None] if y.ndim == 2 else weight


def _times(weight: HostArray, loss: HostArray) -> HostArray:
    """Return weight times loss, 0 where the weight is 0 even if the loss is infinite."""
    return weight * np.where(weight > 0, loss, 0.0)


def _modulating_factor(loss: HostArray, ce: HostArray, gamma: float) -> HostArray:
    """Return (1 - p_t)^gamma as loss / ce, or its limit where both are 0 or infinite."""
    limit = np.where(np.isinf(ce) | (gamma == 0), 1.0, 0.0)
    return np.divide(loss, ce, out=limit, where=np.isfinite(ce) & (ce > 0))
