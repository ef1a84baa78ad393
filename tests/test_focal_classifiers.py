"""The classifiers of scikit-learn, with XGBoost and with LightGBM inside."""

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.metrics import average_precision_score, log_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from focalcore import boosting
from focalcore.boosting import FocalObjective

from .helpers import close, fails

ROUNDS = 15
QUIET = {"XGB": {"n_jobs": 1}, "LGBM": {"n_jobs": 1, "verbosity": -1}}
MODULES = {"XGB": "xgboost", "LGBM": "lightgbm"}
each_kind = pytest.mark.parametrize("n_classes", [2, 4], ids=["binary", "4-classes"])
NAMES = np.asarray(["ash", "beech", "cedar", "elm"])


class Library:
    """A library, and its classifiers with few rounds."""

    def __init__(self, name):
        self.name = name

    def new(self, *args, **options):
        kind = getattr(boosting, f"Focal{self.name}Classifier")
        return kind(*args, **{"n_estimators": ROUNDS} | QUIET[self.name] | options)

    def measured(self, model, X, y, eval_set, **more):
        """Train a model, and return what it measured of each data set, by the metric's name."""
        quiet = {"verbose": False} if self.name == "XGB" else {}
        inner = model.fit(X, y, eval_set=eval_set, **quiet, **more).estimator_
        results = inner.evals_result() if self.name == "XGB" else inner.evals_result_
        return list(results.values())


@pytest.fixture(params=MODULES)
def library(request):
    module = MODULES[request.param]
    pytest.importorskip(module, reason=f"{module} is not installed")
    return Library(request.param)


def data(n_classes, seed=0):
    """Features, and text labels of which some are rare."""
    weights = [0.9] if n_classes == 2 else [0.6, 0.2, 0.1, 0.1]
    X, y = make_classification(
        800, 8, n_informative=6, n_classes=n_classes, weights=weights, flip_y=0.02,
        n_clusters_per_class=1, class_sep=1.5, random_state=seed,
    )  # fmt: skip
    return X, NAMES[y]


def raw_of(model, X):
    """The raw scores that the library's own estimator has."""
    how = {"output_margin": True} if hasattr(model.estimator_, "get_xgb_params") else {}
    return model.estimator_.predict(X, **how or {"raw_score": True})


class TestPredictions:
    @each_kind
    def test_labels_are_text_as_they_were(self, library, n_classes):
        X, y = data(n_classes)
        model = library.new().fit(X, y)
        assert list(model.classes_) == list(NAMES[:n_classes])
        assert (model.predict(X) == y).mean() > 0.9

    @each_kind
    def test_probabilities_are_the_posterior_of_raw_scores(self, library, n_classes):
        X, y = data(n_classes)
        model = library.new(gamma=1, alpha="balanced").fit(X, y)
        raw = model.decision_function(X)
        assert raw.shape == ((800,) if n_classes == 2 else (800, n_classes))
        close(model.predict_proba(X), model.objective_.predict_proba(raw))

    @each_kind
    def test_the_library_s_own_estimator_has_the_start_in_its_raw_scores(self, library, n_classes):
        X, y = data(n_classes)
        model = library.new(learning_rate=1e-9).fit(X, y)
        labels = np.searchsorted(NAMES, y)
        start = FocalObjective().initial_score(labels)
        for raw in (model.decision_function(X), raw_of(model, X)):
            close(raw, np.broadcast_to(start, raw.shape), rtol=1e-5)

    @each_kind
    def test_a_saved_booster_has_it_too(self, library, n_classes, tmp_path):
        X, y = data(n_classes)
        model, path = library.new().fit(X, y), str(tmp_path / "model.json")
        if library.name == "XGB":
            import xgboost

            model.estimator_.save_model(path)
            loaded = xgboost.Booster(model_file=path)
            raw = loaded.predict(xgboost.DMatrix(X), output_margin=True)
        else:
            import lightgbm

            model.estimator_.booster_.save_model(path)
            raw = lightgbm.Booster(model_file=path).predict(X, raw_score=True)
        close(raw, model.decision_function(X), rtol=1e-6)

    @each_kind
    def test_before_the_trees_probabilities_are_the_weighted_shares(self, library, n_classes):
        X, y = data(n_classes)
        weight = np.random.default_rng(0).random(len(y))
        model = library.new(learning_rate=1e-9, alpha="balanced").fit(X, y, sample_weight=weight)
        shares = [weight[y == name].sum() / weight.sum() for name in model.classes_]
        close(model.predict_proba(X[:1])[0], shares, rtol=1e-5)

    def test_class_weight_is_weights_of_examples(self, library):
        X, y = data(2)
        by_class = library.new(class_weight={"ash": 1, "beech": 5}).fit(X, y)
        weighted = library.new().fit(X, y, sample_weight=np.where(y == "beech", 5.0, 1.0))
        close(by_class.predict_proba(X), weighted.predict_proba(X), rtol=1e-9)
        assert (
            by_class.predict_proba(X)[:, 1].mean()
            > library.new().fit(X, y).predict_proba(X)[:, 1].mean()
        )

    def test_balanced_class_weight_makes_the_classes_as_probable(self, library):
        X, y = data(4)
        model = library.new(class_weight="balanced", learning_rate=1e-9).fit(X, y)
        close(model.predict_proba(X[:1]), 0.25, rtol=1e-5)

    @each_kind
    def test_probabilities_are_better_than_the_plain_ones(self, library, n_classes):
        X, y = data(n_classes)
        train, test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
        model = library.new(learning_rate=0.1).fit(train, y_train)
        raw = model.decision_function(test)
        plain = model.objective_.predict_proba(raw, calibrate=False)
        assert log_loss(y_test, model.predict_proba(test)) < 0.9 * log_loss(y_test, plain)


class TestEvalSet:
    @each_kind
    def test_training_stops_early_by_the_focal_loss(self, library, n_classes):
        X, y = data(n_classes)
        noisy = y.copy()
        noisy[::2] = np.random.default_rng(0).permutation(noisy[::2])
        model = library.new(n_estimators=200, early_stopping_rounds=3, learning_rate=0.5)
        (found,) = library.measured(model, X[::2], noisy[::2], [(X[1::2], y[1::2])])
        inner, losses = model.estimator_, found.pop("focal_loss")
        best = inner.best_iteration if library.name == "XGB" else inner.best_iteration_ - 1
        assert not found
        assert best == int(np.argmin(losses))
        assert best < len(losses) < 200
        labels = np.searchsorted(NAMES, y[1::2])
        raw = model.decision_function(X[1::2])  # of the best round, with the start
        assert losses[best] == pytest.approx(model.objective_.metric(labels, raw), abs=1e-6)

    def test_its_weights_count(self, library):
        X, y = data(2)
        weight = np.where(y == "ash", 1.0, 3.0)
        model = library.new(eval_metric=None) if library.name == "XGB" else library.new()
        weights = {"eval_sample_weight": [None, weight]}
        results = library.measured(model, X, y, [(X, y), (X, y)], **weights)
        found = [result["focal_loss"][-1] for result in results]
        labels, raw = np.searchsorted(NAMES, y), model.decision_function(X)
        expected = [model.objective_.metric(labels, raw, sample_weight=w) for w in (None, weight)]
        assert found == pytest.approx(expected, abs=1e-6)

    def test_another_metric_may_be_asked_for(self, library):
        X, y = data(2)
        name = "eval_metric" if library.name == "XGB" else "metric"
        (found,) = library.measured(library.new(**{name: "auc"}), X, y, [(X, y)])
        assert list(found) == ["auc"]

    def test_an_unknown_label_is_refused(self, library):
        X, y = data(2)
        with pytest.raises(ValueError, match="previously unseen labels"):
            library.new().fit(X, y, eval_set=[(X, np.where(y == "ash", "yew", y))])


class TestParameters:
    def test_those_of_the_library_are_parameters_too(self, library):
        model = library.new(gamma=3, max_depth=4)
        assert model.get_params() == {
            "gamma": 3,
            "alpha": None,
            "pos_weight": None,
            "hess": "abs",
            "class_weight": None,
            "max_depth": 4,
            "n_estimators": ROUNDS,
            **QUIET[library.name],
        }
        model.set_params(max_depth=2, gamma=1, reg_lambda=3.0)
        assert [model.get_params()[name] for name in ("max_depth", "gamma", "reg_lambda")] == [
            2,
            1,
            3,
        ]
        model.fit(*data(2))
        assert model.estimator_.get_params()["reg_lambda"] == 3.0
        assert model.get_params() == clone(model).get_params()

    def test_its_text_names_them(self, library):
        assert "max_depth=4" in repr(library.new(max_depth=4))

    def test_a_grid_search_goes_over_gamma(self, library):
        X, y = data(2)
        grid = {"gamma": [0, 2], "hess": ["abs", "bound"], "learning_rate": [0.3]}
        search = GridSearchCV(library.new(), grid, scoring="average_precision", cv=2)
        search.fit(X, y == "beech")
        assert search.best_score_ > 0.8
        assert search.best_estimator_.estimator_.get_params()["learning_rate"] == 0.3

    def test_it_goes_into_a_pipeline(self, library):
        X, y = data(2)
        pipeline = make_pipeline(StandardScaler(), library.new()).fit(X, y)
        assert average_precision_score(y == "beech", pipeline.predict_proba(X)[:, 1]) > 0.9

    @each_kind
    def test_a_trained_one_is_pickled(self, library, n_classes):
        X, y = data(n_classes)
        model = library.new(alpha="balanced").fit(X, y)
        loaded = pickle.loads(pickle.dumps(model))
        close(loaded.predict_proba(X), model.predict_proba(X), rtol=0)
        assert (loaded.predict(X) == model.predict(X)).all()

    def test_features_have_importances(self, library):
        X, y = data(2)
        model = library.new()
        with pytest.raises(NotFittedError):
            _ = model.feature_importances_
        assert model.fit(X, y).feature_importances_.shape == (8,)

    def test_a_data_frame_keeps_its_names(self, library):
        pandas = pytest.importorskip("pandas", reason="pandas is not installed")
        X, y = data(2)
        frame = pandas.DataFrame(X, columns=list("abcdefgh"))
        model = library.new().fit(frame, pandas.Series(y))
        assert list(model.feature_names_in_) == list("abcdefgh")
        close(model.predict_proba(frame), library.new().fit(X, y).predict_proba(X), rtol=1e-9)

    def test_categories_of_a_data_frame_are_the_library_s(self, library):
        pandas = pytest.importorskip("pandas", reason="pandas is not installed")
        X, y = data(2)
        frame = pandas.DataFrame({"x": X[:, 0], "kind": pandas.Categorical(y)})
        model = library.new(**{"enable_categorical": True} if library.name == "XGB" else {})
        assert (model.fit(frame, y).predict(frame) == y).all()

    def test_missing_values_and_sparse_features_are_the_library_s(self, library):
        sparse = pytest.importorskip("scipy.sparse", reason="SciPy is not installed")
        X, y = data(2)
        missing = np.where(np.random.default_rng(0).random(X.shape) < 0.2, np.nan, X)
        for features in (missing, sparse.csr_matrix(X)):
            model = library.new().fit(features, y)
            assert average_precision_score(y == "beech", model.decision_function(features)) > 0.9


TAKEN = {
    "XGB": ({"objective": "binary:logistic"}, {"scale_pos_weight": 9}, {"base_score": 0.1}),
    "LGBM": ({"objective": "binary"}, {"is_unbalance": True}, {"linear_tree": True}),
}
FIT_TAKEN = {"XGB": "base_margin", "LGBM": "init_score"}


class TestErrors:
    @pytest.mark.parametrize("which", range(3))
    def test_what_is_not_the_user_s_is_named(self, library, which):
        options = TAKEN[library.name][which]
        with fails(ValueError, f"takes no {next(iter(options))}"):
            library.new(**options).fit(*data(2))

    def test_a_start_of_the_user_s_is_refused(self, library):
        argument = FIT_TAKEN[library.name]
        with fails(ValueError, f"takes no {argument}", "start"):
            library.new().fit(*data(2), **{argument: np.zeros(800)})

    @pytest.mark.parametrize(
        ("options", "n_classes", "words"),
        [
            ({"gamma": -1}, 2, ("gamma", "-1")),
            ({"alpha": [1, 2]}, 2, ("alpha of a binary problem",)),
            ({"alpha": 0.25}, 4, ("list of 4 weights",)),
            ({"pos_weight": 3}, 4, ("pos_weight", "binary")),
        ],
        ids=["gamma", "alphas", "alpha", "pos_weight"],
    )
    def test_options_that_do_not_fit_are_named(self, library, options, n_classes, words):
        with fails(ValueError, *words):
            library.new(**options).fit(*data(n_classes))

    def test_one_class_is_refused(self, library):
        with fails(ValueError, "2 classes", "'ash'"):
            library.new().fit(data(2)[0], ["ash"] * 800)

    def test_a_class_of_no_weight_is_named(self, library):
        X, y = data(2)
        with fails(ValueError, "class 1", "weight"):
            library.new().fit(X, y, sample_weight=(y == "ash").astype(float))

    @pytest.mark.parametrize("name", ["FocalXGBClassifier", "FocalLGBMClassifier"])
    def test_without_scikit_learn_the_extra_is_named(self, name, monkeypatch):
        monkeypatch.setitem(boosting._ESTIMATORS, name, "no_such_module")
        with pytest.raises(ImportError, match=r"scikit-learn.*focalcore\[sklearn\]"):
            getattr(boosting, name)

    def test_other_names_are_no_attributes(self):
        with pytest.raises(AttributeError, match="FocalForest"):
            _ = boosting.FocalForest


ATTRIBUTES = "parameters of the library are attributes, for the library names them, not the class"
BINS = "LightGBM makes its bins by the number of rows, whatever their weight"
EXPECTED = {
    "XGB": {"check_no_attributes_set_in_init": ATTRIBUTES},
    "LGBM": {
        "check_no_attributes_set_in_init": ATTRIBUTES,
        "check_sample_weight_equivalence_on_dense_data": BINS,
        "check_sample_weight_equivalence_on_sparse_data": BINS,
    },
}
# scikit-learn's data is so small that LightGBM else makes no split
SMALL = {"XGB": {}, "LGBM": {"min_child_samples": 1, "min_data_in_bin": 1}}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # they give data that is warned of
def test_the_checks_of_scikit_learn_pass(library):
    model = library.new(**SMALL[library.name], n_estimators=5)
    expected = EXPECTED[library.name]
    results = check_estimator(model, expected_failed_checks=expected, on_skip=None, on_fail=None)
    by_status = {status: set() for status in ("passed", "failed", "xfail", "skipped")}
    for result in results:
        by_status[result["status"]].add(result["check_name"])
    assert by_status["failed"] == set()
    assert by_status["xfail"] == expected.keys()
    assert len(by_status["passed"]) > 40
