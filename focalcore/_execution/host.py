"""The way of arrays in the host's memory: one kernel, the same machine code for every library."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import _kernels, settings
from .._kernels import Layout
from .._losses.operands import Operands, Output
from .._losses.reduction import quotients
from .._losses.spec import LossSpec
from .._typing import Library, Result, Shape
from .kinds import Again, AnewError


class Memory(NamedTuple):
    """How the arrays of a library are read and made in the host's memory."""

    xp: Library
    layout: Callable[[str, Any], Layout | None]  # None: a kernel can't read it
    pointer: Callable[[Any], int]
    empty: Callable[[Shape, str, Any], Any]  # an array of a shape and a dtype, like another
    number: Callable[[Any, str], Any]  # a result of no axes, of a dtype
    result: Callable[[Any], Any]  # an array that was made, as users get it
    crew: Callable[[], _kernels.Crew]


SCALARS: dict[str, type[np.floating[Any]]] = {"float32": np.float32, "float64": np.float64}


class Run(NamedTuple):
    """A plan with its numbers, to be run on arrays that lie as those it was made for."""

    memory: Memory
    plan: _kernels.Plan
    numbers: dict[str, float]

    def outputs(self, arrays: Sequence[Any], **numbers: float) -> tuple[Any, ...]:
        """Return the outputs, by other numbers if given, or raise an error where one is NaN."""
        run_ = self._replace(numbers=self.numbers | numbers) if numbers else self
        is_bad, found = run_.results(arrays)
        if is_bad:
            raise AnewError
        return tuple(found)

    def results(self, arrays: Sequence[Any]) -> tuple[bool, list[Any]]:
        """Return whether something is NaN, and the outputs."""
        plan, memory = self.plan, self.memory
        found, pointers = [], [memory.pointer(x) for x in arrays]
        for shape, dtype in zip(plan.shapes, plan.dtypes, strict=True):
            made = None if shape is None else memory.empty(shape, dtype, arrays[0])
            found.append(made)
            if made is not None:
                pointers.append(memory.pointer(made))
        is_bad, sums = plan.run(pointers, tuple(self.numbers.values()), memory.crew())
        denominator = self.numbers.get("denominator") or 1.0
        for i, total in zip(plan.summed, sums, strict=True):
            is_bad = is_bad or math.isnan(total)
            kind = SCALARS[plan.dtypes[i]]
            found[i] = memory.number(kind(total) / kind(denominator), plan.dtypes[i])
        return is_bad, [memory.result(x) for x in found]

    def sums_of_blocks(self, arrays: Sequence[Any]) -> Sequence[float]:
        """Return the sums of blocks that make up the first sum."""
        pointers = [self.memory.pointer(x) for x in arrays]
        return self.plan.blocks(pointers, tuple(self.numbers.values()), self.memory.crew())[1][0]


def run_of(
    memory: Memory, loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]
) -> Run | None:
    """Return how the outputs are computed by a kernel, or None where there is none."""
    if not (settings.kernels() and _kernels.are_available()):
        return None
    call = _kernels.Call.of(loss, operands, outputs, memory.layout)
    plan = None if call is None else _kernels.plan_of(call[0])
    if call is None or plan is None:
        return None
    return Run(memory, plan, call[1])


def again(
    memory: Memory, loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]
) -> Again | None:
    """Return the outputs as a function of other arrays of the kind, or None: not by a kernel.

    Where there is a NaN among the outputs, what is returned raises `AnewError`.
    """
    found = run_of(memory, loss, operands, outputs)
    is_array = "denominator" in operands.arrays
    return None if found is None or is_array else found.outputs


def run(
    memory: Memory, loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]
) -> tuple[Result, ...] | None:
    """Return the outputs, or None where there is no kernel for the operands.

    Sums are divided by a denominator among the operands.
    """
    found = run_of(memory, loss, operands, outputs)
    if found is None:
        return None
    is_bad, results = found.results(tuple(operands.arrays.values()))
    if is_bad:
        operands.look()
    if "denominator" in operands.arrays:
        return quotients(memory.xp, operands, outputs, results)
    return tuple(results)
