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
import statistics
import warnings
from collections.abc import Iterator
from typing import Any

from conformance import report as tables

from . import clock, report, rows

Record = dict[str, Any]


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write."""
    options = parser().parse_args(arguments)
    warnings.simplefilter("ignore")  # what other libraries warn of is not the matter here
    chosen = [row for row in rows.ROWS if fnmatch.fnmatch(row.name, options.rows)]
    if not chosen:
        names = ", ".join(repr(row.name) for row in rows.ROWS)
        parser().error(f"no row matches {options.rows!r}; there are {names}")
    records, absent = [], []
    for row in chosen:
        if row.missing():
            absent.append(f"{row.name}: not run, {row.missing()}")
            continue
        found = list(measured_all(row, options.rounds, options.most))
        records += found
        tables.show(row.name, report.COLUMNS, report.lines(found))
    print(*absent, sep="\n")
    if options.reports:
        whole = {"machine": tables.machine() | {"cores": os.cpu_count()}, "records": records}
        report.write(options.name, whole, options.reports)
    return 0


def measured_all(row: rows.Row, rounds: int, most: int) -> Iterator[Record]:
    """A record for each size of a row."""
    runs = row.prepare()
    for size in row.sizes:
        if math.prod(_shape(size)) <= most:
            yield measured(row.name, size, runs(size), rounds)
    if row.largest and most >= rows.LARGEST:
        ours = {rows.OURS: runs(rows.LARGEST)[rows.OURS]}
        yield measured(row.name, rows.LARGEST, ours, rounds)


def measured(name: str, size: Any, runs: rows.Runs, rounds: int) -> Record:
    """Nanoseconds and bytes for each element, and the others' times to ours."""
    n = math.prod(_shape(size))
    seconds = clock.times(runs, rounds)
    peaks = {name: clock.peak(run) for name, run in runs.items()}
    return {
        "row": name,
        "size": size,
        "ns": {name: 1e9 * statistics.median(own) / n for name, own in seconds.items()},
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
