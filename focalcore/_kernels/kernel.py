"""Kernels by what is static of a call: traced, compiled and kept, and then run on memory."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from .._losses.operands import Operands, Output
from .._losses.reduction import dtype_of
from .._losses.spec import LossSpec
from . import compiler
from .classes_in_lanes import ClassesInLanes
from .elementwise import Elementwise
from .loops import Array, Loop, Program, Result
from .rows_in_lanes import RowsInLanes
from .symbols import Over
from .trace import Trace

INTEGER, FLOAT = ctypes.c_size_t, ctypes.c_double
BYTES = 128  # of a vector: several registers, so that operations need not wait for each other
LOOPS: dict[str, type[Loop]] = {
    "elementwise": Elementwise,
    "rows": RowsInLanes,
    "classes": ClassesInLanes,
}


class Key(NamedTuple):
    """All that a kernel depends on."""

    loss: LossSpec
    constants: tuple[tuple[str, float], ...]  # numbers that the formula sees
    numbers: tuple[str, ...]  # those that are given at each call
    outputs: tuple[Output, ...]
    arrays: tuple[Array, ...]  # the logits are the first
    loop: str


@dataclass(frozen=True)
class Kernel:
    """A compiled loss: its machine code, and the memory that its threads need."""

    code: compiler.Code
    program: Program
    n_sums: int
    scratch: int  # bytes of memory that a thread needs for each class, or each class of each lane


def find(key: Key) -> Kernel | None:
    """Return the kernel of a key, made where it is not known, or None where it can't be made."""
    if key not in _KERNELS:
        _KERNELS[key] = _made(key)
    return _KERNELS[key]


_KERNELS: dict[Key, Kernel | None] = {}


def _made(key: Key) -> Kernel | None:
    try:
        loop = LOOPS[key.loop](traced(key))
    except Exception:  # what a formula does with symbols may fail in any way: it goes the plain way
        return None
    try:
        code = compiler.compiled(loop.text(), _types(loop.program))
    except Exception as error:  # a machine may forbid to make code
        compiler.refuse(f"{type(error).__name__}: {error}")
        return None
    return Kernel(code, loop.program, len(loop.summed), loop.scratch)


def traced(key: Key) -> Program:
    """Return the operations of a loss, by running it on symbols."""
    trace: Any = Trace(has_classes=key.loss.axis is not None)
    arrays: dict[str, Any] = {a.name: trace.operand(a.name, a.dtype, a.over) for a in key.arrays}
    arrays |= {name: trace.number(name) for name in key.numbers}
    operands = Operands(arrays, key.constants)
    found: tuple[Any, ...] = _canonical(key.loss).compute(trace, operands, key.outputs)
    results: list[Result] = []
    is_summed = any(o.is_sum for o in key.outputs)
    for output, symbol in zip(key.outputs, found, strict=True):
        over = Over.CLASS if output.is_like_scores and key.loss.axis is not None else Over.ROW
        if output.is_sum:
            results.append(Result(symbol, over, is_sum=True))
            continue
        stored = trace.astype(symbol, dtype_of(trace, output, arrays["scores"].dtype))
        results.append(Result(stored, over, looked_at=None if is_summed or results else symbol))
    width = BYTES // np.dtype(operands.dtype(trace)).itemsize
    return Program(key.arrays, key.numbers, tuple(results), width)


def _canonical(loss: Any) -> LossSpec:
    """Return a loss for symbols, whose last axis is that of the classes."""
    return loss if loss.axis is None else replace(loss, axis=1)


def _types(program: Program) -> list[Any]:
    """Return the types of the parameters of a kernel."""
    placed = sum(a.over + 1 for a in program.arrays)
    stored = sum(r.over + 1 for r in program.results if not r.is_sum)
    return [*[INTEGER] * (7 + placed), *[FLOAT] * len(program.numbers), *[INTEGER] * stored]
