"""The benchmarks' clock, their command and what they write; no test here is timed."""

import json

import numpy as np
import pytest

from benchmarks import bits, clock, command, costs, report, row, rows, rows_softmax
from benchmarks.device import bits as device_bits
from benchmarks.device import cases, libraries, page, timing, works
from benchmarks.device import command as device_command
from conformance.places import ALL, CUPY, JAX, NUMPY, TORCH
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
    runs = one.prepare()(small(one.sizes[0]))
    found = {name: run() for name, run in runs.items() if name != row.COPY}
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


def test_a_copy_moves_the_bytes_of_the_arrays_and_of_the_result():
    x, y = row.numbers(1000, "int64")
    assert 2 * row.copy(x, y)().nbytes == x.nbytes + y.nbytes + x.nbytes


def test_a_size_above_the_most_is_left_out():
    wide = row.Row("wide", (), lambda: lambda size: {row.OURS: lambda: size}, ((2, 3), (20, 30)))
    assert [r["size"] for r in command.measured_all(wide, rounds=1, most=6)] == [(2, 3)]


def test_where_no_size_is_left_nothing_is_prepared():
    def prepare():
        pytest.fail("prepared")

    wide = row.Row("wide", (), prepare, rows_softmax.VOCABULARY)
    assert list(command.measured_all(wide, rounds=1, most=row.LARGEST)) == []
    assert row.elements(rows_softmax.VOCABULARY[0]) <= command.parser().get_default("most")


def test_a_row_says_why_a_machine_would_take_hours():
    assert row.Row("slow", (), lambda: None, why_not=lambda: "no units").missing() == "no units"


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


def test_the_page_s_shapes_follow_their_ratios(tmp_path, monkeypatch):
    (tmp_path / "cpu.json").write_text(json.dumps(WHOLE))
    monkeypatch.setattr(report, "REPORTS", tmp_path)
    assert "3.00 (500 x 20)" in report.tables_of_page()


def test_the_page_of_speed_has_the_report_s_table():
    text = report.PAGE.read_text()
    assert report.in_page(text) == text


LEAST = 5e-324


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ([1.0, 2.0], [1.0, 2.0], (0, 0)),
        ([np.nan, 2.0], [-np.nan, 2.0], (0, 0)),
        ([0.0, 2.0], [-0.0, 2.0], (1, 0)),
        ([LEAST, 2.0], [-LEAST, np.nextafter(2.0, 3.0)], (2, 2)),
        ([-np.inf], [np.inf], (1, 2 * np.array(np.inf).view("i8").item())),
        ([np.nan, 1.0], [1.0, 2.0], (2, None)),
        ([1.0, 2.0], [1.0], (2, None)),
    ],
)
def test_bits_differ_by_units_in_the_last_place(one, other, found):
    assert device_bits.difference(np.array(one), np.array(other)) == found


def test_the_largest_of_two_differences_is_kept():
    difference = device_bits.Difference
    assert difference(1, 5) | difference(2, 3) == difference(3, 5)
    assert difference(1, None) | difference(2, 3) == difference(3, None)


def test_every_output_of_every_type_is_compared():
    every = cases.cases(10**9)
    assert {(case.loss, case.output, case.dtype) for case in every} == {
        (loss, output, dtype)
        for loss in device_bits.LOSSES
        for output in cases.OUTPUTS
        for dtype in ALL
    }
    assert {case.options["gamma"] for case in every} == set(cases.GAMMAS)
    assert max(row.elements(case.shape) for case in cases.cases(1_000)) <= 1_000
    assert {case.dtype for case in every if case.is_for(CUPY)} == {*CUPY.dtypes}


@pytest.mark.parametrize("loss", device_bits.LOSSES)
def test_a_place_is_compared_with_the_host(loss):
    here = [c for c in cases.cases(10_000) if c.loss == loss and c.dtype == "float32"][:5]
    for case in (case for case in here if case.is_for(NUMPY)):
        record = device_bits.compared(case, NUMPY, cases.given(case))
        assert (record["elements"], record["ulp"]) == (0, 0), record


def test_what_a_device_raises_is_told():
    case = cases.Case("sigmoid", "none", "float32", "float", (3,), {"gamma": -1.0})
    assert "gamma" in device_bits.compared(case, NUMPY, cases.given(case))["reason"]


def test_large_groups_are_cut_to_the_limit():
    found = works.within(10_000)
    assert len(found) == len(set(found))
    assert {row.elements(group.shape) for group in found} == {1_000, 10_000}
    assert works.within(10**9) == list(works.GROUPS)


def test_large_inputs_rotate_and_small_ones_do_not():
    assert works.sets_of(80_000, 10_000) == 1
    assert 80e6 * works.sets_of(80_000_000, 10_000_000) > 3 * works.CACHED
    assert works.sets_of(800_000_000, 100_000_000) == 1


def test_a_work_is_timed_beside_a_copy_of_its_bytes():
    group = works.Group("sigmoid", "bool", (1_000,))
    records = timing.timed(group, [NUMPY], seconds=1e-4, rounds=2)
    moved = {r["task"]: r["moved"] for r in records}
    assert moved == {"value": 9_000, "value and gradient": 13_000, "mean": 5_004}
    assert all(r["us"] > 0 and r["copy_us"] > 0 for r in records)


def test_a_part_has_a_share_of_what_is_left():
    watch = libraries.Watch(1_000)
    watch.allow(0.5)
    assert not watch.is_over()
    watch.allow(-1.0)
    assert watch.is_over()


def test_where_the_time_is_over_it_is_told():
    watch = libraries.Watch(-1)
    records = timing.timed_all([NUMPY], 1_000, seconds=1e-4, rounds=1, watch=watch)
    assert {r["reason"] for r in records} == {"the time was over"}
    assert device_bits.compared_all([NUMPY], 1_000, 1, watch)["run"] == 0


@pytest.mark.parametrize("part", device_command.PARTS)
def test_a_device_s_part_is_printed_and_written(part, tmp_path, capsys, monkeypatch):
    TORCH.require()
    monkeypatch.setattr(works, "others", lambda _: iter(()))  # these compile for seconds
    monkeypatch.setattr(device_bits, "RUNS", 2)
    arguments = ["--device", "cpu", "--size-limit", "100", "--only", part, "--seconds", "1e-4"]
    assert device_command.main([*arguments, "--limit", "30", "--reports", str(tmp_path)]) == 0
    assert "torch-cpu" in capsys.readouterr().out
    whole = json.loads((tmp_path / "device-cpu.json").read_text())
    assert whole[part]
    assert page.markdown(whole) == (tmp_path / "device-cpu.md").read_text()


def test_where_there_is_no_device_nothing_is_written(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(device_command, "missing", lambda _: "no GPU")
    assert device_command.main(["--reports", str(tmp_path)]) == 1
    assert "torch-cuda: not run, no GPU" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


DEVICE = {
    "machine": {"packages": {"torch": "2"}, "devices": {"torch": ["cuda:0"]}},
    "host kernels": "",
    "device kernels": ["torch"],
    "rounds": 5,
    "warnings": ["no kernel", "no kernel"],
    "absent": ["cupy-cuda: not run, cupy is not installed"],
    "bits": {
        "calls": 3,
        "run": 2,
        "records": [
            {"place": "torch-cuda", "case": name, "loss": "sigmoid", "output": "none"}
            | {"dtype": "float32"}
            | found
            for name, found in {
                "same": {"elements": 0, "ulp": 0},
                "other": {"elements": 7, "ulp": 2},
                "failed": {"reason": "ValueError: no"},
            }.items()
        ],
        "repeated": [{"place": "torch-cuda", "call": "mean", "runs": 100, "results": 1}],
    },
    "time": [
        {"loss": "sigmoid", "targets": "float32", "shape": [1000], "place": "torch-cuda"}
        | {"by": by, "task": "value", "us": us, "copy_us": 2.0, "moved": 12_000}
        for by, us in {"focalcore": 4.0, "torchvision": 12.0}.items()
    ]
    + [{"loss": "softmax", "targets": "int64", "shape": [5, 7], "reason": "the time was over"}],
}


def test_the_page_of_a_device_has_its_bits_and_times():
    text = page.markdown(DEVICE).splitlines()
    for line in (
        "* Bits: 1 of 3 comparisons are equal; 2 of 3 calls were run before the time was over",
        "* Warned: no kernel",
        "* cupy-cuda: not run, cupy is not installed",
        "* time, softmax, int64, 5 x 7: not run, the time was over",
        "| torch-cuda, sigmoid, none |  |  | 1 of 3 |  |",
        "| other | torch-cuda | 7 | 2 |",
        "| failed | torch-cuda |  | ValueError: no |",
        "| mean | torch-cuda | 100 | 1 |",
        "| 1,000 | float32 | torch-cuda | focalcore: value | 4.00 | 50 % | 3.00 |  |",
    ):
        assert line in text
