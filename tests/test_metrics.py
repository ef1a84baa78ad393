"""The focal loss as a metric, and as a scorer."""

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

import pandas as pd
import polars as pl
import sklearn
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from conformance.places import JAX, TORCH
from focalcore import binary_focal_loss, sigmoid_focal_loss, softmax_focal_loss
from focalcore.balance import alpha_of
from focalcore.metrics import focal_loss, focal_report, focal_scorer

from .helpers import close, fails

rng = np.random.default_rng(0)
N, C = 60, 3
BINARY, MULTI = rng.integers(0, 2, N), rng.integers(0, C, N)
P = rng.beta(0.7, 0.7, N)
ROWS = rng.dirichlet(np.full(C, 0.6), N)
NAMES = np.asarray(["ant", "bee", "cow"])
WEIGHT = rng.random(N)

# what scikit-learn's log_loss takes: labels, predictions, options
CASES = {
    "(n,)": (BINARY, P, {}),
    "(n, 1)": (BINARY, P[:, None], {}),
    "(n, 2)": (BINARY, np.c_[1 - P, P], {}),
    "(n, 3)": (MULTI, ROWS, {}),
    "text": (NAMES[MULTI], ROWS, {}),
    "two texts": (NAMES[BINARY], P, {}),
    "bool": (BINARY.astype(bool), P, {}),
    "labels of -1 and 1": (2 * BINARY - 1, P, {}),
    "a column of labels": (MULTI[:, None], ROWS, {}),
    "lists": (MULTI.tolist(), ROWS.tolist(), {}),
    "weights": (MULTI, ROWS, {"sample_weight": WEIGHT}),
    "labels that are lacking": (np.zeros(N, int), ROWS, {"labels": [0, 1, 2]}),
    "a sum": (BINARY, P, {"normalize": False, "sample_weight": WEIGHT}),
    "certain predictions": ([0, 1, 1], [0.0, 1.0, 0.0], {}),
    "float32": (MULTI, (ROWS / ROWS.sum(axis=1, keepdims=True)).astype("float32"), {}),
    "pandas": (pd.Series(NAMES[MULTI]), pd.DataFrame(ROWS, columns=NAMES), {}),
    "polars": (pl.Series(MULTI), pl.DataFrame(ROWS), {}),
}


@pytest.mark.filterwarnings("ignore:y_pred values do not sum:UserWarning")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_without_gamma_it_is_the_log_loss_of_scikit_learn(case):
    y, p, options = case
    rtol = 1e-6 if getattr(p, "dtype", None) == np.float32 else 1e-12
    close(focal_loss(y, p, gamma=0.0, **options), log_loss(y, p, **options), rtol)


def test_it_is_the_mean_of_the_loss():
    close(focal_loss(MULTI, ROWS), np.mean(softmax_focal_loss(np.log(ROWS), MULTI)), 1e-12)


def test_logits_go_in_as_such():
    x = np.log(P / (1 - P))
    close(focal_loss(BINARY, x, from_logits=True), np.mean(sigmoid_focal_loss(x, BINARY)))
    close(focal_loss(MULTI, np.log(ROWS), from_logits=True), focal_loss(MULTI, ROWS), 1e-12)


class TestWeights:
    def test_alpha_weighs_the_second_of_two_classes(self):
        expected = np.mean(sigmoid_focal_loss(np.log(P / (1 - P)), BINARY, alpha=0.2))
        close(focal_loss(BINARY, P, alpha=0.2), expected, 1e-12)
        close(focal_loss(BINARY, np.c_[1 - P, P], alpha=0.2), expected, 1e-12)

    def test_balanced_alpha_gives_all_classes_the_same_part(self):
        close(
            focal_loss(BINARY, P, alpha="balanced"), focal_loss(BINARY, P, alpha=alpha_of(BINARY))
        )
        of_class = []
        for c in range(C):
            own = c == MULTI
            of_class.append(focal_loss(MULTI[own], ROWS[own], labels=[0, 1, 2]))
        close(focal_loss(MULTI, ROWS, alpha="balanced"), np.mean(of_class))

    def test_class_weight_is_by_label_and_in_the_mean(self):
        found = focal_loss(NAMES[MULTI], ROWS, class_weight={"ant": 2.0, "cow": 0.0})
        weight = np.asarray([2.0, 1.0, 0.0])[MULTI]
        close(found, focal_loss(MULTI, ROWS, sample_weight=weight))

    def test_balanced_classes_weigh_what_scikit_learn_gives_them(self):
        from sklearn.utils.class_weight import compute_sample_weight

        expected = focal_loss(MULTI, ROWS, sample_weight=compute_sample_weight("balanced", MULTI))
        close(focal_loss(MULTI, ROWS, class_weight="balanced"), expected)

    def test_a_row_that_weighs_nothing_may_be_infinitely_wrong(self):
        x = np.asarray([np.inf, 1.0])
        assert np.isfinite(focal_loss([0, 1], x, from_logits=True, sample_weight=[0.0, 1.0]))


@pytest.mark.parametrize("library", [TORCH, JAX], ids=lambda place: place.id)
@pytest.mark.parametrize("options", [{}, {"alpha": "balanced"}, {"class_weight": "balanced"}])
def test_arrays_of_a_library_stay_there(library, options):
    library.require()
    with library.running():
        y, p, w = map(library.array, (MULTI, ROWS, WEIGHT))
        found = focal_loss(y, p, sample_weight=w, **options)
        binary = focal_loss(library.array(BINARY), library.array(P), **options)
    close(found, focal_loss(MULTI, ROWS, sample_weight=WEIGHT, **options), 1e-12)
    close(binary, focal_loss(BINARY, P, **options), 1e-12)


BAD = {
    "one class": (([1, 1], [0.5, 0.5]), {}, ("two classes or more", r"found \[1\]", "labels=")),
    "an unknown label": (
        ([0, 7], [[0.5, 0.5]] * 2),
        {"labels": [0, 1]},
        ("y_true must be among", "found 7 in row 1"),
    ),
    "too many columns": (
        ([0, 1], np.full((2, 3), 1 / 3)),
        {},
        ("3 columns for the 2 classes",),
    ),
    "rows that differ": (([0, 1, 1], [0.5, 0.5]), {}, ("y_true has 3 rows", "y_proba has 2")),
    "a probability of 2": (([0, 1], [0.5, 2.0]), {}, (r"must lie in \[0, 1\]", "found 2.0")),
    "a class weight of nobody": (
        ([0, 1], [0.5, 0.5]),
        {"class_weight": {2: 1.0}},
        ("class_weight has the label 2",),
    ),
    "another word": (([0, 1], [0.5, 0.5]), {"alpha": "even"}, ("'balanced' or None", "'even'")),
    "no weight": (([0, 1], [0.5, 0.5]), {"sample_weight": [0, 0]}, ("weight above 0",)),
}


@pytest.mark.parametrize(
    "labels", [BINARY, NAMES[BINARY], BINARY.astype(bool)], ids=["int", "text", "bool"]
)
def test_labels_of_any_kind_go_beside_arrays_of_any_library(torch, labels):
    found = focal_loss(labels, torch.tensor(P, requires_grad=True), sample_weight=pd.Series(WEIGHT))
    close(found, focal_loss(BINARY, P, sample_weight=WEIGHT), 1e-12)


def test_labels_may_be_a_tensor_of_bool(torch):
    labels = torch.tensor(BINARY.astype(bool))
    close(focal_loss(labels, torch.tensor(P)), focal_loss(BINARY, P), 1e-12)


class TestReport:
    def test_it_has_the_numbers_of_the_metric(self):
        found = focal_report(NAMES[MULTI], ROWS, gamma=[0, 2], output_dict=True)
        close(found["losses"][1]["focal_loss"], focal_loss(MULTI, ROWS))
        assert [c["name"] for c in found["losses"][0]["classes"]] == NAMES.tolist()

    @pytest.mark.parametrize("columns", [P, np.c_[1 - P, P]], ids=["one", "two"])
    def test_alpha_weighs_the_second_of_two_classes(self, columns):
        found = focal_report(BINARY, columns, alpha=0.25, output_dict=True)
        close(found["losses"][0]["focal_loss"], focal_loss(BINARY, P, alpha=0.25), 1e-9)

    def test_its_text_has_a_line_for_each_class(self):
        lines = focal_report(MULTI, ROWS, target_names=["an ant", "a bee", "cow"]).splitlines()
        assert [line.split("  ")[0] for line in lines[2:5]] == ["an ant", "a bee", "cow"]
        assert lines[6].startswith("all")

    def test_rows_of_targets_are_those_of_independent_classes(self):
        bits, p = rng.integers(0, 2, (N, C)), rng.random((N, C))
        options = {"target_names": NAMES, "alpha": 0.25, "sample_weight": WEIGHT}
        score = focal_report(bits, p, output_dict=True, **options)["losses"][0]
        loss = binary_focal_loss(bits, p, alpha=0.25)
        close(score["focal_loss"], np.average(loss.mean(axis=1), weights=WEIGHT))
        lines = [line.split() for line in focal_report(bits, p, **options).splitlines()]
        assert [line[:2] for line in lines[2:5]] == [
            [name, str(n)] for name, n in zip(NAMES, bits.sum(axis=0), strict=True)
        ]

    def test_one_hot_rows_are_refused_for_they_may_be_of_either_task(self):
        with fails(ValueError, "each row of y_true is one-hot", r"argmax\(axis=1\)", "FocalReport"):
            focal_report(np.eye(C)[MULTI], ROWS)

    def test_names_are_as_many_as_the_classes(self):
        with fails(ValueError, "target_names must be 3", "found 1"):
            focal_report(MULTI, ROWS, target_names=["ant"])

    def test_columns_are_as_many_as_the_classes(self):
        with fails(ValueError, "y_pred has 2 columns for the 3 classes", "labels="):
            focal_report(MULTI, ROWS[:, :2])
        with fails(ValueError, r"must have shape \(n,\)", r"found \(\)"):
            focal_report(BINARY, 0.5)


class TestBadInput:
    @pytest.mark.parametrize("case", BAD.values(), ids=BAD)
    def test_it_is_named(self, case):
        arguments, options, words = case
        with fails(ValueError, *words):
            focal_loss(*arguments, **options)

    def test_predicted_labels_are_told_of(self):
        with fails(TypeError, "y_proba are predicted labels", "from_logits=True"):
            focal_loss([0, 1], np.asarray([0, 1]))

    def test_rows_that_do_not_sum_to_1_are_warned_of(self):
        with pytest.warns(UserWarning, match="do not sum to 1, by up to 0.2"):
            focal_loss([0, 1], [[0.5, 0.5], [0.4, 0.4]])

    @pytest.mark.parametrize("weight", [[3, -1, 1], [1, np.nan, 1]])
    def test_weights_that_are_none_are_named(self, weight):
        with fails(ValueError, "sample_weight must be finite and >= 0", "in row 1"):
            focal_loss([0, 1, 0], [0.2, 0.7, 0.4], sample_weight=weight)


class TestScorer:
    X, y = make_classification(300, weights=[0.8], random_state=0)

    def test_raw_scores_are_scored_where_there_are_some(self):
        model = LinearSVC().fit(self.X, self.y)
        expected = -focal_loss(self.y, model.decision_function(self.X), from_logits=True)
        close(focal_scorer()(model, self.X, self.y), expected)

    def test_probabilities_are_scored_where_there_are_no_scores(self):
        model = GaussianNB().fit(self.X, self.y)
        expected = -focal_loss(self.y, model.predict_proba(self.X)[:, 1], gamma=1.0)
        close(focal_scorer(1.0)(model, self.X, self.y), expected)

    def test_it_scores_searches_and_cross_validation(self):
        scorer = focal_scorer(alpha=0.25)
        search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, scoring=scorer).fit(
            self.X, self.y
        )
        found = cross_val_score(
            LogisticRegression(C=search.best_params_["C"]), self.X, self.y, scoring=scorer
        )
        close(found.mean(), search.best_score_)

    def test_weights_are_routed(self):
        weight = np.random.default_rng(1).random(300)
        with sklearn.config_context(enable_metadata_routing=True):
            scorer = focal_scorer().set_score_request(sample_weight=True)
            model = LogisticRegression().set_fit_request(sample_weight=False)
            found = cross_val_score(
                model, self.X, self.y, scoring=scorer, params={"sample_weight": weight}, cv=2
            )
            plain = cross_val_score(model, self.X, self.y, scoring=focal_scorer(), cv=2)
        assert not np.allclose(found, plain)

    def test_it_is_pickled_and_says_what_it_is(self):
        scorer = pickle.loads(pickle.dumps(focal_scorer(1.5, alpha=0.25)))
        assert repr(scorer) == "focal_scorer(gamma=1.5, alpha=0.25)"

    def test_what_it_can_t_score_is_named(self):
        with fails(ValueError, "response_method must be among", "found 'predict'"):
            focal_scorer(response_method="predict")
        model = LinearSVC().fit(self.X, self.y)
        with fails(TypeError, "LinearSVC has none of predict_proba"):
            focal_scorer(response_method="predict_proba")(model, self.X, self.y)
