"""torch's compiler, where it was asked for: one kernel for each choice of options and types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_compat.torch as torch_namespace
import numpy as np
import torch

from .. import settings
from .._arrays import arithmetic_dtype
from .._operands import Operands, Part
from .._terms import Terms
from . import plain
from .namespaces import smooth

Array = Any
Parts = tuple[Array, ...]
Kernel = Callable[..., Parts]
Key = tuple[Any, ...]


class UnavailableError(Exception):
    """There is no compiler, or it can't take these arrays."""


def run(loss: Terms, operands: Operands, parts: tuple[Part, ...]) -> Parts:
    """The parts, from one kernel."""
    if loss.axis is None:  # numbers that are not floating are slow to read inside a kernel
        wide = arithmetic_dtype(torch, operands.logits.dtype)
        operands = operands._replace(targets=operands.targets.to(wide))
    arrays, numbers = operands.split()
    key = loss, numbers, parts, tuple(arrays)
    flat, shape = _flattened(loss, list(arrays.values()))
    try:
        with torch.no_grad():
            found = _kernel(key)(*flat)
    except Exception as error:  # a compiler may raise anything
        settings.give_up(f"{type(error).__name__}: {str(error).strip()}")
        raise UnavailableError from error
    return found if shape is None else tuple(x.reshape(shape) if x.ndim else x for x in found)


def run_numpy(loss: Terms, operands: Operands, parts: tuple[Part, ...]) -> Parts:
    """The same for NumPy's arrays, whose memory torch works on."""
    arrays, numbers = operands.split()
    try:
        there = {name: torch.from_numpy(_writable(np.asarray(x))) for name, x in arrays.items()}
    except (TypeError, ValueError) as error:  # a type or strides that torch does not have
        raise UnavailableError from error
    return tuple(x.numpy()[()] for x in run(loss, numbers._replace(**there), parts))


def _kernel(key: Key) -> Kernel:
    if key in _KERNELS:
        return _KERNELS[key]
    loss, numbers, parts, names = key

    def kernel(*arrays: Array) -> Parts:
        given = numbers._replace(**dict(zip(names, arrays, strict=True)))
        return plain.run(_NAMESPACE, loss, given, parts)

    # torch limits how often a piece of code is compiled: each kernel is a piece of its own
    kernel.__code__ = kernel.__code__.replace()
    _KERNELS[key] = torch.compile(kernel, fullgraph=True, options={"guard_filter_fn": _of_arrays})
    return _KERNELS[key]


def _of_arrays(guards: Any) -> list[bool]:
    """What has to be asked at each call: all but the arrays is in the key, and constant."""
    return [guard.guard_type in ("TENSOR_MATCH", "SHAPE_ENV") for guard in guards]


def _total(x: Array) -> Array:
    return x.sum(dtype=torch.float64)


_NAMESPACE = smooth(torch_namespace, total=_total)
_KERNELS: dict[Key, Kernel] = {}


def _flattened(loss: Terms, arrays: list[Array]) -> tuple[list[Array], Any]:
    """Arrays of one shape as rows of numbers, so that a kernel serves every shape."""
    shape = arrays[0].shape
    is_flat = loss.axis is None and all(x.shape in ((), shape) for x in arrays)
    flat = [x.detach().reshape(-1) if is_flat and x.ndim else x.detach() for x in arrays]
    for x in flat:
        torch._dynamo.maybe_mark_dynamic(x, list(range(x.ndim)))
    return flat, shape if is_flat else None


def _writable(x: Array) -> Array:
    """The same memory as an array that torch takes without a warning; nothing writes to it."""
    return x if x.flags.writeable else np.asarray(_Memory(x))


class _Memory:
    def __init__(self, x: Array) -> None:
        self.owner = x
        whole = x.__array_interface__
        self.__array_interface__ = whole | {"data": (whole["data"][0], False)}
