"""torch's way to run on a GPU of NVIDIA: kernels that cuda-core launches on torch's stream."""

from __future__ import annotations

import contextlib
import functools
import threading
from importlib.util import find_spec
from typing import Any

import array_api_compat.torch as xp
import torch
from torch import Tensor

from .. import _kernels, settings
from .._kernels import THREADS, Launch, Layout, Source
from .._losses.operands import Operands, Output
from .._losses.spec import LossSpec
from .._typing import Result, Shape
from . import device
from .kinds import Again
from .torch_host import layout_of


def run(
    loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]
) -> tuple[Result, ...] | None:
    """Return the outputs, or None where there is no kernel for them."""
    has_kernels = _has_kernels(operands.arrays["scores"])
    return device.run(DEVICE, loss, operands, outputs) if has_kernels else None


def again(loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]) -> Again | None:
    """Return the outputs as a function of other tensors of the kind, or None: not by a kernel."""
    has_kernels = _has_kernels(operands.arrays["scores"])
    return device.again(DEVICE, loss, operands, outputs) if has_kernels else None


def _has_kernels(x: Tensor) -> bool:
    """Tell whether kernels are to be tried: where they are asked for, their lack is told."""
    is_of_nvidia = x.device.type == "cuda" and torch.version.hip is None
    return is_of_nvidia and (settings.on_every_gpu() or is_launcher_installed())


@functools.cache
def is_launcher_installed() -> bool:
    """Tell whether cuda-core is there."""
    try:
        return find_spec("cuda.core") is not None
    except (ImportError, ValueError):  # there is not even a package `cuda`, or another one
        return False


def _layout(like: Tensor, name: str, x: Tensor) -> Layout | None:
    return layout_of(name, x) if x.device == like.device else None


def _empty(shape: Shape, dtype: str, like: Tensor) -> Tensor:
    return torch.empty(shape, dtype=getattr(torch, dtype), device=like.device)


@functools.cache
def _capability_of(index: int) -> tuple[int, int]:
    return torch.cuda.get_device_capability(index)


def _capability(x: Tensor) -> tuple[int, int]:
    return _capability_of(x.get_device())


def _current(x: Tensor) -> Any:
    index = x.get_device()
    is_current = torch.cuda.current_device() == index
    return _NOTHING if is_current else torch.cuda.device(index)


_NOTHING = contextlib.nullcontext()


@functools.cache
def _load(source: Source, capability: tuple[int, int]) -> Any:
    """Return a function that gives the kernels of a module by their names."""
    from cuda.core import ObjectCode

    code = ObjectCode.from_ptx(_kernels.ptx_of(source, capability).encode())
    return functools.cache(code.get_kernel)


def _kernel(module: Any, step: Launch) -> device.Kernel:
    from cuda.core import LaunchConfig

    return module(step.name), LaunchConfig(grid=step.blocks, block=THREADS)


def _stream(x: Tensor) -> Any:
    index = x.get_device()
    if index not in _thread.entered:
        _enter(index)
    return _stream_of(torch.cuda.current_stream(index).cuda_stream)


class _Thread(threading.local):
    """What is known of a thread: the GPUs that it has entered."""

    def __init__(self) -> None:
        self.entered: set[int] = set()


_thread = _Thread()


def _enter(index: int) -> None:
    """Make a GPU known to a thread, which may have done nothing there yet."""
    from cuda.core import Device

    Device(index).set_current()
    _thread.entered.add(index)


@functools.lru_cache(64)
def _stream_of(handle: int) -> Any:
    """Return a stream as cuda-core takes it; it is torch's, and torch keeps it."""
    from cuda.core import Stream

    return Stream.from_handle(handle)


def _launch(kernel: device.Kernel, stream: Any, arguments: tuple[Any, ...]) -> None:
    function, config = kernel
    _core_launch()(stream, config, function, *arguments)


@functools.cache
def _core_launch() -> Any:
    from cuda.core import launch

    return launch


DEVICE = device.Device(
    name="torch",
    xp=xp,
    layout=_layout,
    pointer=Tensor.data_ptr,
    empty=_empty,
    capability=_capability,
    current=_current,
    load=_load,
    kernel=_kernel,
    stream=_stream,
    launch=_launch,
)
