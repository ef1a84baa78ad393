"""torch's compiler on a device, where it was asked for: a kernel for each choice of options."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Any

import array_api_compat.torch as xp
import torch
from torch import Tensor

from .._backends.namespaces import autodiff_safe
from .._losses.operands import Operands, Output
from .._losses.spec import LossSpec
from .._typing import Result
from . import fallback, plain

Found = tuple[Result, ...]
Kernel = Callable[..., Found]


def run(loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]) -> Found | None:
    """Return the outputs from one kernel, or None."""
    if loss.axis is None:  # numbers that are not floating are slow to read inside a kernel
        operands = operands.bind(targets=operands.wide(xp, "targets"))
    denominator = operands.get("denominator")
    if isinstance(denominator, int | float):  # it changes from call to call
        operands = operands.bind(denominator=torch.tensor(denominator, dtype=operands.dtype(xp)))
    return _run(loss, operands, outputs)


def _run(loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]) -> Found | None:
    arrays, shape = operands.arrays, operands.arrays["scores"].shape
    is_flat = loss.axis is None and all(x.shape in ((), shape) for x in arrays.values())
    # arrays of one shape are flattened, so that one kernel serves every shape
    flat = [x.detach().reshape(-1) if is_flat and x.ndim else x.detach() for x in arrays.values()]
    kinds = tuple((x.dtype, x.device, tuple(n == 1 for n in x.shape)) for x in flat)
    key = loss, operands.numbers, outputs, tuple(arrays), kinds
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


def _first(key: Any, flat: list[Tensor]) -> Found:
    """Compile a kernel, keep it for later calls, and return its outputs."""
    loss, numbers, outputs, names, _ = key

    def kernel(*arrays: Tensor) -> Found:
        operands = Operands(dict(zip(names, arrays, strict=True)), numbers)
        return plain.run(_NAMESPACE, loss, operands, outputs)

    # torch counts compilations, and remembers sizes, by the name of a piece of code
    kernel.__code__ = kernel.__code__.replace(co_name=f"kernel_{next(_NUMBERS)}")
    options: dict[str, Any] = {"guard_filter_fn": _of_arrays}
    compiled = torch.compile(kernel, fullgraph=True, options=options)
    with torch.no_grad(), warnings.catch_warnings():  # torch warns of its own code
        warnings.simplefilter("ignore")
        found: Found = compiled(*_marked(flat))
    _KERNELS[key] = compiled
    return found


def _of_arrays(guards: Any) -> list[bool]:
    """Tell which guards to check at each call: those of arrays, for all else is in the key."""
    return [guard.guard_type in ("TENSOR_MATCH", "SHAPE_ENV") for guard in guards]


def _marked(arrays: list[Tensor]) -> list[Tensor]:
    """Return the arrays, marked so that any size but 1 may be another at the next call."""
    for x in arrays:
        torch._dynamo.maybe_mark_dynamic(x, [i for i, n in enumerate(x.shape) if n != 1])
    return arrays


def _reshaped(found: Found, shape: Any) -> Found:
    return found if shape is None else tuple(x.reshape(shape) if x.ndim else x for x in found)


def _total(x: Tensor) -> Tensor:
    return x.sum(dtype=torch.float64)


_NAMESPACE = autodiff_safe(xp, constant=torch.Tensor.detach, total=_total)
_NUMBERS = itertools.count()
_KERNELS: dict[Any, Kernel | None] = {}  # None: it could not be compiled
