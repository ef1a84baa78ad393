"""The sigmoid loss at every float32 logit there is, or at a sample, against float64.

python -m conformance.exhaustive              all 2^32 bit patterns, by the kernel
python -m conformance.exhaustive --step 101   each 101st of them
python -m conformance.exhaustive --ways       each 997th, by the libraries' own functions
"""

from __future__ import annotations

import argparse
import math
import os
import pathlib
import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from rich.progress import track

import focalcore
from focalcore import _kernels
from focalcore._losses.sigmoid import Sigmoid

from . import measure, report, scan, ways, wide

Record = dict[str, Any]

LOSS = Sigmoid()
RANDOM = 1000  # logits at which the float64 kernel is compared with the definitions

COLUMNS = ("gamma", "quantity", "ulp", "of exact", "bound", "at logit", "its bits", "label")
WAY_COLUMNS = ("way", "gamma", "quantity", "ulp", "bound", "at logit", "its bits", "label")
WIDE_COLUMNS = ("float64 kernel against", "results", "value ulp", "slope ulp")


def main(arguments: list[str] | None = None) -> int:
    """Scan, print the tables, write the report; 1 where something is above its bound."""
    options = parser().parse_args(arguments)
    if _kernels.why_not():
        print("FAILED there are no kernels to compare with:", _kernels.why_not())
        return 1
    began = time.perf_counter()
    with focalcore.use_compiler(), focalcore.use_threads(options.threads):
        found = (of_ways if options.ways else of_kernel)(options)
    found["seconds"] = round(time.perf_counter() - began, 1)
    name = "ways" if options.ways else "exhaustive"
    summary = f"{found['logits']:,} logits, one of {found['step']}, in {found['seconds']} s"
    print(summary)
    if options.reports:
        found["machine"] = report.machine() | {"cores": os.cpu_count()}
        page = report.page(f"Scan of float32: {name}", tables(found), [summary, *found["absent"]])
        report.write(name, found, page, options.reports)
    for line in found["failed"]:
        print("FAILED", line)
    return 1 if found["failed"] else 0


def of_kernel(options: argparse.Namespace) -> Record:
    """What the kernel is off by, and what float64 is, by which that is judged."""
    step, gammas = options.step or 1, options.gammas
    whole = [wide.against_stored(), wide.against_definitions(gammas, RANDOM)]
    report.show("The float64 kernel", WIDE_COLUMNS, map(wide_row, whole))
    chunks = track(scan.finite_and_infinite(step), "logits", scan.n_chunks(step), transient=True)
    errors = [record_of(worst) for worst in scan.scan(LOSS, gammas, chunks)]
    report.show("The kernel in float32", COLUMNS, map(row, errors))
    failed = [*above(errors), *scan.wrong_limits(LOSS, gammas)]
    lost = scan.nan_lost(LOSS, gammas, step)
    failed += [f"{lost} results at logits that are NaN are numbers"] if lost else []
    return {
        "step": step,
        "logits": scan.n_logits(step),
        "errors": errors,
        "float64": whole,
        "failed": failed,
        "absent": [],
    }


def record_of(worst: scan.Worst) -> Record:
    """What is known of the largest error, with the same by the definition."""
    logit, form = np.asarray([worst.logit], np.float32), worst.form
    known = {"gamma": worst.gamma, "quantity": worst.quantity, "ulp": worst.ulp}
    known |= {"bound": worst.bound, "label": form.shown}
    known |= {"logit": worst.logit, "bits": bits_of(worst.logit)}
    known["by_exponent"] = [round(ulp, 3) for ulp in worst.by_exponent.tolist()]
    if math.isfinite(worst.logit):
        exact = wide.by_definition(logit, form.label, worst.gamma)[worst.quantity]
        found = scan.run(LOSS, form, logit, worst.gamma)[worst.quantity]
        error = measure.in_ulp(scan.ON_NUMPY, exact, worst.quantity, found.astype("float64"))
        known["of_exact"] = float(error[0])
    return known


def of_ways(options: argparse.Namespace) -> Record:
    """What the libraries' own functions are off by."""
    step = options.step or ways.STEP
    records = []
    for way in track(ways.WAYS, "ways", transient=True):
        records += ways.worst_of(way, options.gammas, step)
    errors = [record for record in records if "reason" not in record]
    report.show("The libraries' own functions in float32", WAY_COLUMNS, map(way_row, errors))
    absent = report.not_run(records, "way")
    print(*absent, sep="\n")
    logits = scan.n_logits(step)
    known = {"step": step, "logits": logits, "errors": errors, "absent": absent}
    return known | {"failed": [*above(errors)]}


def above(errors: Iterable[Record]) -> Iterator[str]:
    """A line for each error that is above its bound."""
    for e in errors:
        if not e["ulp"] <= e["bound"]:
            yield (
                f"{e.get('way', 'kernel')}: {e['quantity']} at gamma {e['gamma']:g} is off by "
                f"{e['ulp']:.2f} ulp, of {e['bound']:g}, at {e['logit']!r}, {e['label']}"
            )


def row(e: Record) -> list[str]:
    """A line of the table of a kernel."""
    exact = f"{e['of_exact']:.3f}" if "of_exact" in e else ""
    place = [f"{e['logit']!r}", bits_of(e["logit"]), e["label"]]
    error = [f"{e['ulp']:.3f}", exact, f"{e['bound']:g}"]
    return [f"{e['gamma']:g}", e["quantity"], *error, *place]


def bits_of(logit: float) -> str:
    """The bits of a float32, in hexadecimal."""
    return f"{np.float32(logit).view(np.uint32):#010x}"


def way_row(e: Record) -> list[str]:
    """A line of the table of ways, which are compared with float64 alone."""
    gamma, quantity, ulp, _, *rest = row(e)
    return [e["way"], gamma, quantity, ulp, *rest]


def wide_row(e: Record) -> list[str]:
    """A line of the table of the float64 kernel."""
    return [e["with"], f"{e['results']:,}", f"{e['value']:.3f}", f"{e['slope']:.3f}"]


def tables(found: Record) -> str:
    """The tables of the page."""
    if "float64" not in found:
        return report.markdown(WAY_COLUMNS, map(way_row, found["errors"]))
    errors = report.markdown(COLUMNS, map(row, found["errors"]))
    return f"{errors}\n\n{report.markdown(WIDE_COLUMNS, map(wide_row, found['float64']))}"


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    whole = argparse.ArgumentParser(
        "python -m conformance.exhaustive",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    gammas = " ".join(f"{gamma:g}" for gamma in scan.GAMMAS)
    whole.add_argument("--ways", action="store_true", help="the libraries' own functions instead")
    whole.add_argument("--step", type=int, help=f"default: 1, and for the ways {ways.STEP}")
    whole.add_argument(
        "--gammas", nargs="+", type=float, default=scan.GAMMAS, help=f"default: {gammas}"
    )
    whole.add_argument("--threads", type=int, help="default: those that focalcore uses")
    whole.add_argument(
        "--reports", type=pathlib.Path, metavar="DIR", help="write the report, JSON and Markdown"
    )
    return whole


if __name__ == "__main__":
    raise SystemExit(main())
