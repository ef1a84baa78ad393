"""The objective of gradient boosting: what it gives to whoever calls, with no booster here."""

import copy
import pickle

import mpmath
import numpy as np
import pytest

import focalcore
from conformance import exact
from focalcore.boosting import FocalObjective
from focalcore.boosting._curvature import largest

from .helpers import close, derivatives, fails

HESS = ("abs", "exact", "clip", "bound")
each_hess = pytest.mark.parametrize("hess", HESS)


class Data:
    """What XGBoost's DMatrix offers of a data set."""

    def __init__(self, labels, weight=()):
        self.labels, self.weight = np.asarray(labels, "float32"), np.asarray(weight, "float32")

    def get_label(self):
        return self.labels

    def get_weight(self):
        return self.weight


class LightGBMData(Data):
    """What LightGBM's Dataset offers."""

    def get_weight(self):
        return self.weight if self.weight.size else None

    def get_init_score(self):
        return None


class Problem:
    """Labels, raw scores and weights of a kind of problem, and options that it may have."""

    def __init__(self, n_classes, options):
        rng = np.random.default_rng(n_classes)
        self.n_classes, self.options, n = n_classes, options, 60
        shape = n if n_classes == 2 else (n, n_classes)
        self.labels = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, n)])[:n]
        self.raw = 4 * rng.normal(size=shape)
        self.weight = rng.integers(1, 4, n).astype("float64")

    def repeated(self):
        """Labels and raw scores, each as often as its weight says."""
        times = self.weight.astype(int)
        return np.repeat(self.labels, times), np.repeat(self.raw, times, axis=0)


PROBLEMS = {
    "binary": Problem(2, {}),
    "binary-alpha": Problem(2, {"gamma": 1.5, "alpha": 0.25, "pos_weight": 3.0}),
    "binary-balanced": Problem(2, {"alpha": "balanced"}),
    "4-classes": Problem(4, {}),
    "4-classes-alpha": Problem(4, {"gamma": 0.5, "alpha": [0.1, 1, 2, 0.5]}),
    "4-classes-balanced": Problem(4, {"alpha": "balanced"}),
}
each_problem = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
plain_problems = pytest.mark.parametrize(
    "problem", [PROBLEMS["binary"], PROBLEMS["4-classes"]], ids=["binary", "4-classes"]
)


class TestDerivatives:
    @pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
    def test_binary_ones_are_those_of_the_definition(self, gamma):
        raw, labels = np.asarray([-30.0, -3.0, 0.0, 0.5, 8.0] * 2), np.repeat([1, 0], 5)
        options = {"gamma": gamma, "alpha": 0.25, "pos_weight": 2.0}
        grad, hess = derivatives(exact.sigmoid_focal, raw, labels, **options)
        found = FocalObjective(**options, hess="exact")(labels, raw)
        close(found, (grad, hess), rtol=1e-12)

    def test_multi_class_ones_are_those_of_the_definition_twice_curved(self):
        options, rows = (
            {"gamma": 2.0, "alpha": [1.0, 2.0, 0.5]},
            [[0.5, 1.0, -2.0], [1.0, -1.0, 1.5]],
        )
        grad, hess = FocalObjective(**options, hess="exact")([1, 0], rows)
        for row, label, *found in zip(rows, (1, 0), grad, hess, strict=True):
            expected = np.asarray(exact.derivatives_of_row(row, label, **options), float).T
            close(found, expected * [[1], [2]], rtol=1e-12)

    def test_a_gamma_of_0_is_the_cross_entropy(self):
        labels, raw = np.asarray([1, 0, 1]), np.asarray([-2.0, 0.0, 3.0])
        p = 1 / (1 + np.exp(-raw))
        close(FocalObjective(0, hess="exact")(labels, raw), (p - labels, p * (1 - p)))

    @each_hess
    @each_problem
    def test_an_integer_weight_is_an_example_repeated(self, problem, hess):
        objective = FocalObjective(**problem.options, hess=hess)
        weighted = objective(problem.labels, problem.raw, problem.weight)
        unweighted = objective(*problem.repeated())
        starts = np.cumsum([0, *problem.weight[:-1]]).astype(int)
        for found, each in zip(weighted, unweighted, strict=True):
            close(found, np.add.reduceat(each, starts, axis=0), rtol=1e-13)

    @each_hess
    @each_problem
    def test_a_weight_of_0_is_no_example(self, problem, hess):
        objective = FocalObjective(**problem.options, hess=hess)
        weight = np.where(np.arange(60) < 30, problem.weight, 0)
        grad, curvature = objective(problem.labels, problem.raw, weight)
        kept = objective(problem.labels[:30], problem.raw[:30], weight[:30])
        close((grad[:30], curvature[:30]), kept)
        assert not grad[30:].any()
        assert not curvature[30:].any()

    def test_two_columns_are_the_binary_problem(self):
        """Both trees step by half of what the one does, the one up and the other down."""
        problem = PROBLEMS["binary"]
        columns = np.stack([0 * problem.raw, problem.raw], axis=1)
        grad, hess = FocalObjective()(problem.labels, problem.raw)
        of_columns = FocalObjective()(problem.labels, columns)
        close(of_columns[0], np.stack([-grad, grad], axis=1))
        close(of_columns[1], 2 * np.stack([hess, hess], axis=1))


class TestCallers:
    @each_problem
    @pytest.mark.parametrize("kind", [Data, LightGBMData])
    @pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
    def test_training_and_estimators_get_the_same(self, problem, kind, weighted):
        objective = FocalObjective(**problem.options)
        weight = problem.weight if weighted else ()
        in_training = objective(problem.raw, kind(problem.labels, weight))
        close(objective(problem.labels, problem.raw, weight if weighted else None), in_training)

    @plain_problems
    @pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "uint16"])
    def test_labels_may_have_any_type(self, problem, dtype):
        labels = problem.labels.astype(dtype)
        expected = FocalObjective()(problem.labels, problem.raw)
        close(FocalObjective()(labels, problem.raw), expected, rtol=0)

    def test_bool_labels_are_those_of_a_binary_problem(self):
        labels = np.asarray([True, False])
        close(FocalObjective()(labels, [0.5, 1]), FocalObjective()([1, 0], [0.5, 1]), rtol=0)

    @each_hess
    def test_lightgbm_s_order_in_memory_changes_no_number_and_is_kept(self, hess):
        problem, objective = PROBLEMS["4-classes"], FocalObjective(hess=hess)
        expected = objective(problem.labels, problem.raw)
        found = objective(problem.labels, np.asfortranarray(problem.raw))
        close(found, expected, rtol=0)
        assert all(part.flags.f_contiguous for part in found)

    @plain_problems
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_the_type_of_raw_scores_is_kept(self, problem, dtype):
        found = FocalObjective()(problem.labels, problem.raw.astype(dtype), problem.weight)
        assert [part.dtype for part in found] == [dtype, dtype]

    @plain_problems
    def test_what_was_given_is_not_changed(self, problem):
        raw, labels = problem.raw.copy(), problem.labels.copy()
        FocalObjective()(labels, raw)
        close(raw, problem.raw, rtol=0)
        close(labels, problem.labels, rtol=0)

    @plain_problems
    def test_cupy_s_arrays_stay_on_their_device(self, problem):
        cupy = pytest.importorskip("cupy", reason="cupy is not installed")
        if not cupy.cuda.is_available():
            pytest.skip("no GPU is here")
        given = [cupy.asarray(a) for a in (problem.labels, problem.raw, problem.weight)]
        for hess in HESS:
            objective = FocalObjective(hess=hess, alpha="balanced")
            found = objective(*given)
            assert all(isinstance(part, cupy.ndarray) for part in found)
            expected = objective(problem.labels, problem.raw, problem.weight)
            close([cupy.asnumpy(part) for part in found], expected, rtol=1e-12)


class TestCurvature:
    @each_problem
    def test_abs_is_positive_and_the_true_one_where_no_step_is_long(self, problem):
        objective = FocalObjective(**problem.options)
        grad, hess = objective(problem.labels, problem.raw)
        _, true = FocalObjective(**problem.options, hess="exact")(problem.labels, problem.raw)
        factor = 1 if problem.n_classes == 2 else 2
        close(hess, np.maximum(abs(true), factor * abs(grad) / 2))
        assert (true < 0).any()

    @pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
    def test_bound_is_the_peak_of_the_definition(self, gamma):
        def curvature(margin):
            of_margin = lambda x: exact.sigmoid_focal(x, 1, gamma)  # noqa: E731
            return mpmath.diff(of_margin, margin, 2)

        peak = max(curvature(mpmath.mpf(m) / 100) for m in range(-200, 100, 2))
        assert float(peak) <= largest(gamma) * (1 + 1e-12)
        close(largest(gamma), float(peak), rtol=1e-4)

    @pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
    @pytest.mark.parametrize("n_classes", [2, 3, 7])
    def test_bound_is_above_the_hessian_of_every_row(self, gamma, n_classes, rng):
        """All of it, with the classes that move together: no eigenvalue is greater."""
        alpha = rng.random(n_classes) + 0.1
        options = {"gamma": gamma, "alpha": alpha.tolist()}
        rows = 3 * rng.normal(size=(300, n_classes))
        labels = rng.integers(0, n_classes, 300)
        _, bound = FocalObjective(**options, hess="bound")(labels, rows)
        step, hessian = 1e-5, np.empty((300, n_classes, n_classes))
        for j in range(n_classes):
            ahead = rows + step * (np.arange(n_classes) == j)
            behind = rows - step * (np.arange(n_classes) == j)
            sides = (focalcore.softmax_focal_loss_value_and_grad(x, labels, **options)[1]
                     for x in (ahead, behind))  # fmt: skip
            hessian[:, j] = np.subtract(*sides) / (2 * step)
        room = bound[:, :, None] * np.eye(n_classes) - (hessian + hessian.mT) / 2
        assert np.linalg.eigvalsh(room).min() > -1e-8

    def test_clip_raises_what_is_less(self):
        labels, raw = [1, 1, 0], np.asarray([-6.0, 0.0, 0.0])
        _, true = FocalObjective(hess="exact")(labels, raw)
        _, clipped = FocalObjective(hess="clip")(labels, raw)
        close(clipped, [1e-6, true[1], true[2]])

    @pytest.mark.parametrize("hess", ["exact", "clip"])
    def test_the_log_odds_of_a_rare_class_are_warned_of(self, hess):
        labels = np.arange(1000) < 10
        start = np.full(1000, np.log(0.01 / 0.99))
        with pytest.warns(RuntimeWarning, match=r"nothing is learned.*initial_score"):
            FocalObjective(hess=hess)(labels, start)

    @pytest.mark.parametrize("hess", ["exact", "clip"])
    def test_the_best_constant_and_0_are_not(self, hess):
        labels, objective = np.arange(1000) < 10, FocalObjective(hess=hess)
        for start in (0.0, objective.initial_score(labels)):
            objective(labels, np.full(1000, start))

    @pytest.mark.parametrize("hess", ["abs", "bound"])
    def test_what_learns_from_the_log_odds_does_not_warn(self, hess):
        labels = np.arange(1000) < 10
        FocalObjective(hess=hess)(labels, np.full(1000, np.log(0.01 / 0.99)))


class TestStart:
    @each_problem
    @pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
    def test_the_slopes_at_the_best_constant_add_up_to_0(self, problem, weighted):
        objective = FocalObjective(**problem.options)
        weight = problem.weight if weighted else None
        start = objective.initial_score(problem.labels, weight)
        raw = np.full(problem.raw.shape, start)
        grad, _ = objective(problem.labels, raw, weight)
        assert abs(grad.sum(axis=0)).max() < 1e-9 * abs(grad).sum()

    @each_problem
    def test_weights_are_repeated_labels(self, problem):
        objective = FocalObjective(**problem.options)
        expected = objective.initial_score(problem.repeated()[0])
        close(objective.initial_score(problem.labels, problem.weight), expected, rtol=1e-9)

    def test_of_the_cross_entropy_it_is_the_log_odds(self):
        close(FocalObjective(0).initial_score([0, 0, 0, 1]), np.log(1 / 3), rtol=1e-9)

    def test_of_a_rare_class_it_is_nearer_to_0_than_the_log_odds(self):
        labels = np.arange(1000) < 10

        def mean(x):
            return (exact.sigmoid_focal(x, 1) + 99 * exact.sigmoid_focal(x, 0)) / 100

        best = mpmath.findroot(lambda x: mpmath.diff(mean, x), -1.7)
        assert best > np.log(1 / 99) + 2
        close(FocalObjective(2).initial_score(labels), float(best), rtol=1e-9)

    def test_balanced_classes_start_at_0(self):
        labels = np.arange(1000) < 10
        assert abs(FocalObjective(alpha="balanced").initial_score(labels)) < 1e-9

    def test_the_base_score_of_a_binary_problem_is_a_probability(self):
        labels, objective = np.arange(1000) < 10, FocalObjective()
        close(objective.base_score(labels), 1 / (1 + np.exp(-objective.initial_score(labels))))

    def test_the_base_score_of_classes_is_a_list_of_raw_scores(self):
        objective = FocalObjective()
        found = objective.base_score([0, 1, 2, 2])
        assert isinstance(found, list)
        close(found, objective.initial_score([0, 1, 2, 2]))

    def test_a_list_of_alpha_says_how_many_classes_there_are(self):
        assert FocalObjective(alpha=[1, 2]).initial_score([0, 1]).shape == (2,)
        with fails(ValueError, "3 classes", "class 2"):
            FocalObjective(alpha=[1, 2, 3]).initial_score([0, 1])


class TestBalanced:
    def test_binary_alpha_is_the_share_of_negatives(self):
        assert FocalObjective(alpha="balanced").for_labels([0, 0, 0, 1]).alpha == 0.75

    def test_alpha_of_classes_is_that_of_scikit_learn(self):
        reason = "scikit-learn is not installed"
        utils = pytest.importorskip("sklearn.utils.class_weight", reason=reason)
        labels = PROBLEMS["4-classes"].labels
        expected = utils.compute_class_weight("balanced", classes=np.arange(4), y=labels)
        close(FocalObjective(alpha="balanced").for_labels(labels).alpha, expected)

    @pytest.mark.parametrize("name", ["binary-balanced", "4-classes-balanced"])
    def test_it_is_that_of_the_labels_of_the_call(self, name):
        problem, objective = PROBLEMS[name], FocalObjective(alpha="balanced")
        known = objective.for_labels(problem.labels, problem.weight)
        close(*(f(problem.labels, problem.raw, problem.weight) for f in (objective, known)))

    def test_what_is_known_stays(self):
        objective = FocalObjective(alpha=0.25)
        assert objective.for_labels([0, 0, 1]) == objective


class TestProbabilities:
    @each_problem
    def test_at_the_best_constant_they_are_the_shares_of_the_classes(self, problem):
        """Which is what a calibrated model that knows no features says."""
        objective = FocalObjective(**problem.options).for_labels(problem.labels)
        start = objective.initial_score(problem.labels)
        found = objective.predict_proba(np.full((1, problem.n_classes)[: problem.raw.ndim], start))
        shares = np.bincount(problem.labels) / len(problem.labels)
        close(found, shares[None], rtol=1e-9)

    @each_problem
    @pytest.mark.parametrize("calibrate", [True, False], ids=["calibrated", "plain"])
    def test_they_are_a_row_for_each_example_that_sums_to_1(self, problem, calibrate):
        objective = FocalObjective(**problem.options).for_labels(problem.labels)
        found = objective.predict_proba(problem.raw.astype("float32"), calibrate=calibrate)
        assert found.shape == (60, problem.n_classes)
        close(found.sum(axis=1), 1.0)

    def test_plain_ones_are_sigmoid_and_softmax(self):
        found = FocalObjective().predict_proba([-1.0, 2.0], calibrate=False)
        close(found[:, 1], [1 / (1 + np.exp(1)), 1 / (1 + np.exp(-2))])
        row = np.asarray([0.5, -1.0, 2.0])
        close(
            FocalObjective().predict_proba([row], calibrate=False),
            [np.exp(row) / np.exp(row).sum()],
        )

    def test_a_gamma_of_0_has_nothing_to_undo(self):
        raw = PROBLEMS["4-classes"].raw
        plain = FocalObjective(0).predict_proba(raw, calibrate=False)
        close(FocalObjective(0).predict_proba(raw), plain)

    @plain_problems
    def test_no_expected_loss_is_less_than_at_the_raw_scores(self, problem):
        objective, shape = FocalObjective(), problem.raw.shape
        eta = objective.predict_proba(problem.raw / 4)
        each = (np.full(60, c) for c in range(problem.n_classes))
        slopes = [objective(labels, problem.raw / 4)[0] for labels in each]
        expected = sum(
            s * e.reshape(shape[:1] + (1,) * (len(shape) - 1))
            for s, e in zip(slopes, eta.T, strict=True)
        )
        assert abs(expected).max() < 1e-9


class TestMetric:
    @each_problem
    @pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
    def test_it_is_the_mean_of_the_definition(self, problem, weighted):
        objective = FocalObjective(**problem.options).for_labels(problem.labels)
        weight = problem.weight if weighted else np.ones(60)
        options = {"gamma": objective.gamma, "alpha": objective.alpha}
        if problem.n_classes == 2:
            pos_weight = problem.options.get("pos_weight", 1.0)
            one = lambda *row: exact.sigmoid_focal(*row, pos_weight=pos_weight, **options)  # noqa: E731
        else:
            one = lambda *row: exact.softmax_focal(*row, **options)  # noqa: E731
        losses = [float(one(*row)) for row in zip(problem.raw, problem.labels, strict=True)]
        found = objective.metric(
            problem.labels, problem.raw, sample_weight=weight if weighted else None
        )
        close(found, np.average(losses, weights=weight))

    def test_each_library_gets_its_own_form(self):
        metric, labels, raw = FocalObjective().metric, [0, 1], np.asarray([0.5, 1.0])
        value = metric(labels, raw)
        assert metric.__name__ == "focal_loss"  # by which XGBoost's estimators call it
        assert metric(raw, Data(labels)) == ("focal_loss", pytest.approx(value))
        assert metric(raw, LightGBMData(labels)) == ("focal_loss", pytest.approx(value), False)
        assert metric(labels, raw, None, None) == ("focal_loss", pytest.approx(value), False)

    def test_where_no_example_weighs_it_is_0(self):
        assert FocalObjective().metric([0, 1], [0.5, 1.0], sample_weight=[0.0, 0.0]) == 0


class TestObject:
    @each_problem
    def test_it_is_copied_pickled_and_compared(self, problem):
        objective = FocalObjective(**problem.options, hess="clip")
        for each in (objective, objective.metric):
            copies = copy.deepcopy(each), pickle.loads(pickle.dumps(each))
            assert all(made == each and hash(made) == hash(each) for made in copies)
        made = copies[0].objective(problem.labels, problem.raw)
        close(made, objective(problem.labels, problem.raw), rtol=0)

    def test_it_can_not_be_changed(self):
        with pytest.raises(AttributeError):
            FocalObjective().gamma = 3

    def test_its_text_makes_it_again(self):
        objective = FocalObjective(1, [0.5, 1], hess="bound")
        assert eval(repr(objective)) == objective

    def test_numpy_s_numbers_are_numbers(self):
        found = FocalObjective(np.float32(2), np.asarray([0.5, 1]), pos_weight=np.int64(3))
        assert found == FocalObjective(2.0, (0.5, 1.0), pos_weight=3.0)


WRONG_OPTIONS = {
    "gamma": ({"gamma": -1}, ValueError, ("gamma", ">= 0", "-1")),
    "gammas": ({"gamma": [1, 2]}, TypeError, ("gamma", "number", "list")),
    "alpha-2": ({"alpha": 2}, ValueError, ("alpha", r"\[0, 1\]", "2")),
    "alpha-text": ({"alpha": "even"}, ValueError, ("alpha", "balanced", "even")),
    "alpha-table": ({"alpha": [[1], [2]]}, ValueError, ("alpha", "one list")),
    "alpha-minus-1": ({"alpha": -1}, ValueError, ("alpha=None",)),
    "pos_weight": ({"pos_weight": -2}, ValueError, ("pos_weight", "-2")),
    "hess": ({"hess": "ones"}, ValueError, ("hess", "abs", "bound", "ones")),
}


@pytest.mark.parametrize("case", WRONG_OPTIONS.values(), ids=WRONG_OPTIONS)
def test_options_are_checked_at_construction(case):
    options, error, words = case
    with fails(error, *words):
        FocalObjective(**options)


FLAT, TABLE = np.zeros(3), np.zeros((3, 4))
WRONG_CALLS = {
    "minus-1": ({}, [1, -1, 1], FLAT, ("0 or 1", "-1", "row 1", "LabelEncoder")),
    "soft": ({}, [1, 0.5, 1], FLAT, ("0 or 1", "0.5", "row 1")),
    "nan-label": ({}, [1, 1, np.nan], FLAT, ("0 or 1", "nan", "row 2")),
    "beyond": ({}, [0, 4, 1], TABLE, ("from 0 to 3", "4", "row 1")),
    "negative": ({}, [0, -1, 1], TABLE, ("from 0 to 3", "-1", "row 1")),
    "between": ({}, [0, 1.5, 1], TABLE, ("from 0 to 3", "1.5", "row 1")),
    "infinite": ({}, [0, np.inf, 1], TABLE, ("from 0 to 3", "inf", "row 1")),
    "lengths": ({}, [0, 1], FLAT, ("labels", "3 examples", r"\(2,\)")),
    "no-labels": ({}, [], FLAT, ("labels", "has none")),
    "nan": ({}, [0, 1, 0], [0.0, np.nan, 1.0], ("raw scores", "NaN", "row 1", "abs")),
    "nan-row": ({}, [0, 1, 2], [[0.0] * 3, [np.nan] * 3, [1.0] * 3], ("NaN", "row 1")),
    "one-column": ({}, [0, 1, 0], FLAT[:, None], ("raw scores", r"\(3, 1\)")),
    "alpha-of-classes": ({"alpha": 0.25}, [0, 1, 2], TABLE, ("list of 4 weights", "0.25")),
    "alphas": ({"alpha": [1, 2]}, [0, 1, 2], TABLE, ("list of 4 weights",)),
    "alphas-binary": ({"alpha": [1, 2]}, [0, 1, 1], FLAT, (r"number in \[0, 1\]",)),
    "pos_weight": ({"pos_weight": 2}, [0, 1, 2], TABLE, ("pos_weight", "binary", "alpha")),
    "balanced": ({"alpha": "balanced"}, [0, 0, 0], FLAT, ("all 2 classes", "class 1")),
}


@pytest.mark.parametrize("case", WRONG_CALLS.values(), ids=WRONG_CALLS)
def test_what_does_not_fit_is_named(case):
    options, labels, raw, words = case
    objective = FocalObjective(**options)
    for called in (objective, objective.metric):
        with fails(ValueError, *words):
            called(np.asarray(labels), np.asarray(raw))


@pytest.mark.parametrize(
    ("weight", "words"),
    [([1, 2], ("sample_weight", r"\(2,\)")), ([1, np.nan, 2], ("sample_weight", "finite"))],
    ids=["length", "nan"],
)
def test_weights_that_do_not_fit_are_named(weight, words):
    with fails(ValueError, *words):
        FocalObjective()(np.asarray([0, 1, 0]), FLAT, weight)


@pytest.mark.parametrize("raw", [FLAT, TABLE], ids=["binary", "4-classes"])
def test_text_is_no_label(raw):
    with fails(TypeError, "labels", "LabelEncoder"):
        FocalObjective()(np.asarray(["a", "b", "a"]), raw)


def test_a_balance_that_is_not_known_yet_has_a_way_out():
    objective = FocalObjective(alpha="balanced")
    with fails(ValueError, "balanced", r"for_labels\(y\)"):
        objective.predict_proba([0.5])
    with fails(ValueError, "balanced", r"for_labels\(y\)"):
        objective.catboost()


class TestCatBoost:
    def test_its_text_has_alpha_and_gamma(self):
        found = FocalObjective(gamma=1.5, alpha=0.25).catboost()
        assert found == "Focal:focal_alpha=0.25;focal_gamma=1.5"

    def test_no_alpha_is_one_half(self):
        assert "focal_alpha=0.5;" in FocalObjective().catboost()

    def test_pos_weight_is_a_part_of_alpha(self):
        assert "focal_alpha=0.75;" in FocalObjective(pos_weight=3).catboost()

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"gamma": 0}, ("gamma", "above 0", "Logloss")),
            ({"alpha": 1}, ("both classes", "alpha=1")),
            ({"pos_weight": 0}, ("both classes", "pos_weight=0")),
            ({"alpha": [1, 2, 3]}, ("binary", "class_weights", "MultiClass")),
        ],
        ids=["gamma-0", "alpha-1", "pos_weight-0", "classes"],
    )
    def test_what_it_does_not_have_is_named(self, options, words):
        with fails(ValueError, *words):
            FocalObjective(**options).catboost()
