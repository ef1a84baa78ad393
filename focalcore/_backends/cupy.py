"""CuPy."""

from __future__ import annotations

import array_api_compat.cupy as xp

from .backend import Backend
from .namespaces import Namespace

BACKEND = Backend("cupy", xp, Namespace(xp), needs_device=True)


def devices() -> tuple[str, ...]:
    """Where its arrays may live on this machine."""
    import cupy

    if not cupy.cuda.is_available():
        raise RuntimeError("no GPU that cupy can use")
    names = (
        cupy.cuda.runtime.getDeviceProperties(i)["name"].decode()
        for i in range(cupy.cuda.runtime.getDeviceCount())
    )
    return tuple(f"cuda:{i} {name}" for i, name in enumerate(names))
