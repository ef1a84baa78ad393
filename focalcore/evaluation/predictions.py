"""A model's predictions of a known task, checked as they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from .._typing import HostArray, Task
from ._array_files import ArraySource
from ._source import BadDataError, Block, Names, Source, blocks, reading
from ._tables import TableSource
from ._task import has_one_hot_targets, is_one_hot, task_of
from .arrays import in_unit, is_weight

CHUNK_ROWS = 65_536


@dataclass(frozen=True)
class Predictions:
    """Scores and their targets: (N,) and (N,), (N, C) and (N, C), or (N, C) and (N,).

    The targets of a multi-class task may be one-hot rows, which are read as the labels they name.
    """

    task: Task
    source: Source
    ignore_index: int | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the names of the classes, two where the task is binary."""
        return ("negative", "positive") if self.task == "binary" else self.source.class_names()

    @property
    def one_hot(self) -> bool:
        """Tell whether the file has one-hot rows in place of labels."""
        return has_one_hot_targets(self.task, self.source)

    def chunks(self, rows: int = CHUNK_ROWS) -> Iterator[Block]:
        """Yield all rows in order, 0 where ignored; raise an error at the first bad value."""
        n_read = 0
        for block in blocks(self.source, rows):
            n = len(block.scores)
            scores, targets, weight, _ = block
            scores = scores.reshape(n) if self.task == "binary" else scores
            has_rows = self.task == "multi-label" or self.one_hot
            targets = targets if has_rows else np.reshape(targets, n)
            chunk = self._without_ignored(Block(scores, targets, weight))
            chunk = self._with_labels(n_read, chunk) if self.one_hot else chunk
            self._check(n_read, chunk)
            n_read += n
            yield chunk
        if n_read == 0:
            raise BadDataError(f"{self.source.name}: no rows; there must be at least one")

    def _without_ignored(self, block: Block) -> Block:
        if self.ignore_index is None:
            return block
        scores, targets, weight, _ = block
        kept = targets != self.ignore_index
        if self.one_hot:  # a row is ignored as a whole
            kept = np.broadcast_to(kept.any(axis=1, keepdims=True), kept.shape)
        beside = kept if scores.ndim == targets.ndim else kept[:, None]
        return Block(np.where(beside, scores, 0.0), np.where(kept, targets, 0), weight, kept)

    def _with_labels(self, first_row: int, block: Block) -> Block:
        """Return the block with the class that each row of targets names, in place of the row."""
        scores, targets, weight, kept = block
        kept = None if kept is None else kept[:, 0]
        bad = ~is_one_hot(targets) & (True if kept is None else kept)
        if np.any(bad):
            row = int(np.argmax(bad))
            found = ", ".join(f"{float(value):g}" for value in targets[row][:20])
            raise BadDataError(
                f"{self.source.name}: targets in row {first_row + row}, counted from 0, are "
                f"{found}; each row must be one-hot, one 1 and else 0, where classes exclude each "
                f"other: say --task multi-label if they do not"
            )
        return Block(scores, np.argmax(targets, axis=1), weight, kept)

    def _check(self, first_row: int, block: Block) -> None:
        scores, targets, weight, _ = block
        if self.source.from_logits:
            self._check_each(first_row, "logits", scores, _is_number, "a number")
        else:
            self._check_each(first_row, "probs", scores, in_unit, "in [0, 1]")
        self._check_targets(first_row, targets)
        if weight is not None:
            self._check_each(first_row, "weight", weight, is_weight, "finite and >= 0")

    def _check_targets(self, first_row: int, targets: HostArray) -> None:
        unless = ", or be named with --ignore-index"
        if self.task == "multi-class":
            most = len(self.classes) - 1
            allowed = f"a class from 0 to {most}{unless}"
            self._check_each(first_row, "targets", targets, partial(_is_class, most), allowed)
        else:
            self._check_each(first_row, "targets", targets, in_unit, f"in [0, 1]{unless}")

    def _check_each(
        self,
        first_row: int,
        what: str,
        values: HostArray,
        good: Callable[[HostArray], HostArray],
        allowed: str,
    ) -> None:
        bad = ~good(values)
        if np.any(bad):
            place = tuple(np.argwhere(bad)[0])
            row = first_row + int(place[0])
            raise BadDataError(
                f"{self.source.name}: {what} in row {row}, counted from 0, is "
                f"{values[place]:g}; it must be {allowed}"
            )


def open_predictions(
    file: Path | None, names: Names, task: str | None = None, ignore_index: int | None = None
) -> Predictions:
    """Open a .npz or .csv file, or the .npy files that are named, and find out the task."""
    source = _opened(file, names)
    return Predictions(task_of(source, task, ignore_index), source, ignore_index)


def _opened(file: Path | None, names: Names) -> Source:
    if file is None:
        return ArraySource.of_npy(names)
    if file.suffix == ".npz":
        with reading(str(file), "a file of arrays"):
            return ArraySource.of_npz(file, names)
    with reading(str(file), TableSource.kind):
        return TableSource(file, names)


def _is_number(x: HostArray) -> HostArray:
    return ~np.isnan(x)


def _is_class(most: int, y: HostArray) -> HostArray:
    return (y >= 0) & (y <= most) & (y == np.floor(y))
