"""The scorer of scikit-learn's cross-validation and searches."""

from __future__ import annotations

from typing import Any, Self

from .._typing import HostArray
from ._focal_loss import focal_loss

RESPONSES = ("decision_function", "predict_proba")


class FocalScorer:
    """Scorer of an estimator by what it has: one of scikit-learn's scorers for each method.

    Raw scores come first, for they are exact where probabilities have lost their digits.
    """

    def __init__(
        self, gamma: float = 2.0, response_method: Any = RESPONSES, **options: Any
    ) -> None:
        from sklearn.metrics import make_scorer

        names = (response_method,) if isinstance(response_method, str) else tuple(response_method)
        unknown = [name for name in names if name not in RESPONSES]
        if unknown or not names:
            found = repr(unknown[0]) if unknown else "none"
            raise ValueError(f"response_method must be among {RESPONSES}; found {found}")
        self.gamma, self.response_method, self.options = gamma, names, options
        self._scorers = {
            name: make_scorer(
                focal_loss,
                response_method=name,
                greater_is_better=False,
                gamma=gamma,
                from_logits=name == "decision_function",
                **options,
            )
            for name in names
        }

    def __call__(self, estimator: Any, X: Any, y_true: HostArray, **params: Any) -> float:
        """Return minus the loss of an estimator's predictions.

        Parameters
        ----------
        estimator : estimator
            A fitted classifier.
        X : array
            The rows.
        y_true : array
            Their labels.
        **params
            `sample_weight`, if it is given or routed.

        Returns
        -------
        float
            Greater is better.
        """
        for name, scorer in self._scorers.items():
            if hasattr(estimator, name):
                return float(scorer(estimator, X, y_true, **params))
        raise TypeError(
            f"{type(estimator).__name__} has none of {', '.join(self.response_method)}; score an "
            f"estimator that gives scores or probabilities"
        )

    def set_score_request(self, **requests: bool | str | None) -> Self:
        """Ask for metadata, as for `sample_weight` by ``sample_weight=True``.

        Parameters
        ----------
        **requests
            What scikit-learn's routing passes on, by name.

        Returns
        -------
        FocalScorer
            The scorer itself.
        """
        for scorer in self._scorers.values():
            scorer.set_score_request(**requests)
        return self

    def get_metadata_routing(self) -> Any:
        """Return what is asked for, for scikit-learn's routing.

        Returns
        -------
        MetadataRequest
            That of the scorer.
        """
        first, *_ = self._scorers.values()
        return first.get_metadata_routing()

    def __repr__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"focal_scorer(gamma={self.gamma!r}{options})"


def focal_scorer(
    gamma: float = 2.0, response_method: str | tuple[str, ...] = RESPONSES, **options: Any
) -> FocalScorer:
    """Make a scorer for ``cross_val_score`` and ``GridSearchCV``: minus the mean focal loss.

    Losses of two gammas can't be compared: this is for searching everything but gamma.

    Parameters
    ----------
    gamma : float, default 2.0
        The focusing parameter, >= 0.
    response_method : str or tuple of str, default ("decision_function", "predict_proba")
        The method that is asked for predictions: the first of these that an estimator has. Raw
        scores are taken for logits, which those of SVC or AdaBoost are not: ask for
        "predict_proba" there, and of a `FocalCalibratedClassifier`.
    **options
        Options of `focal_loss`: `alpha`, `class_weight`, `labels`, `normalize`.

    Returns
    -------
    callable
        A scorer, of which greater is better. With scikit-learn's metadata routing,
        ``set_score_request(sample_weight=True)`` weighs the rows.

    Raises
    ------
    ValueError
        A response method that gives neither scores nor probabilities.

    See Also
    --------
    focal_loss : The metric.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, equations 4 and 5.

    Examples
    --------
    >>> from focalcore.metrics import focal_scorer
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import cross_val_score
    >>> X, y = load_iris(return_X_y=True)
    >>> scores = cross_val_score(LogisticRegression(max_iter=500), X, y, scoring=focal_scorer())
    >>> print(scores.mean().round(2))
    -0.02
    """
    return FocalScorer(gamma, response_method, **options)
