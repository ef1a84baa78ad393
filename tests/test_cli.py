"""The command line: what it prints, what it writes, and what it refuses."""

import json
import os
import pathlib
import pty
import subprocess
import sys

import numpy as np
import pytest

from focalcore import (
    binary_focal_loss,
    sigmoid_focal_loss,
    softmax_focal_loss,
    sparse_categorical_focal_loss,
)
from focalcore.cli import main

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"


@pytest.fixture
def run(capsys):
    def run(*arguments):
        try:
            code = main([str(a) for a in arguments])
        except SystemExit as stop:
            code = stop.code
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def report(run):
    def report(*arguments):
        code, out, err = run("evaluate", *arguments, "--json", "-")
        assert (code, err) == (0, "")
        return json.loads(out)

    return report


@pytest.fixture
def binary(tmp_path, rng):
    x, y = rng.normal(size=500), rng.integers(0, 2, 500)
    np.savez(tmp_path / "binary.npz", logits=x, targets=y)
    return tmp_path / "binary.npz", x, y


def approx(value):
    return pytest.approx(float(value), rel=1e-12)


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
    x, y = rng.normal(size=(40, 3)).astype("float32"), rng.integers(0, 3, 40).astype("int16")
    np.savez(tmp_path / "stored.npz", logits=x, targets=y)
    np.savez_compressed(tmp_path / "compressed.npz", logits=x, targets=y)
    np.savez(tmp_path / "fortran.npz", logits=np.asfortranarray(x), targets=y)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    table = np.column_stack([x, y])
    header = "logit_a,logit_b,logit_c,target"
    np.savetxt(tmp_path / "a.csv", table, delimiter=",", header=header, comments="", fmt="%.17g")
    pair = ("--logits", tmp_path / "x.npy", "--targets", tmp_path / "y.npy")
    expected = softmax_focal_loss(x.astype("float64"), y).mean()
    for arguments in (
        [tmp_path / "stored.npz"],
        [tmp_path / "compressed.npz"],
        [tmp_path / "fortran.npz"],
        [tmp_path / "a.csv"],
        [tmp_path / "a.csv", "--logits", "logit_a, logit_b,logit_c", "--targets", "target"],
        pair,
    ):
        assert report(*arguments)["losses"][0]["focal_loss"] == approx(expected)
    assert [c["name"] for c in report(tmp_path / "a.csv")["losses"][0]["classes"]] == [
        "logit_a",
        "logit_b",
        "logit_c",
    ]


def test_stored_arrays_are_mapped_and_not_loaded(binary):
    from focalcore.evaluation import Names, open_predictions

    predictions = open_predictions(binary[0], Names())
    assert isinstance(predictions.source.scores, np.memmap)
    assert isinstance(predictions.source.targets, np.memmap)


def test_infinite_logits_are_scored_and_stay_valid_json(report, tmp_path):
    np.savez(tmp_path / "a.npz", logits=[np.inf, -np.inf, 1.0], targets=[1, 1, 0])
    found = report(tmp_path / "a.npz", "--gamma", "2")
    assert found["losses"][0]["focal_loss"] == "inf"
    assert found["losses"][0]["modulating_factor"] == approx(
        (0 + 1 + (1 / (1 + np.exp(-1))) ** 2) / 3
    )


def test_sums_are_in_float64(report, tmp_path):
    x = np.full(300_000, 0.1, dtype="float32")
    np.savez(tmp_path / "a.npz", logits=x, targets=np.ones(300_000, dtype="int8"))
    expected = sigmoid_focal_loss(float(np.float32(0.1)), 1)
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


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("digits-binary.csv", "binary"),
        ("digits-binary.npz", "binary"),
        ("digits-multilabel.npz", "multi-label"),
        ("digits-multiclass.npz", "multi-class"),
    ],
)
def test_shipped_predictions_are_told_apart_and_good(report, name, task):
    found = report(EXAMPLES / name)
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
    "empty csv": ("a.csv", text(""), ["empty"]),
    "header alone": ("a.csv", text("logit,target\n"), ["no rows"]),
    "missing column": ("a.csv", text("logit,label\n1,0\n"), ["'target*'", "'label'"]),
    "no scores in csv": ("a.csv", text("x,target\n1,0\n"), ["neither logit*", "'x'"]),
    "two of a name": ("a.csv", text("logit,logit,target\n1,1,0\n"), ["two columns", "'logit'"]),
    "ragged": ("a.csv", text("logit,target\n1,0\n2\n"), ["line 3", "1 fields", "2"]),
    "text": ("a.csv", text("logit,target\n1,0\nhigh,1\n"), ["line 3", "'logit'", "'high'"]),
    "empty field": ("a.csv", text("logit,target\n1,0\n,1\n"), ["line 3", "''"]),
    "nan in csv": ("a.csv", text("logit,target\n1,0\nnan,1\n"), ["row 1", "nan"]),
    "binary as csv": ("a.csv", lambda f: f.write_bytes(b"\xff\xfe\x00\x80"), ["not a text file"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_is_three_with_file_place_and_value(run, tmp_path, case):
    name, write, words = BAD[case]
    write(tmp_path / name)
    code, out, err = run("evaluate", tmp_path / name)
    assert (code, out) == (3, "")
    assert err.count("\n") == 1
    assert str(tmp_path / name) in err
    for word in words:
        assert word in err


@pytest.mark.parametrize("broken", ["text", "truncated"])
def test_bad_npy_is_bad_data(run, tmp_path, broken):
    np.save(tmp_path / "x.npy", np.ones(1000))
    whole = (tmp_path / "x.npy").read_bytes()
    (tmp_path / "x.npy").write_bytes(b"not an array" if broken == "text" else whole[:500])
    np.save(tmp_path / "y.npy", np.ones(1000))
    code, _, err = run("evaluate", "--logits", tmp_path / "x.npy", "--targets", tmp_path / "y.npy")
    assert code == 3
    assert "x.npy" in err


def test_task_that_does_not_fit_is_bad_data(run, binary):
    code, _, err = run("evaluate", binary[0], "--task", "multi-class")
    assert code == 3
    assert "(500,)" in err
    assert "multi-class" in err


def test_interruption_leaves_nothing(run, binary, tmp_path, monkeypatch):
    def interrupted(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("focalcore.cli.evaluate", interrupted)
    code, out, err = run("evaluate", binary[0], "--json", tmp_path / "report.json")
    assert (code, out, err) == (130, "", "")
    assert not (tmp_path / "report.json").exists()


def test_backends_are_listed_with_versions(run):
    code, out, _ = run("backends")
    assert code == 0
    rows = {line.split()[0]: line for line in out.splitlines()}
    names = {"numpy", "torch", "jax", "cupy", "dask", "tensorflow", "array_api_strict"}
    assert set(rows) == names
    assert np.__version__ in rows["numpy"]
    assert "cpu" in rows["numpy"]


def test_without_rich_the_table_says_what_to_install(run, binary, monkeypatch):
    for name in ("rich", "rich.console", "rich.table", "focalcore.evaluation.table"):
        monkeypatch.setitem(sys.modules, name, None)
    code, out, err = run("evaluate", binary[0])
    assert (code, out) == (2, "")
    assert "focalcore[cli]" in err
    code, out, err = run("evaluate", binary[0], "--json", "-")
    assert (code, err) == (0, "")
