"""The command that measures a device."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import pathlib
import re
import warnings
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from conformance import report
from conformance.places import PLACES, Place, missing
from focalcore import _kernels, use_compiler

from . import bits, page, timing
from .libraries import Watch

Record = dict[str, Any]
Part = Callable[[list[Place], argparse.Namespace, Watch], Any]

ABOUT = """Compare the bits of a device's results with the host's, and measure its time, beside a
copy of as many bytes and beside others' losses, and its memory."""


def of_bits(places: list[Place], options: argparse.Namespace, watch: Watch) -> Any:
    found = bits.compared_all(places, options.size_limit, options.jobs, watch)
    repeated = [r for place in places for r in bits.repeated(place, options.size_limit)]
    watch.say("bits: the same call many times")
    return found | {"repeated": repeated}


def of_time(places: list[Place], options: argparse.Namespace, watch: Watch) -> Any:
    return timing.timed_all(places, options.size_limit, options.seconds, options.rounds, watch)


def of_memory(places: list[Place], options: argparse.Namespace, watch: Watch) -> Any:
    torch = [place for place in places if place.name == "torch"]
    return [r for place in torch for r in timing.measured(place, options.size_limit, watch)]


PACKAGES = ("cupy-cuda12x", "cupy-cuda13x", "torchvision", "triton")  # beside those of the tables

# what is measured, and which part of the time it may take
PARTS: dict[str, tuple[Part, float]] = {
    "bits": (of_bits, 0.4),
    "time": (of_time, 0.5),
    "memory": (of_memory, 0.1),
}


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser("python -m benchmarks.device", description=ABOUT)
    found.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    found.add_argument("--only", choices=PARTS, help="measure this alone")
    found.add_argument(
        "--size-limit", type=int, default=100_000_000, metavar="N", help="logits at most"
    )
    found.add_argument(
        "--seconds", type=float, default=0.15, help="for each timed work; default: 0.15"
    )
    found.add_argument("--rounds", type=int, default=5, help="samples of each; default: 5")
    found.add_argument(
        "--limit", type=float, default=220, metavar="S",
        help="seconds after which nothing more is begun; default: 220",
    )  # fmt: skip
    found.add_argument(
        "--jobs", type=int, default=1, help="processes that compare bits; default: 1"
    )
    found.add_argument("--reports", type=pathlib.Path, metavar="DIR")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Measure part after part, and write what there is after each."""
    options = parser().parse_args(arguments)
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # JAX is asked for its devices
    watch = Watch(options.limit)
    named = [p for p in PLACES if p.device == options.device and p.name in ("torch", "cupy")]
    here: list[Place] = [p for p in named if missing(p) is None]
    absent = [f"{p.id}: not run, {missing(p)}" for p in named if p not in here]
    if not here:
        print(*absent, sep="\n")
        return 1
    whole: Record = {
        "machine": machine(),
        "host kernels": _kernels.why_not(),
        "rounds": options.rounds,
        "warnings": [],
        "absent": absent,
    }
    watch.say(f"on {', '.join(p.id for p in here)}")
    parts = {name: PARTS[name] for name in ([options.only] if options.only else PARTS)}
    left = sum(share for _, share in parts.values())
    for name, (part, share) in parts.items():
        watch.allow(share / left)
        left -= share
        with use_compiler(True), warnings.catch_warnings(record=True) as said:
            whole[name] = part(here, options, watch)
        whole["warnings"] += sorted({str(one.message).strip().split("\n")[0] for one in said})
        whole["device kernels"] = kernels_that_ran()
        if options.reports:
            name = name_of(options.device, whole["machine"])
            report.write(name, whole, page.markdown(whole), options.reports)
    page.show(whole)
    watch.say("done")
    return 0


def name_of(device: str, machine: Record) -> str:
    """The name of a report: that of the device."""
    if device == "cpu":
        return "device-cpu"
    seen = (name for names in machine["devices"].values() for name in names)
    (first,) = [name for name in seen if name.startswith("cuda:0")][:1] or [""]
    words = re.findall(r"[a-z0-9]+", first.lower())
    return "-".join(["cuda", *(w for w in words if w not in ("cuda", "0", "nvidia"))])


def machine() -> Record:
    """What was measured on."""
    found = report.machine()
    for package in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found["packages"][package] = version(package)
    return found


def kernels_that_ran() -> list[str] | None:
    """The libraries in which focalcore's kernels have run on a device, if it tells."""
    try:
        device = importlib.import_module("focalcore._execution.device")
        return sorted(device.used())
    except (ImportError, AttributeError):
        return None
