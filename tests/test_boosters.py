"""The objective in the boosters: by every door of XGBoost and LightGBM, and CatBoost's own."""

import numpy as np
import pytest

from focalcore.boosting import FocalObjective

from .helpers import close

N, ROUNDS, DOORS = 600, 12, ("xgb.train", "lgb.train", "XGBClassifier", "LGBMClassifier")
each_door = pytest.mark.parametrize("door", DOORS)
each_kind = pytest.mark.parametrize("n_classes", [2, 4], ids=["binary", "4-classes"])
each_weighting = pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])


def data(n_classes, seed=0):
    """Features, labels of which some are rare, and weights."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, 5))
    scores = X[:, :n_classes] + 0.7 * rng.normal(size=(N, n_classes))
    return X, (scores - np.arange(n_classes)).argmax(axis=1), rng.integers(1, 4, N).astype(float)


@pytest.fixture
def xgb():
    return pytest.importorskip("xgboost", reason="xgboost is not installed")


@pytest.fixture
def lgb():
    return pytest.importorskip("lightgbm", reason="lightgbm is not installed")


def train_xgb(xgb, objective, X, y, weight=None, evals=(), **params):
    """A model from 0, and what it is told of its metric."""
    n_classes, found = y.max() + 1, {}
    kind = {"objective": "binary:logistic"}
    if n_classes > 2:
        kind = {"objective": "multi:softprob", "num_class": n_classes}
    sets = [(xgb.DMatrix(*each, weight=w), f"{i}") for i, (*each, w) in enumerate(evals)]
    model = xgb.train(
        kind | {"nthread": 1, "base_score": 0.5, "disable_default_eval_metric": True} | params,
        xgb.DMatrix(X, y, weight=weight),
        ROUNDS,
        obj=objective,
        custom_metric=objective and objective.metric,
        evals=sets,
        evals_result=found,
        verbose_eval=False,
    )
    return model, found


def train_lgb(lgb, objective, X, y, weight=None, evals=(), init_score=None, **params):
    """A model from 0, and what it is told of its metric."""
    n_classes, found = y.max() + 1, {}
    kind = {"num_class": n_classes} if n_classes > 2 else {}
    train = lgb.Dataset(X, y, weight=weight, init_score=init_score)
    model = lgb.train(
        {"objective": objective, "num_threads": 1, "verbosity": -1, "metric": "None", "eta": 0.3}
        | kind
        | params,
        train,
        ROUNDS,
        feval=objective.metric if callable(objective) else None,
        valid_sets=[train.create_valid(*each) for each in evals],
        callbacks=[lgb.record_evaluation(found)],
    )
    return model, found


def scores_of(door, objective, X, y, weight, X_new):
    """Raw scores of new features, by a model trained at a door."""
    if door == "xgb.train":
        xgb = pytest.importorskip("xgboost", reason="xgboost is not installed")
        model, _ = train_xgb(xgb, objective, X, y, weight)
        return model.predict(xgb.DMatrix(X_new), output_margin=True)
    if door == "lgb.train":
        lgb = pytest.importorskip("lightgbm", reason="lightgbm is not installed")
        return train_lgb(lgb, objective, X, y, weight)[0].predict(X_new, raw_score=True)
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    if door == "XGBClassifier":
        xgb = pytest.importorskip("xgboost", reason="xgboost is not installed")
        model = xgb.XGBClassifier(objective=objective, n_estimators=ROUNDS, n_jobs=1)
        return model.fit(X, y, sample_weight=weight).predict(X_new, output_margin=True)
    lgb = pytest.importorskip("lightgbm", reason="lightgbm is not installed")
    options = {"n_estimators": ROUNDS, "n_jobs": 1, "verbosity": -1, "learning_rate": 0.3}
    model = lgb.LGBMClassifier(objective=objective, **options)
    return model.fit(X, y, sample_weight=weight).predict(X_new, raw_score=True)


@each_weighting
@each_kind
@each_door
def test_every_door_learns(door, n_classes, weighted):
    X, y, weight = data(n_classes)
    X_new, y_new, _ = data(n_classes, seed=1)
    weight, objective = weight if weighted else None, FocalObjective()
    raw = scores_of(door, objective, X, y, weight, X_new)
    constant = np.full(raw.shape, objective.initial_score(y, weight))
    assert raw.shape == ((N,) if n_classes == 2 else (N, n_classes))
    assert objective.metric(y_new, raw) < 0.8 * objective.metric(y_new, constant)


@each_kind
@each_door
def test_weights_reach_the_objective(door, n_classes):
    X, y, weight = data(n_classes)
    found = [scores_of(door, FocalObjective(), X, y, w, X[:50]) for w in (weight, None)]
    assert abs(found[0] - found[1]).max() > 0.01


@each_weighting
class TestGamma0:
    """With the exact curvature it is the libraries' own cross-entropy, tree by tree."""

    objective = FocalObjective(gamma=0, hess="exact")

    @each_kind
    def test_is_that_of_xgboost(self, xgb, n_classes, weighted):
        X, y, weight = data(n_classes)
        weight = weight if weighted else None
        ours, _ = train_xgb(xgb, self.objective, X, y, weight)
        theirs, _ = train_xgb(xgb, None, X, y, weight)
        new = xgb.DMatrix(X)
        close(ours.predict(new), theirs.predict(new), rtol=1e-5)

    def test_is_that_of_lightgbm(self, lgb, weighted):
        X, y, weight = data(2)
        weight = weight if weighted else None
        ours, _ = train_lgb(lgb, self.objective, X, y, weight)
        theirs, _ = train_lgb(lgb, "binary", X, y, weight, boost_from_average=False)
        close(ours.predict(X, raw_score=True), theirs.predict(X, raw_score=True), rtol=1e-5)

    def test_has_the_slopes_of_lightgbm_s_classes(self, lgb, weighted):
        """And its curvatures, but for a factor: K / (K - 1) there, 2 here."""
        X, y, weight = data(4)
        weight = weight if weighted else None

        def with_their_factor(raw, dataset):
            grad, hess = self.objective(raw, dataset)
            return grad, hess * (4 / 3) / 2

        with_their_factor.metric = self.objective.metric
        ours, _ = train_lgb(lgb, with_their_factor, X, y, weight)
        theirs, _ = train_lgb(lgb, "multiclass", X, y, weight, boost_from_average=False)
        close(ours.predict(X, raw_score=True), theirs.predict(X, raw_score=True), rtol=1e-5)


class TestMetric:
    @each_weighting
    @each_kind
    def test_xgboost_reports_the_mean_loss(self, xgb, n_classes, weighted):
        X, y, weight = data(n_classes)
        weight, objective = weight if weighted else None, FocalObjective()
        model, found = train_xgb(xgb, objective, X, y, weight, evals=[(X, y, weight)])
        raw = model.predict(xgb.DMatrix(X), output_margin=True)
        expected = objective.metric(y, raw, sample_weight=weight)
        assert found["0"]["focal_loss"][-1] == pytest.approx(expected, abs=1e-6)  # of 6 digits

    @each_weighting
    @each_kind
    def test_lightgbm_reports_the_mean_loss(self, lgb, n_classes, weighted):
        X, y, weight = data(n_classes)
        weight, objective = weight if weighted else None, FocalObjective()
        model, found = train_lgb(lgb, objective, X, y, weight, evals=[(X, y, weight)])
        expected = objective.metric(y, model.predict(X, raw_score=True), sample_weight=weight)
        close(found["valid_0"]["focal_loss"][-1], expected, rtol=1e-6)

    @each_weighting
    @each_kind
    def test_the_estimators_of_both_take_it(self, xgb, lgb, n_classes, weighted):
        pytest.importorskip("sklearn", reason="scikit-learn is not installed")
        X, y, weight = data(n_classes)
        weights = [weight] if weighted else None
        objective = FocalObjective()
        options = {"objective": objective, "n_estimators": ROUNDS, "n_jobs": 1}
        model = xgb.XGBClassifier(eval_metric=objective.metric, **options)
        model.fit(X, y, eval_set=[(X, y)], sample_weight_eval_set=weights, verbose=False)
        found = model.evals_result()["validation_0"]["focal_loss"][-1]
        raw = model.predict(X, output_margin=True)
        w = weight if weighted else None
        assert found == pytest.approx(objective.metric(y, raw, sample_weight=w), abs=1e-6)

        model = lgb.LGBMClassifier(verbosity=-1, metric="None", **options)
        on = {"eval_X": X, "eval_y": y, "eval_sample_weight": weights}
        model.fit(X, y, eval_metric=objective.metric, **on)
        found = model.evals_result_["valid_0"]["focal_loss"][-1]
        raw = model.predict(X, raw_score=True)
        close(found, objective.metric(y, raw, sample_weight=w), rtol=1e-6)


class TestStart:
    """Without a round, raw scores are where training starts."""

    @each_kind
    def test_base_score_is_where_xgboost_starts_and_stays_in_predict(self, xgb, n_classes):
        X, y, _ = data(n_classes)
        objective, seen = FocalObjective(), []

        def seeing(raw, dmatrix):
            seen.append(raw.copy())
            return objective(raw, dmatrix)

        seeing.metric = objective.metric
        base_score = objective.base_score(y)
        model, _ = train_xgb(xgb, seeing, X, y, base_score=base_score, eta=1e-9)
        start = np.broadcast_to(objective.initial_score(y), seen[0].shape)
        close(seen[0], start, rtol=1e-6)
        close(model.predict(xgb.DMatrix(X), output_margin=True), start, rtol=1e-5)

    @each_kind
    def test_base_score_is_that_of_xgboost_s_estimator(self, xgb, n_classes):
        pytest.importorskip("sklearn", reason="scikit-learn is not installed")
        X, y, _ = data(n_classes)
        objective = FocalObjective()
        model = xgb.XGBClassifier(
            objective=objective,
            base_score=objective.base_score(y),
            n_estimators=1,
            learning_rate=1e-9,
            n_jobs=1,
        ).fit(X, y)
        raw = model.predict(X, output_margin=True)
        close(raw, np.broadcast_to(objective.initial_score(y), raw.shape), rtol=1e-5)

    @each_kind
    def test_init_score_is_where_lightgbm_starts_but_not_in_predict(self, lgb, n_classes):
        X, y, _ = data(n_classes)
        objective = FocalObjective()
        start = np.full((N, n_classes) if n_classes > 2 else N, objective.initial_score(y))
        model, _ = train_lgb(lgb, objective, X, y, init_score=start, eta=1e-9)
        assert abs(model.predict(X, raw_score=True)).max() < 1e-6


class TestRareClass:
    """3 % of positives, by 20 rounds from each start."""

    @staticmethod
    def data():
        rng = np.random.default_rng(5)
        X = rng.normal(size=(4000, 5))
        return X, (X[:, 0] + 0.5 * rng.normal(size=4000) > 2.1).astype(int)

    @pytest.mark.parametrize("library", ["xgb", "lgb"])
    @pytest.mark.parametrize("start", ["0", "best", "log-odds"])
    def test_it_is_learned_from_every_start(self, library, start, request):
        metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
        booster = request.getfixturevalue(library)
        X, y = self.data()
        objective, share = FocalObjective(), y.mean()
        starts = {
            "0": 0.0,
            "best": objective.initial_score(y),
            "log-odds": np.log(share / (1 - share)),
        }
        raw = self.trained(booster, objective, X, y, starts[start])
        assert metrics.average_precision_score(y, raw) > 0.8

    def test_from_the_log_odds_xgboost_learns_nothing_by_the_exact_curvature(self, xgb):
        """Which is why it is warned of."""
        X, y = self.data()
        share = y.mean()
        with pytest.warns(RuntimeWarning, match="nothing is learned"):
            raw = self.trained(xgb, FocalObjective(hess="exact"), X, y, np.log(share / (1 - share)))
        assert np.ptp(raw) == 0

    @staticmethod
    def trained(booster, objective, X, y, start):
        if booster.__name__ == "xgboost":
            base_score = 1 / (1 + np.exp(-start))
            model, _ = train_xgb(booster, objective, X, y, base_score=base_score)
            return model.predict(booster.DMatrix(X), output_margin=True)
        model, _ = train_lgb(booster, objective, X, y, init_score=np.full(len(y), start))
        return model.predict(X, raw_score=True) + start


@pytest.mark.parametrize("name", ["XGBClassifier", "LGBMClassifier"])
def test_a_grid_search_goes_over_objectives(name):
    selection = pytest.importorskip("sklearn.model_selection", reason="scikit-learn not installed")
    module, more = {
        "XGBClassifier": ("xgboost", {}),
        "LGBMClassifier": ("lightgbm", {"verbosity": -1}),
    }[name]
    library = pytest.importorskip(module, reason=f"{module} is not installed")
    X, y, _ = data(2)
    objectives = [FocalObjective(gamma) for gamma in (0, 1, 2)]

    def auc(model, X, y):
        raw = {"output_margin": True} if name == "XGBClassifier" else {"raw_score": True}
        scores = model.predict(X, **raw)
        return (scores[y == 1][:, None] > scores[y == 0]).mean()

    model = getattr(library, name)(n_estimators=5, n_jobs=1, **more)
    search = selection.GridSearchCV(model, {"objective": objectives}, scoring=auc, cv=2).fit(X, y)
    assert search.best_score_ > 0.8
    assert search.best_estimator_.objective in objectives


class TestCatBoost:
    @pytest.mark.parametrize(
        ("options", "factor"),
        [({"gamma": 1.5, "alpha": 0.25}, 1), ({}, 0.5), ({"pos_weight": 3.0}, 0.25)],
        ids=["alpha", "no-alpha", "pos_weight"],
    )
    def test_its_own_loss_is_ours_to_the_factor_that_is_told(self, options, factor):
        catboost = pytest.importorskip("catboost", reason="catboost is not installed")
        X, y, _ = data(2)
        objective = FocalObjective(**options)
        model = catboost.CatBoostClassifier(
            loss_function=objective.catboost(),
            iterations=ROUNDS,
            thread_count=1,
            verbose=False,
            allow_writing_files=False,
        ).fit(X, y)
        raw = model.predict(X, prediction_type="RawFormulaVal")
        (losses,) = model.get_evals_result()["learn"].values()
        close(losses[-1], factor * objective.metric(y, raw), rtol=1e-7)
        assert objective.predict_proba(raw).shape == (N, 2)
