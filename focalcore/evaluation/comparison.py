"""Two models on the same rows: how much more one loses than the other, and how sure that is.

Examples are dealt to 1,024 groups in turn, and only the sums of groups are kept, which a bootstrap
draws from: up to so many examples it is that of the examples themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._typing import HostArray
from ._batches import times
from .block import Block, for_targets
from .predictions import Predictions
from .readers import BadDataError
from .readers.errors import listed
from .report import Alpha

GROUPS, DRAWS, SEED = 1024, 2000, 0
LEVEL = (0.025, 0.975)  # an interval of 95 %


@dataclass(frozen=True)
class Difference:
    """The mean loss of a class less that of the other model; None: it has no examples."""

    name: str
    focal_loss: float | None
    other: float | None
    difference: float | None
    interval: tuple[float, float] | None  # of 95 %, by a paired bootstrap


class Comparison:
    """Sums of the losses of two models by class, of which the first one's rows are shown to it."""

    def __init__(self, other: Predictions, gamma: float, alpha: Alpha, chunk_rows: int) -> None:
        self.other, self.gamma, self.alpha = other, gamma, alpha
        self.left = _Rows(other.chunks(chunk_rows))
        self.n, self.classes = 0, other.classes
        # the weight, the loss and the other's loss, of each group and class
        self.sums = np.zeros((3, GROUPS, len(self.classes)))
        self.name = ""

    def see(self, predictions: Predictions, first_row: int, block: Block) -> None:
        """Look at a block, and at the same rows of the other model."""
        self.name = predictions.source.name
        self._check_kind(predictions)
        theirs = self._same_rows(predictions, first_row, block)
        both = block._replace(kept=block.counted & theirs.counted)
        w: Any = predictions.batch(both).weight
        group = (self.n + np.arange(len(block.scores))) % GROUPS
        own = predictions.loss(block, self.gamma, self.alpha)
        other = self.other.loss(theirs, self.gamma, self.alpha)
        for sums, values in zip(self.sums, (w, times(w, own), times(w, other)), strict=True):
            sums += self._by_group(block, group, values)
        self.n += len(block.scores)

    def found(self) -> dict[str, Any]:
        """Return what is to be said in the report."""
        if self.left.take(1) is not None:
            raise BadDataError(
                f"{self.other.source.name}: it has more rows than {self.name}; both files must "
                f"have the same rows in the same order"
            )
        of_groups = self.sums[:, : min(self.n, GROUPS)]
        of_groups = np.concatenate([of_groups.sum(axis=2, keepdims=True), of_groups], axis=2)
        weight, own, other = of_groups.sum(axis=1)
        with np.errstate(all="ignore"):
            numbers = weight, own / weight, other / weight, *_bounds(*of_groups)
        rows = zip(("all", *self.classes), *numbers, strict=True)
        compared = tuple(_difference(name, *map(float, of_class)) for name, *of_class in rows)
        return {"compared_with": self.other.source.name, "differences": compared}

    def _check_kind(self, predictions: Predictions) -> None:
        """Refuse another model that is of another task, or of other classes."""
        own, other = ((each.task, each.classes) for each in (predictions, self.other))
        if own != other:
            raise BadDataError(
                f"{self.other.source.name}: {other[0]}, of {listed(other[1])}; {self.name} is "
                f"{own[0]}, of {listed(own[1])}: both must be of one task, and of the same classes "
                f"in one order"
            )

    def _same_rows(self, predictions: Predictions, first_row: int, block: Block) -> Block:
        """Return the same rows of the other model, or raise an error where they are others."""
        source = self.other.source
        theirs = self.left.take(len(block.scores))
        if theirs is None or len(theirs.scores) < len(block.scores):
            raise BadDataError(
                f"{source.name}: it has fewer rows than {predictions.source.name}; both files must "
                f"have the same rows in the same order"
            )
        different = (block.targets != theirs.targets) & block.counted & theirs.counted
        if block.ids is not None and theirs.ids is not None:
            different |= for_targets(block.ids != theirs.ids, different)
        if different.any():
            row = first_row + int(np.argwhere(different)[0][0])
            raise BadDataError(
                f"{source.name}: target or id in {source.where(row)} is not that of the same row "
                f"of {predictions.source.name}; both files must have the same rows in the same "
                f"order"
            )
        return theirs

    def _by_group(self, block: Block, group: HostArray, values: HostArray) -> HostArray:
        """Return the sums of values by group and class."""
        n = len(self.classes)
        if values.ndim == 2:
            found = np.zeros((GROUPS, n))
            np.add.at(found, group, values)
            return found
        y = block.targets > 0.5 if self.other.task == "binary" else block.targets
        place = group * n + y.astype(np.intp)
        return np.bincount(place, values, GROUPS * n).reshape(GROUPS, n)


def _bounds(weight: HostArray, own: HostArray, other: HostArray) -> HostArray:
    """Return the bounds of the difference of the means of each class, by groups that are drawn."""
    n = len(weight)
    draws = np.random.default_rng(SEED).multinomial(n, [1 / n] * n, DRAWS)
    drawn = (draws @ (own - other)) / (draws @ weight)
    is_known = ~np.isnan(drawn).all(axis=0)
    bounds = np.full((2, drawn.shape[1]), np.nan)
    bounds[:, is_known] = np.nanquantile(drawn[:, is_known], LEVEL, axis=0)
    return bounds


class _Rows:
    """Rows that are taken as many at a time as one likes, from blocks of any length."""

    def __init__(self, blocks: Iterator[Block]) -> None:
        self.blocks = blocks
        self.rest: Block | None = None

    def take(self, n: int) -> Block | None:
        """Return the next rows, fewer if there are no more, or None."""
        parts: list[Block] = []
        while n:
            block = next(self.blocks, None) if self.rest is None else self.rest
            if block is None:
                break
            parts.append(block.at(slice(None, n)))
            self.rest = block.at(slice(n, None)) if len(block.scores) > n else None
            n -= len(parts[-1].scores)
        if len(parts) < 2:
            return parts[0] if parts else None
        return Block._make(_joined(each) for each in zip(*parts, strict=True))


def _joined(parts: Sequence[HostArray | None]) -> HostArray | None:
    """Return an array of several parts, or None where a part has none."""
    there = [part for part in parts if part is not None]
    return np.concatenate(there) if len(there) == len(parts) else None


def _difference(
    name: str, weight: float, own: float, other: float, least: float, most: float
) -> Difference:
    if not weight:
        return Difference(name, None, None, None, None)
    return Difference(name, own, other, own - other, (least, most))
