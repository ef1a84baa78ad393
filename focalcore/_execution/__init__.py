"""How a backend runs a loss: the formula says what is computed, this folder says how.

Each way takes a backend, a loss, its operands and the parts that are asked for, and gives these in
their order. The plain way is the operations as they are written; a backend that has a better one
gets a module of its own here, and a line in `run`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .._backends import Backend
from .._losses.operands import Operands, Part
from .._losses.spec import LossSpec
from . import numpy_blocks, plain

Array = Any
T = TypeVar("T")


def run(
    backend: Backend, loss: LossSpec, operands: Operands, parts: tuple[Part, ...]
) -> tuple[Array, ...]:
    """The parts that are asked for, at the price of one reading of the operands."""
    if backend.name == "numpy":
        return numpy_blocks.run(loss, operands, parts)
    if backend.name == "torch":
        from . import torch_blocks

        return torch_blocks.run(loss, operands, parts)
    if backend.name == "jax":
        from . import jax_jit

        return plain.run(jax_jit.NAMESPACE, loss, operands, parts)
    if backend.name == "dask":
        from . import dask_chunks

        return dask_chunks.run(backend.xp, loss, operands, parts)
    return plain.run(backend.xp, loss, operands, parts)


def whole(f: Callable[[Any], T], call: Any) -> T:
    """A function of a whole call, as one program where the backend has such a thing."""
    if call.home.backend.name == "jax":
        from . import jax_jit

        return jax_jit.whole(f, call)
    return f(call)
