"""Which gamma? By cross-validation of LightGBM, where 2 % are positive.

The focal loss itself is no measure: it is less for a larger gamma, whatever the model. Average
precision and AUC see the order of the scores, and the log loss the probabilities, to which
predict_proba maps them. Run it with

    python examples/gamma_sweep.py
"""

from sklearn.datasets import make_classification
from sklearn.model_selection import StratifiedKFold, cross_validate

from focalcore.boosting import FocalLGBMClassifier

GAMMAS = (0, 0.5, 1, 2, 5)
SCORES = {"average precision": "average_precision", "AUC": "roc_auc", "log loss": "neg_log_loss"}


def main() -> None:
    """Print the mean scores of each gamma."""
    X, y = make_classification(
        6_000, 20, n_informative=8, weights=[0.98], flip_y=0.002, random_state=0
    )
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    print(f"{'gamma':>5}", *(f"{name:>18}" for name in SCORES))
    for gamma in GAMMAS:
        model = FocalLGBMClassifier(gamma=gamma, n_estimators=40, n_jobs=1, verbosity=-1)
        found = cross_validate(model, X, y, scoring=list(SCORES.values()), cv=folds)
        means = (abs(found[f"test_{scorer}"].mean()) for scorer in SCORES.values())
        print(f"{gamma:>5}", *(f"{mean:>18.4f}" for mean in means))


if __name__ == "__main__":
    main()
