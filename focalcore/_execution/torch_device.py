"""torch's way to run on a GPU of NVIDIA: kernels that cuda-core launches on torch's stream."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import array_api_compat.torch as xp
import torch
from torch import Tensor

from .. import _kernels
from .._dtypes import dtype_name
from .._kernels import THREADS, Layout, Source
from .._losses.operands import Operands, Output
from .._losses.spec import LossSpec
from .._typing import Result, Shape
from . import device
from .kinds import Again
from .torch_host import is_readable


def run(
    loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]
) -> tuple[Result, ...] | None:
    """Return the outputs, or None where there is no kernel for them."""
    has_kernels = _is_of_nvidia(operands.arrays["scores"])
    return device.run(DEVICE, loss, operands, outputs) if has_kernels else None


def again(loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]) -> Again | None:
    """Return the outputs as a function of other tensors of the kind, or None: not by a kernel."""
    has_kernels = _is_of_nvidia(operands.arrays["scores"])
    return device.again(DEVICE, loss, operands, outputs) if has_kernels else None


def _is_of_nvidia(x: Tensor) -> bool:
    return x.device.type == "cuda" and torch.version.hip is None


def _layout(name: str, x: Tensor, like: Tensor) -> Layout | None:
    if x.device != like.device or not is_readable(x):
        return None
    size = x.element_size()
    strides = tuple([size * step for step in x.stride()])
    return Layout(name, dtype_name(x.dtype), tuple(x.shape), strides)


def _empty(shape: Shape, dtype: str, like: Tensor) -> Tensor:
    return torch.empty(shape, dtype=getattr(torch, dtype), device=like.device)


@functools.cache
def _capability_of(index: int) -> tuple[int, int]:
    return torch.cuda.get_device_capability(index)


def _capability(x: Tensor) -> tuple[int, int]:
    return _capability_of(x.get_device())


def _current(x: Tensor) -> Any:
    return torch.cuda.device(x.get_device())


@functools.cache
def _load(source: Source, capability: tuple[int, int]) -> Any:
    """Return a function that gives the kernels of a module by their names."""
    from cuda.core import ObjectCode

    code = ObjectCode.from_ptx(_kernels.ptx_of(source, capability).encode())
    return functools.cache(code.get_kernel)


def _launcher(module: Any, like: Tensor) -> device.Launch:
    from cuda.core import Device, LaunchConfig, launch

    index = like.get_device()
    Device(index).set_current()  # in a thread that has not used it yet, nothing else does
    stream = _stream(torch.cuda.current_stream(index).cuda_stream)

    def launched(name: str, blocks: int, arguments: Sequence[Any]) -> None:
        launch(stream, LaunchConfig(grid=blocks, block=THREADS), module(name), *arguments)

    return launched


@functools.lru_cache(64)
def _stream(handle: int) -> Any:
    """Return a stream as cuda-core takes it; it is torch's, and torch keeps it."""
    from cuda.core import Stream

    return Stream.from_handle(handle)


DEVICE = device.Device(
    "torch", xp, _layout, Tensor.data_ptr, _empty, _capability, _current, _load, _launcher
)
