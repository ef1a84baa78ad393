"""The check that alpha fits the task."""

from __future__ import annotations

import math

from .._inputs import parse
from .predictions import Predictions
from .report import Alpha


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
