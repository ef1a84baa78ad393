"""The classifier of XGBoost."""

from __future__ import annotations

from typing import Any, ClassVar

from .._typing import HostArray
from .sklearn_classifier import START, Examples, Features, FocalClassifier


class FocalXGBClassifier(FocalClassifier):
    """XGBoost with the focal loss, as a classifier of scikit-learn.

    It trains from the constant at which the mean loss is least, which is XGBoost's base_score, and
    its probabilities are mapped from the raw scores by the inverse of what the loss does to them.

    Parameters
    ----------
    gamma, alpha, pos_weight, hess : optional
        As for `FocalObjective`; alpha of several classes is a list in the order of ``classes_``,
        which are sorted. "balanced" is by the labels of the training.
    class_weight : dict or "balanced", optional
        What the examples of each class weigh, by label, as everywhere in scikit-learn. Unlike
        `alpha`, which the probabilities do not show, it makes a class more probable.
    **of_the_library : optional
        Parameters of ``xgboost.XGBClassifier``, but "objective", "base_score" and
        "scale_pos_weight". XGBoost's own gamma is called min_split_loss, its alpha reg_alpha. Its
        eval_metric is the mean focal loss, if it is not given.

    Attributes
    ----------
    classes_ : array
        The labels of the classes, sorted.
    estimator_ : xgboost.XGBClassifier
        The trained estimator. Its raw scores are those of ``decision_function``; its probabilities
        are the plain sigmoid or softmax of these.
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
    FocalLGBMClassifier : The same with LightGBM.
    FocalObjective : What it trains with.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from focalcore.boosting import FocalXGBClassifier
    >>> X, y = make_classification(1000, weights=[0.95], random_state=0)
    >>> model = FocalXGBClassifier(gamma=2, n_estimators=20).fit(X, y)
    >>> print(model.predict_proba(X).shape)
    (1000, 2)
    """

    taken: ClassVar[dict[str, str]] = {
        "objective": "it is the focal loss, with gamma and alpha",
        "scale_pos_weight": "give pos_weight, or class_weight",
        "base_score": START,
        "base_margin": START,
        "base_margin_eval_set": START,
        "xgb_model": START,
        "sample_weight_eval_set": "give eval_sample_weight",
    }

    def _trained(self, train: Examples, evals: list[Examples], arguments: dict[str, Any]) -> Any:
        from xgboost import XGBClassifier

        params = self._of_the_library()
        if params.get("eval_metric") is None:
            params["eval_metric"] = self.objective_.metric
            params["disable_default_eval_metric"] = True
        model = XGBClassifier(
            objective=self.objective_,
            base_score=self.objective_.base_score(train.labels, train.weight),
            **params,
        )
        weights = [data.weight for data in evals]
        return model.fit(
            train.X,
            train.labels,
            sample_weight=train.weight,
            eval_set=[(data.X, data.labels) for data in evals] or None,
            sample_weight_eval_set=weights or None,
            **arguments,
        )

    def _raw(self, X: Features) -> HostArray:
        return self.estimator_.predict(X, output_margin=True)
