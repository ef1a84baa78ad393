"""Time and memory of focalcore beside what people use, in turn, in one process.

A ratio is their time to ours, the median over the rounds: above 1 ours is faster. Memory is what
the process held at most beyond what it held before the call, for each element.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import pathlib
import statistics
import warnings
from collections.abc import Iterator
from typing import Any

from conformance import report as tables

from . import bits, clock, report
from .costs import COSTS
from .row import LARGEST, OURS, Row, Runs, elements
from .rows import MOST, ROWS

Record = dict[str, Any]


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write."""
    options = parser().parse_args(arguments)
    warnings.simplefilter("ignore")  # what other libraries warn of is not the matter here
    names = [*(row.name for row in (*ROWS, *COSTS)), bits.NAME]
    chosen = fnmatch.filter(names, options.rows)
    if not chosen:
        there_are = ", ".join(map(repr, names))
        parser().error(f"no row matches {options.rows!r}; there are {there_are}")
    whole = {
        "machine": tables.machine() | {"cores": os.cpu_count()},
        "records": list(records(chosen, options.rounds, options.most)),
        "costs": list(costs(chosen, options.rounds, options.most)),
        "bits": compared(chosen),
    }
    if options.reports:
        report.write(options.name, whole, options.reports)
    return 0


def records(names: list[str], rounds: int, most: int) -> Iterator[Record]:
    """The records of the rows that can be run, each of which is shown."""
    for row in here(ROWS, names):
        found = list(measured_all(row, rounds, most))
        if found:
            tables.show(row.name, report.COLUMNS, report.lines(found))
        yield from found


def costs(names: list[str], rounds: int, most: int) -> Iterator[Record]:
    """A record for each of the costs that can be found, each of which is shown."""
    for cost in here(COSTS, names):
        values = cost.measured(rounds, most)
        if not values:  # none of so few elements
            continue
        found = {"cost": cost.name, "unit": cost.unit, "values": values}
        tables.show(cost.name, report.cost_columns(found), report.cost_lines(found))
        yield found


def compared(names: list[str]) -> list[Record]:
    """What has the same bits, which is shown."""
    if bits.NAME not in names:
        return []
    found = bits.compared_all()
    tables.show(bits.NAME, bits.COLUMNS, bits.lines(found))
    return found


def here(rows: tuple[Any, ...], names: list[str]) -> Iterator[Any]:
    """Those that are asked for and can be run; the others say why not."""
    for row in rows:
        if row.name in names and (reason := row.missing()):
            print(f"{row.name}: not run, {reason}")
        elif row.name in names:
            yield row


def measured_all(row: Row, rounds: int, most: int) -> Iterator[Record]:
    """A record for each size of a row."""
    sizes = [size for size in row.sizes if elements(size) <= most]
    if not sizes:
        return
    runs = row.prepare()
    for size in sizes:
        yield measured(row.name, size, runs(size), rounds)
    if row.largest and most >= LARGEST:
        yield measured(row.name, LARGEST, {OURS: runs(LARGEST)[OURS]}, rounds)


def measured(name: str, size: Any, runs: Runs, rounds: int) -> Record:
    """Nanoseconds and bytes for each element, and the others' times to ours."""
    n = elements(size)
    seconds = clock.times(runs, rounds)
    peaks = {name: clock.peak(run) for name, run in runs.items()}
    return {
        "row": name,
        "size": size,
        "ns": {name: 1e9 * statistics.median(own) / n for name, own in seconds.items()},
        "ratios": {
            f"{theirs} / {OURS}": clock.ratio(own, seconds[OURS])
            for theirs, own in seconds.items()
            if theirs != OURS
        },
        "bytes": {name: None if peak is None else peak / n for name, peak in peaks.items()},
    }


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    whole = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    whole.add_argument("rows", nargs="?", default="*", help="pattern of names; default: all")
    whole.add_argument("--rounds", type=int, default=7, help="default: %(default)s")
    whole.add_argument("--most", type=int, default=MOST, help="elements; default: %(default)s")
    whole.add_argument("--reports", type=pathlib.Path, metavar="DIR", help="write JSON and a page")
    whole.add_argument("--name", default="cpu", help="of the report; default: cpu")
    return whole
