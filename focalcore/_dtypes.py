"""The types of numbers, by names that are the same in every library."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._typing import ArrayT, DType, Library

FLOATS = ("float16", "bfloat16", "float32", "float64")
HALVES = ("float16", "bfloat16")


def arithmetic_dtype(xp: Library, dtype: DType) -> DType:
    """Return the dtype to compute in: float32 for half precision, else the same dtype."""
    if dtype in (xp.float32, xp.float64):  # the usual case
        return dtype
    return xp.float32 if dtype_name(dtype) in HALVES else dtype


def cast(xp: Library, x: ArrayT, dtype: DType) -> ArrayT:
    """Return the array in a dtype, the array itself if it has that dtype already."""
    return x if x.dtype == dtype else xp.astype(x, dtype)


def dtype_name(dtype: DType) -> str:
    """Return the name that the array API standard gives a dtype, the same in every library."""
    if not isinstance(dtype, np.dtype):  # torch.compile can't follow a dict with NumPy's as keys
        return _name(dtype)
    if dtype not in _NUMPY_NAMES:
        _NUMPY_NAMES[dtype] = _name(dtype)
    return _NUMPY_NAMES[dtype]


def _name(dtype: DType) -> str:
    name: str = getattr(dtype, "name", None) or str(dtype)
    return name.rpartition(".")[2]


_NUMPY_NAMES: dict[Any, str] = {}  # a cache, because asking NumPy takes longer than a small loss
