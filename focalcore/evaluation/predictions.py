"""A model's predictions of a known task, checked as they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ._array_files import ArraySource
from ._source import BadDataError, Block, Names, Shape, Source
from ._tables import TableSource

Array = Any

TASKS = ("binary", "multi-label", "multi-class")
CHUNK_ROWS = 65_536


@dataclass(frozen=True)
class Predictions:
    """Scores and their targets: (N,) and (N,), (N, C) and (N, C), or (N, C) and (N,)."""

    task: str
    source: Source
    ignore_index: int | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes: two where the task is binary."""
        return ("negative", "positive") if self.task == "binary" else self.source.class_names()

    def chunks(self, rows: int = CHUNK_ROWS) -> Iterator[Block]:
        """All rows in order, 0 where ignored; an error at the first number not allowed."""
        n_read = 0
        for block in self.source.read(rows):
            n = len(block.scores)
            scores, targets, weight, _ = block
            scores = scores.reshape(n) if self.task == "binary" else scores
            targets = targets if self.task == "multi-label" else np.reshape(targets, n)
            chunk = self._without_ignored(Block(scores, targets, weight))
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
        beside = kept if scores.ndim == targets.ndim else kept[:, None]
        return Block(np.where(beside, scores, 0.0), np.where(kept, targets, 0), weight, kept)

    def _check(self, first_row: int, block: Block) -> None:
        scores, targets, weight, _ = block
        if self.source.from_logits:
            self._check_each(first_row, "logits", scores, _is_number, "a number")
        else:
            self._check_each(first_row, "probs", scores, _in_unit, "in [0, 1]")
        self._check_targets(first_row, targets)
        if weight is not None:
            self._check_each(first_row, "weight", weight, _is_weight, "finite and >= 0")

    def _check_targets(self, first_row: int, targets: Array) -> None:
        unless = ", or be named with --ignore-index"
        if self.task == "multi-class":
            most = len(self.classes) - 1
            allowed = f"a class from 0 to {most}{unless}"
            self._check_each(first_row, "targets", targets, partial(_is_class, most), allowed)
        else:
            self._check_each(first_row, "targets", targets, _in_unit, f"in [0, 1]{unless}")

    def _check_each(
        self,
        first_row: int,
        what: str,
        values: Array,
        good: Callable[[Array], Array],
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
    """Open a .npz or .csv file, or the .npy files that are named; tell the task from the shapes."""
    source: Source
    if file is None:
        source = ArraySource.of_npy(names)
    elif file.suffix == ".npz":
        source = ArraySource.of_npz(file, names)
    else:
        source = TableSource(file, names)
    return Predictions(_task_of(source, task), source, ignore_index)


def _task_of(source: Source, said: str | None) -> str:
    """The task that the shapes tell, or the one that was said if they allow it."""
    scores, targets = source.scores_shape, source.targets_shape
    if scores[1:] == (0,):
        raise BadDataError(f"{source.name}: scores of shape {_named(scores)} have no classes")
    fits = {
        "binary": _is_flat(scores) and _is_flat(targets),
        "multi-label": len(scores) == 2 and scores[1:] == targets[1:],
        "multi-class": len(scores) == 2 and _is_flat(targets),
    }
    allowed = [task for task in TASKS if fits[task]]
    if said in allowed or (said is None and allowed):
        return said or allowed[0]
    wanted = "any task" if said is None else f"--task {said}"
    raise BadDataError(
        f"{source.name}: scores of shape {_named(scores)} and targets of shape {_named(targets)} "
        f"do not fit {wanted}; binary: (N,) and (N,), multi-label: (N, C) and (N, C), "
        f"multi-class: (N, C) and (N,)"
    )


def _is_flat(shape: Shape) -> bool:
    return len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)


def _named(shape: Shape) -> str:
    return str(shape).replace("-1", "N")


def _is_number(x: Array) -> Array:
    return ~np.isnan(x)


def _in_unit(x: Array) -> Array:
    return (x >= 0) & (x <= 1)


def _is_class(most: int, y: Array) -> Array:
    return (y >= 0) & (y <= most) & (y == np.floor(y))


def _is_weight(w: Array) -> Array:
    return (w >= 0) & (w < np.inf)
