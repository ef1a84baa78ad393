"""The array libraries that focalcore knows, one row for each.

To add one, write a module with its `BACKEND` and its `devices`, a function that imports it, and a
row. The import is a statement, which torch.compile can follow.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec
from typing import Any, NamedTuple


class Library(NamedTuple):
    """An array library, before it is imported."""

    name: str
    types: tuple[str, ...]  # of its arrays: the top module and the name
    load: Callable[[], Any]  # the module of this folder that knows it
    install: str
    devices: tuple[str, ...] | None = None  # what is said where asking takes seconds


class Installed(NamedTuple):
    """An array library, as found on this machine."""

    name: str
    version: str | None  # None: not installed
    devices: tuple[str, ...]
    note: str = ""  # why there is no device, or what to install


def _numpy() -> Any:
    from . import numpy

    return numpy


def _torch() -> Any:
    from . import torch

    return torch


def _jax() -> Any:
    from . import jax

    return jax


def _cupy() -> Any:
    from . import cupy

    return cupy


def _dask() -> Any:
    from . import dask

    return dask


def _tensorflow() -> Any:
    from . import tensorflow

    return tensorflow


def _array_api_strict() -> Any:
    from . import array_api_strict

    return array_api_strict


_JAX = ("jax.Array", "jaxlib.ArrayImpl", "jax.ArrayImpl", "jax.Tracer")
_TENSORFLOW = ("tensorflow.Tensor", "tensorflow.Variable")
_PLACED = ("placed by TensorFlow",)

LIBRARIES = (
    Library("numpy", ("numpy.ndarray",), _numpy, "numpy"),
    Library("torch", ("torch.Tensor",), _torch, "'focalcore[torch]'"),
    Library("jax", _JAX, _jax, "'focalcore[jax]'"),
    Library("cupy", ("cupy.ndarray",), _cupy, "'focalcore[cupy]'"),
    Library("dask", ("dask.Array",), _dask, "'focalcore[dask]'"),
    Library("tensorflow", _TENSORFLOW, _tensorflow, "tensorflow", _PLACED),
    Library("array_api_strict", ("array_api_strict.Array",), _array_api_strict, "array-api-strict"),
)


def installed() -> list[Installed]:
    """Every library that focalcore knows, the absent ones too."""
    return [_look(library) for library in LIBRARIES]


def _look(library: Library) -> Installed:
    name = library.name
    if find_spec(name) is None:
        return Installed(name, None, (), f"pip install {library.install}")
    found = _version(name)
    try:
        return Installed(name, found, library.devices or library.load().devices())
    except Exception as error:  # a broken driver may raise anything
        return Installed(name, found, (), str(error).splitlines()[0])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # the wheels of cupy and tensorflow go by other names too
        return version(packages_distributions()[name][0])
