"""Arrays in .npy files, one in each, mapped so that only a block is in memory."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from ..._typing import HostArray
from .errors import reading
from .names import Names

HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def arrays_of(names: Names) -> dict[str, HostArray]:
    """Return the arrays in the files that are named."""
    arrays = {}
    for file in names.given().values():
        with reading(file, "a file of an array"):
            arrays[file] = _mapped(Path(file))
    return arrays


def _mapped(file: Path) -> HostArray:
    with file.open("rb") as raw:
        shape, _, _ = read_header(raw)
    # an empty array can't be mapped
    return np.load(file, mmap_mode="r" if math.prod(shape) else None)


def read_header(file: Any) -> tuple[tuple[int, ...], bool, Any]:
    """Return shape, whether in Fortran's order, and dtype of an array in NumPy's format."""
    version = np.lib.format.read_magic(file)
    if version not in HEADERS:
        raise ValueError(f"its format is {version}, which NumPy writes for no array of numbers")
    shape, is_fortran, dtype = HEADERS[version](file)
    return shape, is_fortran, dtype
