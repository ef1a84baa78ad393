"""What is known of each array library: its namespace, and how its values can be looked at.

A backend is found by the type of an array. Nothing is imported before such an array arrives, and
the lookup is a plain dict filled by `import` statements: torch.compile can follow no other.
Adding a library is one function here.
"""

from __future__ import annotations

import array
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import array_api_compat.numpy as numpy_namespace
import numpy as np

Array = Any
Namespace = Any


class Backend(NamedTuple):
    """An array library."""

    name: str
    xp: Namespace
    placed: bool  # its arrays live on a device that has to be named
    # the values as NumPy, or None where looking costs or is impossible
    peek: Callable[[Array], Any]
    cast: str = "{}.astype('{}')"  # how its users write a cast
    # what a loss computes from: under torch's autocast, float32; of a variable, what it holds
    scores: Callable[[Array], Array] = lambda x: x
    # whether Python itself is traced, and NumPy with it
    traces_python: Callable[[], bool] = lambda: False
    # why an array can't be taken, None for most
    refuses: Callable[[Array], str | None] = lambda x: None  # noqa: ARG005


def backend_of(x: Any) -> Backend | None:
    """The backend of an array, or None for what is not an array of a known kind."""
    kind = type(x)
    if kind not in _BACKENDS:
        _BACKENDS[kind] = _discover(x)
    return _BACKENDS[kind]


_LISTS = (list, tuple, range, array.array, memoryview)
_LOOSE = (bool, int, float, complex, str, np.generic, *_LISTS)


def is_loose(x: Any) -> bool:
    """Numbers, NumPy scalars and lists: without a library or device of their own."""
    return isinstance(x, _LOOSE)


def is_list(x: Any) -> bool:
    """A sequence of Python's own: a list, a range, a buffer."""
    return isinstance(x, _LISTS)


# modules whose columns are in memory, and what betrays a thing that is not
_IN_MEMORY = ("pandas", "polars", "pyarrow")
_LAZY = ("__dask_graph__", "chunks", "compute", "execute", "collect")


def in_memory(name: str, x: Any) -> Any:
    """A column as a NumPy array; what would have to be read or computed first is an error."""
    kind = type(x)
    is_read = kind.__module__.partition(".")[0] in _IN_MEMORY
    if not is_read and any(hasattr(x, sign) for sign in _LAZY):
        raise TypeError(
            f"{name} is a {kind.__module__}.{kind.__name__}, which may not be in memory; "
            f"read it first, as with np.asarray({name}), or give its dask array"
        )
    return np.asarray(x)


def _discover(x: Any) -> Backend | None:
    for base in type(x).__mro__:
        make = _KINDS.get((base.__module__.partition(".")[0], base.__name__))
        if make is not None:
            return make()
    if hasattr(x, "__array_namespace__") and not isinstance(x, type | np.generic):
        placed, cast = hasattr(x, "device"), "xp.astype({}, xp.{})"
        return Backend(type(x).__module__, x.__array_namespace__(), placed, _unseen, cast)
    return None


def _unseen(_: Array) -> None:
    return None


NUMPY = Backend("numpy", numpy_namespace, placed=False, peek=lambda x: x)


def _torch() -> Backend:
    import array_api_compat.torch as xp
    import torch

    def peek(x: Array) -> Any:
        if torch.compiler.is_compiling() or not is_plain_torch(x):
            return None
        try:
            seen = x.detach()
            return (seen.float() if seen.dtype == torch.bfloat16 else seen).numpy()
        except RuntimeError:  # inside vmap and other functorch transformations
            return None

    def scores(x: Array) -> Array:
        is_half = x.dtype in (torch.float16, torch.bfloat16)
        return x.float() if is_half and torch.is_autocast_enabled(x.device.type) else x

    def refuses(x: Array) -> str | None:
        if x.layout is torch.strided and not x.is_nested:  # nearly always
            return None
        if x.layout is torch.jagged:
            return None
        way = "make it with layout=torch.jagged" if x.is_nested else "give its to_dense()"
        return f"a {'nested' if x.is_nested else x.layout} tensor; {way}"

    return Backend(
        "torch",
        xp,
        placed=True,
        peek=peek,
        cast="{}.to(torch.{})",
        scores=scores,
        traces_python=torch.compiler.is_compiling,
        refuses=refuses,
    )


def is_plain_torch(x: Array) -> bool:
    """Whether a tensor is nothing but numbers on the host, and nobody records what is done."""
    import torch

    is_plain = type(x) in (torch.Tensor, torch.nn.Parameter) and x.device.type == "cpu"
    return is_plain and not (torch.jit.is_tracing() or torch._C._len_torch_dispatch_stack())


def is_known(length: Any) -> bool:
    """Whether a length is one: of a dask array it may be NaN, in TensorFlow None."""
    return length is not None and length == length


def is_ragged(length: Any) -> bool:
    """Whether a length stands for those of the rows of one of torch's jagged tensors."""
    if isinstance(length, int):  # Dynamo knows no attributes of lengths, and calls them all int
        return False
    return hasattr(length, "node") and bool(length.node.is_nested_int())


def is_dtensor(x: Array) -> bool:
    """Whether a tensor is spread over many workers; there is none before its module is loaded."""
    tensor = sys.modules.get("torch.distributed.tensor")
    return tensor is not None and isinstance(x, tensor.DTensor)


def _jax() -> Backend:
    import jax
    import jax.numpy as xp

    def peek(x: Array) -> Any:
        if isinstance(x, jax.core.Tracer) or not x.is_fully_addressable:
            return None
        on_host = [device.platform for device in x.devices()] == ["cpu"]
        return np.asarray(x) if on_host else None

    return Backend("jax", xp, placed=False, peek=peek)


def _cupy() -> Backend:
    import array_api_compat.cupy as xp

    return Backend("cupy", xp, placed=True, peek=_unseen)


def _dask() -> Backend:
    import array_api_compat.dask.array as xp

    return Backend("dask", xp, placed=False, peek=_unseen)


def _tensorflow() -> Backend:
    import tensorflow as tf

    from .tensorflow_namespace import NAMESPACE

    def peek(x: Array) -> Any:
        is_eager = tf.executing_eagerly() and hasattr(x, "numpy")
        return x.numpy() if is_eager and "CPU" in x.device else None

    cast, read = "tf.cast({}, tf.{})", tf.convert_to_tensor
    return Backend("tensorflow", NAMESPACE, placed=False, peek=peek, cast=cast, scores=read)


def _strict() -> Backend:
    import array_api_strict as xp

    def peek(x: Array) -> Any:
        return np.asarray(x) if x.device == xp.Device("CPU_DEVICE") else None

    cast = "xp.astype({}, xp.{})"
    return Backend("array_api_strict", xp, placed=True, peek=peek, cast=cast)


_KINDS: dict[tuple[str, str], Callable[[], Backend]] = {
    ("numpy", "ndarray"): lambda: NUMPY,
    ("torch", "Tensor"): _torch,
    ("jax", "Array"): _jax,
    ("jaxlib", "ArrayImpl"): _jax,
    ("jax", "ArrayImpl"): _jax,
    ("jax", "Tracer"): _jax,
    ("cupy", "ndarray"): _cupy,
    ("dask", "Array"): _dask,
    ("tensorflow", "Tensor"): _tensorflow,
    ("tensorflow", "Variable"): _tensorflow,
    ("array_api_strict", "Array"): _strict,
}

_BACKENDS: dict[type, Backend | None] = {}
