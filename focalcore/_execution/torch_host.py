"""torch's way to run: a kernel if only numbers on the CPU are asked for, else as written."""

from __future__ import annotations

import ctypes
import functools
from enum import Enum
from typing import Any

import torch
from torch import Tensor
from torch._functorch.pyfunctorch import TransformType, retrieve_all_functorch_interpreters  # type: ignore[attr-defined] # torch's

from .._backends.torch import (
    BACKEND,
    DIFFERENTIABLE,
    EAGER,
    is_dtensor,
    is_host_tensor,
    is_plain_tensor,
)
from .._dtypes import dtype_name
from .._kernels import Crew, Layout, Lead
from .._losses.operands import Operands, Output
from .._losses.spec import FORMULA, LossSpec
from .._typing import Result, Shape
from . import blocks, host, plain
from .kinds import KINDS, Again

WORTH_OPENMP = 2**13  # logits from which on a second one of torch's threads gains
BLOCK = 2**20  # bytes of a block, which torch's own threads share


class Mode(Enum):
    """What records or transforms the operations that are run here."""

    PLAIN = "nobody: numbers are asked for"
    RECORDED = "autograd"
    TRANSFORMED = "a transform of torch.func, or forward mode"
    PUSHED_FORWARD = "the forward mode of torch.func"
    COMPILED = "Dynamo"
    TRACED = "Dynamo inside a transform, or to export: neither takes an autograd Function"


def mode_of(operands: Operands) -> Mode:
    """Return what records or transforms the operations on the operands."""
    # torch has no public name for what its own Function.apply asks
    is_inside = torch._C._are_functorch_transforms_active()
    is_transformed = is_inside or torch.autograd.forward_ad._current_level >= 0
    if torch.compiler.is_compiling():
        # asked by its public name, Dynamo says yes at every compilation before torch 2.13
        is_exporting = torch.compiler._is_exporting_flag
        return Mode.TRACED if is_exporting or is_transformed else Mode.COMPILED
    if is_transformed:
        levels = retrieve_all_functorch_interpreters()
        is_pushed = any(level.key() == TransformType.Jvp for level in levels)
        return Mode.PUSHED_FORWARD if is_pushed else Mode.TRANSFORMED
    return Mode.RECORDED if any(map(requires_grad, operands.arrays.values())) else Mode.PLAIN


def requires_grad(x: Any) -> bool:
    """Tell whether autograd records the operations on a tensor."""
    return torch.is_grad_enabled() and isinstance(x, torch.Tensor) and x.requires_grad


def run(
    loss: LossSpec, operands: Operands, outputs: tuple[Output, ...], mode: Mode
) -> tuple[Result, ...]:
    """Return the outputs, by the fastest way that suits what records or transforms them."""
    x = operands.arrays["scores"]
    if is_dtensor(x):
        from . import torch_dtensor

        return torch_dtensor.run(loss, operands, outputs)
    if mode is Mode.RECORDED and _are_counts(operands, outputs):
        mode, (_, *others) = Mode.PLAIN, operands.arrays.values()
        x = x.detach()
        operands = operands.with_arrays([x, *others])
    if mode is not Mode.PLAIN:
        found = plain.run(DIFFERENTIABLE, loss, operands, outputs)
        is_traced = mode in (Mode.COMPILED, Mode.TRACED)
        return found if is_traced else plain.looked(BACKEND, operands, found)
    return (_on_host if is_host_tensor(x) else _on_device)(loss, operands, outputs)


def _are_counts(operands: Operands, outputs: tuple[Output, ...]) -> bool:
    """Tell whether outputs don't depend on the logits, and what they depend on doesn't learn."""
    _, *others = map(requires_grad, operands.arrays.values())
    return not any(others) and not any(output.quantity in FORMULA for output in outputs)


def _on_host(loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]) -> tuple[Result, ...]:
    found = host.run(MEMORY, loss, operands, outputs)
    if found is not None:
        return found
    with torch.no_grad():
        found = blocks.run(EAGER, loss, operands, outputs, size=BLOCK)
    return plain.looked(BACKEND, operands, found)


def _on_device(
    loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]
) -> tuple[Result, ...]:
    from . import torch_device

    found = torch_device.run(loss, operands, outputs)
    if found is None:
        found = plain.run(EAGER, loss, operands, outputs)
    return plain.looked(BACKEND, operands, found)


def again(loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]) -> Again | None:
    """Return the outputs as a function of other tensors of the kind, or None: not by a kernel."""
    if operands.arrays["scores"].device.type == "cpu":
        return host.again(MEMORY, loss, operands, outputs)
    from . import torch_device

    return torch_device.again(loss, operands, outputs)


def is_readable(x: Tensor) -> bool:
    """Tell whether a tensor's numbers are those that lie in memory."""
    return is_plain_tensor(x) and not x.is_neg()


def layout_of(name: str, x: Tensor) -> Layout | None:
    """Return how a tensor lies in memory, or None where its numbers are not what lies there."""
    if not is_readable(x):
        return None
    size = x.element_size()
    strides = tuple([size * step for step in x.stride()])
    return Layout(name, dtype_name(x.dtype), tuple(x.shape), strides)


def _layout(name: str, x: Tensor) -> Layout | None:
    return layout_of(name, x) if x.device.type == "cpu" else None


def _empty(shape: Shape, dtype: str, like: Tensor) -> Tensor:  # noqa: ARG001
    return torch.empty(shape, dtype=getattr(torch, dtype))


def _number(value: Any, dtype: str) -> Tensor:
    return torch.full((), value.item(), dtype=getattr(torch, dtype))


def _whole(x: Tensor) -> Tensor:
    return x


def _kind(x: Tensor, y: Any) -> tuple[Any, ...] | None:
    if type(y) is not Tensor or x.device.type not in ("cpu", "cuda"):
        return None
    mode = mode_of(Operands({"x": x, "y": y}))
    if mode not in (Mode.PLAIN, Mode.RECORDED) or torch.is_autocast_enabled(x.device.type):
        return None
    if x.device != y.device or y.requires_grad or not (is_readable(x) and is_readable(y)):
        return None
    return mode, x.device, x.dtype, x.shape, x.stride(), y.dtype, y.shape, y.stride()


def _crew() -> Crew:
    """Return torch's own threads, of which others would be disturbed where these wait for work."""
    lead = _openmp()
    threads = torch.get_num_threads()
    return Crew(threads) if lead is None else Crew(threads, WORTH_OPENMP, lead)


@functools.cache
def _openmp() -> Lead | None:
    """Return the entry of the OpenMP that torch runs on, where it is GNU's or one that has it."""
    try:
        parallel = ctypes.CDLL(None).GOMP_parallel
    except (AttributeError, OSError, TypeError):  # another system's
        return None

    def lead(function: int, data: int, threads: int) -> None:
        parallel(ctypes.c_void_p(function), ctypes.c_void_p(data), threads, 0)

    return lead


MEMORY = host.Memory(BACKEND.xp, _layout, Tensor.data_ptr, _empty, _number, _whole, _crew)
KINDS[Tensor] = _kind
