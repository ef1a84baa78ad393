"""The report on a file of predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._source import BadDataError, Taken
from .focal_report import FocalReport
from .predictions import CHUNK_ROWS, Predictions
from .report import Alpha, Report


@dataclass(frozen=True, kw_only=True)
class FileReport(Report):
    """A report, and what of the file it is on was taken for what."""

    file: str
    one_hot: bool  # whether targets are rows and not labels, where the task is multi-class
    taken: Taken


def evaluate(
    predictions: Predictions,
    gammas: Sequence[float],
    alpha: Alpha = None,
    *,
    chunk_rows: int = CHUNK_ROWS,
    progress: Callable[[int], Any] | None = None,
) -> FileReport:
    """Return the report on a file, and call ``progress`` with the number of rows of each chunk."""
    source = predictions.source
    report = FocalReport(
        predictions.task, gammas, alpha, predictions.classes, from_logits=source.from_logits
    )
    with np.errstate(over="ignore"):  # a sum beyond float64 is infinite, and reported so
        for chunk in predictions.chunks(chunk_rows):
            report.add(*chunk)
            if progress is not None:
                progress(len(chunk.scores))
        _check_mass(predictions, report)
        found = vars(report.compute())
    return FileReport(file=source.name, one_hot=predictions.one_hot, taken=source.taken, **found)


def _check_mass(predictions: Predictions, report: FocalReport) -> None:
    """Refuse a file of which nothing counts."""
    name, targets, mass = predictions.source.name, report.targets, report.mass
    if targets == 0:
        raise BadDataError(
            f"{name}: all targets are {predictions.ignore_index}, which --ignore-index leaves out; "
            f"one at least must count"
        )
    if not 0 < mass < np.inf:
        raise BadDataError(
            f"{name}: the weights of the {targets} targets that count add up to {mass:g}; the sum "
            f"must be finite and above 0: name others with --weight"
        )
