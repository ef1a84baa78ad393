"""Time and memory of focalcore beside what people use, in turn, in one process.

A ratio is their time to ours, the median over the rounds: above 1 ours is faster. Memory is what
the process held at most beyond what it held before the call, for each element.
"""

from __future__ import annotations

import argparse
import fnmatch
import math
import os
import pathlib
import warnings
from typing import Any

from conformance import report as tables

from . import clock, report, rows

Record = dict[str, Any]


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write."""
    options = parser().parse_args(arguments)
    warnings.simplefilter("ignore")  # what other libraries warn of is not the matter here
    chosen = [row for row in rows.rows() if fnmatch.fnmatch(row.name, options.rows)]
    if not chosen:
        names = ", ".join(repr(row.name) for row in rows.rows())
        parser().error(f"no row matches {options.rows!r}; there are {names}")
    records = []
    for row in chosen:
        sizes = [size for size in row.sizes if math.prod(_shape(size)) <= options.most]
        found = [measured(row, size, options.rounds) for size in sizes]
        if not sizes:
            continue
        if row.largest and options.most >= rows.LARGEST:
            found.append(measured(row, rows.LARGEST, options.rounds, ours_alone=True))
        records += found
        tables.show(row.name, report.COLUMNS, report.lines(found))
    if options.reports:
        whole = {"machine": tables.machine() | {"cores": os.cpu_count()}, "records": records}
        report.write(options.name, whole, options.reports)
    return 0


def measured(row: rows.Row, size: Any, rounds: int, ours_alone: bool = False) -> Record:
    """Nanoseconds and bytes for each element, and their times to ours."""
    runs = row.runs(size)
    if ours_alone:
        runs = {rows.OURS: runs[rows.OURS]}
    n = math.prod(_shape(size))
    seconds = clock.times(runs, rounds)
    peaks = {name: clock.peak(run) for name, run in runs.items()}
    return {
        "row": row.name,
        "size": size,
        "ns": {name: 1e9 * clock.median(own) / n for name, own in seconds.items()},
        "ratios": {
            f"{theirs} / {ours}": clock.ratio(seconds[theirs], seconds[ours])
            for ours in seconds
            if ours.startswith(rows.OURS)
            for theirs in seconds
            if not theirs.startswith(rows.OURS)
        },
        "bytes": {name: None if peak is None else peak / n for name, peak in peaks.items()},
    }


def _shape(size: Any) -> tuple[int, ...]:
    return (size,) if isinstance(size, int) else tuple(size)


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    whole = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    whole.add_argument("rows", nargs="?", default="*", help="pattern of names; default: all")
    whole.add_argument("--rounds", type=int, default=7, help="default: %(default)s")
    whole.add_argument(
        "--most", type=int, default=rows.LARGEST, help="elements; default: %(default)s"
    )
    whole.add_argument(
        "--reports", type=pathlib.Path, metavar="DIR", help="write JSON, a page and a plot"
    )
    whole.add_argument("--name", default="cpu", help="of the report; default: cpu")
    return whole
