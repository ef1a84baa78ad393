"""The README: every command in it is the real one, and every option is explained on its page."""

import inspect
import os
import re
import shutil
import subprocess
import sys

import pytest

import focalcore

from . import pages
from .pages import DOCS, ROOT

README = pages.README.read_text()
OPTIONS = (DOCS / "reference" / "options.md").read_text()


CONSOLE = "".join(re.findall(r"```console\n(.*?)```", README, re.DOTALL)).splitlines()
SET_UP = [line for line in CONSOLE if "venv" in line]


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
    table = OPTIONS.split("## The table")[1].split("##")[0]
    for function in (focalcore.sigmoid_focal_loss, focalcore.sparse_categorical_focal_loss):
        for option in inspect.signature(function).parameters.values():
            plain = option.default is option.empty or option.name in PLAIN
            assert plain or option.name in table
