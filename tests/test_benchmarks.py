"""The benchmarks' clock, their command and what they write; no test here is timed."""

import json

import numpy as np
import pytest

from benchmarks import clock, command, report, rows
from conformance.places import JAX, TORCH
from conformance.report import README

from .slices import slice_of


def test_runs_are_sampled_in_turn():
    calls = []
    runs = {name: (lambda name=name: calls.append(name)) for name in "ab"}
    found = clock.times(runs, rounds=3)
    assert [len(samples) for samples in found.values()] == [3, 3]
    order = [name for i, name in enumerate(calls) if not i or calls[i - 1] != name]
    assert "".join(order).endswith("ababab")


def test_a_ratio_is_of_neighbours():
    assert clock.ratio([2.0, 40.0, 3.0], [1.0, 10.0, 3.0]) == 2.0


def test_the_peak_is_what_a_run_holds():
    if clock.peak(lambda: None) is None:
        pytest.skip("the system does not tell what a process holds at most")
    assert clock.peak(lambda: np.ones(4_000_000)) == pytest.approx(32e6, rel=0.2)


QUICK = [row for row in rows.ROWS if "compiled" not in row.name]  # the others take minutes


@pytest.mark.parametrize("row", QUICK, ids=lambda row: row.name)
def test_ours_and_theirs_do_the_same_work(row):
    for place in (TORCH, JAX):
        if place.module in row.needs:
            place.require()
    if row.missing():
        pytest.skip(row.missing())
    size = 1000 if row.sizes is rows.SIZES else (50, 20)
    found = {name: run() for name, run in row.prepare()(size).items() if name != rows.SWITCHED}
    ours = numbers(found.pop(rows.OURS))
    for theirs in found.values():
        np.testing.assert_allclose(numbers(theirs), ours, rtol=1e-3, atol=1e-5)


def numbers(result):
    parts = result if isinstance(result, tuple) else (result,)
    values = [part.detach() if hasattr(part, "detach") else part for part in parts]
    return np.concatenate([np.asarray(value, "float64").reshape(-1) for value in values])


# a row, and with whom it compares; the first of them compiles for ten seconds
SHOWN = {
    "torch eager, value": (TORCH, "torchvision form"),
    "JAX jit, value": (JAX, "optax"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", slice_of(SHOWN, "JAX jit, value"))
def test_the_command_prints_and_writes(name, tmp_path, capsys):
    place, theirs = SHOWN[name]
    place.require()
    (row,) = (row for row in rows.ROWS if row.name == name)
    if row.missing():
        pytest.skip(row.missing())
    arguments = [
        name,
        "--rounds",
        "1",
        "--most",
        "1000",
        "--reports",
        str(tmp_path),
    ]
    assert command.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "1,000" in printed
    assert theirs in printed
    (record,) = json.loads((tmp_path / "cpu.json").read_text())["records"]
    assert record["ns"]["focalcore"] > 0
    assert theirs in (tmp_path / "cpu.md").read_text()
    assert (tmp_path / "cpu.png").stat().st_size > 0


def test_a_row_that_is_not_there_is_named(capsys):
    with pytest.raises(SystemExit):
        command.main(["nothing"])
    assert "torch eager, value" in capsys.readouterr().err


def test_the_readme_s_table_is_that_of_the_report():
    text = README.read_text()
    assert report.in_readme(text) == text
