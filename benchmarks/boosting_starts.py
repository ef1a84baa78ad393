"""What the focal objective learns of a rare class, from each start, beside the builtin objectives.

60,000 examples of 20 features, 1 % positive, half of them to test on; 100 rounds; three seeds. Run
it with

    python -m benchmarks.boosting_starts
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import lightgbm
import numpy as np
import xgboost
from sklearn.datasets import make_classification
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from sklearn.model_selection import train_test_split

from focalcore.boosting import FocalObjective

Array = Any

ROUNDS, SEEDS, GAMMAS = 100, (0, 1, 2), (1.0, 2.0, 5.0)
COLUMNS = ("average precision", "AUC", "log loss")


def with_xgboost(data: Any, objective: FocalObjective | None, start: float | None) -> Array:
    """Raw scores of the test's half."""
    train, test, y, _ = data
    params: dict[str, Any] = {"objective": "binary:logistic", "nthread": 2}
    if start is not None:
        params["base_score"] = 1 / (1 + np.exp(-start))
    model = xgboost.train(params, xgboost.DMatrix(train, y), ROUNDS, obj=objective)
    return model.predict(xgboost.DMatrix(test), output_margin=True)


def with_lightgbm(data: Any, objective: FocalObjective | None, start: float | None) -> Array:
    """Raw scores of the test's half."""
    train, test, y, _ = data
    params = {"objective": objective or "binary", "verbosity": -1, "num_threads": 2}
    init_score = None if start is None else np.full(len(y), start)
    model = lightgbm.train(params, lightgbm.Dataset(train, y, init_score=init_score), ROUNDS)
    return model.predict(test, raw_score=True) + (start or 0.0)


def scores(data: Any, objective: FocalObjective, raw: Array) -> tuple[float, ...]:
    y = data[-1]
    probabilities = objective.predict_proba(raw)[:, 1]
    return average_precision_score(y, raw), roc_auc_score(y, raw), log_loss(y, probabilities)


def contenders(data: Any) -> Iterator[tuple[str, tuple[float, ...]]]:
    """What each is called, and its scores."""
    y = data[2]
    for name, trained in (("XGBoost", with_xgboost), ("LightGBM", with_lightgbm)):
        yield f"{name}, builtin", scores(data, FocalObjective(0), trained(data, None, None))
        for gamma in GAMMAS:
            objective = FocalObjective(gamma)
            starts = {
                "0": 0.0,
                "best constant": objective.initial_score(y),
                "log-odds": np.log(y.mean() / (1 - y.mean())),
            }
            for start, value in starts.items():
                raw = trained(data, objective, value)
                yield f"{name}, gamma {gamma:g} from {start}", scores(data, objective, raw)


def main() -> None:
    """Train all, print means and standard deviations over the seeds."""
    found: dict[str, list[tuple[float, ...]]] = {}
    for seed in SEEDS:
        X, y = make_classification(
            60_000, 20, n_informative=8, weights=[0.99], flip_y=0.002, random_state=seed
        )
        data = train_test_split(X, y, test_size=0.5, stratify=y, random_state=seed)
        for name, values in contenders(data):
            found.setdefault(name, []).append(values)
    print(f"{'':<40}", *(f"{column:>20}" for column in COLUMNS))
    for name, runs in found.items():
        mean, spread = np.mean(runs, axis=0), np.std(runs, axis=0)
        cells = (f"{m:.4f} +- {s:.4f}" for m, s in zip(mean, spread, strict=True))
        print(f"{name:<40}", *(f"{cell:>20}" for cell in cells))


if __name__ == "__main__":
    main()
