"""The task of a file: told by shapes and first rows, or asked for where these allow two."""

import numpy as np
import pytest

from .helpers import approx


@pytest.fixture
def softmax(rng):
    """Logits, probabilities and labels of classes that exclude each other."""
    x, y = rng.normal(size=(40, 3)), rng.integers(0, 3, 40)
    p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    return x, p, y, float(np.mean(-np.log(p[np.arange(40), y])))


@pytest.mark.parametrize("dtype", ["int8", "bool", "float32"])
def test_one_hot_targets_beside_a_softmax_are_multi_class(report, run, tmp_path, softmax, dtype):
    _, p, y, log_loss = softmax
    np.savez(tmp_path / "a.npz", probs=p.astype("float32"), targets=np.eye(3, dtype=dtype)[y])
    found = report(tmp_path / "a.npz")
    assert (found["task"], found["one_hot"]) == ("multi-class", True)
    assert found["cross_entropy"] == pytest.approx(log_loss, rel=1e-6)
    assert "multi-class, one-hot targets" in run("evaluate", tmp_path / "a.npz")[1]


def test_a_softmax_of_few_digits_is_still_multi_class(report, tmp_path):
    probs = [[0.3333, 0.3333, 0.3333], [0.2004, 0.2, 0.6]]
    np.savez(tmp_path / "a.npz", probs=probs, targets=np.eye(3)[:2])
    assert report(tmp_path / "a.npz")["task"] == "multi-class"


def test_one_hot_columns_are_paired_and_multi_class(report, csv_file):
    header = ["prob_cat", "prob_dog", "target_dog", "target_cat"]
    found = report(csv_file(*header, rows=[[0.7, 0.3, 1, 0], [0.6, 0.4, 0, 1]]))
    assert found["task"] == "multi-class"
    assert found["cross_entropy"] == approx(np.mean(-np.log([0.3, 0.6])))


def test_one_hot_targets_beside_logits_ask_for_the_task(refusal, report, tmp_path, softmax):
    x, _, y, log_loss = softmax
    np.savez(tmp_path / "a.npz", logits=x, targets=np.eye(3)[y])
    err = refusal(3, tmp_path / "a.npz")
    assert "--task multi-class" in err
    assert "--task multi-label" in err
    found = report(tmp_path / "a.npz", "--task", "multi-class")
    assert found["cross_entropy"] == approx(log_loss)
    found = report(tmp_path / "a.npz", "--task", "multi-label")
    assert found["cross_entropy"] == approx(
        np.mean(np.log1p(np.exp(np.where(np.eye(3)[y], -x, x))))
    )


@pytest.mark.parametrize("dtype", ["longdouble", "float16", "uint64", "bool"])
@pytest.mark.parametrize("shape", [(2,), (2, 2)], ids=["binary", "multi-label"])
def test_targets_of_any_type_of_number_are_scored(report, tmp_path, dtype, shape):
    targets = np.ones(shape, dtype)
    np.savez(tmp_path / "a.npz", probs=np.full(shape, 0.5, "longdouble"), targets=targets)
    assert report(tmp_path / "a.npz")["cross_entropy"] == approx(np.log(2))


def test_infinite_logits_do_not_hide_the_question(refusal, tmp_path):
    np.savez(tmp_path / "a.npz", logits=[[np.inf, -np.inf], [1, 2]], targets=np.eye(2))
    assert "--task" in refusal(3, tmp_path / "a.npz")


def test_infinite_probabilities_are_named(refusal, tmp_path):
    np.savez(tmp_path / "a.npz", probs=[[np.inf, -np.inf], [1, 0]], targets=np.eye(2))
    assert "probs in row 0" in refusal(3, tmp_path / "a.npz")


UNSURE = {
    "rounded probabilities": ([[0.33, 0.33, 0.33], [0.2, 0.2, 0.6]], [[1, 0, 0], [0, 0, 1]]),
    "soft targets": ([[0.3, 0.3, 0.4], [0.2, 0.2, 0.6]], [[0.9, 0.1, 0], [0, 0, 1]]),
}


@pytest.mark.parametrize("case", UNSURE)
def test_rows_that_may_be_of_either_task_ask_for_it(refusal, tmp_path, case):
    probs, targets = UNSURE[case]
    np.savez(tmp_path / "a.npz", probs=probs, targets=targets)
    assert "--task multi-label" in refusal(3, tmp_path / "a.npz")


MULTI_LABEL = {
    "two at once": ([[0.5, 0.5], [0.1, 0.9]], [[1, 1], [0, 1]]),
    "none": ([[0.5, 0.5], [0.1, 0.9]], [[0, 0], [0, 1]]),
    "probabilities of each": ([[0.9, 0.8], [0.1, 0.9]], [[1, 0], [0, 1]]),
    "probabilities of each, that nearly add up to 1": ([[0.5, 0.55], [0.1, 0.9]], np.eye(2)),
    "probabilities of each, before many rows": ([[0.9, 0.8]] + [[0.5, 0.5]] * 40, [[1, 0]] * 41),
    "two at once, after many rows": ([[0.5, 0.5]] * 800, [[1, 0]] * 799 + [[1, 1]]),
}


@pytest.mark.parametrize("case", MULTI_LABEL)
def test_classes_that_go_together_are_multi_label(report, tmp_path, case):
    probs, targets = MULTI_LABEL[case]
    np.savez(tmp_path / "a.npz", probs=probs, targets=targets)
    found = report(tmp_path / "a.npz")
    assert (found["task"], found["one_hot"]) == ("multi-label", False)


@pytest.mark.parametrize("said", [[], ["--task", "multi-class"]], ids=["told", "said"])
def test_a_late_row_that_is_not_one_hot_is_bad_data(refusal, tmp_path, said):
    targets = np.eye(2, dtype=int)[np.zeros(5000, int)]
    targets[4000] = 1
    np.savez(tmp_path / "a.npz", probs=np.full((5000, 2), 0.5), targets=targets)
    err = refusal(3, tmp_path / "a.npz", *said, "--chunk-rows", 7)
    for word in ("row 4000", "1, 1", "one-hot", "--task multi-label"):
        assert word in err


def test_ignored_rows_of_one_hot_targets_are_left_out(report, tmp_path):
    probs = [[0.2, 0.8], [np.nan, np.nan], [0.6, 0.4]]
    np.savez(tmp_path / "a.npz", probs=probs, targets=[[0, 1], [-1, -1], [1, 0]])
    found = report(tmp_path / "a.npz", "--ignore-index", -1)
    assert (found["task"], found["examples"], found["ignored"]) == ("multi-class", 2, 1)
    assert found["cross_entropy"] == approx(np.mean(-np.log([0.8, 0.6])))


def test_a_one_hot_row_is_left_out_where_nothing_else_is_in_it(report, tmp_path):
    np.savez(tmp_path / "a.npz", probs=[[0.2, 0.8], [0.6, 0.4]], targets=[[0, 1], [1, 0]])
    found = report(tmp_path / "a.npz", "--task", "multi-class", "--ignore-index", 0)
    assert (found["examples"], found["ignored"]) == (2, 0)
    assert found["cross_entropy"] == approx(np.mean(-np.log([0.8, 0.6])))
