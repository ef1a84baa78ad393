"""A model's predictions of a known task, checked as they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from .._typing import HostArray, Task
from ._batches import Batch, batch_of
from ._task import has_labels, has_one_hot_targets, is_one_hot, task_of
from .arrays import in_unit, is_weight
from .block import Block
from .readers import (
    BadDataError,
    Names,
    Place,
    Reading,
    Source,
    blocks,
    open_arrays,
    open_source,
)
from .readers.errors import listed
from .report import Alpha

CHUNK_ROWS = 32_768


@dataclass(frozen=True)
class Predictions:
    """Scores and their targets: (N,) and (N,), (N, C) and (N, C), or (N, C) and (N,).

    The targets of a multi-class task may be one-hot rows, which are read as the labels they name,
    and those of a multi-label task labels, of which one is the background.
    """

    task: Task
    source: Source
    ignore_index: int | None = None
    background: int | None = None  # the label of a row that is of no class; None: C

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the names of the classes, two where the task is binary."""
        given = self.source.classes
        return given if self.task != "binary" or len(given) == 2 else ("negative", "positive")

    @property
    def kind(self) -> str:
        """Return what the scores are, and of which classes, as a message says it."""
        scores = "logits" if self.source.from_logits else "probabilities"
        return f"{scores} of {listed(self.classes)}"

    @property
    def one_hot(self) -> bool:
        """Tell whether the file has one-hot rows in place of labels."""
        return has_one_hot_targets(self.task, self.source)

    def batch(self, block: Block) -> Batch:
        """Return a block as what the task makes of it."""
        return batch_of(self.task, block, self.source.from_logits, len(self.classes))

    def loss(self, block: Block, gamma: float, alpha: Alpha) -> HostArray:
        """Return the loss of each target, not weighed, in float64."""
        with np.errstate(all="ignore"):
            return np.asarray(self.batch(block).loss(gamma, alpha), np.float64)

    def chunks(self, rows: int = CHUNK_ROWS) -> Iterator[Block]:
        """Yield all rows in order, 0 where ignored; raise an error at the first bad value."""
        n_read, one_hot = 0, self.one_hot
        for block in blocks(self.source, rows):
            n = len(block.scores)
            chunk = self._shaped(block).without(self.ignore_index, one_hot)
            chunk = self._as_labels(n_read, chunk) if one_hot else chunk
            self._check(n_read, chunk)
            n_read += n
            yield self._as_rows(chunk) if has_labels(self.task, self.source) else chunk
        if n_read == 0:
            raise BadDataError(f"{self.source.name}: no rows; there must be at least one")

    def _shaped(self, block: Block) -> Block:
        """Return a block whose columns have one axis."""
        n = len(block.scores)
        scores = block.scores.reshape(n) if self.task == "binary" else block.scores
        has_rows = block.targets.shape == block.scores.shape and self.task != "binary"
        if has_rows and (self.task == "multi-label" or self.one_hot):
            return block._replace(scores=scores)
        kept = None if block.kept is None else block.kept.reshape(n)
        return block._replace(scores=scores, targets=block.targets.reshape(n), kept=kept)

    def _as_labels(self, first_row: int, block: Block) -> Block:
        """Return the block with the class that each row of targets names, in place of the row."""
        targets, kept = block.targets, None if block.kept is None else block.kept[:, 0]
        bad = ~is_one_hot(targets) & (True if kept is None else kept)
        if np.any(bad):
            row = int(np.argmax(bad))
            found = ", ".join(f"{float(value):g}" for value in targets[row][:20])
            file, where = self.source.origin(self.source.taken.targets[0], first_row + row)
            raise BadDataError(
                f"{file}: targets in {where} are {found}; each row must be one-hot, one 1 and else "
                f"0, where classes exclude each other: say --task multi-label if they do not"
            )
        return block._replace(targets=np.argmax(targets, axis=1), kept=kept)

    def _as_rows(self, block: Block) -> Block:
        """Return the block with a row for each label, of zeros where it is the background."""
        rows = block.targets[:, None] == np.arange(block.scores.shape[1])
        rows &= (block.targets != self._background)[:, None]
        kept = None if block.kept is None else np.broadcast_to(block.kept[:, None], rows.shape)
        return block._replace(targets=rows.astype(np.float64), kept=kept)

    def _check(self, first_row: int, block: Block) -> None:
        check, taken = partial(self._check_each, first_row), self.source.taken
        if self.source.from_logits:
            check("logits", taken.scores[0], block.scores, _is_number, "a number")
        else:
            check("probs", taken.scores[0], block.scores, in_unit, "in [0, 1]")
        good, allowed = self._targets()
        allowed = f"{allowed}, or be named with --ignore-index"
        check("targets", taken.targets[0], block.targets, good, allowed)
        if taken.weight is not None and block.weight is not None:
            check("weight", taken.weight, block.weight, is_weight, "finite and >= 0")

    def _targets(self) -> tuple[Callable[[HostArray], HostArray], str]:
        """Return what tells good targets, and what they must be."""
        most = len(self.classes) - 1
        if self.task == "multi-class":
            return partial(_is_class, most, None), f"a class from 0 to {most}"
        if not has_labels(self.task, self.source):
            return in_unit, "in [0, 1]"
        none = self._background
        return partial(_is_class, most, none), f"a class from 0 to {most}, or {none} for none"

    @property
    def _background(self) -> int:
        """Return the label of a row that is of no class."""
        return len(self.classes) if self.background is None else self.background

    def _check_each(
        self,
        first_row: int,
        what: str,
        name: str,
        values: HostArray,
        good: Callable[[HostArray], HostArray],
        allowed: str,
    ) -> None:
        is_good = good(values)
        if is_good.all():
            return
        place = tuple(np.argwhere(~is_good)[0])
        file, where = self.source.origin(name, first_row + int(place[0]))
        raise BadDataError(f"{file}: {what} in {where} is {values[place]:g}; it must be {allowed}")


@dataclass(frozen=True)
class Opening:
    """All that it takes to open a file of predictions, here or on another machine."""

    place: Place | None  # None: the names are those of .npy files
    names: Names
    how: Reading
    truth: Place | None = None
    task: str | None = None  # None: told from the file
    ignore_index: int | None = None
    background: int | None = None

    def open(self) -> Predictions:
        """Open the file and find out the task."""
        return self.predictions(self.source())

    def source(self) -> Source:
        """Open the file."""
        if self.place is None:
            return open_arrays(self.names, self.how)
        return open_source(self.place, self.names, self.how, self.truth)

    def predictions(self, source: Source) -> Predictions:
        """Return what an opened file holds, with its task."""
        task = task_of(source, self.task, self.ignore_index)
        found = Predictions(task, source, self.ignore_index, self.background)
        named, needed = self.how.class_names, 2 if task == "binary" else source.scores_shape[-1]
        if named is not None and len(named) != needed:
            raise BadDataError(
                f"{source.name}: --class-names names {len(named)} classes; the scores have {needed}"
            )
        if named is None and source.first_number and task == "multi-class" and not found.one_hot:
            raise BadDataError(
                f"{source.name}: columns of scores are numbered from {source.first_number}, and "
                f"labels from 0, so a label may not be that of the column of its number: name the "
                f"classes in their order with --class-names, if labels are numbered from 0"
            )
        return found


def open_all(openings: Sequence[Opening]) -> tuple[list[Opening], list[Predictions]]:
    """Open files that are read as one: all are of the task, the classes and scores of the first.

    A file without rows adds nothing, and is left out if another has rows.
    """
    opened = [(opening, opening.source()) for opening in openings]
    found: list[Opening] = []
    files: list[Predictions] = []
    for opening, source in [each for each in opened if each[1].n_rows != 0] or opened[:1]:
        found.append(replace(opening, task=files[0].task) if files else opening)
        files.append(found[-1].predictions(source))
        _check_alike(files[0], files[-1])
    return found, files


def _check_alike(first: Predictions, other: Predictions) -> None:
    """Refuse predictions that can't be added to those of another file."""
    own, theirs = ((each.source.from_logits, each.classes) for each in (first, other))
    if own != theirs:
        raise BadDataError(
            f"{other.source.name}: it has {other.kind}, and {first.source.name} has "
            f"{first.kind}; files that are read as one must have the same scores, of the same "
            f"classes in one order"
        )


def _is_number(x: HostArray) -> HostArray:
    return ~np.isnan(x)


def _is_class(most: int, background: int | None, y: HostArray) -> HostArray:
    is_class = (y >= 0) & (y <= most) & (y == np.floor(y))
    return is_class if background is None else is_class | (y == background)
