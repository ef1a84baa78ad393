"""The array libraries that focalcore knows, one row for each.

To add one, write a row, a function that returns its `Backend`, and one that lists its devices. Both
import what they need inside, by a statement, which torch.compile can follow.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from .backend import Backend
from .namespaces import Namespace


class Library(NamedTuple):
    """An array library, described without importing it."""

    name: str
    types: tuple[str, ...]  # of its arrays: top-level module and class name
    load: Callable[[], Backend]
    devices: Callable[[], tuple[str, ...]]  # lists those of this machine
    install: str
    register_pytree: Callable[..., None] | None = None  # makes a class one whose leaves are arrays


class Installed(NamedTuple):
    """An array library, as found on this machine."""

    name: str
    version: str | None  # None: not installed
    devices: tuple[str, ...]
    note: str = ""  # why there is no device, or what to install


def _numpy() -> Backend:
    from .numpy import BACKEND

    return BACKEND


def _torch() -> Backend:
    from .torch import BACKEND

    return BACKEND


def _jax() -> Backend:
    from .jax import BACKEND

    return BACKEND


def _cupy() -> Backend:
    import array_api_compat.cupy as xp

    return Backend(
        "cupy",
        xp,
        Namespace(xp),
        device_values=xp.asnumpy,
        needs_device=True,
        written_from_numpy="cupy.asarray({0})",
        runner="cupy_device",
    )


def _dask() -> Backend:
    import array_api_compat.dask.array as xp

    return Backend(
        "dask",
        xp,
        Namespace(xp),
        written_from_numpy="dask.array.from_array({0})",
        runner="dask_chunks",
    )


def _tensorflow() -> Backend:
    from .tensorflow import BACKEND

    return BACKEND


def _array_api_strict() -> Backend:
    import array_api_strict as xp

    def host_values(x: Any) -> Any:
        return np.asarray(x) if x.device == xp.Device("CPU_DEVICE") else None

    return Backend(
        "array_api_strict",
        xp,
        Namespace(xp),
        host_values,
        needs_device=True,
        written_cast="xp.astype({}, xp.{})",
        written_from_numpy="xp.asarray({0}, device={1}.device)",
    )


def _host() -> tuple[str, ...]:
    return ("cpu",)


def _torch_devices() -> tuple[str, ...]:
    import torch

    cuda = [f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return ("cpu", *cuda, *mps)


def _jax_devices() -> tuple[str, ...]:
    import jax

    return tuple(f"{d.platform}:{d.id} {d.device_kind}" for d in jax.devices())


def _jax_pytree(*how: Any) -> None:
    import jax

    jax.tree_util.register_pytree_node(*how)


def _cupy_devices() -> tuple[str, ...]:
    import cupy

    if not cupy.cuda.is_available():
        raise RuntimeError("no GPU that cupy can use")
    names = (
        cupy.cuda.runtime.getDeviceProperties(i)["name"].decode()
        for i in range(cupy.cuda.runtime.getDeviceCount())
    )
    return tuple(f"cuda:{i} {name}" for i, name in enumerate(names))


def _tensorflow_devices() -> tuple[str, ...]:
    return ("placed by TensorFlow",)  # to ask it for them takes seconds


_JAX = ("jax.Array", "jaxlib.ArrayImpl", "jax.ArrayImpl", "jax.Tracer", "focalcore.Unmade")
_TENSORFLOW = ("tensorflow.Tensor", "tensorflow.Variable")
_STRICT = ("array_api_strict.Array",)

LIBRARIES = (
    Library("numpy", ("numpy.ndarray",), _numpy, _host, "numpy"),
    Library("torch", ("torch.Tensor",), _torch, _torch_devices, "'focalcore[torch]'"),
    Library("jax", _JAX, _jax, _jax_devices, "'focalcore[jax]'", _jax_pytree),
    Library("cupy", ("cupy.ndarray",), _cupy, _cupy_devices, "'focalcore[cupy]'"),
    Library("dask", ("dask.Array",), _dask, _host, "'focalcore[dask]'"),
    Library("tensorflow", _TENSORFLOW, _tensorflow, _tensorflow_devices, "tensorflow"),
    Library("array_api_strict", _STRICT, _array_api_strict, _host, "array-api-strict"),
)


def register_pytree(kind: type, flattened: Callable[..., Any], made: Callable[..., Any]) -> None:
    """Make a class a pytree to the libraries that have such and are imported, once to each."""
    for library in LIBRARIES:
        key = library.name, kind
        if library.register_pytree and library.name in sys.modules and key not in _REGISTERED:
            _REGISTERED.add(key)
            library.register_pytree(kind, flattened, made)


_REGISTERED: set[tuple[str, type]] = set()


def installed() -> list[Installed]:
    """Return what this machine has of every library that focalcore knows, absent ones too."""
    return [_look(library) for library in LIBRARIES]


def version_of(distribution: str) -> str | None:
    """Return the version of a distribution, or None where it isn't installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _look(library: Library) -> Installed:
    name, spec = library.name, find_spec(library.name)
    if spec is None or spec.origin is None:  # a folder of the name is no library
        return Installed(name, None, (), f"pip install {library.install}")
    found = _version(name)
    try:
        return Installed(name, found, library.devices())
    except Exception as error:  # a broken driver may raise anything
        said = str(error).splitlines() or [type(error).__name__]
        return Installed(name, found, (), said[0])


def _version(name: str) -> str:
    others = packages_distributions().get(name, ())  # wheels of cupy and tensorflow, of other names
    return version_of(name) or next(map(version, others), "unknown")
