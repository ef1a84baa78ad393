"""Columns and arrays: which are taken for what, and in which order of the classes."""

import numpy as np
import pytest

from .helpers import approx, table_of

ELEVEN = [0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.45]
ORDERS = {
    "plain": "prob_{}",
    "without a line": "prob{}",
    "behind a word": "prob_class_{}",
    "zero-padded": "prob_{:02}",
}


@pytest.mark.parametrize("case", ORDERS)
@pytest.mark.parametrize("first", [0, 1])
def test_trailing_numbers_decide_the_order_of_classes(report, csv_file, case, first):
    names = [ORDERS[case].format(c + first) for c in range(11)]
    by_text = [0, 1, 10, *range(2, 10)]
    file = csv_file(
        *(names[c] for c in by_text), "target", rows=[[*(ELEVEN[c] for c in by_text), 2]]
    )
    said = [] if first == 0 else ["--class-names", ",".join("abcdefghijk")]
    found = report(file, *said)
    assert found["cross_entropy"] == approx(-np.log(0.03))
    assert found["taken"]["scores"] == names
    classes = [str(c) for c in range(11)] if case != "behind a word" else [n[5:] for n in names]
    if first == 1:
        classes = list("abcdefghijk")
    assert [c["name"] for c in found["losses"][0]["classes"]] == classes


def test_columns_that_are_numbered_as_no_labels_are_refused(refusal, csv_file):
    """Labels are numbered from 0: 1 may be the first class or the second."""
    file = csv_file("prob_1", "prob_2", "prob_3", "target", rows=[[0.2, 0.3, 0.5, 1]])
    err = refusal(3, file)
    assert "numbered from 1" in err
    assert "--class-names" in err


@pytest.mark.parametrize(
    ("header", "arguments", "classes"),
    [
        (["prob_b", "prob_a"], [], ["prob_b", "prob_a"]),
        (["p_1", "p_0"], ["--probs", "p_*"], ["p_0", "p_1"]),
        (["1_p", "0_p"], ["--probs", "*_p"], ["0_p", "1_p"]),
        (["p_1", "p_0"], ["--probs", "p_1,p_0"], ["p_1", "p_0"]),
        (["prob_7", "prob_3"], ["--probs", "prob_7,prob_3"], ["prob_7", "prob_3"]),
        (["p[1]", "p[0]"], ["--probs", "p[0],p[1]"], ["p[0]", "p[1]"]),
    ],
    ids=["names", "pattern", "pattern in front", "list", "list with gaps", "brackets"],
)
def test_columns_are_classes_in_an_order_that_is_known(
    report, csv_file, header, arguments, classes
):
    values = {classes[0]: 0.25, classes[1]: 0.75}
    file = csv_file(*header, "target", rows=[[*(values[name] for name in header), 1]])
    found = report(file, *arguments)
    assert found["taken"]["scores"] == classes
    assert found["cross_entropy"] == approx(-np.log(0.75))


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (["prob_0", "prob_2"], ["prob_0", "prob_2"]),
        (["prob_2", "prob_3"], ["from 0 or 1"]),
        (["prob_1", "prob_01"], ["prob_01"]),
        (["prob_0", "prob0"], ["each number once"]),
        (["prob_0", "prob_1", "prob_std"], ["prob_std", "some of the columns"]),
    ],
    ids=["gap", "from two", "twice, padded", "twice", "some without"],
)
def test_numbers_that_are_no_order_ask_for_one(refusal, csv_file, header, words):
    err = refusal(3, csv_file(*header, "target", rows=[[0.5] * len(header) + [0]]))
    for word in [*words, "--probs a,b,c", "order of the classes"]:
        assert word in err


def test_the_number_at_an_end_is_whole_whatever_of_it_a_pattern_names(refusal, csv_file):
    file = csv_file("p10", "p20", "target", rows=[[0.5, 0.5, 0]])
    for pattern in ("p*0", "p?0"):
        assert "each number once, from 0 or 1" in refusal(3, file, "--probs", pattern)


PAIRS = {
    "names": (["prob_cat", "prob_dog", "target_dog", "target_cat"], []),
    "numbers": (["prob_1", "prob_2", "target2", "target1"], []),
    "padded numbers": (["prob_01", "prob_02", "target_2", "target_1"], []),
    "numbers behind a word": (["prob_class_0", "prob_class_1", "target_1", "target_0"], []),
    "patterns": (["p_a", "p_b", "y_b", "y_a"], ["--probs", "p_*", "--targets", "y_*"]),
    "patterns in front": (["a.p", "b.p", "b.y", "a.y"], ["--probs", "*.p", "--targets", "*.y"]),
    "one listed": (
        ["prob_a", "prob_b", "target_b", "target_a"],
        ["--targets", "target_b,target_a"],
    ),
    "both listed": (["a", "b", "d", "c"], ["--probs", "a,b", "--targets", "c,d"]),
}


@pytest.mark.parametrize("case", PAIRS)
def test_targets_are_paired_with_scores_by_their_endings(report, csv_file, case):
    header, arguments = PAIRS[case]
    # the first class is at 0.9 and present, the second at 0.2 and absent; in row 1 both are present
    file = csv_file(*header, rows=[[0.9, 0.2, 0, 1], [0.9, 0.2, 1, 1]])
    found = report(file, *arguments)
    losses = [-np.log([0.9, 0.8]), -np.log([0.9, 0.2])]
    assert found["task"] == "multi-label"
    assert found["cross_entropy"] == approx(np.mean(losses))


@pytest.mark.parametrize(
    "header",
    [
        ["prob_cat", "prob_dog", "target_cat", "target_cow"],
        ["prob_0", "prob_1", "target_1", "target_2"],
        ["prob_cat1", "prob_dog2", "target_dog1", "target_cat2"],
    ],
    ids=["names", "numbers", "numbers of other names"],
)
def test_endings_that_differ_ask_for_lists(refusal, csv_file, header):
    err = refusal(3, csv_file(*header, rows=[[0.5, 0.5, 1, 1]]))
    for word in (*map(repr, header), "--probs a,b,c --targets d,e,f"):
        assert word in err


def test_one_list_beside_other_names_asks_for_the_other(refusal, csv_file):
    file = csv_file("a", "b", "target_0", "target_1", rows=[[0.5, 0.5, 1, 1]])
    assert "--targets" in refusal(3, file, "--probs", "a,b")


TAKEN = {
    "an identifier": ("problem_id,prob,target", ["prob"], ["problem_id"]),
    "a spread": ("prob,prob_std,target", ["prob"], ["prob_std"]),
    "another word": ("logitude,logit,target", ["logit"], ["logitude"]),
    "a target beside": ("target_name,prob,target", ["prob"], ["target_name"]),
    "an index without a name": (",prob,target", ["prob"], [""]),
    "an array's plural": ("prob,targets,target", ["prob"], ["targets"]),
}


@pytest.mark.parametrize("case", TAKEN)
def test_no_other_words_are_taken_for_scores_and_targets(report, tmp_path, case):
    header, scores, unused = TAKEN[case]
    names = header.split(",")
    row = [{"prob": 0.2, "logit": np.log(0.25), "target": 1}.get(name, 0.7) for name in names]
    (tmp_path / "a.csv").write_text(table_of(*names, rows=[row]))
    found = report(tmp_path / "a.csv")
    assert found["taken"] == {
        "scores": scores,
        "targets": ["target"],
        "weight": None,
        "unused": unused,
    }
    assert found["cross_entropy"] == approx(-np.log(0.2))


def test_the_report_of_arrays_says_what_was_taken(report, tmp_path):
    np.savez(tmp_path / "a.npz", probs=[0.5], targets=[1], ids=[7], sample_weight=[2])
    assert report(tmp_path / "a.npz")["taken"] == {
        "scores": ["probs"],
        "targets": ["targets"],
        "weight": "sample_weight",
        "unused": ["ids"],
    }


def test_the_table_says_what_is_balanced_and_counted(run, tmp_path, rng):
    np.savez(tmp_path / "a.npz", logits=rng.normal(size=(9, 2)), targets=rng.random((9, 2)) < 0.5)
    _, out, _ = run("evaluate", tmp_path / "a.npz", "--alpha", "0.25,0.5")
    lines = [line.split() for line in out.splitlines()]
    assert ["alpha", "(0.25,", "0.5)"] in lines
    assert ["class", "positives", "mean,", "gamma", "2", "share"] in lines


def test_the_table_says_which_column_is_which(run, csv_file, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    file = csv_file("id", "prob_2", "prob_1", "target", "sample_weight", rows=[[7, 0.2, 0.8, 1, 2]])
    code, out, _ = run("evaluate", file, "--class-names", "no,yes")
    assert code == 0
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.strip()}
    assert rows["scores"] == ["prob_1,", "prob_2"]
    assert rows["targets"] == ["target"]
    assert rows["weight"][0] == "sample_weight:"
    assert rows["unused"] == ["id"]
    assert rows["1:"][0] == "yes"


def test_the_positives_column_alone_takes_one_alpha(report, csv_file):
    file = csv_file("prob_0", "prob_1", "target", rows=[[0.4, 0.6, 1], [0.7, 0.3, 0]])
    both = report(file, "--alpha", "0.75,0.25")
    alone = report(file, "--probs", "prob_1", "--alpha", "0.25")
    assert alone["task"] == "binary"
    assert alone["losses"][0]["focal_loss"] == approx(both["losses"][0]["focal_loss"])


def test_a_column_is_taken_once(refusal, csv_file):
    file = csv_file("a", "b", "target", rows=[[0.5, 0.5, 1]])
    assert "'a' is taken 2 times" in refusal(3, file, "--probs", "a,a")
    assert "'target' is taken 2 times" in refusal(3, file, "--probs", "target,b", "--targets", "t*")


def test_messages_stay_short(refusal, csv_file):
    names = [f"column{i}" for i in range(1000)]
    err = refusal(3, csv_file(*names, rows=[[0] * 1000]))
    assert "and 980 more" in err
    assert len(err) < 1000
