"""Values that belong to no array library: Python's numbers and lists, NumPy's scalars, columns."""

from __future__ import annotations

import array
from typing import Any

import numpy as np

# Python's sequences and numbers, which have neither a library nor a device
LISTS = (list, tuple, range, array.array, memoryview)
PYTHON_VALUES = (bool, int, float, complex, str, np.generic, *LISTS)

# modules whose columns are in memory, and attributes by which lazy data is recognised
_IN_MEMORY = ("pandas", "polars", "pyarrow")
_LAZY = ("__dask_graph__", "chunks", "compute", "execute", "collect")


def in_memory(name: str, x: Any) -> Any:
    """Return a column as a NumPy array, or raise an error if it would have to be computed first."""
    kind = type(x)
    is_read = kind.__module__.partition(".")[0] in _IN_MEMORY
    if not is_read and any(hasattr(x, sign) for sign in _LAZY):
        raise TypeError(
            f"{name} is a {kind.__module__}.{kind.__name__}, which may not be in memory; "
            f"read it first, as with np.asarray({name}), or give its dask array"
        )
    return np.asarray(x)
