"""Probabilities of models that were trained with the focal loss."""

import pickle
import warnings
from unittest import SkipTest

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import estimator_checks_generator

from focalcore import (
    sigmoid_focal_logit,
    sigmoid_focal_loss_value_and_grad,
    sigmoid_focal_posterior,
    softmax_focal_logits,
)
from focalcore.calibration import FocalCalibratedClassifier, FocalTemperature

from .helpers import fails

N = 20_000


def drawn(seed=0):
    """True probabilities of a positive, of which most are small, and labels that have them."""
    rng = np.random.default_rng(seed)
    eta = rng.beta(0.5, 4.0, N)
    return eta, rng.random(N) < eta


def drawn_rows(seed=0, classes=4):
    rng = np.random.default_rng(seed)
    eta = rng.dirichlet(np.full(classes, 0.5), N)
    return eta, np.asarray([rng.choice(classes, p=row) for row in eta])


class TestTemperature:
    @pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
    @pytest.mark.parametrize("options", [{}, {"alpha": 0.25}, {"gamma": 5.0, "pos_weight": 4.0}])
    def test_it_finds_what_the_best_scores_were_multiplied_by(self, temperature, options):
        eta, y = drawn()
        logits = temperature * sigmoid_focal_logit(eta, **options)
        found = FocalTemperature(**options).fit(logits, y)
        assert found.temperature_ == pytest.approx(temperature, rel=0.03)
        np.testing.assert_allclose(found.predict_proba(logits)[:, 1], eta, rtol=0.2, atol=1e-3)

    def test_it_finds_that_of_rows(self):
        eta, y = drawn_rows()
        logits = 2.0 * softmax_focal_logits(np.maximum(eta, 1e-12))
        found = FocalTemperature().fit(logits, y)
        assert found.temperature_ == pytest.approx(2.0, rel=0.03)

    def test_without_gamma_it_is_temperature_scaling(self):
        """Against scikit-learn's, which has the temperature alone."""
        eta, y = drawn()
        logits = 1.7 * np.log(eta / (1 - eta))
        plain = CalibratedClassifierCV(FrozenEstimator(Scores().fit()), method="temperature")
        plain.fit(logits[:, None], y)
        expected = plain.predict_proba(logits[:100, None])
        found = FocalTemperature(gamma=0.0).fit(logits, y).predict_proba(logits[:100])
        np.testing.assert_allclose(found, expected, rtol=1e-3)

    def test_at_1_it_is_the_posterior(self):
        logits = np.linspace(-5, 5, 11)
        found = FocalTemperature(alpha=0.25).at(1.0, [0, 1]).predict_proba(logits)
        np.testing.assert_allclose(found[:, 1], sigmoid_focal_posterior(logits, alpha=0.25))

    def test_labels_may_be_strings_and_lack_a_class(self):
        eta, y = drawn_rows(classes=3)
        names = np.asarray(["ant", "bee", "cow"])
        logits = softmax_focal_logits(np.maximum(eta, 1e-12))
        whole = FocalTemperature().fit(logits, names[y])
        assert whole.classes_.tolist() == ["ant", "bee", "cow"]
        some = y != 2
        part = FocalTemperature().fit(logits[some], names[y][some], classes=names)
        assert part.predict_proba(logits[:5]).shape == (5, 3)

    def test_a_weight_is_as_many_rows(self):
        eta, y = drawn()
        logits, y = 1.4 * sigmoid_focal_logit(eta)[:500], y[:500]
        weight = np.arange(500) % 3
        weighed = FocalTemperature().fit(logits, y, weight)
        repeated = FocalTemperature().fit(np.repeat(logits, weight), np.repeat(y, weight))
        assert weighed.temperature_ == pytest.approx(repeated.temperature_, rel=1e-4)

    def test_scores_that_make_no_error_are_told_of(self):
        with pytest.warns(UserWarning, match="no temperature suits these rows"):
            FocalTemperature().fit([-3.0, -1.0, 1.0, 2.0], [0, 0, 1, 1])

    def test_bad_input_is_named(self):
        with fails(ValueError, "2 rows of logits do not fit 3 labels"):
            FocalTemperature().fit([0.5, 1.0], [0, 1, 1])
        with fails(ValueError, "y has 2 classes", "logits have 3", "classes="):
            FocalTemperature().fit(np.zeros((2, 3)), [0, 1])
        with fails(ValueError, r"y must be among classes=\['ant', 'bee'\]", "'emu' in row 1"):
            FocalTemperature().fit([0.5, 1.0], ["ant", "emu"], classes=["ant", "bee"])
        with fails(ValueError, "pos_weight goes with a number", "3 classes"):
            FocalTemperature(pos_weight=2.0).fit(np.zeros((3, 3)), [0, 1, 2])
        with fails(ValueError, "temperature must be above 0"):
            FocalTemperature().at(0.0, [0, 1])
        with fails(ValueError, "logits have 3 classes, and fit had 2"):
            FocalTemperature().at(1.0, [0, 1]).predict_proba(np.zeros((1, 3)))


class Scores(ClassifierMixin, BaseEstimator):
    """A model that gives what it gets."""

    def fit(self, *_):
        self.classes_, self.fitted_ = np.asarray([0, 1]), True
        return self

    def decision_function(self, X):
        return np.asarray(X)[:, 0]

    def predict(self, X):
        return (self.decision_function(X) > 0).astype(int)


class FocalRegression(ClassifierMixin, BaseEstimator):
    """Logistic regression that learns by the focal loss."""

    def __init__(self, gamma=2.0):
        self.gamma = gamma

    def fit(self, X, y):
        self.classes_, own = np.unique(y, return_inverse=True)
        X = np.c_[np.ones(len(X)), X]
        self.coef_ = np.zeros(X.shape[1])
        for _ in range(3000):
            x = X @ self.coef_
            _, slope = sigmoid_focal_loss_value_and_grad(x, own, gamma=self.gamma, reduction="mean")
            self.coef_ -= 2.0 * slope @ X
        return self

    def decision_function(self, X):
        return np.c_[np.ones(len(X)), X] @ self.coef_

    def predict(self, X):
        return self.classes_[(self.decision_function(X) > 0).astype(int)]


class TestClassifier:
    @pytest.fixture
    def problem(self):
        """One positive in fifty, whose log-odds are no straight line of the features."""
        rng = np.random.default_rng(3)
        X = rng.normal(size=(8000, 3))
        eta = sigmoid_focal_posterior(X @ [1.0, -0.5, 0.3] - 1.3)
        return X, np.where(rng.random(8000) < eta, "fraud", "fine"), eta

    def test_it_turns_focal_scores_into_probabilities(self, problem):
        """The log loss is that of the true probabilities, and the sigmoid's is far from it."""
        X, y, eta = problem
        model = FocalCalibratedClassifier(FocalRegression()).fit(X, y)
        assert model.classes_.tolist() == ["fine", "fraud"]
        proba = model.predict_proba(X)
        best = log_loss(y, np.c_[1 - eta, eta], labels=model.classes_)
        plain = 1 / (1 + np.exp(-model.decision_function(X)))
        naive = log_loss(y, np.c_[1 - plain, plain], labels=model.classes_)
        assert log_loss(y, proba, labels=model.classes_) < 1.02 * best
        assert naive > 1.2 * best

    def test_a_temperature_is_fitted_on_rows_held_out(self, problem):
        X, y, _ = problem
        options = {"temperature": "fit", "random_state": 0}
        model = FocalCalibratedClassifier(FocalRegression(), **options).fit(X, y)
        assert model.calibrator_.temperature_ == pytest.approx(1.0, abs=0.2)

    def test_a_frozen_estimator_is_calibrated_on_all_rows(self, problem):
        X, y, _ = problem
        fitted = FocalRegression().fit(X[:4000], y[:4000])
        frozen = FocalCalibratedClassifier(FrozenEstimator(fitted), temperature="fit")
        model = frozen.fit(X[4000:], y[4000:])
        expected = FocalTemperature().fit(fitted.decision_function(X[4000:]), y[4000:])
        np.testing.assert_array_equal(
            model.predict_proba(X), expected.predict_proba(fitted.decision_function(X))
        )

    def test_scores_of_another_name_are_asked_for(self, problem):
        X, y, _ = problem

        class Other(FocalRegression):
            decision_function = property()

            def raw(self, X):
                return np.c_[np.ones(len(X)), X] @ self.coef_

        with fails(TypeError, "Other has no decision_function", "scores="):
            FocalCalibratedClassifier(Other()).fit(X, y).predict(X)
        model = FocalCalibratedClassifier(Other(), scores=lambda estimator, X: estimator.raw(X))
        assert model.fit(X, y).predict_proba(X).shape == (8000, 2)

    def test_gamma_is_searched_for_with_clones(self, problem):
        X, y, _ = problem
        model = FocalCalibratedClassifier(LogisticRegression(), gamma=0.0)
        search = GridSearchCV(model, {"gamma": [0.0, 2.0]}, scoring="neg_log_loss", cv=2)
        assert search.fit(X, y).best_params_ == {"gamma": 0.0}  # what it has learned by

    def test_it_is_pickled_and_cloned(self, problem):
        X, y, _ = problem
        model = FocalCalibratedClassifier(LogisticRegression(), gamma=0.0).fit(X, y)
        again = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
        assert not hasattr(clone(model), "calibrator_")

    def test_a_temperature_is_a_number_or_fit(self, problem):
        X, y, _ = problem
        with fails(ValueError, "temperature must be a number or 'fit'", "found 'best'"):
            FocalCalibratedClassifier(LogisticRegression(), temperature="best").fit(X, y)


ESTIMATORS = {
    "posterior": (FocalCalibratedClassifier(LogisticRegression(), gamma=0.0), {}),
    "temperature": (
        FocalCalibratedClassifier(LogisticRegression(), gamma=0.0, temperature="fit"),
        dict.fromkeys(
            (
                "check_sample_weight_equivalence_on_dense_data",
                "check_sample_weight_equivalence_on_sparse_data",
            ),
            "which rows are held out is drawn by their number",
        ),
    ),
}
CHECKS = [
    pytest.param(estimator, check, id=f"{name}-{check.func.__name__}")
    for name, (whole, expected) in ESTIMATORS.items()
    for estimator, check in estimator_checks_generator(whole)
    if check.func.__name__ not in expected
]


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
def test_scikit_learn_s_checks_pass(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            check(estimator)
        except SkipTest as reason:
            pytest.skip(str(reason))
