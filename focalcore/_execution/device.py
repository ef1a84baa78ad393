"""The way of arrays on a GPU: the kernels of the host as PTX, which give the same bits.

Nothing here waits for the device. Where kernels can't be loaded or launched, a warning says so
once, and the library's own operations go on.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, NamedTuple

from .. import _kernels, settings
from .._kernels import GridPlan, Launch, Layout, Source
from .._losses.operands import Operands, Output
from .._losses.reduction import quotients
from .._losses.spec import LossSpec
from .._typing import Library, Result, Shape
from . import proven
from .kinds import Again, AnewError

Kernel = Any  # a kernel of a library, and the blocks of its grid


class Device(NamedTuple):
    """How the arrays of a library are read, made and worked on, on a GPU."""

    name: str  # of the library
    xp: Library
    layout: Callable[[Any, str, Any], Layout | None]  # None: not on the GPU of the first array
    pointer: Callable[[Any], int]
    empty: Callable[[Shape, str, Any], Any]  # an array of a shape and a dtype, like another
    capability: Callable[[Any], tuple[int, int]]  # of the GPU that an array is on
    current: Callable[[Any], AbstractContextManager[Any]]  # makes the GPU of an array the current
    load: Callable[[Source, tuple[int, int]], Any]  # a module
    kernel: Callable[[Any, Launch], Kernel]  # one of a module
    stream: Callable[[Any], Any]  # the current one of the GPU that an array is on
    launch: Callable[[Kernel, Any, tuple[Any, ...]], None]  # on a stream, with arguments


class Run(NamedTuple):
    """A plan with its numbers, to be run on arrays that lie as those it was made for."""

    device: Device
    plan: GridPlan
    numbers: tuple[float, ...]
    denominator: float  # of sums
    kernels: tuple[Kernel, ...]
    folds: tuple[Kernel, ...]

    def outputs(self, arrays: Sequence[Any]) -> tuple[Any, ...]:
        """Return the outputs, or raise an error where nothing can be launched."""
        plan, empty = self.plan, self.device.empty
        if self.device.name in _REFUSED:
            raise AnewError
        with self.device.current(arrays[0]):
            found = [
                empty(() if shape is None else shape, dtype, arrays[0])
                for shape, dtype in zip(plan.shapes, plan.dtypes, strict=True)
            ]
            scratch = [empty((n,), "uint8", arrays[0]) if n else None for n in plan.memory]
            try:
                self._launch(arrays, found, scratch)
            except Exception as error:  # drivers and launchers raise what they like
                _refuse(self.device.name, f"{type(error).__name__}: {error}")
                raise AnewError from error
        return tuple(found)

    def _launch(self, arrays: Sequence[Any], found: list[Any], scratch: list[Any]) -> None:
        plan, (pointer, launch) = self.plan, (self.device.pointer, self.device.launch)
        stored = [x for x, shape in zip(found, plan.shapes, strict=True) if shape is not None]
        pointers = [pointer(x) for x in (*arrays, *stored)]
        sums, parts = [0 if x is None else pointer(x) for x in scratch]
        stream = self.device.stream(arrays[0])
        given = plan.given(pointers, self.numbers, sums, parts)
        for kernel, step in zip(self.kernels, plan.launches, strict=True):
            launch(kernel, stream, (*step.arguments, *given))
        for number, i in enumerate(plan.summed):
            more = plan.given_to_folds(number, sums, self.denominator, pointer(found[i]))
            for kernel, step, own in zip(self.folds, plan.folds, more, strict=True):
                launch(kernel, stream, (*step.arguments, *own))


_USED: set[str] = set()
_REFUSED: dict[str, str] = {}  # why a library's kernels are given up in this process


def used() -> set[str]:
    """Return the libraries whose kernels have run on a GPU in this process."""
    return set(_USED)


def run(
    device: Device, loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]
) -> tuple[Result, ...] | None:
    """Return the outputs, or None where they have to come from the library's own operations."""
    found = run_of(device, loss, operands, outputs)
    if found is None:
        return None
    try:
        made = found.outputs(tuple(operands.arrays.values()))
    except AnewError:
        return None
    _USED.add(device.name)
    if "denominator" in operands.arrays:
        return quotients(device.xp, operands, outputs, made)
    return made


def again(
    device: Device, loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]
) -> Again | None:
    """Return the outputs as a function of other arrays of the kind, or None: not by a kernel."""
    found = run_of(device, loss, operands, outputs)
    is_array = "denominator" in operands.arrays
    return None if found is None or is_array else found.outputs


def run_of(
    device: Device, loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]
) -> Run | None:
    """Return how the outputs are computed by kernels, or None where there are none."""
    scores = operands.arrays["scores"]
    if device.name in _REFUSED or not _is_on(device, scores):
        return None
    call = _kernels.Call.of(loss, operands, outputs, partial(device.layout, scores))
    plan = None if call is None else _kernels.grid_plan_of(call[0])
    if call is None or plan is None:
        return None
    numbers = call[1]
    try:
        module = device.load(plan.source, device.capability(scores))
        kernels, folds = (
            tuple(device.kernel(module, step) for step in steps)
            for steps in (plan.launches, plan.folds)
        )
    except Exception as error:  # a compiler, or what loads its code
        _refuse(device.name, f"{type(error).__name__}: {error}")
        return None
    denominator = numbers.get("denominator") or 1.0
    return Run(device, plan, tuple(numbers.values()), denominator, kernels, folds)


def _is_on(device: Device, scores: Any) -> bool:
    """Tell whether kernels are asked for, or are known to be right on such a GPU."""
    if not (settings.kernels() and _kernels.are_available()):
        return False
    return settings.on_every_gpu() or device.capability(scores) in proven.CAPABILITIES[device.name]


def _refuse(library: str, reason: str) -> None:
    """Give up the kernels of a library in this process, and say so once."""
    _REFUSED[library] = reason
    warnings.warn(
        f"focalcore goes on without kernels of its own for {library} on the GPU, slower and with "
        f"the same meaning: {reason}. FOCALCORE_COMPILER=0 turns them off, and this warning",
        RuntimeWarning,
        stacklevel=2,
    )
