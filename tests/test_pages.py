"""The pages: every program in them runs, and prints what it says."""

import re

import pytest

from .pages import PAGES, README, programs_of
from .programs import require

PROGRAMS = [program for page in (README, *PAGES) for program in programs_of(page)]
HEAVY = {"accelerate", "lightning", "transformers"}  # which take seconds to import


def is_slow(program):
    return not HEAVY.isdisjoint(program.modules())


@pytest.mark.parametrize(
    "program",
    [pytest.param(p, marks=pytest.mark.slow if is_slow(p) else ()) for p in PROGRAMS],
    ids=lambda program: program.title,
)
def test_a_program_runs_and_prints_what_it_says(program, tmp_path, monkeypatch):
    require(*program.modules())
    monkeypatch.chdir(tmp_path)  # trainers leave folders
    _, printed = program.run()
    for promised in re.findall(r"print\(.*\)  # (.*)", program.code):
        assert promised in printed


def test_every_page_is_linked_from_the_readme():
    for page in PAGES:
        assert f"(docs/{page.name}" in README.read_text()
