"""The pages: every program in them runs, and prints what it says."""

import re
import shlex

import pytest

from focalcore.cli import main
from focalcore.cli.parser import parser

from .pages import DOCS, PAGES, README, ROOT, TUTORIAL, programs_of
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


COMMANDS = [
    line.partition("focalcore ")[2]  # what comes before makes its standard input
    for page in PAGES
    for block in re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL)
    for line in block.splitlines()
    if "focalcore evaluate" in line or "focalcore backends" in line
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_options_that_there_are(command):
    assert parser().parse_args(shlex.split(command))


@pytest.mark.slow
def test_the_tutorial_s_command_runs(tmp_path, monkeypatch):
    (tutorial,) = programs_of(TUTORIAL)
    require(*tutorial.modules())
    monkeypatch.chdir(tmp_path)
    tutorial.run()
    (command,) = re.findall(r"^focalcore (.*)", TUTORIAL.read_text(), re.MULTILINE)
    assert main(shlex.split(command)) == 0


def contents_of(page):
    """The pages that a page lists in its tables of contents."""
    for block in re.findall(r"```\{toctree\}\n(.*?)```", page.read_text(), re.DOTALL):
        for line in block.splitlines():
            if line and not line.startswith(":"):
                name = re.sub(r".*<(.*)>", r"\1", line)
                yield (page.parent / f"{name}.md").resolve()


def test_every_page_is_in_the_contents():
    listed = {DOCS / "index.md", *(found for page in PAGES for found in contents_of(page))}
    assert listed == set(PAGES)


def without_code(text):
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def anchors_of(page):
    """What a link to a heading of the page ends in, as GitHub and the site have it."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)  # whose comments begin so
    headings = re.findall(r"^#+ (.*)", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


@pytest.mark.parametrize(
    "page",
    [*ROOT.glob("*.md"), ROOT / "conformance" / "README.md", *PAGES],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_links_of_a_page_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text())):
        if "://" in link:
            continue  # nothing is fetched
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link
