import gc
import json
import os
from functools import partial

if "PYTEST_XDIST_WORKER_COUNT" in os.environ:  # before torch: the processes share the processors
    own = max(1, os.cpu_count() // int(os.environ["PYTEST_XDIST_WORKER_COUNT"]))
    os.environ.setdefault("OMP_NUM_THREADS", str(own))

import numpy as np
import pytest

from conformance.places import DASK, JAX, PLACES, TORCH, missing
from focalcore.cli import main

from .helpers import is_ours, table_of

# what is asked of Keras in this process; `test_suites` asks the rest in others
os.environ.setdefault("KERAS_BACKEND", "torch")


def pytest_xdist_auto_num_workers(config):
    """One process where a part of the tests is asked for: it begins sooner, and prints at once."""
    is_named = any("::" in name or name.endswith(".py") for name in config.args)
    return 0 if is_named or config.option.keyword or config.option.lf else None


def pytest_collection_modifyitems(items):
    """What is slow begins first, so that all processes end together."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish():
    """What has been imported stays: it's not looked through for garbage at every compilation."""
    gc.freeze()


def pytest_terminal_summary(terminalreporter):
    """Tell how much of the kernels for GPUs was assembled: `test_ptx` leaves it in its reports."""
    found = {}
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties if report.when == "call" else ():
            if name == "assembled":
                gpu, registers, spilled = value
                found.setdefault(gpu, []).append((registers, spilled))
    for gpu, kernels in sorted(found.items()):
        registers, spilled = zip(*kernels, strict=True)
        terminalreporter.write_line(
            f"{gpu}: {len(kernels)} kernels assembled, of at most {max(registers)} registers; "
            f"{sum(map(bool, spilled))} spill, at most {max(spilled)} bytes"
        )


def pytest_generate_tests(metafunc):
    """A test that asks for a place runs on all that are here; `test_places` names the others.

    The tests are in float64; a place without it is left to the conformance matrix.
    """
    if "place" in metafunc.fixturenames:
        ours = filter(is_ours, PLACES)
        here = [p for p in ours if missing(p) is None and "float64" in p.dtypes]
        metafunc.parametrize("place", here, ids=lambda place: place.id)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def torch():
    """Torch, where it is installed: the test is skipped elsewhere."""
    TORCH.require()
    import torch

    return torch


@pytest.fixture
def jax():
    """JAX in float64, where it is installed: the test is skipped elsewhere."""
    JAX.require()
    import jax

    return jax


@pytest.fixture
def dask():
    """Dask with its arrays, where it is installed: the test is skipped elsewhere."""
    DASK.require()
    import dask.array

    return dask


@pytest.fixture
def run(capsys):
    """The command line: its exit code, and what it writes to stdout and stderr."""

    def run(*arguments):
        try:
            code = main([str(a) for a in arguments])
        except SystemExit as stop:
            code = stop.code
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


@pytest.fixture
def evaluated(run):
    """The command that scores files, likewise."""
    return partial(run, "evaluate")


@pytest.fixture
def report(evaluated):
    """What it says as JSON."""

    def report(*arguments):
        code, out, err = evaluated(*arguments, "--json", "-")
        assert (code, err) == (0, "")
        return json.loads(out)

    return report


@pytest.fixture
def csv_file(tmp_path):
    """A table in a file of CSV."""

    def csv_file(*header, rows):
        (tmp_path / "a.csv").write_text(table_of(*header, rows=rows))
        return tmp_path / "a.csv"

    return csv_file


@pytest.fixture
def refusal(evaluated):
    """What is said of arguments that are refused, in one line."""

    def refusal(code, *arguments):
        found, out, err = evaluated(*arguments)
        assert (found, out, err.count("\n")) == (code, "", 1), (found, out, err)
        return err

    return refusal
