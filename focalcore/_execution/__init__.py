"""How a library runs a loss: the formula says what is computed, and this package says how.

Each way takes a loss, its operands and the outputs that are asked for, and returns these in their
order. The plain way is the operations as they are written; a library that has a better one names
its module in its `Backend`, and `run` imports it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .._backends import Backend
from .._losses.linear import LinearCall
from .._losses.operands import Operands, Output
from .._losses.prepare import LossCall
from .._losses.spec import LossSpec
from .._typing import Result
from . import device, host, numpy_host, plain
from .kinds import Again

T = TypeVar("T")
CallT = TypeVar("CallT", LossCall, LinearCall)


def run(
    backend: Backend, loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]
) -> tuple[Result, ...]:
    """Return the outputs that are asked for, from one reading of the operands.

    Where there is a denominator among these, gradients and sums are divided by it.
    """
    match backend.runner:
        case "numpy_host":
            return numpy_host.run(loss, operands, outputs)
        case "torch_host":
            from . import torch_host

            return torch_host.run(loss, operands, outputs, torch_host.mode_of(operands))
        case "cupy_device":
            from . import cupy_device

            return cupy_device.run(backend, loss, operands, outputs)
        case "dask_chunks":
            from . import dask_chunks

            return dask_chunks.run(backend.formula_xp, loss, operands, outputs)
        case _:
            found = plain.run(backend.formula_xp, loss, operands, outputs)
            return plain.looked(backend, operands, found)


def again(
    backend: Backend, loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]
) -> Again | None:
    """Return how `run` computes outputs of other arrays of the same kind, or None: by no kernel."""
    match backend.runner:
        case "numpy_host":
            return host.again(numpy_host.MEMORY, loss, operands, outputs)
        case "torch_host":
            from . import torch_host

            return torch_host.again(loss, operands, outputs)
        case "cupy_device":
            from . import cupy_device

            return device.again(cupy_device.DEVICE, loss, operands, outputs)
        case _:
            return None


def compiled(backend: Backend, f: Callable[[CallT], T]) -> Callable[[CallT], T]:
    """Return the function as one compiled program, if the library has such programs."""
    if backend.program == "none":
        return f
    from . import jax_program

    return jax_program.compiled(f)
