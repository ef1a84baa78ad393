"""The benchmarks' clock, their command and what they write; no test here is timed."""

import json

import numpy as np
import pytest

from benchmarks import bits, clock, command, costs, report, row, rows, rows_softmax
from conformance.places import JAX, TORCH
from conformance.report import README
from focalcore import _kernels

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


def test_the_peak_has_the_gradient_in_it(torch):
    if clock.peak(lambda: None) is None:
        pytest.skip("the system does not tell what a process holds at most")
    x = torch.ones(8_000_000, requires_grad=True)
    run = row.backward(lambda x, _: x.exp().sum(), x, None)
    run()  # a gradient that is there before would be taken off
    assert clock.peak(run) == pytest.approx(2 * 32e6, rel=0.2)


# the others compile for minutes, or compute something else
QUICK = [r for r in rows.ROWS if "compiled" not in r.name and r.is_one_formula]


@pytest.mark.parametrize("one", QUICK, ids=lambda row: row.name)
def test_ours_and_theirs_do_the_same_work(one):
    for place in (TORCH, JAX):
        if place.module in one.needs:
            place.require()
    if one.missing():
        pytest.skip(one.missing())
    found = {name: run() for name, run in one.prepare()(small(one.sizes[0])).items()}
    ours = found.pop(row.OURS)
    rtol, atol = (3e-2, 1e-4) if "bfloat16" in one.name else (1e-3, 1e-5)
    for theirs in found.values():
        np.testing.assert_allclose(numbers(theirs), numbers(ours), rtol=rtol, atol=atol)


def small(size):
    return 1000 if isinstance(size, int) else tuple(min(n, 20) for n in size)


def numbers(result):
    parts = result if isinstance(result, tuple) else (result,)
    values = [part.detach().double() if hasattr(part, "detach") else part for part in parts]
    return np.concatenate([np.asarray(value, "float64").reshape(-1) for value in values])


def test_a_size_above_the_most_is_left_out():
    wide = row.Row("wide", (), lambda: lambda size: {row.OURS: lambda: size}, ((2, 3), (20, 30)))
    assert [r["size"] for r in command.measured_all(wide, rounds=1, most=6)] == [(2, 3)]


def test_where_no_size_is_left_nothing_is_prepared():
    def prepare():
        pytest.fail("prepared")

    wide = row.Row("wide", (), prepare, rows_softmax.VOCABULARY)
    assert list(command.measured_all(wide, rounds=1, most=row.LARGEST)) == []
    assert row.elements(rows_softmax.VOCABULARY[0]) <= command.parser().get_default("most")


def test_a_row_says_which_memory_or_module_is_missing():
    if clock.available() is not None:
        assert "memory" in row.Row("huge", (), lambda: None, free=1e18).missing()
    assert "no_such_module" in row.Row("other", ("no_such_module",), lambda: None).missing()


def test_the_gammas_of_first_calls_are_new_and_have_kernels_of_their_own():
    for gamma in costs.NEW_GAMMAS:
        assert gamma % 0.5 != 0  # those of the rows, the tests and the papers are multiples
        assert _kernels.split([("gamma", gamma)]) == ((("gamma", gamma),), {})


@pytest.mark.parametrize("cost", costs.COSTS, ids=lambda cost: cost.name)
def test_a_cost_is_a_number_of_each_work(cost, monkeypatch, torch):  # noqa: ARG001
    monkeypatch.setattr(costs, "SIZES", (1000,))
    found = cost.measured(1, 1000)
    assert any("NumPy value" in name for name in found)
    assert all(np.isfinite(value) for value in found.values())


def test_the_busy_process_ends_with_its_block():
    with costs.busy_process() as child:
        assert child.poll() is None
    assert child.poll() is not None


@pytest.mark.parametrize("work", bits.WORKS, ids=lambda work: work.name)
def test_numpy_s_threads_and_layouts_have_the_same_bits(work):
    same = bits.compared(work, (700, 3))["same"]
    for way in ("NumPy, 2 threads", "Fortran order", "strided"):
        assert same[way] == {"float32": True, "float64": True}


def test_other_bits_are_named_by_their_types():
    record = {"work": "sum", "same": {"dask": {"float32": True, "float64": False}}}
    (line,) = bits.lines([record])
    cells = dict(zip(bits.COLUMNS[1:], line[1:], strict=True))
    assert cells["dask"] == "other: float64"
    assert cells["strided"] == "not run"


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
    (one,) = (one for one in rows.ROWS if one.name == name)
    if one.missing():
        pytest.skip(one.missing())
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


WHOLE = {
    "machine": {"packages": {"numpy": "2"}, "cores": 2},
    "records": [
        {
            "row": "softmax",
            "size": list(shape),
            "ns": {"focalcore": 2.0, "plain form": 6.0},
            "ratios": {"plain form / focalcore": 3.0},
            "bytes": {"focalcore": 4.0, "plain form": None},
        }
        for shape in ((500, 20), (4, 1_000), (50, 20))
    ],
    "costs": [{"cost": "one element", "unit": "µs", "values": {"NumPy value": 12.3}}],
    "bits": [{"work": "value", "same": {"dask": {"float32": True}}}],
}


def test_the_page_has_the_rows_the_costs_and_the_bits():
    page = report.page(WHOLE).splitlines()
    for line in (
        "## softmax",
        "| 500 x 20 | plain form | 6.00 | 3.00 |  |",
        "## one element",
        "| of | µs |",
        "| NumPy value | 12.3 |",
        "## the same bits",
    ):
        assert line in page


def test_the_readme_s_shapes_are_in_the_order_of_their_classes(tmp_path, monkeypatch):
    (tmp_path / "cpu.json").write_text(json.dumps(WHOLE))
    monkeypatch.setattr(report, "REPORTS", tmp_path)
    assert "| 50 x 20 | 500 x 20 | 4 x 1,000 |" in report.readme_tables()


def test_the_readme_s_table_is_that_of_the_report():
    text = README.read_text()
    assert report.in_readme(text) == text
