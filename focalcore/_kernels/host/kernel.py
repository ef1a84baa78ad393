"""Kernels by what is static of a call: traced, compiled and kept, and then run on memory."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, NamedTuple

from .. import compiler
from ..program import Program, Request, traced
from .classes_in_lanes import ClassesInLanes
from .elementwise import Elementwise
from .loops import Loop
from .rows_in_lanes import RowsInLanes

INTEGER, FLOAT = ctypes.c_size_t, ctypes.c_double
LOOPS: dict[str, type[Loop]] = {
    "elementwise": Elementwise,
    "rows": RowsInLanes,
    "classes": ClassesInLanes,
}


class Key(NamedTuple):
    """All that a kernel depends on."""

    request: Request
    loop: str


@dataclass(frozen=True)
class Kernel:
    """A compiled loss: its machine code, and the memory that its threads need."""

    code: compiler.Code
    program: Program
    scratch: int  # bytes of memory that a thread needs for each class, or each class of each lane


def find(key: Key) -> Kernel | None:
    """Return the kernel of a key, made where it is not known, or None where it can't be made."""
    if key not in _KERNELS:
        _KERNELS[key] = _made(key)
    return _KERNELS[key]


_KERNELS: dict[Key, Kernel | None] = {}


def _made(key: Key) -> Kernel | None:
    try:
        loop = LOOPS[key.loop](traced(key.request))
    except Exception:  # what a formula does with symbols may fail in any way: it goes the plain way
        return None
    try:
        code = compiler.compiled(loop.text(), _types(loop.program))
    except Exception as error:  # a machine may forbid to make code
        compiler.refuse(f"{type(error).__name__}: {error}")
        return None
    return Kernel(code, loop.program, loop.scratch)


def _types(program: Program) -> list[Any]:
    """Return the types of the parameters of a kernel."""
    placed = sum(a.over + 1 for a in program.arrays)
    stored = sum(r.over + 1 for _, r in program.stored)
    return [*[INTEGER] * (7 + placed), *[FLOAT] * len(program.numbers), *[INTEGER] * stored]
