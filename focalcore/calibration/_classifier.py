"""An estimator and its posterior as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import _safe_indexing, get_tags, indexable
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from .._typing import ArrayLike, HostArray
from ._temperature import FocalTemperature

Scores = Callable[[Any, Any], HostArray]


class FocalCalibratedClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """Classifier that was trained with the focal loss, with probabilities that are such.

    It maps the raw scores of an estimator by the posterior of its loss, which needs no held-out
    rows; asked for a temperature too, it holds some out.

    Parameters
    ----------
    estimator : estimator
        A classifier that learns by the focal loss and gives raw scores. One that is fitted already
        goes in as ``sklearn.frozen.FrozenEstimator(estimator)``.
    gamma, alpha, pos_weight : float, or list, optional
        What its loss has, as for `FocalTemperature`.
    temperature : float or "fit", default 1.0
        What scores are divided by. "fit": what suits rows that are held out, or of a frozen
        estimator all rows.
    held_out : float, default 0.2
        The share of rows that "fit" holds out, in (0, 1).
    scores : callable, optional
        Gives the raw scores, as ``scores(estimator, X)``. None: ``estimator.decision_function``.
    random_state : int or RandomState, optional
        Which rows are held out.

    Attributes
    ----------
    estimator_ : estimator
        The fitted classifier.
    calibrator_ : FocalTemperature
        What makes probabilities of its scores.
    classes_ : ndarray
        The classes, in the order of the columns of `predict_proba`.

    See Also
    --------
    FocalTemperature : The same for scores that are there already.
    focalcore.boosting : Boosted trees that learn by the focal loss.

    References
    ----------
    Charoenphakdee et al., "On focal loss for class-posterior probability estimation", CVPR 2021.

    Examples
    --------
    Logistic regression learns by the cross-entropy, which is the focal loss with a gamma of 0:

    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from focalcore.calibration import FocalCalibratedClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = FocalCalibratedClassifier(LogisticRegression(max_iter=10_000), gamma=0.0)
    >>> print(model.fit(X, y).predict_proba(X[:1]).round(2))
    [[1. 0.]]
    """

    def __init__(
        self,
        estimator: Any,
        gamma: float = 2.0,
        alpha: ArrayLike | None = None,
        pos_weight: float | None = None,
        *,
        temperature: float | Literal["fit"] = 1.0,
        held_out: float = 0.2,
        scores: Scores | None = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.gamma = gamma
        self.alpha = alpha
        self.pos_weight = pos_weight
        self.temperature = temperature
        self.held_out = held_out
        self.scores = scores
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the estimator, and the temperature if it is asked for.

        Parameters
        ----------
        X : array of shape (n, n_features)
            The rows, of whatever kind the estimator takes.
        y : array of shape (n,)
            Their labels.
        sample_weight : array of shape (n,), optional
            What the rows weigh, for an estimator that takes it.

        Returns
        -------
        FocalCalibratedClassifier
            The estimator itself.

        Raises
        ------
        TypeError
            An estimator without ``decision_function``, where `scores` does not stand in for it.
        ValueError
            A temperature that is neither a number above 0 nor "fit", labels that are no classes.
        """
        X, y = indexable(X, y)
        check_classification_targets(y)
        asked = self.temperature
        if isinstance(asked, str) and asked != "fit":
            raise ValueError(f"temperature must be a number or 'fit'; found {asked!r}")
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X)
        self.estimator_ = clone(self.estimator)
        learned = held = np.arange(len(y))
        if asked == "fit" and not isinstance(self.estimator, FrozenEstimator):
            learned, held = train_test_split(
                held, test_size=self.held_out, stratify=y, random_state=self.random_state
            )
        self._fit_estimator(*_of_rows(learned, X, y, sample_weight))
        self.classes_ = self.estimator_.classes_
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        self.calibrator_ = FocalTemperature(self.gamma, self.alpha, self.pos_weight)
        if asked == "fit":
            X, y, sample_weight = _of_rows(held, X, y, sample_weight)
            self.calibrator_.fit(self.decision_function(X), y, sample_weight, self.classes_)
        else:
            self.calibrator_.at(asked, self.classes_)
        return self

    def _fit_estimator(self, X: Any, y: Any, sample_weight: Any) -> None:
        given = {} if sample_weight is None else {"sample_weight": sample_weight}
        self.estimator_.fit(X, y, **given)

    def decision_function(self, X: Any) -> HostArray:
        """Return the raw scores of the estimator.

        Parameters
        ----------
        X : array of shape (n, n_features)
            The rows.

        Returns
        -------
        ndarray of shape (n,) or (n, n_classes)
            Of the second of two classes, or of all.
        """
        check_is_fitted(self, "estimator_")
        scores = self.scores or _decision_function
        found: HostArray = scores(self.estimator_, X)
        return found

    def predict_proba(self, X: Any) -> HostArray:
        """Return the probability of each class, by the posterior.

        Parameters
        ----------
        X : array of shape (n, n_features)
            The rows.

        Returns
        -------
        ndarray of shape (n, n_classes)
            Rows that sum to 1.
        """
        check_is_fitted(self, "calibrator_")
        return self.calibrator_.predict_proba(self.decision_function(X))

    def predict(self, X: Any) -> HostArray:
        """Return the most probable class.

        Parameters
        ----------
        X : array of shape (n, n_features)
            The rows.

        Returns
        -------
        ndarray of shape (n,)
            Labels, of those in `classes_`.
        """
        most_probable = np.argmax(self.predict_proba(X), axis=1)
        found: HostArray = self.classes_[most_probable]
        return found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = get_tags(self.estimator).input_tags.sparse
        tags.input_tags.allow_nan = get_tags(self.estimator).input_tags.allow_nan
        return tags


def _decision_function(estimator: Any, X: Any) -> HostArray:
    """Return the raw scores of an estimator that has a method for them."""
    if not hasattr(estimator, "decision_function"):
        raise TypeError(
            f"{type(estimator).__name__} has no decision_function; give its raw scores by scores=, "
            f"such as lambda estimator, X: estimator.predict(X, raw_score=True)"
        )
    found: HostArray = estimator.decision_function(X)
    return found


def _of_rows(rows: Any, *arrays: Any) -> list[Any]:
    """Return the chosen rows of each array that there is."""
    return [None if x is None else _safe_indexing(x, rows) for x in arrays]
