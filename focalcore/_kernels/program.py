"""Programs: what a kernel computes, left behind by a loss that was run on symbols."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from .._losses.operands import Operands, Output, is_exponent
from .._losses.reduction import dtype_of
from .._losses.spec import LossSpec
from .symbols import Over, Symbol, reachable
from .trace import Trace

STATIC_GAMMA = 8.0  # up to here, multiples of 1/4 are products and roots, of a kernel of their own
BYTES = 128  # of a vector: several registers, so that operations need not wait for each other


class Array(NamedTuple):
    """An operand: the type of its elements in memory, and what it has one for."""

    name: str
    dtype: str
    over: Over


@dataclass(frozen=True)
class Result:
    """An output: a symbol of the type in which it is stored, or which is summed up."""

    symbol: Symbol
    over: Over
    is_sum: bool = False
    looked_at: Symbol | None = None  # where it is NaN, the kernel says so


class Request(NamedTuple):
    """What is asked of a kernel."""

    loss: LossSpec
    constants: tuple[tuple[str, float], ...]  # numbers that the formula sees
    numbers: tuple[str, ...]  # those that are given at each call
    outputs: tuple[Output, ...]
    arrays: tuple[Array, ...]  # the logits are the first


@dataclass(frozen=True)
class Program:
    """What a kernel computes."""

    arrays: tuple[Array, ...]
    numbers: tuple[str, ...]
    results: tuple[Result, ...]
    width: int  # the lanes of a vector

    @cached_property
    def stored(self) -> list[tuple[int, Result]]:
        """Return the results that are stored, with their numbers."""
        return [(i, r) for i, r in enumerate(self.results) if not r.is_sum]

    @cached_property
    def summed(self) -> list[Result]:
        """Return the results that are summed up."""
        return [r for r in self.results if r.is_sum]

    @cached_property
    def symbols(self) -> list[Symbol]:
        """Return all that is computed, each after its parts."""
        looked_at = [r.looked_at for r in self.results if r.looked_at is not None]
        return reachable([*(r.symbol for r in self.results), *looked_at])


def split(
    numbers: Iterable[tuple[str, float]],
) -> tuple[tuple[tuple[str, float], ...], dict[str, float]]:
    """Return the numbers that a kernel is made for, and those that it is given at each call."""
    constants, given = [], {}
    for name, value in numbers:
        if is_exponent(name) and value <= STATIC_GAMMA and value * 4 == int(value * 4):
            constants.append((name, value))
        else:
            given[name] = float(value)
    return tuple(constants), given


def traced(request: Request) -> Program:
    """Return the operations of a loss, by running it on symbols."""
    loss, outputs = request.loss, request.outputs
    trace: Any = Trace(has_classes=loss.axis is not None)
    arrays: dict[str, Any] = {
        a.name: trace.operand(a.name, a.dtype, a.over) for a in request.arrays
    }
    arrays |= {name: trace.number(name) for name in request.numbers}
    operands = Operands(arrays, request.constants)
    found: tuple[Any, ...] = _canonical(loss).compute(trace, operands, outputs)
    results: list[Result] = []
    is_summed = any(o.is_sum for o in outputs)
    for output, symbol in zip(outputs, found, strict=True):
        over = Over.CLASS if output.is_like_scores and loss.axis is not None else Over.ROW
        if output.is_sum:
            results.append(Result(symbol, over, is_sum=True))
            continue
        stored = trace.astype(symbol, dtype_of(trace, output, arrays["scores"].dtype))
        results.append(Result(stored, over, looked_at=None if is_summed or results else symbol))
    width = BYTES // np.dtype(operands.dtype(trace)).itemsize
    return Program(request.arrays, request.numbers, tuple(results), width)


def _canonical(loss: Any) -> LossSpec:
    """Return a loss for symbols, whose last axis is that of the classes."""
    return loss if loss.axis is None else replace(loss, axis=1)
