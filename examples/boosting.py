"""The focal loss in XGBoost and LightGBM beside their own objectives, where 2 % are positive.

The log loss is of predict_proba, and of the plain sigmoid of the raw scores, which those of a focal
loss need not be. Run it with

    python examples/boosting.py
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from lightgbm import LGBMClassifier
from sklearn.datasets import make_classification
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from xgboost import XGBClassifier

from focalcore.boosting import FocalLGBMClassifier, FocalXGBClassifier

XGB: dict[str, Any] = {"n_estimators": 50, "learning_rate": 0.1, "n_jobs": 1}
LGBM: dict[str, Any] = XGB | {"verbosity": -1}


def contenders(y: np.ndarray) -> Iterator[tuple[str, Any]]:
    """The models, by name."""
    odds = (1 - y.mean()) / y.mean()
    yield "XGBoost", XGBClassifier(**XGB)
    yield "XGBoost, weighted", XGBClassifier(**XGB, scale_pos_weight=odds)
    yield "XGBoost, focal", FocalXGBClassifier(gamma=2, **XGB)
    yield "LightGBM", LGBMClassifier(**LGBM)
    yield "LightGBM, weighted", LGBMClassifier(**LGBM, scale_pos_weight=odds)
    yield "LightGBM, focal", FocalLGBMClassifier(gamma=2, **LGBM)


def main() -> None:
    """Train each on one half, and print what it is worth on the other."""
    X, y = make_classification(
        10_000, 20, n_informative=8, weights=[0.98], flip_y=0.002, random_state=0
    )
    train, test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
    columns = ("average precision", "AUC", "log loss", "plain sigmoid")
    print(f"{'':<20}", *(f"{column:>18}" for column in columns))
    for name, model in contenders(y_train):
        model.fit(train, y_train)
        p = model.predict_proba(test)[:, 1]
        scores = [average_precision_score(y_test, p), roc_auc_score(y_test, p), log_loss(y_test, p)]
        if "focal" in name:
            raw = model.decision_function(test)
            scores.append(log_loss(y_test, model.objective_.predict_proba(raw, calibrate=False)))
        print(f"{name:<20}", *(f"{score:>18.4f}" for score in scores))


if __name__ == "__main__":
    main()
