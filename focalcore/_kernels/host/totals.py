"""The total of the sums of blocks, by machine code: a call of many blocks does not wait for it."""

from __future__ import annotations

import ctypes
from array import array
from functools import cache
from typing import Any

from .. import compiler
from ..sums import BLOCK, LANES
from ..writer import Writer


def total(sums: array[float]) -> float:
    """Return the sum of the sums of blocks, as `sums.total` does."""
    while len(sums) > 1:
        found = array("d", bytes(8 * -(-len(sums) // BLOCK)))
        _code()(sums.buffer_info()[0], len(sums), found.buffer_info()[0])
        sums = found
    return sums[0]


@cache
def _code() -> Any:
    types = ctypes.c_size_t, ctypes.c_size_t, ctypes.c_size_t
    return ctypes.CFUNCTYPE(None, *types)(_engine().get_function_address("sums_of_blocks"))


@cache
def _engine() -> Any:
    """Return what tells the address of the machine code."""
    return compiler.engine_of(_text())


def _text() -> str:
    """Return the text of a function that writes the sum of each block of n numbers."""
    w = Writer()
    lanes = w.place("double", LANES)

    def add(i: str, there: str) -> None:
        lane = w.at(lanes, w.mul(i, 8))
        more = w.load("double", there)
        w.store("double", w.value(f"fadd double {w.load('double', lane)}, {more}"), lane)

    with w.loop(0, "%n", BLOCK) as start:
        count = w.least(w.sub("%n", start), BLOCK)
        numbers = w.at("%sums", w.mul(start, 8))
        w.store(f"[{LANES} x double]", "zeroinitializer", lanes)
        with w.loop(0, count) as i:
            add(w.value(f"and i64 {i}, {LANES - 1}"), w.at(numbers, w.mul(i, 8)))
        half = LANES
        while half > 1:
            half //= 2
            with w.loop(0, half) as i:
                add(i, w.at(lanes, w.mul(w.add(i, half), 8)))
        to = w.at("%found", w.mul(w.value(f"udiv i64 {start}, {BLOCK}"), 8))
        w.store("double", w.load("double", lanes), to)
    w.do("ret void")
    return w.function("void @sums_of_blocks(ptr %sums, i64 %n, ptr %found)")
