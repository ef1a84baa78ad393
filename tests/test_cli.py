"""The command line: what it prints, what it writes, and what it refuses."""

import json
import os
import pathlib
import pty
import subprocess
import sys
import zipfile
from importlib.util import find_spec

import numpy as np
import pytest

import focalcore
from focalcore import (
    binary_focal_loss,
    sigmoid_focal_loss,
    softmax_focal_loss,
    sparse_categorical_focal_loss,
)
from focalcore._kernels import compiler

from .helpers import approx, table_of

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"


@pytest.fixture
def binary(tmp_path, rng):
    x, y = rng.normal(size=500), rng.integers(0, 2, 500)
    np.savez(tmp_path / "binary.npz", logits=x, targets=y)
    return tmp_path / "binary.npz", x, y


def test_binary_means_are_those_of_the_functions(report, binary):
    file, x, y = binary
    found = report(file, "--gamma", "0", "--gamma", "1.5", "--alpha", "0.25")
    assert (found["task"], found["examples"], found["positives"]) == ("binary", 500, y.sum())
    cross_entropy = sigmoid_focal_loss(x, y, gamma=0)
    assert found["cross_entropy"] == approx(cross_entropy.mean())
    for score, gamma in zip(found["losses"], (0.0, 1.5), strict=True):
        loss = sigmoid_focal_loss(x, y, gamma=gamma, alpha=0.25)
        p_t = np.where(y, 1, -1) * x
        assert score["gamma"] == gamma
        assert score["focal_loss"] == approx(loss.mean())
        assert score["modulating_factor"] == approx(((1 / (1 + np.exp(p_t))) ** gamma).mean())
        for c, name in enumerate(("negative", "positive")):
            found_class = score["classes"][c]
            assert (found_class["name"], found_class["count"]) == (name, (y == c).sum())
            assert found_class["focal_loss"] == approx(loss[y == c].mean())
            assert found_class["share"] == approx(loss[y == c].sum() / loss.sum())


def test_multi_class_means_are_those_of_the_functions(report, tmp_path, rng):
    x, y = rng.normal(size=(300, 4)), rng.integers(0, 3, 300)  # no example of the last class
    np.savez(tmp_path / "a.npz", logits=x, targets=y)
    found = report(tmp_path / "a.npz", "--alpha", "1,2,3,4")
    loss = softmax_focal_loss(x, y, alpha=[1, 2, 3, 4])
    assert (found["task"], found["positives"]) == ("multi-class", None)
    (score,) = found["losses"]
    assert score["focal_loss"] == approx(loss.mean())
    assert [c["count"] for c in score["classes"]] == np.bincount(y, minlength=4).tolist()
    assert score["classes"][1]["focal_loss"] == approx(loss[y == 1].mean())
    assert score["classes"][3] == {"name": "3", "count": 0, "focal_loss": None, "share": 0.0}


def test_multi_label_means_are_those_of_the_functions(report, tmp_path, rng):
    x, y = rng.normal(size=(300, 4)), rng.integers(0, 2, (300, 4))
    np.savez(tmp_path / "a.npz", logits=x, targets=y)
    found = report(tmp_path / "a.npz")
    loss = sigmoid_focal_loss(x, y)
    assert (found["task"], found["examples"], found["positives"]) == ("multi-label", 300, y.sum())
    (score,) = found["losses"]
    assert score["focal_loss"] == approx(loss.mean())
    for c in range(4):
        assert score["classes"][c]["count"] == y[:, c].sum()
        assert score["classes"][c]["focal_loss"] == approx(loss[:, c].mean())
        assert score["classes"][c]["share"] == approx(loss[:, c].sum() / loss.sum())


def test_probabilities_are_scored_as_probabilities(report, tmp_path, rng):
    p, y = rng.random(50), rng.integers(0, 2, 50)
    np.savez(tmp_path / "a.npz", probs=p, targets=y)
    assert report(tmp_path / "a.npz")["losses"][0]["focal_loss"] == approx(
        binary_focal_loss(y, p).mean()
    )
    rows, labels = rng.dirichlet(np.ones(3), 50), rng.integers(0, 3, 50)
    np.savez(tmp_path / "a.npz", probs=rows, targets=labels)
    assert report(tmp_path / "a.npz")["losses"][0]["focal_loss"] == approx(
        sparse_categorical_focal_loss(labels, rows).mean()
    )


@pytest.mark.parametrize("kind", ["npz", "npy"])
def test_what_scores_are_is_what_the_option_says(report, tmp_path, kind):
    """Whatever an array is called."""
    np.savez(tmp_path / "a.npz", logits=[0.25], probs=[0.25], targets=[1])
    np.save(tmp_path / "x.npy", [0.25])
    np.save(tmp_path / "y.npy", [1])
    for option, array, expected in (
        ("--probs", "logits", -np.log(0.25)),
        ("--logits", "probs", np.log1p(np.exp(-0.25))),
    ):
        file = [tmp_path / "a.npz", option, array]
        files = [option, tmp_path / "x.npy", "--targets", tmp_path / "y.npy"]
        found = report(*(file if kind == "npz" else files))
        assert found["cross_entropy"] == approx(expected)


def test_task_may_be_said_where_shapes_allow_several(report, tmp_path, rng):
    x = rng.normal(size=(20, 1))
    np.savez(tmp_path / "a.npz", logits=x, targets=np.zeros((20, 1), int))
    assert report(tmp_path / "a.npz")["task"] == "binary"
    for task in ("binary", "multi-label", "multi-class"):
        assert report(tmp_path / "a.npz", "--task", task)["task"] == task


def test_weights_make_weighted_means(report, tmp_path, rng):
    x, y, w = rng.normal(size=50), rng.integers(0, 2, 50), rng.random(50)
    np.savez(tmp_path / "a.npz", logits=x, targets=y, importance=w)
    found = report(tmp_path / "a.npz", "--weight", "importance")
    loss = sigmoid_focal_loss(x, y)
    assert found["weighted"]
    assert found["losses"][0]["focal_loss"] == approx(np.average(loss, weights=w))
    assert found["losses"][0]["classes"][1]["focal_loss"] == approx(
        np.average(loss[y == 1], weights=w[y == 1])
    )


TASKS = {
    "binary": lambda x, y, gamma: sigmoid_focal_loss(x[:, 0], y, gamma=gamma),
    "multi-class": lambda x, y, gamma: softmax_focal_loss(x, y, gamma=gamma),
    "multi-label": lambda x, y, gamma: sigmoid_focal_loss(x, y[:, None] == [0, 1], gamma=gamma),
}


@pytest.mark.parametrize("task", TASKS)
def test_all_means_are_weighted(report, tmp_path, rng, task):
    x, y, w = rng.normal(size=(50, 2)), rng.integers(0, 2, 50), rng.random(50)
    logits = x[:, 0] if task == "binary" else x
    targets = y[:, None] == [0, 1] if task == "multi-label" else y
    np.savez(tmp_path / "a.npz", logits=logits, targets=targets, weight=w)
    found = report(tmp_path / "a.npz", "--task", task)
    (score,) = found["losses"]
    loss, cross_entropy = (TASKS[task](x, y, gamma) for gamma in (2.0, 0.0))
    weights = np.broadcast_to(w[:, None], x.shape) if task == "multi-label" else w
    for mean, each in (
        (found["cross_entropy"], cross_entropy),
        (score["focal_loss"], loss),
        (score["modulating_factor"], loss / cross_entropy),
    ):
        assert mean == approx(np.average(each, weights=weights))


def test_a_weight_of_zero_silences_an_infinite_loss(report, tmp_path):
    np.savez(tmp_path / "a.npz", logits=[-np.inf, 0.0], targets=[1, 1], weight=[0, 1])
    found = report(tmp_path / "a.npz")
    assert found["cross_entropy"] == approx(np.log(2))
    (score,) = found["losses"]
    assert score["focal_loss"] == score["classes"][1]["focal_loss"] == approx(np.log(2) / 4)
    assert score["modulating_factor"] == approx(1 / 4)


@pytest.mark.parametrize("task", ["binary", "multi-class", "multi-label"])
def test_ignored_targets_are_left_out(report, tmp_path, rng, task):
    x = rng.normal(size=(30, 3)) if task != "binary" else rng.normal(size=30)
    y = rng.integers(0, 2, (30, 3) if task == "multi-label" else 30)
    y[::3] = -100
    broken = x.copy()
    broken[::3] = np.nan
    np.savez(tmp_path / "a.npz", logits=broken, targets=y)
    np.savez(
        tmp_path / "b.npz",
        logits=x[y.reshape(30, -1)[:, 0] >= 0],
        targets=y[y >= 0].reshape(20, *y.shape[1:]),
    )
    found, kept = report(tmp_path / "a.npz", "--ignore-index", -100), report(tmp_path / "b.npz")
    assert (found["examples"], found["ignored"]) == (20, 10)
    assert found["losses"][0]["focal_loss"] == approx(kept["losses"][0]["focal_loss"])
    assert found["losses"][0]["modulating_factor"] == approx(kept["losses"][0]["modulating_factor"])


@pytest.mark.parametrize("rows", [1, 7, 499, 500, 10_000])
def test_chunks_change_nothing(report, binary, rows):
    file, _, _ = binary
    found = report(file, "--chunk-rows", rows)["losses"][0]
    whole = report(file)["losses"][0]
    assert found["focal_loss"] == approx(whole["focal_loss"])
    assert found["classes"][1]["share"] == approx(whole["classes"][1]["share"])


def test_every_kind_of_file_gives_the_same(report, tmp_path, rng):
    x, y = rng.normal(size=(40, 3)), rng.integers(0, 3, 40).astype("int16")
    np.savez(tmp_path / "stored.npz", logits=x, targets=y)
    np.savez_compressed(tmp_path / "compressed.npz", logits=x, targets=y)
    np.savez(tmp_path / "fortran.npz", logits=np.asfortranarray(x), targets=y)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    table = np.column_stack([x, y])
    header = "logit_a,logit_b,logit_c,target"
    np.savetxt(tmp_path / "a.csv", table, delimiter=",", header=header, comments="", fmt="%.17g")
    pair = ("--logits", tmp_path / "x.npy", "--targets", tmp_path / "y.npy")
    expected = softmax_focal_loss(x, y).mean()
    for arguments in (
        [tmp_path / "stored.npz"],
        [tmp_path / "compressed.npz"],
        [tmp_path / "fortran.npz"],
        [tmp_path / "a.csv"],
        [tmp_path / "a.csv", "--logits", "logit_a, logit_b,logit_c", "--targets", "target"],
        pair,
    ):
        assert report(*arguments)["losses"][0]["focal_loss"] == approx(expected)
    classes = report(tmp_path / "a.csv")["losses"][0]["classes"]
    assert [c["name"] for c in classes] == ["a", "b", "c"]


def test_a_column_of_weights_is_one_for_each_row(report, tmp_path, rng):
    x, y, w = rng.normal(size=(9, 2)), rng.integers(0, 2, (9, 2)), rng.random(9)
    for name, weight in (("flat", w), ("column", w[:, None])):
        np.savez(tmp_path / f"{name}.npz", logits=x, targets=y, weight=weight)
    flat, column = (report(tmp_path / f"{name}.npz") for name in ("flat", "column"))
    assert column["losses"] == flat["losses"]


def test_empty_npy_files_have_no_rows(refusal, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros(0))
    names = ("--logits", tmp_path / "x.npy", "--targets", tmp_path / "y.npy")
    np.save(tmp_path / "y.npy", np.zeros(0))
    assert "no rows" in refusal(3, *names)


def test_stored_arrays_are_mapped_and_not_loaded(binary):
    from focalcore.evaluation import Names, Opening, Place, Reading

    predictions = Opening(Place(binary[0], "binary"), Names(), Reading()).open()
    assert isinstance(predictions.source.scores, np.memmap)
    assert isinstance(predictions.source.targets, np.memmap)


def test_infinite_logits_are_scored_and_stay_valid_json(report, tmp_path):
    np.savez(tmp_path / "a.npz", logits=[np.inf, -np.inf, 1.0], targets=[1, 1, 0])
    found = report(tmp_path / "a.npz", "--gamma", "2")
    assert found["losses"][0]["focal_loss"] == "inf"
    assert found["losses"][0]["modulating_factor"] == approx(
        (0 + 1 + (1 / (1 + np.exp(-1))) ** 2) / 3
    )


def test_the_modulating_factor_of_a_gamma_of_zero_is_one(report, tmp_path):
    np.savez(tmp_path / "a.npz", logits=[np.inf, -np.inf, np.inf, 1.0], targets=[1, 0, 0, 0])
    assert report(tmp_path / "a.npz", "--gamma", 0)["losses"][0]["modulating_factor"] == 1


def test_a_class_has_no_share_of_no_loss(report, run, tmp_path):
    np.savez(tmp_path / "a.npz", logits=[np.inf, -np.inf], targets=[1, 0])
    (score,) = report(tmp_path / "a.npz")["losses"]
    assert score["focal_loss"] == 0
    assert [c["share"] for c in score["classes"]] == [None, None]
    rows = [line.split() for line in run("evaluate", tmp_path / "a.npz")[1].splitlines()]
    assert ["positive", "1", "0", "-"] in rows


@pytest.mark.parametrize("shape", [(4,), (2, 2)], ids=["binary", "multi-label"])
def test_a_target_of_a_half_is_no_positive(report, tmp_path, shape):
    targets = np.reshape([0.5, 0.51, 1.0, 0.49], shape)
    np.savez(tmp_path / "a.npz", logits=np.zeros(shape), targets=targets)
    found = report(tmp_path / "a.npz")
    assert found["positives"] == 2
    assert [c["count"] for c in found["losses"][0]["classes"]] == (
        [2, 2] if shape == (4,) else [1, 1]
    )


def test_an_example_is_ignored_where_none_of_its_labels_counts(report, run, tmp_path):
    np.savez(tmp_path / "a.npz", logits=np.zeros((3, 2)), targets=[[1, -1], [-1, -1], [0, 1]])
    found = report(tmp_path / "a.npz", "--ignore-index", -1)
    assert (found["examples"], found["ignored"], found["targets"]) == (2, 1, 3)
    assert "2 (1 ignored)" in run("evaluate", tmp_path / "a.npz", "--ignore-index", -1)[1]


def test_sums_are_in_float64(report, tmp_path):
    x = np.full(300_000, 0.1, dtype="float32")
    np.savez(tmp_path / "a.npz", logits=x, targets=np.ones(300_000, dtype="int8"))
    expected = sigmoid_focal_loss(np.float32(0.1), 1)
    assert report(tmp_path / "a.npz")["losses"][0]["focal_loss"] == approx(expected)


def test_the_table_shows_what_the_json_says(run, report, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    file = EXAMPLES / "digits-binary.npz"
    code, out, err = run("evaluate", file)
    assert (code, err) == (0, "")
    found = report(file)
    score = found["losses"][0]
    for number in (found["cross_entropy"], score["focal_loss"], score["modulating_factor"]):
        assert f"{number:.6g}" in out
    assert "899" in out
    assert "87 (9.7%)" in out
    assert f"{score['classes'][1]['share']:.1%}" in out


def test_positives_are_a_share_of_the_targets_that_count(run, tmp_path):
    targets = [[1, 0, -1], [0, 0, 0], [1, 1, -1]]
    np.savez(tmp_path / "a.npz", logits=np.zeros((3, 3)), targets=targets)
    _, out, _ = run("evaluate", tmp_path / "a.npz", "--ignore-index", -1)
    assert "3 (42.9%)" in out


@pytest.mark.parametrize(
    ("name", "task", "said"),
    [
        ("digits-binary.csv", "binary", []),
        ("digits-binary.npz", "binary", []),
        # logits beside one-hot targets: nothing in the file tells the task
        ("digits-multilabel.npz", "multi-label", ["--task", "multi-label"]),
        ("digits-multiclass.npz", "multi-class", []),
    ],
)
def test_shipped_predictions_are_told_apart_and_good(report, name, task, said):
    found = report(EXAMPLES / name, *said)
    assert found["task"] == task
    assert found["examples"] == 899
    assert found["cross_entropy"] < 0.3


def test_shipped_predictions_are_those_of_their_script(tmp_path, monkeypatch):
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    monkeypatch.syspath_prepend(EXAMPLES)
    import make_digits

    monkeypatch.setattr(make_digits, "FOLDER", tmp_path)
    make_digits.main()
    for file in EXAMPLES.glob("*.npz"):
        with np.load(file) as shipped, np.load(tmp_path / file.name) as made:
            np.testing.assert_array_equal(shipped["targets"], made["targets"])
            np.testing.assert_allclose(shipped["logits"], made["logits"], rtol=1e-3, atol=1e-2)


def test_json_goes_to_a_file_whole_or_not_at_all(run, binary, tmp_path):
    file, _, _ = binary
    code, out, _ = run("evaluate", file, "--json", tmp_path / "report.json")
    assert code == 0
    assert "By class" in out
    assert json.loads((tmp_path / "report.json").read_text())["examples"] == 500
    np.savez(tmp_path / "bad.npz", logits=[np.nan], targets=[1])
    code, out, _ = run("evaluate", tmp_path / "bad.npz", "--json", tmp_path / "bad.json")
    assert (code, out) == (3, "")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.npz", "binary.npz", "report.json"]


def test_a_progress_bar_appears_on_a_terminal_alone(binary):
    command = [sys.executable, "-m", "focalcore.cli", "evaluate", str(binary[0]), "--json", "-"]
    quiet = subprocess.run(command, capture_output=True, text=True, check=True)
    assert quiet.stderr == ""
    ours, theirs = pty.openpty()
    shown = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, check=True)
    os.close(theirs)
    assert b"500" in os.read(ours, 65_536)
    assert json.loads(shown.stdout) == json.loads(quiet.stdout)


USAGE = {
    "no command": ([], "COMMAND"),
    "unknown command": (["score"], "score"),
    "nothing to read": (["evaluate"], "give PREDICTIONS"),
    "no targets": (["evaluate", "--logits", "a.npy"], "--targets"),
    "no such file": (["evaluate", "missing.npz"], "no such file: missing.npz"),
    "unknown kind": (["evaluate", "a.txt"], r"a.txt"),
    "not npy": (["evaluate", "--logits", "a.csv", "--targets", "b.npy"], "a.csv"),
    "two kinds of scores": (["evaluate", "--logits", "a", "--probs", "b"], "not allowed"),
    "gamma negative": (["evaluate", "a.npz", "--gamma", "-1"], "-1"),
    "gamma nan": (["evaluate", "a.npz", "--gamma", "nan"], "nan"),
    "gamma text": (["evaluate", "a.npz", "--gamma", "two"], "two"),
    "alpha negative": (["evaluate", "a.npz", "--alpha", "-1"], "-1"),
    "task": (["evaluate", "a.npz", "--task", "ternary"], "ternary"),
    "chunk rows": (["evaluate", "a.npz", "--chunk-rows", "0"], "0"),
    "json to nowhere": (
        ["evaluate", EXAMPLES / "digits-binary.npz", "--json", "no/such/folder/a.json"],
        "no/such/folder",
    ),
    "json to a folder": (
        ["evaluate", EXAMPLES / "digits-binary.npz", "--json", EXAMPLES],
        "--json",
    ),
    "alpha above one": (["evaluate", EXAMPLES / "digits-binary.npz", "--alpha", "1.5"], "1.5"),
    "alpha for each of two": (
        ["evaluate", EXAMPLES / "digits-binary.npz", "--alpha", "0.75,0.25"],
        "one number, as --alpha 0.25; found 0.75,0.25",
    ),
    "alpha length": (["evaluate", EXAMPLES / "digits-multiclass.npz", "--alpha", "1,2"], "10"),
}


@pytest.mark.parametrize("case", USAGE)
def test_wrong_usage_is_two(run, case):
    arguments, words = USAGE[case]
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert words in err


def arrays(**values):
    return lambda file: np.savez(file, **values)


def text(content):
    return lambda file: file.write_text(content)


def broken_zip(change):
    def write(file):
        np.savez_compressed(file, logits=np.arange(1000.0), targets=np.ones(1000))
        file.write_bytes(change(file.read_bytes()))

    return write


def flipped(data):
    """One byte within the first member, whose checksum then tells."""
    return data[:300] + bytes([data[300] ^ 255]) + data[301:]


def neighbours(file):
    """An array that says it is longer than it is; what lies behind it is another's."""
    np.savez(file, logits=np.ones(4), targets=np.ones(8))
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["logits.npy"] = members["logits.npy"].replace(b"(4,)", b"(8,)")
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def of_bytes(data):
    return lambda file: file.write_bytes(data)


def linked_to(target):
    return lambda file: file.symlink_to(target)


HEAD = b"logit,target\n1,0\n"
BAD = {
    "empty npz": ("a.npz", text(""), ["not a file of arrays"]),
    "text as npz": ("a.npz", text("hello"), ["not a file of arrays"]),
    "no scores": ("a.npz", arrays(targets=[1]), ["neither logits nor probs", "'targets'"]),
    "no targets": ("a.npz", arrays(logits=[1.0]), ["no array 'targets'", "'logits'"]),
    "both": ("a.npz", arrays(logits=[1.0], probs=[1.0], targets=[1]), ["both logits and probs"]),
    "no rows": ("a.npz", arrays(logits=np.zeros(0), targets=np.zeros(0)), ["no rows"]),
    "lengths": ("a.npz", arrays(logits=[1.0, 2.0], targets=[1]), ["2 rows", "1 of targets"]),
    "shapes": ("a.npz", arrays(logits=np.zeros((2, 3)), targets=np.zeros((2, 2))), ["(2, 2)"]),
    "strings": ("a.npz", arrays(logits=["a"], targets=[1]), ["logits", "dtype"]),
    "NaN": ("a.npz", arrays(logits=[1.0, np.nan], targets=[1, 0]), ["logits in row 1", "nan"]),
    "NaN target": ("a.npz", arrays(logits=[1.0, 2], targets=[1, np.nan]), ["row 1", "nan"]),
    "bad target": ("a.npz", arrays(logits=[1.0, 2], targets=[1, 2]), ["targets in row 1", "is 2"]),
    "bad class": (
        "a.npz",
        arrays(logits=np.zeros((2, 3)), targets=[0, 3]),
        ["targets in row 1", "is 3", "0 to 2", "--ignore-index"],
    ),
    "half class": ("a.npz", arrays(logits=np.zeros((1, 3)), targets=[0.5]), ["row 0", "0.5"]),
    "bad prob": ("a.npz", arrays(probs=[0.5, 1.5], targets=[1, 0]), ["row 1", "1.5", "[0, 1]"]),
    "bad weight": (
        "a.npz",
        arrays(logits=[1.0, 2], targets=[1, 0], weight=[1, -1]),
        ["weight in row 1", "-1"],
    ),
    "infinite weight": (
        "a.npz",
        arrays(logits=[1.0, 2], targets=[1, 0], weight=[1, np.inf]),
        ["weight in row 1", "inf", "finite and >= 0"],
    ),
    "weight of another length": (
        "a.npz",
        arrays(logits=[1.0, 2], targets=[1, 0], weight=[1, 1, 1]),
        ["2 rows of scores", "3 of weight", "--weight"],
    ),
    "weight of two columns": (
        "a.npz",
        arrays(logits=[1.0, 2], targets=[1, 0], weight=np.ones((2, 2))),
        ["weight of shape (2, 2)", "each row"],
    ),
    "no classes": (
        "a.npz",
        arrays(logits=np.zeros((3, 0)), targets=np.zeros(3, int)),
        ["(3, 0)", "no classes"],
    ),
    "header alone": ("a.csv", text("logit,target\n"), ["no rows"]),
    "missing column": ("a.csv", text("logit,truth\n1,0\n"), ["'target*'", "'truth'"]),
    "no scores in csv": ("a.csv", text("x,target\n1,0\n"), ["neither logit*", "'x'", "--probs"]),
    "two of a name": ("a.csv", text("logit,logit,target\n1,1,0\n"), ["two columns", "'logit'"]),
    "ragged": ("a.csv", text("logit,target\n1,0\n2\n"), ["line 3 has 1 fields", "header has 2"]),
    "nan in csv": ("a.csv", text("logit,target\n1,0\nnan,1\n"), ["line 3", "nothing"]),
    "not UTF-8 late": (
        "a.csv",
        of_bytes(HEAD + b"1,0\n" * 90_000 + b"\xff,1\n"),
        ["not text in utf-8"],
    ),
    "UTF-16": ("a.csv", of_bytes(HEAD.decode().encode("utf-16")), ["--encoding"]),
    "a number as Python writes it": ("a.csv", of_bytes(HEAD + b"1_0,1\n"), ["'1_0'"]),
    "NUL": ("a.csv", of_bytes(HEAD + b"1\0,1\n"), ["line 3"]),
    "lone quote": ("a.csv", of_bytes(HEAD + b'1,"1\n'), ["quotes"]),
    "lone quote in the header": ("a.csv", of_bytes(b'"logit,target\n1,0\n'), ["quotes"]),
    "line break in a name": ("a.csv", of_bytes(b'"lo\ngit",target\n1,0\n'), ["neither"]),
    "unreadable": ("a.csv", linked_to("/proc/self/mem"), ["can't be read"]),
    "unreadable npz": ("a.npz", linked_to("/proc/self/mem"), ["a.npz"]),
    "truncated npz": ("a.npz", broken_zip(lambda data: data[:-30]), ["not a file of arrays"]),
    "changed npz": ("a.npz", broken_zip(flipped), ["not a file of arrays"]),
    "objects": ("a.npz", lambda f: np.savez(f, logits=[{}, {}], targets=[1, 0]), ["object"]),
    "objects, compressed": (
        "a.npz",
        lambda f: np.savez_compressed(f, logits=[{}, {}], targets=[1, 0]),
        ["allow_pickle"],
    ),
    "neighbours' bytes": ("a.npz", neighbours, ["says it has"]),
    "binary as csv": ("a.csv", of_bytes(b"\xff\xfe\x00\x80"), ["not text in utf-8", "--encoding"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_is_three_with_file_place_and_value(refusal, tmp_path, case):
    name, write, words = BAD[case]
    write(tmp_path / name)
    err = refusal(3, tmp_path / name)
    for word in (str(tmp_path / name), *words):
        assert word in err


LATE = {"logits": np.nan, "probs": 1.5, "targets": 2, "weight": -1}


@pytest.mark.parametrize("what", LATE)
@pytest.mark.parametrize("rows", [1, 3, 4, 100])
def test_bad_rows_are_counted_over_all_chunks(refusal, tmp_path, what, rows):
    good = {"probs" if what == "probs" else "logits": 0.5, "targets": 1, "weight": 1}
    columns = {name: np.full(9, value, "float64") for name, value in good.items()}
    columns[what][7] = LATE[what]
    np.savez(tmp_path / "a.npz", **columns)
    err = refusal(3, tmp_path / "a.npz", "--chunk-rows", rows)
    assert f"{what} in row 7, counted from 0, is {LATE[what]}" in err


def test_task_that_does_not_fit_is_bad_data(refusal, binary):
    err = refusal(3, binary[0], "--task", "multi-class")
    assert "(500,)" in err
    assert "multi-class" in err


def test_interruption_leaves_nothing(run, binary, tmp_path, monkeypatch):
    def interrupted(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("focalcore.cli.evaluate.evaluate", interrupted)
    code, out, err = run("evaluate", binary[0], "--json", tmp_path / "report.json")
    assert (code, out, err) == (130, "", "")
    assert not (tmp_path / "report.json").exists()


def test_backends_are_listed_with_versions(run):
    code, out, _ = run("backends")
    assert code == 0
    rows = {line.split()[0]: line for line in out.splitlines()}
    names = {"numpy", "torch", "jax", "cupy", "dask", "tensorflow", "array_api_strict"}
    assert set(rows) == names | {"kernels", "cuda-core"}
    assert np.__version__ in rows["numpy"]
    assert "cpu" in rows["numpy"]


@pytest.mark.parametrize(
    ("way", "said"),
    [("on", "on"), ("turned off", "off: turned off"), ("absent", "pip install 'focalcore[fast]'")],
)
def test_the_way_of_kernels_is_told(run, monkeypatch, way, said):
    pytest.importorskip("llvmlite", reason="llvmlite is not installed")
    if way == "absent":
        monkeypatch.setattr(compiler, "_is_installed", lambda: False)
    with focalcore.use_compiler(way != "turned off"):
        _, out, _ = run("backends")
    (line,) = (line for line in out.splitlines() if line.startswith("kernels"))
    assert line.endswith(said)


@pytest.mark.parametrize("said", ["no driver\nand more of it", ""], ids=["a word", "no word"])
def test_a_driver_that_is_broken_is_told_beside_the_others(run, monkeypatch, said):
    pytest.importorskip("jax", reason="jax is not installed")

    def broken():
        raise RuntimeError(said)

    monkeypatch.setattr("jax.devices", broken)
    code, out, _ = run("backends")
    assert code == 0
    rows = {line.split()[0]: line for line in out.splitlines()}
    assert said.partition("\n")[0] in rows["jax"]
    assert rows["numpy"].endswith("cpu")


@pytest.mark.skipif(find_spec("cupy") is not None, reason="cupy is installed")
def test_a_folder_called_as_a_library_hides_none_of_the_others(run, tmp_path, monkeypatch):
    (tmp_path / "cupy").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    code, out, _ = run("backends")
    assert code == 0
    assert {"numpy", "cupy", "torch"} <= {line.split()[0] for line in out.splitlines()}


ALPHAS = {  # scores, targets, alpha, and the weights that the losses have at a gamma of 0
    "binary": ([0.5, 0.5], [1, 0], "0.25", [0.25, 0.75]),
    "multi-class": ([[0.5, 0.5]] * 2, [1, 0], "3,7", [7, 3]),
    "multi-label": ([[0.5, 0.5]] * 2, [[1, 1], [0, 1]], "0.25,0.75", [[0.25, 0.75], [0.75, 0.75]]),
    "multi-label, one": ([[0.5, 0.5]] * 2, [[1, 1], [0, 1]], "0.25", [[0.25, 0.25], [0.75, 0.25]]),
}


@pytest.mark.parametrize("case", ALPHAS)
@pytest.mark.parametrize("scores", ["probs", "logits"])
def test_alpha_balances_every_task(report, tmp_path, case, scores):
    probs, targets, alpha, weights = ALPHAS[case]
    given = np.asarray(probs) if scores == "probs" else np.zeros(np.shape(probs))
    np.savez(tmp_path / "a.npz", **{scores: given}, targets=targets)
    found = report(tmp_path / "a.npz", "--alpha", alpha, "--gamma", 0)
    assert found["losses"][0]["focal_loss"] == approx(np.mean(weights) * np.log(2))
    assert found["cross_entropy"] == approx(np.log(2))


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_what_a_shell_completes_by_is_printed(run, shell):
    pytest.importorskip("shtab", reason="shtab is not installed")
    code, out, err = run("--print-completion", shell)
    assert (code, err) == (0, "")
    for option in ("--per-example", "--ignore-index", "--fail-above"):
        assert option in out


def test_without_rich_the_table_says_what_to_install(run, binary, monkeypatch):
    for name in ("rich", "rich.console", "rich.table", "focalcore.evaluation.renderings.terminal"):
        monkeypatch.setitem(sys.modules, name, None)
    code, out, err = run("evaluate", binary[0])
    assert (code, out) == (2, "")
    assert "focalcore[cli]" in err
    code, out, err = run("evaluate", binary[0], "--json", "-")
    assert (code, err) == (0, "")


def kinds_of_file(folder, **values):
    """The same values as arrays and as columns."""
    np.savez(
        folder / "a.npz",
        **{f"{k}s" if k in ("prob", "target") else k: v for k, v in values.items()},
    )
    (folder / "a.csv").write_text(table_of(*values, rows=zip(*values.values(), strict=True)))
    return {"npz": folder / "a.npz", "csv": folder / "a.csv"}


@pytest.mark.parametrize("kind", ["npz", "csv"])
@pytest.mark.parametrize("name", ["weight", "sample_weight"])
def test_weights_are_known_by_both_usual_names(report, tmp_path, kind, name):
    files = kinds_of_file(tmp_path, prob=[0.5, 0.9], target=[1, 0], **{name: [3, 1]})
    found = report(files[kind])
    assert found["weighted"]
    assert found["cross_entropy"] == approx(np.average(-np.log([0.5, 0.1]), weights=[3, 1]))


@pytest.mark.parametrize("kind", ["npz", "csv"])
def test_two_usual_weights_ask_for_one(refusal, report, tmp_path, kind):
    files = kinds_of_file(
        tmp_path, prob=[0.5, 0.9], target=[1, 0], weight=[1, 0], sample_weight=[0, 1]
    )
    assert "--weight" in refusal(3, files[kind])
    found = report(files[kind], "--weight", "sample_weight")
    assert found["cross_entropy"] == approx(-np.log(0.1))


@pytest.mark.parametrize("kind", ["npz", "csv"])
@pytest.mark.parametrize(
    ("weight", "ignored", "words"),
    [
        ([0, 0], [], ["add up to 0", "--weight"]),
        ([1, 0], ["--ignore-index", 1], ["add up to 0", "--weight"]),
        ([1e308, 1e308], [], ["add up to inf", "--weight"]),
        ([1, 1], ["--ignore-index", 1, "--chunk-rows", 1], None),
    ],
    ids=["all zero", "zero where not ignored", "infinite", "one counts"],
)
def test_weights_that_give_no_mean_are_bad_data(
    refusal, report, tmp_path, kind, weight, ignored, words
):
    files = kinds_of_file(tmp_path, prob=[0.5, 0.9], target=[1, 0], weight=weight)
    if words is None:
        assert report(files[kind], *ignored)["cross_entropy"] == approx(-np.log(0.1))
        return
    err = refusal(3, files[kind], *ignored)
    for word in words:
        assert word in err


@pytest.mark.parametrize("kind", ["npz", "csv"])
def test_nothing_but_ignored_targets_is_bad_data(refusal, tmp_path, kind):
    files = kinds_of_file(tmp_path, prob=[0.5, 0.9], target=[7, 7])
    err = refusal(3, files[kind], "--ignore-index", 7)
    assert "--ignore-index" in err
    assert "7" in err


@pytest.mark.parametrize("n", [2, 3, 10])
@pytest.mark.parametrize("scores", ["logits", "probs"])
def test_one_alpha_for_classes_that_exclude_each_other_is_wrong_usage(
    refusal, report, tmp_path, n, scores
):
    np.savez(tmp_path / "a.npz", **{scores: np.full((2, n), 1 / n)}, targets=[0, 1])
    err = refusal(2, tmp_path / "a.npz", "--alpha", "0.25")
    assert "--alpha a,b" in err
    assert "0.25" in err
    assert ("0.75,0.25" in err and f"--{scores}" in err) == (n == 2)
    each = ",".join(["0.75", "0.25", *["1"] * (n - 2)])
    found = report(tmp_path / "a.npz", "--alpha", each, "--gamma", 0)
    assert found["losses"][0]["focal_loss"] == approx(np.log(n) * (0.75 + 0.25) / 2)


OF_NPY = {
    "no array": lambda _: b"not an array",
    "truncated": lambda data: data[:-10],
    "another version": lambda data: data[:6] + b"\x09" + data[7:],
    "another shape": lambda data: data.replace(b"(4,)", b"(9,)"),
    "objects": lambda data: data.replace(b"<f8", b"|O8"),
}


@pytest.mark.parametrize("change", OF_NPY.values(), ids=OF_NPY)
def test_broken_npy_files_are_bad_data(refusal, tmp_path, change):
    for name in "xy":
        np.save(tmp_path / f"{name}.npy", np.ones(4))
    data = (tmp_path / "x.npy").read_bytes()
    (tmp_path / "x.npy").write_bytes(change(data))
    assert "x.npy" in refusal(3, "--logits", tmp_path / "x.npy", "--targets", tmp_path / "y.npy")


def test_what_is_not_used_may_be_anything(report, tmp_path):
    np.savez(tmp_path / "a.npz", probs=[0.5], targets=[1], notes=np.asarray([{}]))
    assert report(tmp_path / "a.npz")["taken"]["unused"] == ["notes"]


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfprob,target\r\n0.25,1\r\n",
        b"prob,target\r0.25,1\r",
        b"prob , target\n\n0.25,1",
    ],
    ids=["BOM and Windows", "old Mac", "spaces and no last line end"],
)
def test_tables_of_other_systems_are_read(report, tmp_path, data):
    (tmp_path / "a.csv").write_bytes(data)
    assert report(tmp_path / "a.csv")["cross_entropy"] == approx(-np.log(0.25))


def test_a_file_that_vanishes_is_bad_data(refusal, csv_file, monkeypatch):
    file = csv_file("prob", "target", rows=[[0.5, 1]])
    told = "focalcore.evaluation.predictions.task_of"
    monkeypatch.setattr(told, lambda *_: (file.unlink(), "binary")[1])
    assert "can't be read (No such file" in refusal(3, file)


USAGE_OF_EXAMPLE = {
    "gamma 1e400": (["--gamma", "1e400"], "1e400"),
    "gamma near the end of float64": (["--gamma", "1e308"], "1e308"),
    "chunk rows not decimal": (["--chunk-rows", "²"], "²"),
    "ignore beyond int64": (["--ignore-index", 2**63], str(2**63)),
    "ignore of many digits": (["--ignore-index", "9" * 5000], "5000 characters"),
    "empty among names": (["--probs", "a,,b"], "a,,b"),
    "empty name": (["--probs", ""], "''"),
    "half an alpha": (["--alpha", "0.25,"], "''"),
    "json in no folder": (["--json", "/proc/a.json"], "/proc/a.json"),
    "json of a long name": (["--json", "a" * 300], "aaa"),
    "json in a long name": (["--json", f"{'a' * 300}/b"], "aaa"),
}


@pytest.mark.parametrize("case", USAGE_OF_EXAMPLE)
def test_values_that_cannot_be_are_wrong_usage(refusal, case):
    arguments, word = USAGE_OF_EXAMPLE[case]
    assert word in refusal(2, EXAMPLES / "digits-binary.csv", *arguments)


def test_a_report_does_not_replace_the_predictions(refusal, csv_file):
    file = csv_file("prob", "target", rows=[[0.5, 1]])
    before = file.read_text()
    assert "replace" in refusal(2, file, "--json", file)
    assert file.read_text() == before


def test_a_report_does_not_replace_what_a_link_to_predictions_leads_to(refusal, csv_file, tmp_path):
    file = csv_file("prob", "target", rows=[[0.5, 1]])
    before = file.read_text()
    (tmp_path / "link.csv").symlink_to(file)
    assert "replace" in refusal(2, tmp_path / "link.csv", "--json", file)
    assert "replace" in refusal(2, file, "--json", tmp_path / "link.csv")
    assert file.read_text() == before


@pytest.mark.parametrize("suffix", [".npz", ".csv"])
def test_a_folder_is_no_file(refusal, tmp_path, suffix):
    (tmp_path / f"a{suffix}").mkdir()
    assert "is a folder" in refusal(2, tmp_path / f"a{suffix}")


def test_a_name_too_long_is_no_file(refusal):
    assert "no such file" in refusal(2, "a" * 300 + ".csv")


def test_more_rows_at_a_time_than_there_can_be_is_all(report, binary):
    for file in (binary[0], EXAMPLES / "digits-binary.csv"):
        assert report(file, "--chunk-rows", 10**30) == report(file)


def program(*arguments, **options):
    command = [sys.executable, "-m", "focalcore.cli", *map(str, arguments)]
    # what is not buffered can't be written once more at the end
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **{"env": usual} | options)


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [["evaluate", EXAMPLES / "digits-binary.npz"], ["evaluate", "--help"], ["backends"]],
    ids=["table", "help", "backends"],
)
def test_a_reader_may_stop_reading(arguments):
    read, write = os.pipe()
    os.close(read)
    with program(*arguments, stdout=write) as running:
        os.close(write)
        assert running.communicate()[1] == ""
    assert running.returncode == 0


@pytest.mark.parametrize("json_too", [[], ["--json", "-"]], ids=["table", "json"])
def test_a_full_disk_under_stdout_is_told(json_too):
    arguments = ("evaluate", EXAMPLES / "digits-binary.npz", *json_too)
    with open("/dev/full", "w") as full, program(*arguments, stdout=full) as running:
        err = running.communicate()[1]
    assert (running.returncode, err.count("\n")) == (2, 1)
    assert "can't write to stdout" in err


def test_a_pipe_stays_a_pipe(run, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    code, _, _ = run("evaluate", EXAMPLES / "digits-binary.npz", "--json", tmp_path / "pipe")
    assert code == 0
    assert (tmp_path / "pipe").is_fifo()
    assert json.loads(os.read(reader, 65_536))["examples"] == 899
    os.close(reader)


def test_a_link_stays_a_link(run, tmp_path):
    (tmp_path / "link.json").symlink_to(tmp_path / "report.json")
    run("evaluate", EXAMPLES / "digits-binary.npz", "--json", tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "report.json").read_text())["examples"] == 899


def test_a_full_disk_under_a_report_is_told(refusal, tmp_path):
    # through a link, so that whoever replaces files replaces no device
    (tmp_path / "full").symlink_to("/dev/full")
    err = refusal(2, EXAMPLES / "digits-binary.npz", "--json", tmp_path / "full")
    assert "can't be written (No space left" in err


@pytest.mark.parametrize("json_too", [[], ["--json", "-"]], ids=["table", "json"])
def test_any_encoding_of_a_terminal_will_do(tmp_path, json_too):
    name = os.fsdecode(b"\xff.csv")
    (tmp_path / name).write_text("prob_ä,prob_ö,target\n0.5,0.5,1\n", encoding="utf-8")
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    arguments = ("evaluate", tmp_path / name, *json_too)
    with program(*arguments, stdout=subprocess.PIPE, env=environment) as running:
        out, err = running.communicate()
    assert (running.returncode, err) == (0, "")
    if json_too:
        assert json.loads(out)["taken"]["scores"] == ["prob_ä", "prob_ö"]


def test_what_the_encoding_of_a_terminal_lacks_is_escaped(csv_file):
    file = csv_file("prob", "target_ä", rows=[[0.5, 1]])
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    with program("evaluate", file, stdout=subprocess.PIPE, env=environment) as running:
        out, _ = running.communicate()
    assert "target_\\xe4" in out
