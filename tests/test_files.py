"""Files of kinds that people have: each is scored right, or refused in one line."""

import gzip
import io
import json
import sys
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from ml_dtypes import bfloat16

NAMES = ["ant", "bee", "cow"]
DRAW = np.random.default_rng(18)
X, Y = DRAW.normal(size=40).round(3), DRAW.integers(0, 2, 40)
P = (1 / (1 + np.exp(-X))).round(4)
ROWS, LABELS = DRAW.normal(size=(60, 3)).round(3), DRAW.integers(0, 3, 60)
SOFTMAX = np.exp(ROWS) / np.exp(ROWS).sum(axis=1, keepdims=True)
WEIGHT = DRAW.random(40).round(3)
MANY = DRAW.integers(0, 2, (60, 3))


def of_rows(rows, labels):
    """The mean cross-entropy of logits of classes that exclude each other, by its definition."""
    log_sum = np.log(np.exp(rows).sum(axis=-1))
    return np.mean(log_sum - np.take_along_axis(rows, labels[..., None], axis=-1)[..., 0])


def of_logits(x, y, weight=None):
    return np.average(np.log1p(np.exp(np.where(y, -x, x))), weights=weight)


BINARY, MULTI_CLASS = of_logits(X, Y), of_rows(ROWS, LABELS)
BY_PROBS = np.mean(-np.log(np.where(Y, P, 1 - P)))


def text_of(columns, sep=",", decimal=".", quote=False):
    """A table as text."""
    lines = [list(columns), *([str(v) for v in row] for row in zip(*columns.values(), strict=True))]
    if decimal != ".":
        lines = [[cell.replace(".", decimal) for cell in line] for line in lines]
    if quote:
        lines = [[f'"{cell}"' for cell in line] for line in lines]
    return "\n".join(sep.join(line) for line in lines) + "\n"


def table(*files, **options):
    """A writer of a text file of columns."""
    encoding, columns = options.pop("encoding", "utf-8"), options.pop("columns")
    packed = options.pop("packed", bytes)
    data = packed(text_of(columns, **options).encode(encoding))
    return lambda folder: [_written(folder / name, data) for name in files]


def _written(path, data):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def saved(name, save):
    """A writer of one file by a function that is given its path."""

    def write(folder):
        save(folder / name)
        return [folder / name]

    return write


def safetensors(path, **arrays):
    """The format as its specification has it: a length, a header, the bytes."""
    header, data = {}, b""
    kinds = {"float32": "F32", "float64": "F64", "int64": "I64", "bfloat16": "BF16", "bool": "BOOL"}
    for name, array in arrays.items():
        ends = [len(data), len(data) + array.nbytes]
        kind = kinds[array.dtype.name]
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": ends}
        data += array.tobytes()
    head = json.dumps({"__metadata__": {"made": "here"}, **header}).encode()
    path.write_bytes(len(head).to_bytes(8, "little") + head + data)


def arrow(columns):
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def feather(path, columns):
    with pa.ipc.new_file(str(path), arrow(columns).schema) as writer:
        writer.write_table(arrow(columns), max_chunksize=7)


def stream(path, columns):
    with pa.ipc.new_stream(str(path), arrow(columns).schema) as writer:
        writer.write_table(arrow(columns))


def lines_of(columns):
    rows = zip(*columns.values(), strict=True)
    return "".join(json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in rows).encode()


def npy(**arrays):
    """A writer of arrays that options name."""

    def write(folder):
        arguments = []
        for option, array in arrays.items():
            np.save(folder / f"{option}.npy", array)
            arguments += [f"--{option}", folder / f"{option}.npy"]
        return arguments

    return write


def segmentation(fill):
    """Labels of an image, in which some pixels are void."""
    labels = LABELS[:56].reshape(2, 4, 7).copy()
    labels[:, 0] = fill
    return labels


PIXELS = ROWS[:56].reshape(2, 4, 7, 3)
KEPT = segmentation(255) != 255
PLAIN = {"logit": X.tolist(), "target": Y.tolist()}
OF_CLASSES = {f"logit_{name}": ROWS[:, i].tolist() for i, name in enumerate(NAMES)}
NAMED = {**OF_CLASSES, "label": [NAMES[c] for c in LABELS]}
PROBS = {f"prob_{name}": SOFTMAX[:, i].tolist() for i, name in enumerate(NAMES)}
LISTS = {"logits": ROWS.tolist(), "label": LABELS.tolist()}
HOLES = {"logit": [None, *X[1:].tolist()], "target": Y.tolist()}
ONES = np.eye(3, dtype=int)[LABELS]

# how a file is written, what is said of it, and the cross-entropy that is found
SCORED = {
    "csv": (table("a.csv", columns=PLAIN), [], BINARY),
    "csv, upper case": (table("A.CSV", columns=PLAIN), [], BINARY),
    "csv, all quoted": (table("a.csv", columns=PLAIN, quote=True), [], BINARY),
    "csv, gzipped": (table("a.csv.gz", columns=PLAIN, packed=gzip.compress), [], BINARY),
    "csv, gzipped, upper case": (
        table("A.CSV.GZ", columns=PLAIN, packed=gzip.compress),
        [],
        BINARY,
    ),
    "csv of Excel in Europe": (
        table("a.csv", columns=PLAIN, sep=";", decimal=",", encoding="utf-8-sig"),
        ["--sep", ";", "--decimal", ","],
        BINARY,
    ),
    "csv, UTF-16": (
        table("a.csv", columns=PLAIN, encoding="utf-16"),
        ["--encoding", "utf-16"],
        BINARY,
    ),
    "tsv": (table("a.tsv", columns=PLAIN, sep="\t"), [], BINARY),
    "y_true and y_pred": (
        table("a.csv", columns={"y_true": Y.tolist(), "y_pred": P.tolist()}),
        [],
        BY_PROBS,
    ),
    "label and score": (
        table("a.csv", columns={"id": range(40), "label": Y.tolist(), "score": P.tolist()}),
        [],
        BY_PROBS,
    ),
    "true and false": (
        table("a.csv", columns={"logit": X.tolist(), "label": [str(y > 0).lower() for y in Y]}),
        [],
        BINARY,
    ),
    "two names": (
        table("a.csv", columns={"logit": X.tolist(), "label": [["no", "yes"][y] for y in Y]}),
        ["--class-names", "no,yes"],
        BINARY,
    ),
    "names of columns": (table("a.csv", columns=NAMED), [], MULTI_CLASS),
    "names that are given": (
        table(
            "a.csv",
            columns={**{f"logit{c}": ROWS[:, c] for c in range(3)}, "label": NAMED["label"]},
        ),
        ["--class-names", "ant,bee,cow"],
        MULTI_CLASS,
    ),
    "probabilities by name": (
        table("a.csv", columns={**PROBS, "label": NAMED["label"]}),
        [],
        MULTI_CLASS,
    ),
    "one-hot columns": (
        table(
            "a.csv", columns={**PROBS, **{f"target_{n}": ONES[:, i] for i, n in enumerate(NAMES)}}
        ),
        [],
        MULTI_CLASS,
    ),
    "whole numbers first": (
        table("a.csv", columns={"logit": [1] * 40_000 + [0.5], "target": [1] * 40_001}),
        [],
        (40_000 * np.log1p(np.exp(-1)) + np.log1p(np.exp(-0.5))) / 40_001,
    ),
    "weights": (
        table("a.csv", columns={**PLAIN, "sample_weight": WEIGHT.tolist()}),
        [],
        of_logits(X, Y, WEIGHT),
    ),
    "missing cells": (
        table("a.csv", columns={**HOLES, "logit": ["", *X[1:]]}),
        ["--na", "ignore"],
        of_logits(X[1:], Y[1:]),
    ),
    "parquet": (
        saved("a.parquet", lambda path: pa.parquet.write_table(arrow(PLAIN), path)),
        [],
        BINARY,
    ),
    "parquet of lists": (
        saved("a.parquet", lambda path: pa.parquet.write_table(arrow(LISTS), path)),
        [],
        MULTI_CLASS,
    ),
    "parquet of categories": (
        saved(
            "a.parquet",
            lambda path: pa.parquet.write_table(
                arrow(OF_CLASSES).append_column(
                    "label", pa.array(NAMED["label"]).dictionary_encode()
                ),
                path,
            ),
        ),
        [],
        MULTI_CLASS,
    ),
    "parquet with nothing in places": (
        saved("a.parquet", lambda path: pa.parquet.write_table(arrow(HOLES), path)),
        ["--na", "ignore"],
        of_logits(X[1:], Y[1:]),
    ),
    "feather": (saved("a.feather", lambda path: feather(path, PLAIN)), [], BINARY),
    "arrow stream of lists": (saved("a.arrow", lambda path: stream(path, LISTS)), [], MULTI_CLASS),
    "jsonl": (saved("a.jsonl", lambda path: path.write_bytes(lines_of(PLAIN))), [], BINARY),
    "jsonl of lists, gzipped": (
        saved("a.jsonl.gz", lambda path: path.write_bytes(gzip.compress(lines_of(LISTS)))),
        [],
        MULTI_CLASS,
    ),
    "npz": (
        saved("a.npz", lambda path: np.savez(path, logits=ROWS, labels=LABELS)),
        [],
        MULTI_CLASS,
    ),
    "npz of names": (
        saved("a.npz", lambda path: np.savez(path, logits=ROWS, labels=NAMED["label"])),
        ["--class-names", "ant,bee,cow"],
        MULTI_CLASS,
    ),
    "npy": (npy(logits=ROWS, targets=LABELS), [], MULTI_CLASS),
    "npy, big-endian": (
        npy(logits=ROWS.astype(">f8"), targets=LABELS.astype(">i4")),
        [],
        MULTI_CLASS,
    ),
    "segmentation": (
        npy(logits=np.moveaxis(PIXELS, -1, 1), targets=segmentation(255)),
        ["--ignore-index", "255"],
        of_rows(PIXELS[KEPT], segmentation(255)[KEPT]),
    ),
    "tagging": (npy(logits=ROWS.reshape(4, 15, 3), targets=LABELS.reshape(4, 15)), [], MULTI_CLASS),
    "tagging of three by three": (
        npy(logits=ROWS[:9].reshape(3, 3, 3), targets=LABELS[:9].reshape(3, 3)),
        ["--axis", "-1"],
        of_rows(ROWS[:9], LABELS[:9]),
    ),
    "detection": (
        npy(logits=ROWS.reshape(2, 30, 3), targets=np.where(LABELS == 0, 3, LABELS).reshape(2, 30)),
        ["--task", "multi-label"],
        of_logits(ROWS, np.where(LABELS == 0, 3, LABELS)[:, None] == np.arange(3)),
    ),
    "detection, background -1": (
        npy(logits=ROWS.reshape(2, 30, 3), targets=(LABELS - 1).reshape(2, 30)),
        ["--task", "multi-label", "--background", "-1"],
        of_logits(ROWS, (LABELS - 1)[:, None] == np.arange(3)),
    ),
    "multi-label images": (
        npy(logits=ROWS.reshape(4, 3, 5, 3), targets=MANY.reshape(4, 3, 5, 3)),
        ["--task", "multi-label", "--axis", "3"],
        of_logits(ROWS, MANY),
    ),
    "safetensors": (
        saved("a.safetensors", lambda path: safetensors(path, logits=ROWS, labels=LABELS)),
        [],
        MULTI_CLASS,
    ),
    "arrays with nothing in places": (
        npy(logits=np.where(np.arange(60)[:, None] < 3, np.nan, ROWS), targets=LABELS),
        ["--na", "ignore"],
        of_rows(ROWS[3:], LABELS[3:]),
    ),
    "several files": (
        table("a.csv", "b.csv", columns=PLAIN),
        [],
        BINARY,
    ),
}


@pytest.mark.parametrize("case", SCORED)
def test_a_file_that_people_have_is_scored_right(report, tmp_path, case):
    write, said, expected = SCORED[case]
    found = report(*write(tmp_path), *said)
    np.testing.assert_allclose(found["cross_entropy"], expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", bfloat16], ids=["float32", "bfloat16"])
def test_tensors_of_few_digits_are_scored_with_these(report, tmp_path, dtype):
    rows = ROWS.astype(dtype)
    safetensors(tmp_path / "a.safetensors", logits=rows, labels=LABELS)
    found = report(tmp_path / "a.safetensors")["cross_entropy"]
    np.testing.assert_allclose(found, of_rows(rows.astype("float64"), LABELS), rtol=2.0**-22)


def test_names_of_classes_are_what_tells_their_columns_apart(report, tmp_path):
    table("a.csv", columns=NAMED)(tmp_path)
    found = report(tmp_path / "a.csv")
    assert [c["name"] for c in found["losses"][0]["classes"]] == NAMES
    assert found["taken"]["scores"] == ["logit_ant", "logit_bee", "logit_cow"]


def test_what_lacks_a_number_is_counted(report, tmp_path):
    table("a.csv", columns={**HOLES, "logit": ["", *X[1:]]})(tmp_path)
    found = report(tmp_path / "a.csv", "--na", "ignore")
    assert (found["examples"], found["ignored"]) == (39, 1)


PARTS = {"a folder": ["part"], "a pattern": ["part/*.csv"], "names": ["part/1.csv", "part/2.csv"]}


@pytest.mark.parametrize("case", PARTS)
def test_files_are_read_as_one(report, tmp_path, case):
    halves = slice(0, 10), slice(10, None)
    for i, half in enumerate(halves):
        part = {name: values[half] for name, values in PLAIN.items()}
        table(f"part/{i + 1}.csv", columns=part)(tmp_path)
    (tmp_path / "part" / "_SUCCESS").touch()
    found = report(*(tmp_path / name for name in PARTS[case]), "--gamma", "0,2")
    np.testing.assert_allclose(found["cross_entropy"], BINARY, rtol=1e-12)
    assert (found["examples"], found["files"], len(found["losses"])) == (40, 2, 2)


def test_standard_input_is_read(report, monkeypatch):
    data = io.TextIOWrapper(io.BytesIO(lines_of(PLAIN)))
    monkeypatch.setattr(sys, "stdin", data)
    found = report("-", "--format", "jsonl")
    assert found["file"] == "standard input"
    np.testing.assert_allclose(found["cross_entropy"], BINARY, rtol=1e-12)


ORDER = DRAW.permutation(40)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_truth_is_joined_by_the_names_of_examples(report, tmp_path, kind):
    names = [f"image {i}" for i in range(40)]
    table("a.csv", columns={"id": names, "logit": X.tolist(), "label": [7] * 40})(tmp_path)
    truth = {"label": Y[ORDER].tolist(), "id": [names[i] for i in ORDER]}
    if kind == "csv":
        table("truth.csv", columns=truth)(tmp_path)
    else:
        pa.parquet.write_table(arrow(truth), tmp_path / "truth.parquet")
    joined = ("--truth", tmp_path / f"truth.{kind}", "--id", "id")
    found = report(tmp_path / "a.csv", *joined)
    np.testing.assert_allclose(found["cross_entropy"], BINARY, rtol=1e-12)


def test_alpha_balanced_is_that_of_the_targets(report, tmp_path):
    table("a.csv", columns=PLAIN)(tmp_path)
    found, share = report(tmp_path / "a.csv", "--alpha", "balanced"), 1 - Y.mean()
    assert found["alpha"] == pytest.approx(share, rel=1e-15)
    table("b.csv", columns=NAMED)(tmp_path)
    found, counts = report(tmp_path / "b.csv", "--alpha", "balanced"), np.bincount(LABELS)
    np.testing.assert_allclose(found["alpha"], 60 / (3 * counts), rtol=1e-15)


def bomb(path):
    """A member of a few kilobytes that would take four gigabytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("logits.npy", "w", force_zip64=True) as member:
            np.lib.format.write_array_header_1_0(
                member, {"descr": "<f8", "fortran_order": False, "shape": (2**29,)}
            )
            for _ in range(64):
                member.write(bytes(2**26))
        with archive.open("targets.npy", "w") as member:
            np.lib.format.write_array(member, np.zeros(1))


def outside(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../logits.npy", b"")
        archive.writestr("targets.npy", b"")


def cut(name, data):
    """A writer of what is left of a file whose end is lost."""

    def write(folder):
        whole = folder / name
        data(whole)
        whole.write_bytes(whole.read_bytes()[:-40])
        return [whole]

    return write


def raw(name, data):
    return lambda folder: [_written(folder / name, data)]


def with_truth(predictions, truth):
    """A writer of two tables that are to be joined."""

    def write(folder):
        table("a.csv", columns=predictions)(folder)
        table("t.csv", columns=truth)(folder)
        return [folder / "a.csv", "--truth", folder / "t.csv", "--id", "id"]

    return write


MANY_LINES = b'{"logit": 1.5, "label": 0, "text": "%s"}\n' % (b"x" * 100) * 60_000
IDS = {"id": range(3), "logit": [1, 2, 3]}
REFUSED = {
    "empty csv": (raw("a.csv", b""), ["empty"]),
    "empty jsonl": (raw("a.jsonl", b""), ["JSON"]),
    "empty parquet": (raw("a.parquet", b""), ["not a Parquet file"]),
    "empty arrow": (raw("a.arrow", b""), ["not a file or stream of Arrow"]),
    "empty safetensors": (raw("a.safetensors", b""), ["header"]),
    "truncated parquet": (
        cut("a.parquet", lambda path: pa.parquet.write_table(arrow(PLAIN), path)),
        ["not a Parquet file"],
    ),
    "truncated gzip": (
        cut("a.csv.gz", lambda path: path.write_bytes(gzip.compress(lines_of(PLAIN)))),
        ["a.csv.gz"],
    ),
    "truncated safetensors": (
        cut("a.safetensors", lambda path: safetensors(path, logits=ROWS, labels=LABELS)),
        ["lies at"],
    ),
    "csv called parquet": (raw("a.parquet", b"logit,target\n1,0\n" * 9), ["not a Parquet file"]),
    "parquet called csv": (
        saved("a.csv", lambda path: pa.parquet.write_table(arrow(PLAIN), path)),
        ["a.csv"],
    ),
    "a list in jsonl": (raw("a.jsonl", b"[1, 0]\n"), ["object"]),
    "text in jsonl": (
        raw("a.jsonl", b'{"logit": 1, "label": 1}\n{"logit": "x", "label": 1}\n'),
        ["line 2", "'x'", "must be a number"],
    ),
    "a label behind empty lines": (
        raw("a.jsonl", b'\n{"logit": 1, "label": 1}\n\n{"logit": 1, "label": 7}\n'),
        ["in line 4 is 7"],
    ),
    "text in a number, late": (
        raw("a.jsonl", MANY_LINES + b'{"logit": "x", "label": 1}\n'),
        ["line 60001", "'x'", "'logit'", "a number"],
    ),
    "an object in a number": (
        raw("a.jsonl", b'{"logit": {"a": 1}, "label": 1}\n'),
        ["line 1", "'logit'", "a number"],
    ),
    "a line that is cut": (
        raw("a.jsonl", MANY_LINES + b'{"logit": 1, "lab'),
        ["line 60001", "JSON object"],
    ),
    "lists of several lengths": (
        raw("a.jsonl", b'{"logits": [1, 2], "label": 0}\n{"logits": [1], "label": 0}\n'),
        ["line 2", "1 numbers", "the first has 2"],
    ),
    "text in a number": (
        raw("a.csv", b"logit,target\n1,0\nhigh,1\n"),
        ["line 3", "'high'", "--logits"],
    ),
    "text in a number beside names": (
        raw("a.csv", b"prob_a,prob_b,label\n0.5,0.5,a\n0.5,x,b\n"),
        ["line 3", "'prob_b'", "'x'"],
    ),
    "another decimal point": (
        raw("a.csv", b"logit;target\n1,5;0\n1.5;1\n"),
        ["line 3", "'1.5'", "--decimal"],
    ),
    "text behind a blank line": (raw("a.csv", b"logit,target\n\n1,0\n\nx,1\n"), ["line 5", "'x'"]),
    "nothing in a number": (raw("a.csv", b"logit,target\n1,0\n,1\n"), ["line 3", "--na ignore"]),
    "nothing in parquet": (
        saved("a.parquet", lambda path: pa.parquet.write_table(arrow(HOLES), path)),
        ["row 0", "'logit'", "--na ignore"],
    ),
    "NaN in parquet": (
        saved(
            "a.parquet",
            lambda path: pa.parquet.write_table(arrow({**PLAIN, "logit": [np.nan, *X[1:]]}), path),
        ),
        ["row 0", "nan"],
    ),
    "dates": (
        saved(
            "a.parquet",
            lambda path: pa.parquet.write_table(
                arrow(PLAIN).append_column("prob", pa.array(range(40), pa.date32())).drop("logit"),
                path,
            ),
        ),
        ["'prob'", "must be a number"],
    ),
    "a label that no column has": (
        table("a.csv", columns={**OF_CLASSES, "label": ["ant"] * 59 + ["elk"]}),
        ["line 61", "'elk'", "'cow'", "--class-names"],
    ),
    "names that nothing tells": (
        table("a.csv", columns={"logit": [1, 2], "label": ["no", "yes"]}),
        ["'no'", "number"],
    ),
    "too few names": (table("a.csv", columns=NAMED), ["names 2 classes", "scores have 3"]),
    "an id that truth lacks": (
        with_truth(IDS, {"id": [0, 1], "label": [0, 1]}),
        ["line 4", "'2'", "t.csv"],
    ),
    "an id that predictions lack": (
        with_truth(IDS, {"id": range(4), "label": [0, 1, 0, 1]}),
        ["t.csv", "'3'", "no prediction"],
    ),
    "an id twice in truth": (
        with_truth(IDS, {"id": [0, 1, 1], "label": [0, 1, 0]}),
        ["t.csv", "'1'", "twice"],
    ),
    "an id twice in predictions": (
        with_truth({"id": [0, 1, 1], "logit": [1, 2, 3]}, {"id": [0, 1], "label": [0, 1]}),
        ["a.csv", "line 4", "'1'", "before"],
    ),
    "a target in truth that is none": (
        with_truth(IDS, {"id": [2, 1, 0], "label": [0, 1, 7]}),
        ["t.csv: targets in line 4 is 7"],
    ),
    "nothing in truth": (
        with_truth(IDS, {"id": [2, 1, 0], "label": [0, "", 1]}),
        ["t.csv: line 3 has nothing in column 'label'"],
    ),
    "a label in truth that no column has": (
        with_truth(
            {"id": [0, 1], "prob_a": [1, 0], "prob_b": [0, 1]}, {"id": [1, 0], "label": "ac"}
        ),
        ["t.csv: line 3 column 'label' is 'c'"],
    ),
    "a member outside its archive": (saved("a.npz", outside), ["'../logits'"]),
    "text that Python can't cut": (
        raw("a.csv", b'logit,label,c\n1,7,"x"y\n'),
        ["in row 0, counted from 0, is 7"],
    ),
    "a text of 200,000 letters": (
        raw("a.csv", b"logit,label,c\n1,7," + b"x" * 200_000 + b"\n"),
        ["in row 0, counted from 0, is 7"],
    ),
    "one column's own name as a label": (
        table("a.csv", columns={"prob_yes": [0.9, 0.8], "label": ["yes", "yes"]}),
        ["'yes'", "--class-names"],
    ),
    "lists of lists": (
        saved(
            "a.parquet",
            lambda path: pa.parquet.write_table(
                pa.table({"logits": [[[1.0, 2]]], "label": [0]}), path
            ),
        ),
        ["'logits'", "must be a number"],
    ),
    "a label beyond 2^53": (
        saved(
            "a.parquet",
            lambda path: pa.parquet.write_table(
                pa.table({"logit": [1.0], "label": [2**53 + 1]}), path
            ),
        ),
        ["targets in row 0"],
    ),
    "tensors that are no objects": (
        raw("a.safetensors", (13).to_bytes(8, "little") + b'{"logits": 1}'),
        ["header"],
    ),
    "shapes that tell no axis": (
        npy(logits=ROWS[:9].reshape(3, 3, 3), targets=LABELS[:9].reshape(3, 3)),
        ["--axis"],
    ),
    "an axis that is not there": (npy(logits=ROWS, targets=LABELS), ["--axis", "5"]),
}
SAID = {
    "too few names": ["--class-names", "a,b"],
    "an axis that is not there": ["--axis", "5"],
    "another decimal point": ["--sep", ";", "--decimal", ","],
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_scored_is_refused_in_one_line(refusal, tmp_path, case):
    write, words = REFUSED[case]
    err = refusal(3, *write(tmp_path), *SAID.get(case, []), "--json", tmp_path / "out.json")
    for word in words:
        assert word in err
    assert not list(tmp_path.glob("out.json*"))


@pytest.mark.slow
def test_an_archive_that_would_fill_the_memory_is_refused(refusal, tmp_path):
    bomb(tmp_path / "a.npz")
    assert (tmp_path / "a.npz").stat().st_size < 2**23
    assert "4.0 GiB" in refusal(3, tmp_path / "a.npz")


UNUSABLE = {
    "no kind": (["a.docx"], "--format"),
    "a pattern that nothing fits": (["*.csv"], "no file fits"),
    "truth without an id": (["a.csv", "--truth", "a.csv"], "--id"),
    "an encoding that nobody knows": (["a.csv", "--encoding", "utf-99"], "utf-99"),
    "a separator of two": (["a.csv", "--sep", "ab"], "'ab'"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_arguments_that_cannot_be_are_wrong_usage(refusal, tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.docx").touch()
    if case != "a pattern that nothing fits":
        table("a.csv", columns=PLAIN)(tmp_path)
    arguments, word = UNUSABLE[case]
    assert word in refusal(2, *arguments)


def other_columns(*header):
    """A writer of two files of one table, the second with another header."""
    columns = {"prob_ant": [0.3, 0.2], "prob_bee": [0.7, 0.8], "label": [0, 1]}

    def write(folder):
        table("a.csv", columns=columns)(folder)
        table("b.csv", columns=dict(zip(header, columns.values(), strict=True)))(folder)
        return [folder / "a.csv", folder / "b.csv"]

    return write


def without_rows(path):
    """A file of the same header, arrays or columns, and no rows."""
    if path.suffix == ".csv":
        path.write_text("logit_ant,logit_bee,logit_cow,label\n")
    elif path.suffix == ".parquet":
        pa.parquet.write_table(arrow(LISTS).slice(0, 0), path)
    else:
        np.savez(path, logits=ROWS[:0], labels=LABELS[:0])


PARTS_OF_A_SET = {
    "csv": lambda path: table(path.name, columns=NAMED)(path.parent),
    "parquet": lambda path: pa.parquet.write_table(arrow(LISTS), path),
    "npz": lambda path: np.savez(path, logits=ROWS, labels=LABELS),
}


@pytest.mark.parametrize("empty", ["a", "c"], ids=["first", "last"])
@pytest.mark.parametrize("kind", PARTS_OF_A_SET)
def test_a_part_without_rows_adds_nothing(report, tmp_path, kind, empty):
    PARTS_OF_A_SET[kind](tmp_path / f"b.{kind}")
    without_rows(tmp_path / f"{empty}.{kind}")
    found = report(tmp_path, "--alpha", "balanced")
    np.testing.assert_allclose(found["cross_entropy"], MULTI_CLASS, rtol=1e-12)
    assert (found["files"], found["examples"]) == (1, 60)


def test_parts_that_have_no_rows_are_refused(refusal, tmp_path):
    for name in "ab":
        without_rows(tmp_path / f"{name}.csv")
    assert "no rows" in refusal(3, tmp_path)


@pytest.mark.parametrize("said", [[], ["--alpha", "balanced"]], ids=["plain", "balanced"])
@pytest.mark.parametrize(
    "header",
    [("prob_bee", "prob_ant", "label"), ("logit_ant", "logit_bee", "label")],
    ids=["classes", "logits"],
)
def test_files_that_are_not_of_one_model_are_refused(refusal, tmp_path, header, said):
    err = refusal(3, *other_columns(*header)(tmp_path), *said)
    for word in ("b.csv", "a.csv", "'ant', 'bee'", "one order"):
        assert word in err


def test_a_pattern_leaves_out_what_holds_no_predictions(report, tmp_path):
    table("part/a.csv", columns=PLAIN)(tmp_path)
    (tmp_path / "part" / "_SUCCESS").touch()
    assert report(tmp_path / "part" / "*")["files"] == 1


@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_the_kind_that_is_said_is_that_of_standard_input_alone(report, monkeypatch, tmp_path, kind):
    ids = {"id": [f"image {i}" for i in range(40)]}
    text = text_of({**ids, "logit": X.tolist()}, sep={"csv": ",", "tsv": "\t"}[kind])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    pa.parquet.write_table(arrow({**ids, "label": Y.tolist()}), tmp_path / "t.parquet")
    found = report("-", "--format", kind, "--truth", tmp_path / "t.parquet", "--id", "id")
    np.testing.assert_allclose(found["cross_entropy"], BINARY, rtol=1e-12)


def test_standard_input_that_is_closed_is_told(refusal, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert "standard input is closed" in refusal(2, "-")


def test_scores_are_those_of_predictions_even_if_truth_has_such_a_column(report, tmp_path):
    ids = {"id": range(40)}
    table("a.csv", columns={**ids, "logit": X.tolist()})(tmp_path)
    table("t.csv", columns={**ids, "label": Y.tolist(), "logit": (-X).tolist()})(tmp_path)
    found = report(tmp_path / "a.csv", "--truth", tmp_path / "t.csv", "--id", "id")
    np.testing.assert_allclose(found["cross_entropy"], BINARY, rtol=1e-12)


NAMES_OF_ROWS = ["007", "7", "NA", "None", "1e3", "1000"]


def test_names_of_examples_are_read_as_they_are_written(report, tmp_path):
    columns = {"id": NAMES_OF_ROWS, "logit": range(6)}
    table("a.csv", columns=columns)(tmp_path)
    truth = arrow({"id": NAMES_OF_ROWS[::-1], "label": [0] * 6})
    pa.parquet.write_table(truth, tmp_path / "t.parquet")
    joined = ("--truth", tmp_path / "t.parquet", "--id", "id")
    found = report(tmp_path / "a.csv", *joined, "--hardest", "6")["hardest"]
    assert [each["name"] for each in found] == NAMES_OF_ROWS[::-1]


def test_names_of_examples_may_begin_to_be_text_late(report, tmp_path):
    n = 200_000
    columns = {"id": [*range(n), "last"], "logit": [0] * n + [9], "label": [0] * (n + 1)}
    table("a.csv", columns=columns)(tmp_path)
    (found,) = report(tmp_path / "a.csv", "--id", "id", "--hardest", "1")["hardest"]
    assert found["name"] == "last"


def test_an_example_without_a_name_is_shown(evaluated, tmp_path):
    rows = arrow({"id": ["a", None], "logit": [0.0, 5.0], "label": [0, 0]})
    pa.parquet.write_table(rows, tmp_path / "a.parquet")
    code, out, err = evaluated(tmp_path / "a.parquet", "--id", "id", "--hardest", "2")
    assert (code, err) == (0, "")
    assert "focal loss" in out


def test_scores_go_before_what_may_be_labels(report, tmp_path):
    columns = {"label": Y.tolist(), "y_pred": (X > 0).astype(int).tolist(), "score": P.tolist()}
    table("a.csv", columns=columns)(tmp_path)
    found = report(tmp_path / "a.csv")
    assert found["taken"]["scores"] == ["score"]
    np.testing.assert_allclose(found["cross_entropy"], BY_PROBS, rtol=1e-12)


ODD = {
    "lists of whole numbers, one missing": (
        {"logits": [[1, 2], None, [3, 5]], "label": [0, 1, 1]},
        ["--na", "ignore"],
        np.mean(np.log1p(np.exp([1, -2]))),
    ),
    "whole numbers beyond 2^53": (
        {"logit": pa.array([2**60 + 1, -(2**60) - 1]), "label": [1, 1]},
        [],
        2**59,
    ),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_columns_are_scored_right(report, tmp_path, case):
    columns, said, expected = ODD[case]
    pa.parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    found = report(tmp_path / "a.parquet", *said)
    np.testing.assert_allclose(found["cross_entropy"], expected, rtol=1e-12)


@pytest.mark.parametrize("codec", ["base64", "rot13"])
def test_codecs_that_are_no_text_are_wrong_usage(refusal, tmp_path, codec):
    table("a.csv", columns=PLAIN)(tmp_path)
    assert codec in refusal(2, tmp_path / "a.csv", "--encoding", codec)


@pytest.mark.parametrize("rows", [X[:20], ROWS[:20]], ids=["binary", "multi-class"])
@pytest.mark.parametrize("weight", [0.0, 1e308], ids=["nothing", "infinite"])
def test_weights_that_balance_nothing_are_bad_data(refusal, tmp_path, rows, weight):
    np.savez(tmp_path / "a.npz", logits=rows, targets=Y[:20], weight=np.full(20, weight))
    assert "add up to" in refusal(3, tmp_path / "a.npz", "--alpha", "balanced")


def test_offsets_beyond_the_data_of_an_arrow_file_are_not_followed(refusal, tmp_path):
    stream(tmp_path / "a.arrow", {"logit_ant": [0, 1], "logit_bee": [1, 0], "label": NAMES[:2]})
    good, bad = (np.asarray([0, 3, end], np.int32).tobytes() for end in (6, 2**30))
    data = (tmp_path / "a.arrow").read_bytes()
    assert data.count(good) == 1
    (tmp_path / "a.arrow").write_bytes(data.replace(good, bad))
    assert "a.arrow" in refusal(3, tmp_path / "a.arrow")


def test_a_batch_without_rows_tells_no_shapes(report, tmp_path):
    rows = arrow(LISTS)
    with pa.ipc.new_file(str(tmp_path / "a.arrow"), rows.schema) as writer:
        writer.write_batch(pa.RecordBatch.from_pylist([], schema=rows.schema))
        writer.write_table(rows)
    found = report(tmp_path / "a.arrow")
    np.testing.assert_allclose(found["cross_entropy"], MULTI_CLASS, rtol=1e-12)


@pytest.mark.parametrize("kind", ["string_view", "large_string"])
def test_labels_are_text_of_any_kind(report, tmp_path, kind):
    labels = pa.array(NAMED["label"], getattr(pa, kind)())
    pa.parquet.write_table(arrow(OF_CLASSES).append_column("label", labels), tmp_path / "a.parquet")
    found = report(tmp_path / "a.parquet")
    np.testing.assert_allclose(found["cross_entropy"], MULTI_CLASS, rtol=1e-12)


def test_names_that_come_late_in_lines_are_not_used(report, tmp_path):
    late = b'{"logit": 1.5, "label": 0, "text": 3, "note": "late"}\n'
    (tmp_path / "a.jsonl").write_bytes(MANY_LINES + late)
    found = report(tmp_path / "a.jsonl")
    np.testing.assert_allclose(found["cross_entropy"], np.log1p(np.exp(1.5)), rtol=1e-12)


def test_whole_numbers_in_the_lists_of_first_lines_are_numbers(report, tmp_path):
    lines = b'{"logits": [1, 2], "label": 1}\n' * 200_000 + b'{"logits": [1.5, 2], "label": 1}\n'
    (tmp_path / "a.jsonl").write_bytes(lines)
    expected = (200_000 * np.log1p(np.exp(-1)) + np.log1p(np.exp(-0.5))) / 200_001
    found = report(tmp_path / "a.jsonl")
    np.testing.assert_allclose(found["cross_entropy"], expected, rtol=1e-12)


@pytest.mark.parametrize("id_", [12, "2020-01-01"], ids=["number", "date"])
def test_names_in_lines_are_as_they_are_written(report, tmp_path, id_):
    line = json.dumps({"id": id_, "logit": 1, "label": 1})
    (tmp_path / "a.jsonl").write_text(line + "\n")
    (found,) = report(tmp_path / "a.jsonl", "--id", "id", "--hardest", "1")["hardest"]
    assert found["name"] == str(id_)


def test_names_of_classes_differ(refusal, tmp_path):
    table("a.csv", columns=NAMED)(tmp_path)
    assert "each name once" in refusal(2, tmp_path / "a.csv", "--class-names", "ant,bee,ant")


@pytest.mark.parametrize("said", [["--id", "names"], ["--axis", "0"]], ids=["ids", "axis"])
def test_what_arrays_do_not_have_is_told(refusal, tmp_path, said):
    np.savez(tmp_path / "a.npz", logits=X, targets=Y, names=range(40))
    assert said[0] in refusal(3, tmp_path / "a.npz", *said)
