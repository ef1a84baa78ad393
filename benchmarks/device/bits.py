"""Whether a device gives the bits of the host, and the same ones each time."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import focalcore
from conformance.places import Place

from ..row import elements
from .cases import BACKWARD, Case, Given, cases, given
from .libraries import Watch, host_of, placed, reason

Array = Any
Arrays = tuple[Array, ...]
Record = dict[str, Any]

LOSSES: dict[str, tuple[Any, Any, Any]] = {
    "sigmoid": (
        focalcore.sigmoid_focal_loss,
        focalcore.sigmoid_focal_loss_value_and_grad,
        focalcore.sigmoid_focal_loss_grad_and_hess,
    ),
    "softmax": (
        focalcore.softmax_focal_loss,
        focalcore.softmax_focal_loss_value_and_grad,
        focalcore.softmax_focal_loss_grad_and_hess,
    ),
}
RUNS, LOGITS, ROWS = 100, 1_000_003, (10_007, 100)  # of what has to be the same each time


class Difference(NamedTuple):
    """How far results are from the host's."""

    elements: int = 0  # that have other bits
    ulp: int | None = 0  # None: where one is NaN and the other isn't, or another shape or type

    def __or__(self, other: Difference) -> Difference:
        most = None if self.ulp is None or other.ulp is None else max(self.ulp, other.ulp)
        return Difference(self.elements + other.elements, most)


def results(case: Case, place: Place, numbers: Given) -> Arrays:
    """What the case gives at a place."""
    loss, value_and_grad, grad_and_hess = LOSSES[case.loss]
    targets = case.dtype if numbers.y.dtype.kind == "f" else None
    x = _laid(place, case, numbers.x, case.dtype)
    y = _laid(place, case, numbers.y, targets)
    match case.output:
        case "value and gradient":
            return value_and_grad(x, y, **case.options)
        case "gradient and curvature":
            return grad_and_hess(x, y, **case.options)
        case "backward of mean":
            x = x.detach().requires_grad_()
            value = loss(x, y, reduction="mean", **case.options)
            value.backward()
            return value, x.grad
        case "backward of none":
            x = x.detach().requires_grad_()
            loss(x, y, **case.options).backward(placed(place, numbers.upstream, case.dtype))
            return (x.grad,)
        case "mean with mask":
            mask = placed(place, numbers.mask)
            return (loss(x, y, mask=mask, reduction="mean", **case.options),)
        case reduction:
            return (loss(x, y, reduction=reduction, **case.options),)


def _laid(place: Place, case: Case, value: Array, dtype: str | None) -> Array:
    """The array, or every second element of one twice as wide."""
    if not case.is_strided:
        return placed(place, value, dtype)
    return placed(place, np.repeat(value, 2, axis=-1), dtype)[..., ::2]


def compared(case: Case, place: Place, numbers: Given) -> Record:
    """How the results of a place differ from those of the host."""
    record = {"place": place.id, "case": case.name} | {
        key: getattr(case, key) for key in ("loss", "output", "dtype")
    }
    try:
        ours = results(case, place, numbers)
        hosts = results(case, host_of(place), numbers)
        found = Difference()
        for one, other in zip(ours, hosts, strict=True):
            found |= difference(_on_host(place, one), _on_host(host_of(place), other))
    except Exception as error:  # a device may raise anything, and the others have to be seen
        return record | {"reason": reason(error)}
    return record | found._asdict()


def _on_host(place: Place, x: Array) -> Array:
    """The numbers as NumPy has them; bfloat16, which it hasn't, as whole numbers with a name."""
    if place.name != "torch":
        return np.asarray(place.numpy(x))
    x = x.detach().cpu().contiguous()
    if str(x.dtype) != "torch.bfloat16":
        return x.numpy()
    import ml_dtypes
    import torch

    return x.view(torch.int16).numpy().view(ml_dtypes.bfloat16)


def difference(one: Array, other: Array) -> Difference:
    """The elements whose bits differ, but for those of NaNs, and the most units between them."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return Difference(max(one.size, other.size), None)
    kind = f"i{one.dtype.itemsize}"
    is_nan = np.isnan(one).reshape(-1), np.isnan(other).reshape(-1)
    ones, others = (np.ascontiguousarray(x).reshape(-1).view(kind) for x in (one, other))
    differs = (ones != others) & ~(is_nan[0] & is_nan[1])
    count = int(differs.sum())
    if not count:
        return Difference()
    if (is_nan[0] != is_nan[1]).any():
        return Difference(count, None)
    pairs = zip(ones[differs].tolist(), others[differs].tolist(), strict=True)
    bits = 8 * one.dtype.itemsize
    return Difference(count, max(abs(_place(a, bits) - _place(b, bits)) for a, b in pairs))


def _place(bits: int, width: int) -> int:
    """The place of a number among all of its type, whose bits are those of a whole number."""
    return bits if bits >= 0 else -(bits + 2 ** (width - 1))


def compared_all(places: list[Place], limit: int, jobs: int, watch: Watch) -> Record:
    """A record for each case and place, until the time is over."""
    every, records, done = cases(limit), [], 0
    found = _in_processes(partial(_everywhere, places), every, jobs)
    while done < len(every) and not watch.is_over():
        records += next(found)
        done += 1
        if done % 50 == 0 or done == len(every):
            others = sum("reason" in r or r["elements"] > 0 for r in records)
            watch.say(f"bits: {done} of {len(every)} calls, {others} that differ or failed")
    found.close()
    return {"calls": len(every), "run": done, "records": records}


def _everywhere(places: list[Place], case: Case) -> list[Record]:
    numbers = given(case)
    with focalcore.use_compiler(True):
        return [compared(case, place, numbers) for place in places if case.is_for(place)]


def _in_processes(
    f: Callable[[Case], list[Record]], every: Sequence[Case], jobs: int
) -> Generator[list[Record]]:
    """What a function gives of each case: most of the time goes into compilers."""
    if jobs == 1:
        yield from map(f, every)
        return
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"))
    try:
        yield from pool.map(f, every)
    finally:
        pool.shutdown(cancel_futures=True)


def repeated(place: Place, limit: int) -> Iterator[Record]:
    """How many results the same call has, in many runs."""
    shapes = {"sigmoid": (LOGITS,) if limit >= LOGITS else (limit | 1,), "softmax": ROWS}
    for loss, shape in shapes.items():
        if elements(shape) > limit + 1:
            shape = (limit // shape[1] or 1, shape[1])
        for output in ("value and gradient", *BACKWARD[:1]):
            targets = "float" if loss == "sigmoid" else "label"
            options = {"reduction": "mean"} if output == "value and gradient" else {}
            case = Case(loss, output, "float32", targets, shape, options)
            if case.is_for(place):
                yield _repeated(case, place)


def _repeated(case: Case, place: Place) -> Record:
    name = f"{case.loss}, mean and gradient by {case.output}, {' x '.join(map(str, case.shape))}"
    record = {"place": place.id, "call": name, "runs": RUNS}
    numbers = given(case._replace(output="mean"))
    try:
        found = {
            b"".join(_on_host(place, x).tobytes() for x in results(case, place, numbers))
            for _ in range(RUNS)
        }
    except Exception as error:  # as above
        return record | {"reason": reason(error)}
    return record | {"results": len(found)}
