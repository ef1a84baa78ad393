"""The types of numbers, by names that are the same in every library."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._typing import ArrayT, DType, Library

FLOATS = ("float16", "bfloat16", "float32", "float64")
HALVES = ("float16", "bfloat16")


def arithmetic_dtype(xp: Library, dtype: DType) -> DType:
    """Half precision is computed in float32."""
    if dtype in (xp.float32, xp.float64):  # nearly always
        return dtype
    return xp.float32 if dtype_name(dtype) in HALVES else dtype


def cast(xp: Library, x: ArrayT, dtype: DType) -> ArrayT:
    """The array in a dtype, itself where it has it."""
    return x if x.dtype == dtype else xp.astype(x, dtype)


def dtype_name(dtype: DType) -> str:
    """The standard's name of a dtype, the same in every library."""
    if not isinstance(dtype, np.dtype):  # torch.compile follows no dict with NumPy's among its keys
        return _name(dtype)
    if dtype not in _NUMPY_NAMES:
        _NUMPY_NAMES[dtype] = _name(dtype)
    return _NUMPY_NAMES[dtype]


def _name(dtype: DType) -> str:
    name: str = getattr(dtype, "name", None) or str(dtype)
    return name.rpartition(".")[2]


_NUMPY_NAMES: dict[Any, str] = {}  # asking NumPy takes longer than many an array
