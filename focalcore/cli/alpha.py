"""The class balance of a task, by numbers that fit it or by how many targets there are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._inputs import parse
from .._typing import HostArray
from ..evaluation import BadDataError, Predictions
from ..evaluation.report import Alpha


def check_alpha(alpha: Alpha, predictions: Predictions) -> None:
    """Refuse an alpha that the task has no use for, and say what to give in its place."""
    task, n = predictions.task, len(predictions.classes)
    if alpha is None:
        return
    parse.parameter("alpha", alpha, math.inf if task == "multi-class" else 1.0)
    given = alpha if isinstance(alpha, tuple) else (alpha,)
    allowed = {"binary": {1}, "multi-label": {1, n}, "multi-class": {n}}[task]
    if len(given) not in allowed:
        raise ValueError(_way_out(given, predictions))


def balanced(files: Sequence[Predictions], chunk_rows: int) -> Alpha:
    """Return the class balance by the targets of all files, which are read for it."""
    task, (weight, total) = files[0].task, _masses(files, chunk_rows)
    if not 0 < np.sum(total) < np.inf:
        return None  # nothing counts, which the report refuses
    if task == "multi-class":
        mean = total / len(weight)
        return tuple((mean / np.where(weight > 0, weight, mean)).tolist())
    with np.errstate(invalid="ignore"):  # of a class of which nothing counts
        share = weight[1] / total if task == "binary" else weight / total
    if np.any((share == 0) | (share == 1) | np.isnan(share)):
        raise BadDataError(
            f"{files[0].source.name}: --alpha balanced needs positives and negatives of each "
            f"class, by which it balances; give numbers"
        )
    return float(1 - share) if task == "binary" else tuple((1 - share).tolist())


def _masses(files: Sequence[Predictions], chunk_rows: int) -> tuple[HostArray, Any]:
    """Return what each class weighs, and all of them; of several labels the positives, and each."""
    task, n = files[0].task, len(files[0].classes)
    weight, total = np.zeros(n), np.zeros(n)
    for file in files:
        for block in file.chunks(chunk_rows):
            y, w = block.targets, file.batch(block).weight
            w = np.ones(y.shape) if w is None else w
            if task == "multi-label":
                weight += np.sum(w * (y > 0.5), axis=0)
                total += np.sum(w, axis=0)
            else:
                classes = y > 0.5 if task == "binary" else y
                weight += np.bincount(classes.astype(np.intp), w, n)
    return weight, total if task == "multi-label" else weight.sum()


def _way_out(given: tuple[float, ...], predictions: Predictions) -> str:
    n, found = len(predictions.classes), ",".join(f"{a:g}" for a in given[:20])
    if predictions.task == "binary":
        return f"alpha of a binary task is one number, as --alpha 0.25; found {found}"
    if predictions.task == "multi-label":
        return f"alpha of a multi-label task is one number, or {n} as --alpha a,b; found {found}"
    each = (
        f"classes that exclude each other take a weight each: give {n} numbers, as --alpha "
        f"{'a,b' if n == 2 else 'a,b,c'}; found --alpha {found}"
    )
    positives = given[0]
    if n != 2 or len(given) > 1 or positives > 1:
        return each
    from_logits = predictions.source.from_logits
    option, kind = ("--logits", " (a logit before a sigmoid)") if from_logits else ("--probs", "")
    return (
        f"{each}, which for two classes is --alpha {1 - positives:g},{positives:g} if the second "
        f"is the positive; or name the scores of the positive alone{kind} with {option}, and the "
        f"task is binary"
    )
