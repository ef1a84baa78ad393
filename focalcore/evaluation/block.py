"""Rows of predictions that are scored together."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._typing import HostArray


class Block(NamedTuple):
    """Consecutive rows of scores, targets and weights."""

    scores: HostArray
    targets: HostArray
    weight: HostArray | None
    kept: HostArray | None = None  # which targets are not ignored; None: all of them
    ids: HostArray | None = None  # what the rows are called

    @property
    def counted(self) -> HostArray:
        """Return which targets count, of each of them."""
        return np.ones(self.targets.shape, bool) if self.kept is None else self.kept

    def at(self, rows: Any) -> Block:
        """Return some of the rows, by a slice or by their numbers."""
        return Block(*(None if x is None else x[rows] for x in self))  # type: ignore[arg-type]

    def without(self, ignore_index: int | None, one_hot: bool = False) -> Block:
        """Return the block with 0 in place of ignored targets, and of the scores of these.

        A one-hot row is ignored as a whole, where nothing else is in it.
        """
        scores, targets, weight, before, ids = self
        if ignore_index is None and before is None:
            return self
        kept = np.ones(targets.shape, bool) if ignore_index is None else targets != ignore_index
        if one_hot:
            kept = np.broadcast_to(kept.any(axis=1, keepdims=True), kept.shape)
        kept = kept if before is None else kept & before
        beside = kept if scores.ndim == targets.ndim else kept[:, None]
        return Block(np.where(beside, scores, 0.0), np.where(kept, targets, 0), weight, kept, ids)


def for_targets(of_rows: HostArray, targets: HostArray) -> HostArray:
    """Return what each row has, for each of the targets in it."""
    return np.broadcast_to(of_rows.reshape(-1, *[1] * (targets.ndim - 1)), targets.shape)
