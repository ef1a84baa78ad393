"""Time and memory of several runs beside each other, in one process."""

from __future__ import annotations

import ctypes
import gc
import pathlib
import statistics
import time
from collections.abc import Callable
from typing import Any

Run = Callable[[], Any]

SAMPLE = 0.02  # seconds that a sample takes at least
STATUS, CLEAR = pathlib.Path("/proc/self/status"), pathlib.Path("/proc/self/clear_refs")
MEMORY = pathlib.Path("/proc/meminfo")


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
    _give_back()
    try:
        CLEAR.write_text("5")  # sets the peak back
    except OSError:
        return None
    before = _bytes(STATUS, "VmRSS")
    result = run()
    most = _bytes(STATUS, "VmHWM")
    del result
    return max(0, most - before)


def available() -> int | None:
    """Bytes of memory that nobody needs; Linux only."""
    return _bytes(MEMORY, "MemAvailable") if MEMORY.exists() else None


def _give_back() -> None:
    """Give the system what is free, or a run takes from that, and seems to need nothing."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)


def _bytes(path: pathlib.Path, name: str) -> int:
    for line in path.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return 1024 * int(line.split()[1])
    raise ValueError(f"{path} has no {name}")
