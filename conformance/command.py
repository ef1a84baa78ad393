"""Proof that every library and device gives the same, exact numbers."""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
import os
import pathlib
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from rich.progress import track

from . import agreement, costs, report
from .implementations import FOCALCORE
from .measure import Found, everything, score
from .peers import PEERS
from .places import required
from .targets import MATRIX, Target, chosen
from .vectors import load

Record = dict[str, Any]


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the tables, write the reports; 1 where something is out of its bounds."""
    options = parser().parse_args(arguments)
    quiet()
    if options.implementation:
        return compare(options)
    try:
        targets = chosen(options.targets)
    except ValueError as error:
        parser().error(str(error))
    records, found = measured_all(targets, options.jobs)
    here = [target for target in targets if found[target]]
    pairs = [d._asdict() for d in agreement.pairs({t: found[t] for t in one_of_each(here)})]
    trainings = [d._asdict() for d in agreement.trajectories(one_of_each(here))]

    rows = [report.target_row(record) for record in records if "cases" in record]
    absent = report.not_run(records, "target")
    report.show("Errors, in ulp of the exact value", report.TARGET_COLUMNS, rows)
    columns = ("type", "one", "other", "part of what is allowed")
    report.show("The farthest two libraries", columns, report.distance_rows(pairs))
    report.show("The farthest two trainings", columns, report.distance_rows(trainings))
    failed = list(failures(records, pairs + trainings))
    failed += [f"{name} is required, and no target" for name in unknown(required())]
    failed += [] if here else ["nothing could be measured"]
    cases = sum(record.get("cases", 0) for record in records)
    print(*absent, sep="\n")
    print(f"{cases:,} cases on {len(here)} targets; {len(absent)} targets not run")
    if options.reports:
        whole = {"machine": report.machine(), "targets": records}
        whole |= {"pairs": pairs, "trainings": trainings}
        text = report.markdown(report.TARGET_COLUMNS, rows)
        report.write(options.name, whole, report.page("Targets", text, absent), options.reports)
    for line in failed:
        print("FAILED", line)
    return 1 if failed else 0


def measured_all(targets: list[Target], jobs: int) -> tuple[list[Record], dict[Target, Found]]:
    """The records of the targets, and what was found, in processes of their own."""
    if jobs == 1:
        both = [measured(target) for target in track(targets, "targets", transient=True)]
    else:
        # fork does not go with the threads of torch and JAX
        with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), quiet) as pool:
            # the last are the slowest
            tasks = {target: pool.submit(measured, target) for target in reversed(targets)}
            both = [tasks[t].result() for t in track(targets, "targets", transient=True)]
    records, found = zip(*both, strict=True)
    return list(records), dict(zip(targets, found, strict=True))


def quiet() -> None:
    """What other libraries warn of is not the matter here."""
    warnings.simplefilter("ignore")


def measured(target: Target) -> tuple[Record, Found]:
    """All that is known of a target, or why it cannot run; and the numbers themselves."""
    place = target.place
    known = {"target": target.id, "place": place.id, "dtype": target.dtype, "mode": target.mode}
    reason = target.missing()
    if reason:
        return known | {"reason": reason, "required": place.is_required()}, {}
    known["stored"] = sum(len(vectors) for vectors in load(target.dtype))
    try:
        found = everything(target)
    except Exception as error:  # one library's failure is a line of the report, not its end
        return known | {"error": f"{type(error).__name__}: {error}"}, {}
    known |= dataclasses.asdict(score(target, found))
    known |= {"kept": costs.bytes_kept(target), "breaks": costs.graph_breaks(target)}
    return known, found


def unknown(names: list[str]) -> list[str]:
    """Names that no target begins with."""
    return [name for name in names if not any(t.id.startswith(name) for t in MATRIX)]


def one_of_each(targets: list[Target]) -> list[Target]:
    """One mode of each place and type: what it is for users."""
    first = {}
    for target in targets:
        first.setdefault((target.place.id, target.dtype), target)
    return list(first.values())


def failures(records: list[Record], distances: list[Record]) -> Iterator[str]:
    """What is out of its bounds, or required and not here."""
    for record in records:
        if "reason" in record:
            if record["required"]:
                yield f"{record['target']} is required: {record['reason']}"
            continue
        if "error" in record:
            yield f"{record['target']}: {record['error']}"
            continue
        if not record["cases"] or record["breaks"]:
            yield f"{record['target']}: {record['cases']} cases, {record['breaks']} graph breaks"
        for quantity, tally in record["quantities"].items():
            if tally["beyond"]:
                yield (
                    f"{record['target']}: {tally['beyond']} of {quantity} are beyond the bound, "
                    f"the worst {tally['share']:.3g} times: {tally['where']}"
                )
    for distance in distances:
        if not distance["share"] <= 1:
            yield f"{distance['one']} and {distance['other']}: {distance['share']:.3g} apart"


def compare(options: argparse.Namespace) -> int:
    """Score other implementations on the same numbers."""
    wanted = {p.name: p for p in (FOCALCORE, *PEERS)}
    names = list(wanted) if options.implementation == ["all"] else options.implementation
    strange = sorted(set(names) - set(wanted))
    if strange:
        parser().error(f"no implementation {', '.join(strange)}; there are {', '.join(wanted)}")
    records = [record for name in names for record in scored(wanted[name])]
    rows = [report.peer_row(record) for record in records if "reason" not in record]
    absent = report.not_run(records, "implementation")
    report.show("Focal losses, and their largest errors", report.PEER_COLUMNS, rows)
    print(*absent, sep="\n")
    if options.reports:
        text = report.markdown(report.PEER_COLUMNS, rows)
        whole = {"machine": report.machine(), "scores": records}
        page = report.page("Implementations", text, absent)
        report.write("peers", whole, page, options.reports)
    return 0


def scored(implementation: Any) -> Iterator[Record]:
    """Its scores in both wide types, or why there are none."""
    name = implementation.name
    reason = implementation.missing()
    if reason:
        yield {"implementation": name, "reason": reason}
        return
    for dtype in ("float32", "float64"):
        target = Target(implementation.places[0], dtype, "eager")
        found = dataclasses.asdict(score(target, everything(target, implementation)))
        yield {"implementation": name, "dtype": dtype} | found


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    whole = argparse.ArgumentParser("python -m conformance", description=__doc__)
    whole.add_argument(
        "targets", nargs="*", help="patterns of target ids, such as 'torch-cpu-*'; default: all"
    )
    whole.add_argument(
        "--implementation",
        nargs="+",
        metavar="NAME",
        help=f"score these instead, or all: {', '.join(p.name for p in (FOCALCORE, *PEERS))}",
    )
    whole.add_argument(
        "--reports", type=pathlib.Path, metavar="DIR", help="write the reports, JSON and Markdown"
    )
    cores = os.cpu_count() or 1
    whole.add_argument("--jobs", type=int, default=cores, help="processes; default: %(default)s")
    whole.add_argument("--name", default="cpu", help="of the report; default: cpu")
    return whole
