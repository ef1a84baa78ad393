"""Time and memory of the sigmoid loss on a device, beside a plain copy of the logits.

Run it as `python -m benchmarks.device`. All is timed in turn, in several rounds; the table shows
medians as multiples of the copy's time in the same library, and what the device held at most
beyond the inputs, for each logit.
"""

from __future__ import annotations

import argparse
import pathlib
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from conformance import report
from conformance.peers import TorchvisionForm
from conformance.places import PLACES, Place, missing
from focalcore import sigmoid_focal_loss, sigmoid_focal_loss_value_and_grad

Array = Any
COLUMNS = ("library and device", "work", "times a copy", "ns per logit", "peak bytes per logit")


class Work(NamedTuple):
    """Something to time."""

    name: str
    run: Callable[[], Any]


def works(place: Place, n: int) -> Iterator[Work]:
    """A copy, then value, and value with gradient, by every route that a library has."""
    rng = np.random.default_rng(0)
    x = place.array(rng.normal(size=n) * 3, "float32")
    y = place.array(rng.random(n) < 0.1, "float32")
    yield Work("copy", lambda: x + 0)
    forms = {"": lambda x, y: sigmoid_focal_loss(x, y, alpha=0.25)}
    if place.name == "torch":
        forms["torchvision form, "] = TorchvisionForm().loss("sigmoid", 2.0, 0.25)
    for form, loss in forms.items():
        for mode in (m for m in place.modes if m != "vmapped"):
            value = place.run(mode, loss)
            yield Work(f"{form}value, {mode}", lambda value=value: value(x, y))
            if place.differentiates:
                grad = place.gradient(mode, lambda x, y, loss=loss: loss(x, y).mean())
                yield Work(f"{form}mean and gradient, {mode}", lambda grad=grad: grad(x, y))
    if not place.differentiates:
        both = sigmoid_focal_loss_value_and_grad
        yield Work("mean and gradient", lambda: both(x, y, alpha=0.25, reduction="mean"))


def measured(place: Place, n: int, rounds: int) -> list[dict[str, Any]]:
    """A record for each work: median nanoseconds and peak bytes, for each logit."""
    each = list(works(place, n))
    for work in each:  # compile, and fill the caches
        finish(place, work.run())
    times: dict[str, list[float]] = {work.name: [] for work in each}
    for _ in range(rounds):
        for work in each:
            start = time.perf_counter()
            finish(place, work.run())
            times[work.name].append(1e9 * (time.perf_counter() - start) / n)
    medians = {name: statistics.median(own) for name, own in times.items()}
    return [
        {
            "place": place.id,
            "work": work.name,
            "ns": medians[work.name],
            "copies": medians[work.name] / medians["copy"],
            "peak": peak(place, work, n),
        }
        for work in each
    ]


def finish(place: Place, result: Any) -> None:
    """Wait until the device has done it."""
    if place.name == "torch" and place.device == "cuda":
        import torch

        torch.cuda.synchronize()
    elif place.name == "cupy":
        import cupy

        cupy.cuda.get_current_stream().synchronize()
    elif place.name == "jax":
        import jax

        jax.block_until_ready(result)


def peak(place: Place, work: Work, n: int) -> float | None:
    """What the device holds at most during the work, beyond what it held before."""
    if place.name == "torch" and place.device == "cuda":
        import torch

        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        finish(place, work.run())
        return (torch.cuda.max_memory_allocated() - before) / n
    if place.name == "cupy":
        import cupy

        pool = cupy.get_default_memory_pool()
        pool.free_all_blocks()
        before = pool.total_bytes()
        finish(place, work.run())
        return (pool.total_bytes() - before) / n
    return None  # the host has no such count, and JAX's can't be set back


def row(record: dict[str, Any]) -> list[str]:
    held = "" if record["peak"] is None else f"{record['peak']:.1f}"
    return [
        record["place"], record["work"], f"{record['copies']:.1f}", f"{record['ns']:.3f}", held
    ]  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser("python -m benchmarks.device", description=__doc__)
    parser.add_argument("--device", default="cuda", help="cuda or cpu; default: cuda")
    parser.add_argument("--size", type=int, default=10_000_000, help="logits; default: 10 million")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--reports", type=pathlib.Path, metavar="DIR")
    options = parser.parse_args(arguments)
    places = [
        p for p in PLACES if p.device == options.device and p.name in ("torch", "jax", "cupy")
    ]
    here = [p for p in places if missing(p) is None]
    absent = [f"{p.id}: not run, {missing(p)}" for p in places if p not in here]
    records = [r for place in here for r in measured(place, options.size, options.rounds)]
    rows = [row(record) for record in records]
    report.show(f"Float32, {options.size:,} logits", COLUMNS, rows)
    print(*absent, sep="\n")
    if options.reports:
        name = f"{options.device}-costs"
        whole = {"machine": report.machine(), "size": options.size, "records": records}
        page = report.page("Time and memory", report.markdown(COLUMNS, rows), absent)
        report.write(name, whole, page, options.reports)
    return 0 if here else 1


if __name__ == "__main__":
    sys.exit(main())
