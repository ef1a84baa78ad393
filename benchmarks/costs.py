"""What ours costs where there is nobody to compare with: single numbers, in units of their own."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, NamedTuple

import focalcore
from focalcore import sigmoid_focal_loss, softmax_focal_loss

from . import clock
from .row import Run, absent, backward, numbers, on_torch
from .rows_softmax import distributions, labels

NEW_GAMMAS = tuple(n + part for n in range(2, 8) for part in (0.25, 0.75))  # no row has these
SIZES = (1_000_000, 10_000_000)
SPIN = "print(flush=True)\nwhile True: pass"


class Cost(NamedTuple):
    """Some numbers of ours, by name."""

    name: str
    unit: str
    needs: tuple[str, ...]  # modules
    measured: Callable[[int, int], dict[str, float]]  # in a number of rounds, of so many elements

    def missing(self) -> str | None:
        """Why it can't be run here."""
        return absent(self.needs)


def one_element(rounds: int, _: int) -> dict[str, float]:
    """Microseconds that a call takes that has next to nothing to do."""
    loss = partial(sigmoid_focal_loss, alpha=0.25)
    runs = {
        "NumPy value": partial(loss, *numbers(1)),
        "torch eager, value": partial(loss, *on_torch(1)),
    }
    seconds = clock.times(runs, rounds)
    return {name: 1e6 * statistics.median(own) for name, own in seconds.items()}


def first_calls(rounds: int, _: int) -> dict[str, float]:
    """Milliseconds of a first call beyond those of the second, with a gamma that is new."""
    found: dict[str, list[float]] = {}
    for name, run_with in with_gamma().items():
        run_with(2.0)()  # what is done once, whatever the options
        for gamma in NEW_GAMMAS[:rounds]:
            run = run_with(gamma)
            found.setdefault(name, []).append(seconds(run) - seconds(run))
    return {name: 1e3 * statistics.median(own) for name, own in found.items()}


def with_gamma() -> dict[str, Callable[[float], Run]]:
    """Calls whose gamma is to be given."""
    means: Any = partial(partial, sigmoid_focal_loss, reduction="mean")
    rows: Any = partial(partial, softmax_focal_loss, axis=1, reduction="mean")
    x, y = on_torch(1_000)
    x.requires_grad_()
    few, many, soft = labels((50, 20)), labels((50, 1_000)), distributions((50, 20))
    return {
        "NumPy value": lambda g: partial(sigmoid_focal_loss, *numbers(1_000), gamma=g),
        "torch eager, mean forward and backward": lambda g: backward(means(gamma=g), x, y),
        "softmax, 20 classes": lambda g: backward(rows(gamma=g), *few),
        "softmax, 1,000 classes": lambda g: backward(rows(gamma=g), *many),
        "softmax, mixture": lambda g: backward(rows(gamma=g, soft_targets="mixture"), *soft),
    }


def seconds(run: Run) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def second_threads(rounds: int, most: int) -> dict[str, float]:
    """The time of two threads to that of one, alone and beside a process that keeps a core busy."""
    found = {}
    for n in (size for size in SIZES if size <= most):
        loss = partial(sigmoid_focal_loss, *numbers(n), alpha=0.25)
        runs = {str(k): partial(with_threads, k, loss) for k in (1, 2)}
        for name, beside in (("quiet", nullcontext), ("beside a busy process", busy_process)):
            with beside():
                times = clock.times(runs, rounds)
            found[f"NumPy value, {n:,} elements, {name}"] = clock.ratio(times["2"], times["1"])
    return found


def with_threads(number: int, run: Run) -> Any:
    with focalcore.use_threads(number):
        return run()


@contextmanager
def busy_process() -> Iterator[subprocess.Popen[bytes]]:
    """A process that keeps a core busy."""
    with subprocess.Popen([sys.executable, "-c", SPIN], stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            child.stdout.readline()  # it has begun
            yield child
        finally:
            child.kill()


COSTS = (
    Cost("one element", "µs", ("torch",), one_element),
    Cost("first call with new options", "ms beyond the second", ("torch",), first_calls),
    Cost("beside a busy process", "time of two threads / of one", (), second_threads),
)
