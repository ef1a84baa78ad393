"""Time and memory of several runs beside each other, in one process."""

from __future__ import annotations

import gc
import pathlib
import statistics
import time
from collections.abc import Callable
from typing import Any

Run = Callable[[], Any]

SAMPLE = 0.02  # seconds that a sample takes at least
STATUS, CLEAR = pathlib.Path("/proc/self/status"), pathlib.Path("/proc/self/clear_refs")


def times(runs: dict[str, Run], rounds: int) -> dict[str, list[float]]:
    """Seconds of each run, sampled in turn: what disturbs one disturbs its neighbours too."""
    repeats = {}
    for name, run in runs.items():
        run()  # compile, and fill the caches
        start = time.perf_counter()
        run()
        repeats[name] = max(1, round(SAMPLE / (time.perf_counter() - start)))
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            for _ in range(repeats[name]):
                run()
            found[name].append((time.perf_counter() - start) / repeats[name])
    return found


def ratio(theirs: list[float], ours: list[float]) -> float:
    """The median, over the rounds, of their time to ours."""
    return statistics.median(t / o for t, o in zip(theirs, ours, strict=True))


def peak(run: Run) -> int | None:
    """Bytes that the process holds at most during a run beyond what it held before; Linux only."""
    if not CLEAR.exists():
        return None
    gc.collect()
    try:
        CLEAR.write_text("5")  # sets the peak back
    except OSError:
        return None
    before = _status("VmRSS")
    result = run()
    most = _status("VmHWM")
    del result
    return max(0, most - before)


def _status(name: str) -> int:
    for line in STATUS.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return 1024 * int(line.split()[1])
    raise ValueError(f"{STATUS} has no {name}")
