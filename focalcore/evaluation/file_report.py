"""The report on files of predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .block import Block
from .comparison import Difference
from .examples import Example
from .focal_report import FocalReport
from .predictions import CHUNK_ROWS, Predictions
from .readers import BadDataError, Taken
from .report import Alpha, Report

# is shown each block of a file that is read, and the number of its first row
Watcher = Callable[[Predictions, int, Block], Any]


@dataclass(frozen=True, kw_only=True)
class FileReport(Report):
    """A report, and what of the files it is on was taken for what."""

    file: str
    files: int
    one_hot: bool  # whether targets are rows and not labels, where the task is multi-class
    taken: Taken
    hardest: tuple[Example, ...] = ()  # the examples of the largest loss, if they are asked for
    compared_with: str | None = None
    differences: tuple[Difference, ...] = ()  # of all examples, and by class


def report_of(
    predictions: Predictions,
    gammas: Sequence[float],
    alpha: Alpha = None,
    *,
    chunk_rows: int = CHUNK_ROWS,
    watchers: Iterable[Watcher] = (),
) -> FocalReport:
    """Return the sums of a file, and show each of its blocks to those who watch."""
    report = FocalReport(
        predictions.task,
        gammas,
        alpha,
        predictions.classes,
        from_logits=predictions.source.from_logits,
    )
    first = 0
    for block in predictions.chunks(chunk_rows):
        report.add(block)
        for watch in watchers:
            watch(predictions, first, block)
        first += len(block.scores)
    return report


def evaluate(
    files: Sequence[Predictions],
    gammas: Sequence[float],
    alpha: Alpha = None,
    *,
    chunk_rows: int = CHUNK_ROWS,
    watchers: Iterable[Watcher] = (),
) -> tuple[FileReport, FocalReport]:
    """Return the report on files of one task, and the sums that it is made of."""
    watchers = tuple(watchers)
    with np.errstate(over="ignore"):  # a sum beyond float64 is infinite, and reported so
        whole = merged(
            report_of(predictions, gammas, alpha, chunk_rows=chunk_rows, watchers=watchers)
            for predictions in files
        )
        return file_report(files, whole), whole


def merged(reports: Iterable[FocalReport]) -> FocalReport:
    """Return the sums of several files in those of the first."""
    first, *others = reports
    for other in others:
        first.merge(other)
    return first


def file_report(files: Sequence[Predictions], sums: FocalReport) -> FileReport:
    """Return the report that the sums of files come to."""
    first, others = files[0], len(files) - 1
    name = first.source.name + (f" and {others:,} more" if others else "")
    _check_mass(name, first.ignore_index, sums)
    found, taken = vars(sums.compute()), first.source.taken
    return FileReport(file=name, files=len(files), one_hot=first.one_hot, taken=taken, **found)


def _check_mass(name: str, ignore_index: int | None, sums: FocalReport) -> None:
    """Refuse files of which nothing counts."""
    if sums.targets == 0:
        left_out = (
            "rows lack a number, which --na leaves out"
            if ignore_index is None
            else f"targets are {ignore_index}, which --ignore-index leaves out"
        )
        raise BadDataError(f"{name}: all {left_out}; one at least must count")
    if not 0 < sums.mass < np.inf:
        raise BadDataError(
            f"{name}: the weights of the {sums.targets} targets that count add up to "
            f"{sums.mass:g}; the sum must be finite and above 0: name others with --weight"
        )
