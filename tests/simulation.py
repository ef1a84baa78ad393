"""A GPU that isn't there: its kernels run on the host, where a vector stands for each team."""

import contextlib
import ctypes
from functools import cache
from unittest import mock

import numpy as np

from focalcore import _recall, use_compiler
from focalcore._execution import device, numpy_host
from focalcore._kernels import compiler
from focalcore._kernels.grid.modules import module_of

from .simulated_lanes import Simulated

ALL_TEAMS = 0, 2**62


@cache
def engine_of(source):
    """The machine code, which LLVM makes with as little ado as it can: it's run on few numbers."""
    return compiler.engine_of(module_of(source, Simulated), level=0)


def load(source, capability):  # noqa: ARG001
    return engine_of(source)


def kernel(engine, step):
    return engine.get_function_address(step.name)


def launch(kernel, stream, arguments, teams=ALL_TEAMS):  # noqa: ARG001
    own = [*arguments, *teams]
    kinds = [ctypes.c_double if isinstance(x, float) else ctypes.c_int64 for x in own]
    ctypes.CFUNCTYPE(None, *kinds)(kernel)(*own)


GPU = device.Device(
    name="simulation",
    xp=np,
    layout=lambda like, name, x: numpy_host._layout(name, x),  # noqa: ARG005
    pointer=lambda x: x.ctypes.data,
    empty=numpy_host._empty,
    capability=lambda x: (9, 0),  # noqa: ARG005
    current=contextlib.nullcontext,
    load=load,
    kernel=kernel,
    stream=lambda x: None,  # noqa: ARG005
    launch=launch,
)


def run(loss, operands, outputs):
    """What `numpy_host.run` gives, by the kernels of a GPU."""
    operands = operands.with_arrays(map(np.asarray, operands.arrays.values()))
    with use_compiler():
        return device.run(GPU, loss, operands, outputs)


def required(loss, operands, outputs):
    """What `run` gives, which has to be there."""
    found = run(loss, operands, outputs)
    assert found is not None, "there is no kernel for these operands"
    return tuple(np.asarray(x) for x in found)


@contextlib.contextmanager
def running(way=required):
    """Run what is asked of NumPy inside by the kernels of a GPU."""
    with (
        mock.patch.object(numpy_host, "run", way),
        mock.patch.object(_recall, "key_of", return_value=None),
    ):
        yield
