"""CuPy's way to run: kernels in modules that CuPy loads, or its own operations as written."""

from __future__ import annotations

import atexit
import functools
import hashlib
import os
import pathlib
import shutil
import tempfile
import threading
from typing import Any

import array_api_compat.cupy as xp
import cupy

from .. import _kernels
from .._backends import Backend
from .._dtypes import dtype_name
from .._kernels import THREADS, Launch, Layout, Source
from .._losses.operands import Operands, Output
from .._losses.spec import LossSpec
from .._typing import Result, Shape
from . import device, plain
from .kinds import KINDS

Array = Any


def run(
    backend: Backend, loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]
) -> tuple[Result, ...]:
    """Return the outputs."""
    found = device.run(DEVICE, loss, operands, outputs)
    if found is None:
        with operands.arrays["scores"].device:
            found = plain.run(backend.formula_xp, loss, operands, outputs)
    return plain.looked(backend, operands, found)


def _layout(like: Array, name: str, x: Array) -> Layout | None:
    if x.device.id != like.device.id:
        return None
    return Layout(name, dtype_name(x.dtype), tuple(x.shape), tuple(x.strides))


def _pointer(x: Array) -> int:
    return int(x.data.ptr)


def _empty(shape: Shape, dtype: str, like: Array) -> Array:
    return cupy.empty(shape, like.dtype if dtype == dtype_name(like.dtype) else dtype)


def _capability(x: Array) -> tuple[int, int]:
    return _capability_of(x.device.id)


@functools.cache
def _capability_of(number: int) -> tuple[int, int]:
    digits = cupy.cuda.Device(number).compute_capability
    return int(digits[:-1]), int(digits[-1])


def _current(x: Array) -> Any:
    return x.device


def _kind(x: Array, y: Any) -> tuple[Any, ...] | None:
    if type(y) is not cupy.ndarray or x.device.id != y.device.id or not (x.ndim and y.ndim):
        return None
    return x.device.id, x.dtype, x.shape, x.strides, y.dtype, y.shape, y.strides


@functools.cache
def _load(source: Source, capability: tuple[int, int]) -> Any:
    """Return a module, from a file: that is how CuPy takes what was compiled elsewhere."""
    code = _kernels.ptx_of(source, capability).encode()
    path = pathlib.Path(_folder()) / f"{hashlib.sha256(code).hexdigest()}.ptx"
    begun = path.with_suffix(f".{threading.get_ident()}")
    begun.write_bytes(code)
    begun.replace(path)  # at once, for another thread may be reading it
    return functools.cache(cupy.RawModule(path=str(path)).get_function)


@functools.cache
def _folder() -> str:
    """Return a folder that lasts as long as the process: each GPU loads a module when it's used."""
    folder, owner = tempfile.mkdtemp(prefix="focalcore-"), os.getpid()

    def remove() -> None:
        if os.getpid() == owner:  # and not a child of it
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder


def _kernel(module: Any, step: Launch) -> device.Kernel:
    return module(step.name), (step.blocks,)


def _stream(x: Array) -> Any:  # noqa: ARG001 - CuPy launches on the current one
    return None


def _launch(kernel: device.Kernel, stream: Any, arguments: tuple[Any, ...]) -> None:  # noqa: ARG001
    function, blocks = kernel
    function(blocks, (THREADS,), arguments)


DEVICE = device.Device(
    name="cupy",
    xp=xp,
    layout=_layout,
    pointer=_pointer,
    empty=_empty,
    capability=_capability,
    current=_current,
    load=_load,
    kernel=_kernel,
    stream=_stream,
    launch=_launch,
)
KINDS[cupy.ndarray] = _kind
