"""The task of a file, told by its shapes or, where they allow two, by its first rows."""

from __future__ import annotations

from itertools import islice

import numpy as np

from .._typing import HostArray, Task
from .readers import BadDataError, Source, blocks
from .readers.source import Shape

FIRST_ROWS, ROWS_AT_A_TIME = 1024, 32
# how far from 1 a row of probabilities may add up: of a softmax, and of a rounded softmax
EXACT, ROUNDED = 1e-3, 0.02


def task_of(source: Source, said: str | None, ignore_index: int | None) -> Task:
    """Return the task that the file tells, or the one that was said if the shapes allow it."""
    scores, targets = source.scores_shape, source.targets_shape
    if scores[1:] == (0,):
        raise BadDataError(
            f"{source.name}: scores of shape {_named(scores)} have no classes; there must be one "
            f"at least: name others with --logits or --probs"
        )
    are_labels = said == "multi-label" and _is_flat(targets)
    fits: dict[Task, bool] = {  # where several do, the first, unless the rows tell
        "binary": _is_flat(scores) and _is_flat(targets),
        "multi-label": len(scores) == 2 and (scores[1:] == targets[1:] or are_labels),
        "multi-class": len(scores) == 2 and (_is_flat(targets) or scores[1:] == targets[1:]),
    }
    allowed = [task for task, is_fit in fits.items() if is_fit]
    for task in allowed:
        if task == said:
            return task
    if said is None and allowed:
        return allowed[0] if allowed[0] != "multi-label" else _by_rows(source, ignore_index)
    wanted = "any task" if said is None else f"--task {said}"
    raise BadDataError(
        f"{source.name}: scores of shape {_named(scores)} and targets of shape {_named(targets)} "
        f"do not fit {wanted}; binary: (N,) and (N,), multi-label: (N, C) and (N, C), "
        f"multi-class: (N, C) and (N,), or one-hot (N, C): name others with --logits, --probs or "
        f"--targets"
    )


def has_one_hot_targets(task: str, source: Source) -> bool:
    """Tell whether the targets of a multi-class task are rows and not labels."""
    return task == "multi-class" and not _is_flat(source.targets_shape)


def has_labels(task: str, source: Source) -> bool:
    """Tell whether the targets of a multi-label task are labels, one class or none in each row."""
    return task == "multi-label" and source.scores_shape != source.targets_shape


def is_one_hot(targets: HostArray) -> HostArray:
    """Tell which rows are one 1 and else 0."""
    return ((targets == 0) | (targets == 1)).all(axis=1) & ((targets == 1).sum(axis=1) == 1)


def _by_rows(source: Source, ignore_index: int | None) -> Task:
    """Return the task of (N, C) targets: whether classes exclude each other, by the first rows."""
    are_one_hot, furthest, n = True, 0.0, 0
    first = islice(blocks(source, ROWS_AT_A_TIME), FIRST_ROWS // ROWS_AT_A_TIME)
    for scores, targets, _, present, _ in first:
        kept = np.ones(len(targets), dtype=bool) if present is None else present.any(axis=1)
        if ignore_index is not None:
            kept &= (targets != ignore_index).any(axis=1)
        shares = np.asarray(targets[kept], np.float64)
        if not np.all(_distance(shares) <= EXACT):
            return "multi-label"
        are_one_hot = are_one_hot and bool(np.all(is_one_hot(shares)))
        n += len(shares)
        if not source.from_logits:
            furthest = max(furthest, float(np.max(_distance(scores[kept]), initial=0.0)))
    if n == 0 or furthest > ROUNDED:
        return "multi-label"
    if are_one_hot and furthest <= EXACT and not source.from_logits:
        return "multi-class"
    found = "is one-hot" if are_one_hot else "adds up to 1"
    beside = "" if source.from_logits else f", and each row of probs to 1 within {furthest:.2g}"
    only = "" if are_one_hot else ", which takes one-hot targets only"
    raise BadDataError(
        f"{source.name}: each row of targets {found}{beside}, so classes may exclude each other or "
        f"not: say --task multi-class{only}, or --task multi-label"
    )


def _distance(rows: HostArray) -> HostArray:
    """Return how far from 1 each row adds up, infinitely far where it has a NaN."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.nan_to_num(np.abs(rows.sum(axis=1) - 1.0), nan=np.inf)


def _is_flat(shape: Shape) -> bool:
    return len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)


def _named(shape: Shape) -> str:
    return str(shape).replace("-1", "N")
