"""Arrays in .npz files, mapped where they are stored as they are, so that a block is in memory."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..._typing import HostArray
from .npy import read_header

MOST_BYTES = 2**31  # that a compressed array may take in memory


class Members(Mapping[str, HostArray]):
    """The arrays of a .npz file, each opened when it is asked for."""

    def __init__(self, file: Path) -> None:
        self.file = file
        with zipfile.ZipFile(file) as archive:
            self.names = [name.removesuffix(".npy") for name in archive.namelist()]

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, name: str) -> HostArray:
        with zipfile.ZipFile(self.file) as archive:
            if name not in self.names:
                raise KeyError(name)
            member = f"{name}.npy"
            if member not in archive.namelist():
                raise ValueError(f"{name!r} in it is not an array")
            info = archive.getinfo(member)
            if info.compress_type == zipfile.ZIP_STORED:
                return _map(self.file, archive, info)
            if info.compress_type != zipfile.ZIP_DEFLATED:
                raise ValueError(f"{name!r} is compressed as numpy.savez_compressed does not")
            return _inflated(archive, info)


def _inflated(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> HostArray:
    """Return a compressed member, which has to be in memory as a whole, if it is not too large."""
    if info.file_size > MOST_BYTES:
        raise ValueError(
            f"{info.filename} is compressed and takes {info.file_size / 2**30:.1f} GiB in memory; "
            f"store it by numpy.savez, or as a .npy file, which is read in parts"
        )
    _header(archive, info)
    with archive.open(info) as data:
        return np.lib.format.read_array(data, allow_pickle=False)


def _map(file: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> HostArray:
    """Map a stored member, whose data begin behind two headers, the archive's and NumPy's."""
    length, shape, is_fortran, dtype = _header(archive, info)
    if math.prod(shape) == 0 or dtype.hasobject:
        return np.empty(shape, dtype)
    with file.open("rb") as raw:
        raw.seek(info.header_offset + 26)  # the lengths of the member's name and extra field
        lengths = np.frombuffer(raw.read(4), dtype="<u2")
    offset = info.header_offset + 30 + int(lengths.sum()) + length
    order: Any = "F" if is_fortran else "C"
    return np.memmap(file, dtype=dtype, mode="r", offset=offset, shape=shape, order=order)


def _header(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[int, Any, bool, Any]:
    """Return the length of a member's header and what it says, which the data must bear out."""
    with archive.open(info) as member:
        shape, is_fortran, dtype = read_header(member)
        length = member.tell()
    size = length + math.prod(shape) * dtype.itemsize
    if size != info.file_size and not dtype.hasobject:  # else bytes of its neighbour would be read
        raise ValueError(f"{info.filename} has {info.file_size} bytes and says it has {size}")
    return length, shape, is_fortran, dtype
