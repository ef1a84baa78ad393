"""The classifier of LightGBM."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from .._typing import HostArray
from .sklearn_classifier import START, Examples, Features, FocalClassifier

LINEAR = "linear leaves can't hold the start; use lightgbm.train with FocalObjective"
METRICS = ("metric", "metrics", "metric_types")


class FocalLGBMClassifier(FocalClassifier):
    """LightGBM with the focal loss, as a classifier of scikit-learn.

    It trains from the constant at which the mean loss is least, which is then put into the leaves
    of the first trees, as LightGBM does with its own objectives, so that the model has it when it
    predicts. Its probabilities are mapped from the raw scores by the inverse of what the loss does
    to them.

    Parameters
    ----------
    gamma, alpha, pos_weight, hess : optional
        As for `FocalObjective`; alpha of several classes is a list in the order of ``classes_``,
        which are sorted. "balanced" is by the labels of the training.
    class_weight : dict or "balanced", optional
        What the examples of each class weigh, by label, as everywhere in scikit-learn. Unlike
        `alpha`, which the probabilities do not show, it makes a class more probable.
    **of_the_library : optional
        Parameters of ``lightgbm.LGBMClassifier``, but "objective", "scale_pos_weight",
        "is_unbalance" and "linear_tree". The metric is the mean focal loss, if neither `metric` nor
        ``fit(eval_metric=)`` is given; LightGBM's own metrics see raw scores.

    Attributes
    ----------
    classes_ : array
        The labels of the classes, sorted.
    estimator_ : lightgbm.LGBMClassifier
        The trained estimator. Its ``predict(raw_score=True)`` is ``decision_function``.
    objective_ : FocalObjective
        The objective, with the alpha that was used.
    feature_importances_ : array
        How much each feature was used.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn.

    Raises
    ------
    TypeError, ValueError
        In ``fit``: as of `FocalObjective`; fewer than two classes; a parameter that is not the
        user's.

    See Also
    --------
    FocalXGBClassifier : The same with XGBoost.
    FocalObjective : What it trains with.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from focalcore.boosting import FocalLGBMClassifier
    >>> X, y = make_classification(1000, weights=[0.95], random_state=0)
    >>> model = FocalLGBMClassifier(gamma=2, n_estimators=20, verbosity=-1).fit(X, y)
    >>> print(model.predict_proba(X).shape)
    (1000, 2)
    """

    taken: ClassVar[dict[str, str]] = {
        "objective": "it is the focal loss, with gamma and alpha",
        "scale_pos_weight": "give pos_weight, or class_weight",
        "is_unbalance": "give alpha='balanced', or class_weight='balanced'",
        "unbalance": "give alpha='balanced', or class_weight='balanced'",
        "linear_tree": LINEAR,
        "linear_trees": LINEAR,
        "init_score": START,
        "eval_init_score": START,
        "init_model": START,
        "eval_class_weight": "give eval_sample_weight",
    }

    def _trained(self, train: Examples, evals: list[Examples], arguments: dict[str, Any]) -> Any:
        from lightgbm import LGBMClassifier

        objective: Any = self.objective_  # whose arguments have other types in LightGBM's stubs

        params = self._of_the_library()
        if "eval_metric" not in arguments and not params.keys() & set(METRICS):
            params["metric"] = "None"
            arguments = arguments | {"eval_metric": self.objective_.metric}
        start = self.objective_.initial_score(train.labels, train.weight)
        model = LGBMClassifier(objective=objective, **params).fit(
            train.X,
            train.labels,
            sample_weight=train.weight,
            init_score=_for_each(start, train),
            eval_X=tuple(data.X for data in evals) or None,
            eval_y=tuple(data.labels for data in evals) or None,
            eval_sample_weight=[data.weight for data in evals] or None,
            eval_init_score=[_for_each(start, data) for data in evals] or None,
            **arguments,
        )
        put_into_leaves(model.booster_, np.atleast_1d(start))
        return model

    def _raw(self, X: Features) -> HostArray:
        return self.estimator_.predict(X, raw_score=True)


def put_into_leaves(booster: Any, start: HostArray) -> None:
    """Add to each class' raw score what it started from, in the leaves of its first tree."""
    first = booster.dump_model(num_iteration=1)["tree_info"]
    for tree, (found, score) in enumerate(zip(first, start, strict=True)):
        for leaf in range(found["num_leaves"]):
            output = booster.get_leaf_output(tree, leaf)
            booster.set_leaf_output(tree, leaf, output + score)


def _for_each(start: float | HostArray, data: Examples) -> HostArray:
    """Return the start of each example."""
    return np.full((len(data.labels), *np.shape(start)), start)
