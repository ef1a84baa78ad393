"""What focalcore knows of each array library, on which its other packages build.

`libraries` is the table of them. A backend is found by the type of an array; a library is imported
only when the first array of it arrives.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .backend import Backend
from .libraries import LIBRARIES
from .namespaces import Namespace
from .numpy import BACKEND as NUMPY

__all__ = ["NUMPY", "Backend", "backend_of"]


def backend_of(x: Any) -> Backend | None:
    """Return the backend of an array, or None for what is not an array of a known kind."""
    kind = type(x)
    if kind not in _BACKENDS:
        _BACKENDS[kind] = _discover(x)
    return _BACKENDS[kind]


def _discover(x: Any) -> Backend | None:
    for base in type(x).__mro__:
        library = _BY_TYPE.get(f"{base.__module__.partition('.')[0]}.{base.__name__}")
        if library is not None:
            return library.load()
    if hasattr(x, "__array_namespace__") and not isinstance(x, type | np.generic):
        xp, has_device = x.__array_namespace__(), hasattr(x, "device")
        return Backend(
            type(x).__module__,
            xp,
            Namespace(xp),
            needs_device=has_device,
            written_cast="xp.astype({}, xp.{})",
            written_from_numpy=f"xp.asarray({{0}}{', device={1}.device' if has_device else ''})",
        )
    return None


# plain dicts, because torch.compile can follow nothing else
_BY_TYPE = {kind: library for library in LIBRARIES for kind in library.types}
_BACKENDS: dict[type, Backend | None] = {}
