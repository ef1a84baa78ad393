"""How focalcore is made to run a function one way and no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import focalcore
from focalcore._execution import blocks, device

Function = Callable[..., Any]


def with_kernels(f: Function) -> Function:
    """The function by kernels, on the host or on a GPU."""
    # without a kernel this must fail, and not be measured as something else
    on_gpu = mock.patch.object(device, "run", _required(device.run))
    on_host = mock.patch.object(blocks, "run", _without_a_kernel)

    def run(*arrays: Any) -> Any:
        with focalcore.use_compiler(), on_gpu, on_host:
            return f(*arrays)

    return run


def _required(run: Function) -> Function:
    def required(*given: Any) -> Any:
        found = run(*given)
        return _without_a_kernel() if found is None else found

    return required


def _without_a_kernel(*_: Any, **__: Any) -> Any:
    raise RuntimeError("there is no kernel for these operands")


def without_kernels(f: Function) -> Function:
    """The function with the library's own operations."""

    def run(*arrays: Any) -> Any:
        with focalcore.use_compiler(False):
            return f(*arrays)

    return run


# what is run one operation after the other, by the mode
EAGERLY = {"kernel": with_kernels, "eager": without_kernels}
