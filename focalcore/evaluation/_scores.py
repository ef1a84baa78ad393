"""The scores that sums come to."""

from __future__ import annotations

import numpy as np

from ._sums import Sums
from .report import ClassScore, Score


def score_of(
    sums: Sums,
    i: int,
    gamma: float,
    names: tuple[str, ...],
    positives: int | None,
    has_posterior: bool,
) -> Score:
    """Return the scores at one gamma, the i-th of the sums."""
    total, mass = float(sums.loss[:, i].sum()), float(sums.weight.sum())
    return Score(
        gamma=gamma,
        focal_loss=total / mass,
        modulating_factor=float(sums.factor[i]) / mass,
        classes=tuple(_of_class(sums, name, c, i, total) for c, name in enumerate(names)),
        per_positive=total / positives if positives else None,
        log_loss=float(sums.log_loss[i]) / mass if has_posterior else None,
        hardest=sums.hardest(i),
    )


def _of_class(sums: Sums, name: str, c: int, i: int, total: float) -> ClassScore:
    weight, loss = float(sums.weight[c]), float(sums.loss[c, i])
    return ClassScore(
        name,
        int(sums.count[c]),
        loss / weight if weight else None,
        loss / total if 0 < total < np.inf else None,
    )
