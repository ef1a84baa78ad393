"""Tensors in .safetensors files, mapped so that only a block is in memory."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..._typing import HostArray

MOST_HEADER = 100_000_000  # bytes, as the format says
DTYPES = {
    "BOOL": np.dtype(bool),
    **{f"U{8 * n}": np.dtype(f"<u{n}") for n in (1, 2, 4, 8)},
    **{f"I{8 * n}": np.dtype(f"<i{n}") for n in (1, 2, 4, 8)},
    **{f"F{8 * n}": np.dtype(f"<f{n}") for n in (2, 4, 8)},
}


class Tensors(Mapping[str, HostArray]):
    """The tensors of a file: a length, a header of JSON, and the bytes."""

    def __init__(self, file: Path) -> None:
        self.file = file
        with file.open("rb") as raw:
            length = int.from_bytes(raw.read(8), "little")
            self.start, self.size = 8 + length, file.stat().st_size
            if not 2 <= length <= min(MOST_HEADER, self.size - 8):
                raise ValueError(f"its header would have {length} bytes of {self.size}")
            found = json.loads(raw.read(length))
        if not (isinstance(found, dict) and all(isinstance(x, dict) for x in found.values())):
            raise ValueError("its header is no object of objects")
        self.entries = {name: entry for name, entry in found.items() if name != "__metadata__"}

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, name: str) -> HostArray:
        kind, shape, (first, last) = map(self.entries[name].get, ("dtype", "shape", "data_offsets"))
        dtype = _dtype(name, kind)
        if last - first != math.prod(shape) * dtype.itemsize or self.start + last > self.size:
            raise ValueError(f"{name!r} of shape {shape} and {kind} lies at {first} to {last}")
        if first == last:
            return np.empty(shape, dtype)
        start = self.start + first
        return np.memmap(self.file, dtype, mode="r", offset=start, shape=tuple(shape))


def _dtype(name: str, kind: str) -> Any:
    """Return the dtype of a tensor; NumPy has none for bfloat16 by itself."""
    if kind == "BF16":
        try:
            from ml_dtypes import bfloat16
        except ImportError:
            raise ValueError(f"{name!r} is bfloat16, which needs ml_dtypes to be read") from None
        return np.dtype(bfloat16)
    if kind not in DTYPES:
        raise ValueError(f"{name!r} is {kind}, which is read as {', '.join(DTYPES)} are")
    return DTYPES[kind]
