"""torch's compiler, where it was asked for: a kernel for each choice of options and types.

Each way gives None where there is no compiler, or it can't take what it is given.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Any

import array_api_compat.torch as torch_namespace
import numpy as np
import torch

from .._backends.namespaces import smooth
from .._dtypes import arithmetic_dtype, cast
from .._losses.operands import Operands, Part
from .._losses.reduction import divided
from .._losses.spec import LossSpec
from . import fallback, plain

Array = Any
Parts = tuple[Array, ...]
Kernel = Callable[..., Parts]


def run(loss: LossSpec, operands: Operands, parts: tuple[Part, ...]) -> Parts | None:
    """The parts, from one kernel."""
    divisor, dtype = operands.divisor, operands.logits.dtype
    operands = operands._replace(divisor=None)  # it changes from call to call
    if loss.axis is None:  # numbers that are not floating are slow to read inside a kernel
        wide = arithmetic_dtype(torch, dtype)
        operands = operands._replace(targets=operands.targets.to(wide))
    asked = parts if divisor is None else tuple(part._replace(rounded=False) for part in parts)
    found = _run(loss, operands, asked)
    if found is None or divisor is None:
        return found
    return tuple(_shared_out(x, part, divisor, dtype) for x, part in zip(found, parts, strict=True))


def run_numpy(loss: LossSpec, operands: Operands, parts: tuple[Part, ...]) -> Parts | None:
    """The same for NumPy's arrays, whose memory torch works on."""
    arrays, numbers = operands.split()
    try:
        with warnings.catch_warnings():  # of what broadcasting may do to memory, in later versions
            warnings.simplefilter("ignore")
            there = {name: torch.from_numpy(_writable(np.asarray(x))) for name, x in arrays.items()}
    except (TypeError, ValueError):  # a type or strides that torch does not have
        return None
    found = run(loss, numbers._replace(**there), parts)
    return None if found is None else tuple(x.numpy()[()] for x in found)


def _run(loss: LossSpec, operands: Operands, parts: tuple[Part, ...]) -> Parts | None:
    arrays, numbers = operands.split()
    shape = operands.logits.shape
    is_flat = loss.axis is None and all(x.shape in ((), shape) for x in arrays.values())
    # arrays of one shape are rows of numbers, so that a kernel serves every shape
    flat = [x.detach().reshape(-1) if is_flat and x.ndim else x.detach() for x in arrays.values()]
    kinds = tuple((x.dtype, x.device, tuple(n == 1 for n in x.shape)) for x in flat)
    key = loss, numbers, parts, tuple(arrays), kinds
    try:
        if key not in _KERNELS:
            return _reshaped(_first(key, flat), shape if is_flat else None)
        kernel = _KERNELS[key]
        if kernel is None:
            return None
        with torch.no_grad():
            return _reshaped(kernel(*_marked(flat)), shape if is_flat else None)
    except Exception as error:  # a compiler may raise anything
        _KERNELS[key] = None
        fallback.warn_once(f"{type(error).__name__}: {str(error).strip()}")
        return None


def _first(key: Any, flat: list[Array]) -> Parts:
    """Compile a kernel, and run it."""
    loss, numbers, parts, names, _ = key

    def kernel(*arrays: Array) -> Parts:
        given = numbers._replace(**dict(zip(names, arrays, strict=True)))
        return plain.run(_NAMESPACE, loss, given, parts)

    # torch counts compilations, and remembers sizes, by the name of a piece of code
    kernel.__code__ = kernel.__code__.replace(co_name=f"kernel_{next(_NUMBERS)}")
    options = {"guard_filter_fn": _of_arrays}
    compiled = torch.compile(kernel, fullgraph=True, options=options)
    with torch.no_grad(), warnings.catch_warnings():  # torch warns of itself
        warnings.simplefilter("ignore")
        found: Parts = compiled(*_marked(flat))
    _KERNELS[key] = compiled
    return found


def _of_arrays(guards: Any) -> list[bool]:
    """What has to be asked at each call: all but the arrays is in the key, and constant."""
    return [guard.guard_type in ("TENSOR_MATCH", "SHAPE_ENV") for guard in guards]


def _marked(arrays: list[Array]) -> list[Array]:
    """Arrays of which every size but 1 may be another at the next call."""
    for x in arrays:
        torch._dynamo.maybe_mark_dynamic(x, [i for i, n in enumerate(x.shape) if n != 1])
    return arrays


def _reshaped(found: Parts, shape: Any) -> Parts:
    return found if shape is None else tuple(x.reshape(shape) if x.ndim else x for x in found)


def _shared_out(x: Array, part: Part, divisor: Array, dtype: Any) -> Array:
    """A derivative divided, before it is rounded."""
    x = x if part.in_rows else divided(torch_namespace, x, divisor)
    return cast(torch_namespace, x, dtype) if part.rounded and not part.summed else x


def _writable(x: Array) -> Array:
    """The same memory as an array that torch takes without a warning; nothing writes to it."""
    return x if x.flags.writeable else np.asarray(_Memory(x))


class _Memory:
    def __init__(self, x: Array) -> None:
        self.owner = x
        whole = x.__array_interface__
        self.__array_interface__ = whole | {"data": (whole["data"][0], False)}


def _total(x: Array) -> Array:
    return x.sum(dtype=torch.float64)


_NAMESPACE = smooth(torch_namespace, constant=torch.Tensor.detach, total=_total)
_NUMBERS = itertools.count()
_KERNELS: dict[Any, Kernel | None] = {}  # None: it could not be compiled
