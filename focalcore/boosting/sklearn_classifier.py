"""What the classifiers of both libraries have in common.

Each holds an estimator of its library and is none: gamma and alpha mean other things to XGBoost,
and what these estimators make of raw scores would have to be undone.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import assert_all_finite, check_array, check_consistent_length, column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from .._typing import HostArray
from ._curvature import Curvature
from ._losses import Alpha
from ._objective import FocalObjective

START = "training starts at the best constant, which the objective finds"  # why it takes no other
Features = Any  # an array, a sparse matrix or a data frame


class Examples(NamedTuple):
    """Features, labels that are classes from 0 on, and weights (None: all weigh 1)."""

    X: Features
    labels: HostArray
    weight: HostArray | None


class FocalClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # it has no types
    """A classifier of one of the libraries; `_trained` and `_raw` are what it adds."""

    # parameters and arguments of the library that are not the user's, and what to do in their place
    taken: ClassVar[dict[str, str]] = {}

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: Alpha = None,
        *,
        pos_weight: float | None = None,
        hess: Curvature = "abs",
        class_weight: dict[Any, float] | str | None = None,
        **of_the_library: Any,
    ) -> None:
        self.gamma = gamma
        self.alpha = alpha
        self.pos_weight = pos_weight
        self.hess = hess
        self.class_weight = class_weight
        for name, value in of_the_library.items():
            setattr(self, name, value)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return all parameters by name, those of the library too."""
        own: dict[str, Any] = super().get_params(deep)
        return own | self._of_the_library()

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name, those of the library too."""
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def fit(
        self,
        X: Features,
        y: Any,
        sample_weight: Any = None,
        *,
        eval_set: list[tuple[Features, Any]] | None = None,
        eval_sample_weight: list[Any] | None = None,
        **of_the_library: Any,
    ) -> Self:
        """Train from the constant at which the mean loss of the labels is least.

        Parameters
        ----------
        X : array, sparse matrix or data frame
            Features, of shape (examples, features), as the library takes them.
        y : array
            Labels of at least two classes, numbers or text.
        sample_weight : array, optional
            What each example weighs, >= 0.
        eval_set : list of (X, y), optional
            Data on which the metric is measured in each round, and by which training stops early.
        eval_sample_weight : list of array, optional
            What the examples of each of these weigh there; `class_weight` has no part in it.
        **of_the_library
            Other arguments of ``fit`` of the library's estimator.

        Returns
        -------
        self
            The trained classifier.
        """
        self._refuse_taken(self._of_the_library() | of_the_library)
        train = self._examples(X, y, sample_weight)
        objective = FocalObjective(
            self.gamma, self.alpha, pos_weight=self.pos_weight, hess=self.hess
        )
        objective._check_classes(len(self.classes_))
        self.objective_ = objective.for_labels(train.labels, train.weight)
        weights = eval_sample_weight or [None] * len(eval_set or ())
        evals = [
            self._encoded(*data, weight)
            for data, weight in zip(eval_set or (), weights, strict=True)
        ]
        self.estimator_ = self._trained(train, evals, of_the_library)
        return self

    def decision_function(self, X: Features) -> HostArray:
        """Return the raw scores: of the second class of two, (examples,), or of each class."""
        check_is_fitted(self)
        return self._raw(self._features(X))

    def predict_proba(self, X: Features) -> HostArray:
        """Return the probability of each class, in the order of ``classes_``.

        They are mapped from the raw scores by `FocalObjective.predict_proba`, so that they are
        probabilities in the data as `sample_weight` and `class_weight` weigh it.
        """
        raw = self.decision_function(X)
        return self.objective_.predict_proba(raw)

    def predict(self, X: Features) -> HostArray:
        """Return the most probable class of each example."""
        most_probable = self.predict_proba(X).argmax(axis=1)
        return self.classes_[most_probable]

    @property
    def feature_importances_(self) -> HostArray:
        """How much each feature was used, as the library's estimator has it."""
        check_is_fitted(self)
        return self.estimator_.feature_importances_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = tags.input_tags.allow_nan = True
        return tags

    @abstractmethod
    def _trained(self, train: Examples, evals: list[Examples], arguments: dict[str, Any]) -> Any:
        """Return the trained estimator of the library, which has the start in its raw scores."""

    @abstractmethod
    def _raw(self, X: Features) -> HostArray:
        """Return the raw scores of checked features."""

    def _of_the_library(self) -> dict[str, Any]:
        """Return the parameters of the library: all public attributes that are no others."""
        own = self._get_param_names()
        return {
            name: value
            for name, value in vars(self).items()
            if name not in own and not name.startswith("_") and not name.endswith("_")
        }

    def _refuse_taken(self, given: dict[str, Any]) -> None:
        for name in given.keys() & self.taken.keys():
            raise ValueError(f"{type(self).__name__} takes no {name}; {self.taken[name]}")

    def _features(self, X: Features, reset: bool = False) -> Features:
        """Return features as they are, but for lists; `reset` in the first call of `fit`."""
        is_frame = hasattr(X, "columns") or hasattr(X, "column_names")
        how: dict[str, Any] = {"accept_sparse": True, "ensure_all_finite": False}
        if is_frame:  # whose categories the library reads
            how = {"skip_check_array": True}
        return validate_data(self, X, reset=reset, **how)

    def _examples(self, X: Features, y: Any, sample_weight: Any) -> Examples:
        """Return the checked data to train on, and learn the classes."""
        if y is None:
            name = type(self).__name__
            raise ValueError(f"{name} requires y to be passed, but the target y is None")
        X = self._features(X, reset=True)
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        self._encoder = LabelEncoder().fit(y)
        self.classes_ = self._encoder.classes_
        if len(self.classes_) < 2:
            raise ValueError(
                f"y must have at least 2 classes; found one class, {self.classes_[0]!r}"
            )
        found = self._encoded(X, y, sample_weight)
        if self.class_weight is None:
            return found
        weight = compute_sample_weight(self.class_weight, y)
        return found._replace(weight=weight if found.weight is None else weight * found.weight)

    def _encoded(self, X: Features, y: Any, sample_weight: Any) -> Examples:
        """Return checked data with labels that are classes from 0 on."""
        X, labels = self._features(X), self._encoder.transform(column_or_1d(y))
        check_consistent_length(X, labels)
        if sample_weight is None:
            return Examples(X, labels, None)
        how: dict[str, Any] = {"ensure_2d": False, "ensure_non_negative": True}
        weight = check_array(sample_weight, input_name="sample_weight", dtype=np.float64, **how)
        if weight.shape != labels.shape:
            raise ValueError(
                f"sample_weight must be one number for each of {len(labels)} examples; found shape "
                f"{weight.shape}"
            )
        return Examples(X, labels, weight)
