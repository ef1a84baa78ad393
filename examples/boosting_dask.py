"""XGBoost with the focal loss on the workers of dask: the objective travels to each.

Each worker asks it for the derivatives of its own part of the data. An alpha of "balanced" would be
of that part: for_labels makes it the numbers of the whole. Run it with

    python examples/boosting_dask.py
"""

from typing import Any

import dask.array as da
import numpy as np
from distributed import Client, LocalCluster
from sklearn.metrics import average_precision_score, log_loss
from xgboost import DMatrix, train
from xgboost import dask as dxgb

from focalcore.boosting import FocalObjective


def main() -> None:
    """Train on two workers and in this process, and print what both models are worth."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 10))
    y = (X[:, 0] + X[:, 1] + rng.normal(size=20_000) > 4).astype(int)  # 1 % of them
    objective = FocalObjective(gamma=2, alpha="balanced").for_labels(y)
    params: dict[str, Any] = {
        "objective": "binary:logistic",  # so that base_score is a probability
        "base_score": objective.base_score(y),
        "nthread": 1,
    }
    workers: dict[str, Any] = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(**workers) as cluster, Client(cluster) as client:
        parts = (da.from_array(x, chunks=(5_000, *x.shape[1:])) for x in (X, y))
        data = dxgb.DaskDMatrix(client, *parts)
        output = dxgb.train(client, params, data, num_boost_round=20, obj=objective)
    whole = DMatrix(X, y)
    models = {
        "two workers": output["booster"],
        "one process": train(params, whole, num_boost_round=20, obj=objective),
    }
    for name, model in models.items():
        p = objective.predict_proba(model.predict(whole, output_margin=True))[:, 1]
        precision, loss = average_precision_score(y, p), log_loss(y, p)
        print(f"{name}: average precision {precision:.3f}, log loss {loss:.4f}")


if __name__ == "__main__":  # for the workers import this file
    main()
