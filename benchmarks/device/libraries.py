"""Time, memory and arrays on a device: what each library calls them."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from conformance.places import NUMPY, TORCH, Place

from .. import clock

Array = Any
Run = Callable[[int], Any]  # is told which time it is, to take other arrays than the last time


class Watch:
    """The time since the start, and how much of it is left to the part that runs."""

    def __init__(self, limit: float) -> None:
        self._start = time.monotonic()
        self._limit = self._end = self._start + limit

    def allow(self, share: float) -> None:
        """Give the part that begins now a share of what is left."""
        now = time.monotonic()
        self._end = now + share * (self._limit - now)

    def is_over(self) -> bool:
        return time.monotonic() > self._end

    def say(self, text: str) -> None:
        """A line of progress."""
        print(f"[{time.monotonic() - self._start:6.1f} s] {text}", flush=True)


class HostClock:
    """The host's: a call has done its work when it returns."""

    def seconds(self, run: Run, repeats: int) -> float:
        """What a run takes, in a row of them."""
        start = time.perf_counter()
        for i in range(repeats):
            run(i)
        return (time.perf_counter() - start) / repeats

    def wait(self) -> None:
        """Until all is done."""

    def free(self) -> None:
        """Give back the memory that nobody holds."""
        gc.collect()

    def peak(self, run: Callable[[], Any]) -> int | None:
        """Bytes held at most during a run, beyond those held before."""
        return clock.peak(run)


class TorchClock(HostClock):
    """Events in torch's stream, and the numbers of its allocator."""

    def seconds(self, run: Run, repeats: int) -> float:
        import torch

        event = partial(torch.cuda.Event, enable_timing=True)
        return between(event, torch.cuda.Event.elapsed_time, run, repeats)

    def wait(self) -> None:
        import torch

        torch.cuda.synchronize()

    def free(self) -> None:
        import torch

        gc.collect()
        torch.cuda.synchronize()
        torch.cuda.empty_cache()

    def peak(self, run: Callable[[], Any]) -> int | None:
        import torch

        self.free()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        result = run()
        torch.cuda.synchronize()
        most = torch.cuda.max_memory_allocated()
        del result
        return most - before


class CupyClock(HostClock):
    """Events in CuPy's stream; its pool doesn't tell what it held at most."""

    def seconds(self, run: Run, repeats: int) -> float:
        import cupy

        return between(cupy.cuda.Event, cupy.cuda.get_elapsed_time, run, repeats)

    def wait(self) -> None:
        import cupy

        cupy.cuda.get_current_stream().synchronize()

    def free(self) -> None:
        import cupy

        gc.collect()
        self.wait()
        cupy.get_default_memory_pool().free_all_blocks()

    def peak(self, run: Callable[[], Any]) -> int | None:  # noqa: ARG002
        return None


def between(
    event: Callable[[], Any], elapsed: Callable[[Any, Any], float], run: Run, repeats: int
) -> float:
    """Seconds of a run between two events of a stream, which tell milliseconds."""
    begin, end = event(), event()
    begin.record()
    for i in range(repeats):
        run(i)
    end.record()
    end.synchronize()
    return elapsed(begin, end) / 1e3 / repeats


def clock_of(place: Place) -> HostClock:
    """The clock of a library on a device."""
    if place.device == "cpu":
        return HostClock()
    return TorchClock() if place.name == "torch" else CupyClock()


def host_of(place: Place) -> Place:
    """Where the same arrays lie on the host: torch's in torch, the others' in NumPy."""
    return TORCH if place.name == "torch" else NUMPY


def placed(place: Place, value: Array, dtype: str | None = None) -> Array:
    """An array that was rounded on the host, so that it is the same everywhere."""
    host = host_of(place).array(value, dtype)
    return host.to(place.device) if place.name == "torch" else place.array(host)


def copied(x: Array) -> Array:
    """A copy of an array, as fast as its library makes it."""
    if hasattr(x, "clone"):
        return x.clone()
    if isinstance(x, np.ndarray):
        return x.copy()
    import cupy  # whose own copy is a kernel for any strides

    made = cupy.empty_like(x)
    made.data.copy_from_device_async(x.data, x.nbytes, cupy.cuda.get_current_stream())
    return made


def nbytes(result: Any) -> int:
    """How many bytes arrays have."""
    if isinstance(result, tuple):
        return sum(map(nbytes, result))
    return int(np.prod(result.shape)) * int(result.dtype.itemsize)


def reason(error: Exception) -> str:
    """What an error says, in a line."""
    said = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {said[0]}"[:300]
