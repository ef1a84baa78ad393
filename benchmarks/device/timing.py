"""The time of works beside that of a copy, and the memory they hold."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from conformance.places import Place

from ..row import elements
from .libraries import HostClock, Watch, clock_of, copied, nbytes, placed, reason
from .works import MEASURED, Group, Inputs, inputs, sets_of, several, within, works

Record = dict[str, Any]

REPEATS = 2_000  # of a run in a sample, at most


class Timed(NamedTuple):
    """What is run again and again, and how it is timed."""

    clock: HostClock
    run: Callable[[int], Any]
    moved: int  # bytes of the inputs and the outputs


def timed(group: Group, places: list[Place], seconds: float, rounds: int) -> list[Record]:
    """A record for each work: the median of its times, and that of a copy of as many bytes."""
    runs: dict[Any, Timed] = {}
    failed: list[Record] = []
    for place in places:
        sets = several(place, inputs(place, group), elements(group.shape))
        for work in works(place, group):
            run = partial(_run, work.run, sets)
            try:
                runs[place.id, work.by, work.task] = one = _warm(place, run, sets[0])
            except Exception as error:  # others' compilers may raise anything
                failed.append(_record(group, place.id, work.by, work.task, reason=reason(error)))
                continue
            if (place.id, one.moved) not in runs:
                runs[place.id, one.moved] = _copy(place, one.moved, elements(group.shape))
    medians = _medians(runs, seconds, rounds)
    for place in places:
        clock_of(place).free()
    found = [
        _record(
            group, *key, moved=one.moved, us=1e6 * medians[key],
            copy_us=1e6 * medians[key[0], one.moved],
        )
        for key, one in runs.items() if len(key) == 3
    ]  # fmt: skip
    return found + failed


def _record(group: Group, place: str, by: str, task: str, **found: Any) -> Record:
    return group._asdict() | {"place": place, "by": by, "task": task} | found


def _run(run: Callable[[Inputs], Any], sets: list[Inputs], i: int) -> Any:
    return run(sets[i % len(sets)])


def _warm(place: Place, run: Callable[[int], Any], first: Inputs) -> Timed:
    """Compile, fill the caches, and see what comes out."""
    result = run(0)
    clock_of(place).wait()
    return Timed(clock_of(place), run, nbytes((first.x, first.y)) + nbytes(result))


def _copy(place: Place, moved: int, logits: int) -> Timed:
    """A copy that reads half of the bytes and writes half."""
    first = placed(place, np.zeros(max(1, moved // 2), "uint8"))
    sources = [first, *(copied(first) for _ in range(sets_of(moved // 2, logits) - 1))]
    return Timed(clock_of(place), lambda i: copied(sources[i % len(sources)]), moved)


def _medians(runs: dict[Any, Timed], seconds: float, rounds: int) -> dict[Any, float]:
    """Seconds of each, sampled in turn: what disturbs one disturbs its neighbours too."""
    repeats = {}
    for key, one in runs.items():
        one.clock.seconds(one.run, 1)
        about = one.clock.seconds(one.run, 3)
        repeats[key] = max(1, min(REPEATS, round(seconds / rounds / max(about, 1e-9))))
    samples: dict[Any, list[float]] = {key: [] for key in runs}
    for _ in range(rounds):
        for key, one in runs.items():
            samples[key].append(one.clock.seconds(one.run, repeats[key]))
    return {key: statistics.median(own) for key, own in samples.items()}


def timed_all(
    places: list[Place], limit: int, seconds: float, rounds: int, watch: Watch
) -> list[Record]:
    """The records of all groups, until the time is over."""
    records: list[Record] = []
    for group in within(limit):
        if watch.is_over():
            records.append(group._asdict() | {"reason": "the time was over"})
            continue
        try:
            records += timed(group, places, seconds, rounds)
        except Exception as error:  # there may be too little memory
            records.append(group._asdict() | {"reason": reason(error)})
        watch.say(f"time: {group.name}")
    return records


def measured(place: Place, limit: int, watch: Watch) -> Iterator[Record]:
    """What each work holds at most beyond its inputs, for each logit."""
    clock = clock_of(place)
    for group in within(limit, MEASURED):
        given = inputs(place, group)
        for work in works(place, group):
            if watch.is_over():
                yield _record(group, place.id, work.by, work.task, reason="the time was over")
                continue
            try:
                _warm(place, partial(_run, work.run, [given]), given)
                peak = clock.peak(partial(work.run, given))
            except Exception as error:  # as above
                yield _record(group, place.id, work.by, work.task, reason=reason(error))
                continue
            held = None if peak is None else peak / elements(group.shape)
            yield _record(group, place.id, work.by, work.task, bytes=held)
        watch.say(f"memory: {place.id}, {group.name}")
