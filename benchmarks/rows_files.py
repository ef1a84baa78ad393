"""Rows of files: a report on one, beside what it takes to read it, or to score it once."""

from __future__ import annotations

import atexit
import tempfile
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from focalcore import sigmoid_focal_loss
from focalcore.evaluation import Names, Opening, Place, Reading, evaluate

from .row import OURS, Array, Row, Runs, numbers

READ = "pyarrow reads it"
GAMMAS = (0.0, 1.0, 2.0, 3.0, 5.0)


@cache
def folder() -> Path:
    """Where files are while this runs."""
    made = tempfile.TemporaryDirectory()
    atexit.register(made.cleanup)
    return Path(made.name)


def columns(n: int, classes: int) -> dict[str, Array]:
    """An id, a logit and a label; or a logit of each class and a label."""
    if classes == 1:
        x, y = numbers(n, "int8")
        return {"id": np.arange(n), "logit": x, "target": y}
    rng = np.random.default_rng(0)
    rows, labels = rng.standard_normal((n, classes), dtype="float32"), rng.integers(0, classes, n)
    return {**{f"logit_{c}": rows[:, c] for c in range(classes)}, "target": labels}


def reported(gammas: tuple[float, ...], place: Path | None, names: Names = Names()) -> Any:  # noqa: B008
    """A report on a file, from opening it on."""
    opening = Opening(place and Place(place, place.name), names, Reading())
    return evaluate([opening.open()], gammas)


def csv(classes: int) -> Any:
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    def runs(n: int) -> Runs:
        file = folder() / f"{n}-{classes}.csv"
        arrow_csv.write_csv(pa.table(columns(n, classes)), file)
        options = arrow_csv.ReadOptions(use_threads=False)
        return {
            OURS: partial(reported, (2.0,), file),
            READ: partial(arrow_csv.read_csv, file, options),
            f"{READ} in batches": lambda: list(arrow_csv.open_csv(file, options)),
        }

    return lambda: runs


def parquet(classes: int) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as arrow_parquet

    def runs(n: int) -> Runs:
        file = folder() / f"{n}-{classes}.parquet"
        arrow_parquet.write_table(pa.table(columns(n, classes)), file)
        return {
            OURS: partial(reported, (2.0,), file),
            READ: partial(arrow_parquet.read_table, file, use_threads=False),
        }

    return lambda: runs


def npy() -> Any:
    def runs(n: int) -> Runs:
        files = folder() / f"{n}-x.npy", folder() / f"{n}-y.npy"
        for file, array in zip(files, numbers(n, "int8"), strict=True):
            np.save(file, array)
        names = Names(logits=str(files[0]), targets=str(files[1]))

        def mean() -> Any:
            x, y = (np.load(file, mmap_mode="r") for file in files)
            return sigmoid_focal_loss(x, y, reduction="mean")

        return {
            OURS: partial(reported, (2.0,), None, names),
            "five gammas": partial(reported, GAMMAS, None, names),
            "the mean of the mapped file": mean,
        }

    return runs


SIZES = (100_000, 1_000_000)

ROWS = (
    Row(".csv of 3 columns", ("pyarrow",), lambda: csv(1)(), SIZES, is_one_formula=False),
    Row(".csv of 11 columns", ("pyarrow",), lambda: csv(10)(), SIZES, is_one_formula=False),
    Row(".parquet of 3 columns", ("pyarrow",), lambda: parquet(1)(), SIZES, is_one_formula=False),
    Row(".parquet of 11 columns", ("pyarrow",), lambda: parquet(10)(), SIZES, is_one_formula=False),
    Row(".npy files", (), npy, (1_000_000, 10_000_000), largest=True, is_one_formula=False),
)
