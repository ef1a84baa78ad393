"""Which array libraries and devices this machine has."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec
from typing import NamedTuple


class Library(NamedTuple):
    """An array library, as found here."""

    name: str
    version: str | None  # None: not installed
    devices: tuple[str, ...]
    note: str = ""  # why there is no device, or what to install


def libraries() -> list[Library]:
    """Every library that focalcore knows, the absent ones too."""
    return [_look(name, *_KNOWN[name]) for name in _KNOWN]


def _look(name: str, install: str, devices: Callable[[], tuple[str, ...]]) -> Library:
    if find_spec(name) is None:
        return Library(name, None, (), f"pip install {install}")
    module_version = _version(name)
    try:
        return Library(name, module_version, devices())
    except Exception as error:  # a broken driver may raise anything
        return Library(name, module_version, (), str(error).splitlines()[0])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # the wheels of cupy and tensorflow go by other names too
        return version(packages_distributions()[name][0])


def _host() -> tuple[str, ...]:
    return ("cpu",)


def _torch() -> tuple[str, ...]:
    import torch

    cuda = [f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return ("cpu", *cuda, *mps)


def _jax() -> tuple[str, ...]:
    import jax

    return tuple(f"{d.platform}:{d.id} {d.device_kind}" for d in jax.devices())


def _cupy() -> tuple[str, ...]:
    import cupy

    if not cupy.cuda.is_available():
        raise RuntimeError("no GPU that cupy can use")
    names = (
        cupy.cuda.runtime.getDeviceProperties(i)["name"].decode()
        for i in range(cupy.cuda.runtime.getDeviceCount())
    )
    return tuple(f"cuda:{i} {name}" for i, name in enumerate(names))


def _tensorflow() -> tuple[str, ...]:
    return ("placed by TensorFlow",)  # which takes seconds to ask


_KNOWN: dict[str, tuple[str, Callable[[], tuple[str, ...]]]] = {
    "numpy": ("numpy", _host),
    "torch": ("'focalcore[torch]'", _torch),
    "jax": ("'focalcore[jax]'", _jax),
    "cupy": ("'focalcore[cupy]'", _cupy),
    "dask": ("'focalcore[dask]'", _host),
    "tensorflow": ("tensorflow", _tensorflow),
    "array_api_strict": ("array-api-strict", _host),
}
