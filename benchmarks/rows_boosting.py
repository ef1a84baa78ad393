"""Rows of gradient boosting: the objective beside the usual one, and beside a round of boosting."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from focalcore.boosting import FocalObjective

from .row import OURS, Array, Row, Runs, numbers

EXACT = FocalObjective(hess="exact")  # which is what the usual formula computes
FEATURES = 10


def usual(y: Array, x: Array) -> tuple[Array, Array]:
    """The derivatives as Max Halford has them, which most objectives are copies of."""
    p = 1 / (1 + np.exp(-x.astype("float64")))
    p_t = np.clip(np.where(y == 1, p, 1 - p), 1e-15, 1 - 1e-15)
    sign, rest = 2 * y - 1, 1 - p_t
    inner = 2.0 * p_t * np.log(p_t) + p_t - 1
    of_factor = -2.0 * rest * inner
    of_inner = rest**2.0 * (2.0 * np.log(p_t) + 2.0 + 1)
    return sign * rest**2.0 * inner, p_t * rest * (of_factor + of_inner)


def derivatives(dtype: str) -> Any:
    def runs(n: int) -> Runs:
        x, y = numbers(n)
        x = x.astype(dtype)
        return {OURS: partial(EXACT, y, x), "usual formula": partial(usual, y, x)}

    return lambda: runs


def rounds() -> Any:
    """A round takes its raw scores from what the booster keeps, so that all take the same time."""
    import xgboost

    def runs(n: int) -> Runs:
        objective = FocalObjective()
        scores, y = numbers(n)
        features = np.random.default_rng(1).standard_normal((n, FEATURES), dtype="float32")
        data = xgboost.DMatrix(features, y)

        def a_round(fobj: Any = None) -> Any:
            booster = xgboost.Booster({"objective": "binary:logistic"}, [data])
            return lambda: booster.update(data, booster.num_boosted_rounds(), fobj=fobj)

        return {
            OURS: lambda: objective(scores, data),
            "a round of XGBoost's own objective": a_round(),
            "a round of XGBoost with focalcore": a_round(objective),
        }

    return runs


SIZES = (100_000, 1_000_000)

ROWS = (
    Row("boosting objective, float32 scores as of XGBoost", (), derivatives("float32"), SIZES),
    Row("boosting objective, float64 scores as of LightGBM", (), derivatives("float64"), SIZES),
    Row(
        "boosting objective beside a round, 10 features",
        ("xgboost",),
        rounds,
        SIZES,
        is_one_formula=False,
    ),
)
