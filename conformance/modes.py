"""How focalcore is made to run a function one way and no other."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any
from unittest import mock

import focalcore
from focalcore._execution import blocks

Function = Callable[..., Any]


def with_kernels(f: Function) -> Function:
    """The function as it runs on the host by default."""

    def run(*arrays: Any) -> Any:
        # without a kernel this must fail, and not be measured as something else
        with focalcore.use_compiler(), mock.patch.object(blocks, "run", _without_a_kernel):
            return f(*arrays)

    return run


def _without_a_kernel(*_: Any, **__: Any) -> Any:
    raise RuntimeError("there is no kernel for these operands")


def without_kernels(f: Function) -> Function:
    """The function with the library's own operations."""

    def run(*arrays: Any) -> Any:
        with focalcore.use_compiler(False):
            return f(*arrays)

    return run


def switched(f: Function) -> Function:
    """The function with torch's compiler switched on for a GPU."""

    def compiled(*arrays: Any) -> Any:
        # without a compiler this must fail, and not be measured as something else
        with focalcore.use_compiler(), warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            return f(*arrays)

    return compiled


# what is run on the host, by the mode
ON_HOST = {"kernel": with_kernels, "eager": without_kernels}
