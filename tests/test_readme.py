"""The README: every block of code in it runs, every command in it is the real one."""

import inspect
import os
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

import focalcore
from conformance.places import PLACES

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAGE = (ROOT / "docs" / "many-workers.md").read_text()


def code_of(text):
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


# the README's blocks stand alone, those of a page build on each other within a section
PYTHON = code_of(README) + ["".join(c) for c in map(code_of, PAGE.split("\n## ")) if c]
CONSOLE = "".join(re.findall(r"```console\n(.*?)```", README, re.DOTALL)).splitlines()
COMPILES = "use_compiler()"
SET_UP = [line for line in CONSOLE if "venv" in line]


# of each library, the place that needs the least: the CPU, where it has one
FIRST = {place.module: place for place in reversed(PLACES)}


@pytest.mark.parametrize(
    "code",
    [pytest.param(code, marks=pytest.mark.slow if COMPILES in code else ()) for code in PYTHON],
    ids=lambda code: code.split("\n", 2)[1],
)
def test_code_runs(code, capsys):
    for module, place in FIRST.items():
        if re.search(rf"^(import|from) (focalcore\.)?{module}\b", code, re.MULTILINE):
            place.require()
    if "keras" in code:
        pytest.importorskip("keras", reason="keras is not installed")
    exec(compile(code, "README.md", "exec"), {})  # the README's own code
    printed = capsys.readouterr().out
    for promised in re.findall(r"print\(.*\)  # (.*)", code):
        assert promised in printed


@pytest.mark.parametrize("command", [line for line in CONSOLE if line not in SET_UP])
def test_commands_run(command):
    assert command.startswith("focalcore ")
    arguments = [sys.executable, "-m", "focalcore.cli", *command.split()[1:]]
    subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True)


@pytest.mark.slow
def test_the_first_command_sets_up_and_scores(tmp_path):
    first, _ = SET_UP
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout: what a copy of the repository holds is not known")
    for name in tracked:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        ["bash", "-c", first], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "multi-class, from logits" in done.stdout
    assert "899" in done.stdout


def test_the_second_command_is_what_ci_runs():
    _, second = SET_UP
    assert second in (ROOT / ".ci" / "run").read_text().splitlines()


PLAIN = ("axis", "class_weight", "from_logits")  # the names that nobody takes two ways


def test_every_option_is_explained():
    table = README.split("## What the options mean")[1].split("##")[0]
    for function in (focalcore.sigmoid_focal_loss, focalcore.sparse_categorical_focal_loss):
        for option in inspect.signature(function).parameters.values():
            plain = option.default is option.empty or option.name in PLAIN
            assert plain or option.name in table


X = np.asarray([[2.0, -1.0, 0.5], [-0.3, 0.7, 1.5], [0.2, 0.1, -2.0], [1.0, -3.0, 0.4]])
Y = np.asarray([[1, 0, 1], [0, 1, 1], [0, 0, 0], [1, 0, 1]])
T = np.asarray([0, 2, 1, 0])
P = np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)
P_T = P[np.arange(4), T]
SIGMOID = 1 / (1 + np.exp(-X))


def binary(p, y, alpha=None, gamma=2.0):
    """The published formula that the other libraries share, from their probabilities."""
    p_t = p * y + (1 - p) * (1 - y)
    weight = 1.0 if alpha is None else alpha * y + (1 - alpha) * (1 - y)
    return -weight * (1 - p_t) ** gamma * np.log(p_t)


# what each of the other libraries gives for these inputs, by its published formula
ELSEWHERE = {
    "torchvision `sigmoid_focal_loss(x, y)`": binary(SIGMOID, Y, alpha=0.25),
    "optax `sigmoid_focal_loss(x, y)`": binary(SIGMOID, Y),
    "Keras `BinaryFocalCrossentropy()(y, p)`": binary(P, Y).mean(),
    "Keras `CategoricalFocalCrossentropy()(one_hot, p)`": (
        -0.25 * (1 - P_T) ** 2 * np.log(P_T)
    ).mean(),
    "focal-loss `binary_focal_loss(y, p, gamma)`": binary(P, Y),
    "focal-loss `sparse_categorical_focal_loss(t, p, gamma)`": -((1 - P_T) ** 2) * np.log(P_T),
    "imbalanced-losses `SigmoidFocalLoss()(x, y)`": binary(SIGMOID, Y, alpha=0.25).mean(),
    "imbalanced-losses `SoftmaxFocalLoss()(x, t)`": (-((1 - P_T) ** 2) * np.log(P_T)).mean(),
    'itakurah `FocalLoss(task_type="binary")(x, y)`': binary(SIGMOID, Y).mean(),
    'itakurah `FocalLoss(task_type="multi-class", num_classes=3)(x, t)`': (
        -((1 - P_T) ** 2) * np.log(P_T)
    ).mean(),
    "braintools `sigmoid_focal_loss(x, y)`": binary(SIGMOID, Y),
}
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in README.split("## Coming from")[1].split("##")[0].splitlines()
    if line.startswith("|") and "`" in line
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_to_write_here_gives_what_the_other_library_gives(row):
    there, here, _ = row
    names = {"x": X, "y": Y, "t": T, "p": P, "gamma": 2.0, "np": np}
    names |= {name: getattr(focalcore, name) for name in focalcore.__all__}
    found = eval(here.strip("`"), names)  # the README's own code
    np.testing.assert_allclose(found, ELSEWHERE[there], rtol=1e-12)


def test_every_row_is_checked():
    assert [row[0] for row in ROWS] == list(ELSEWHERE)


def test_smoothing_of_imbalanced_losses_is_hard():
    s, log_p = 0.1, np.log(P)
    ce = -(1 - s) * np.log(P_T) - s / 3 * log_p.sum(axis=1)
    found = focalcore.softmax_focal_loss(X, T, label_smoothing=s, soft_targets="hard")
    np.testing.assert_allclose(found, (1 - P_T) ** 2 * ce, rtol=1e-12)
