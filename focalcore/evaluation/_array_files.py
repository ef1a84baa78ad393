"""Arrays from .npy and .npz files, mapped where possible, so that only a block is in memory."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .._typing import HostArray
from ._source import (
    BadDataError,
    Block,
    Names,
    Taken,
    listed,
    reading,
    shown,
    which_scores,
    which_weight,
)

HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class ArraySource:
    """An opened file, or several, of arrays that have one row for each example."""

    def __init__(self, name: str, kind: str, arrays: Mapping[str, HostArray], names: Names) -> None:
        self.name, self.kind, self.arrays = name, kind, arrays
        scores = names.scores or which_scores(
            name, {key: [key] if key in arrays else [] for key in ("logits", "probs")}, arrays
        )
        self.from_logits = names.logits is not None or (names.probs is None and scores == "logits")
        targets = names.targets or "targets"
        unnamed = [key for key in arrays if key not in (scores, targets)]
        weight = names.weight or which_weight(name, unnamed)
        self.taken = Taken.of(name, arrays, [scores], [targets], weight)
        self.scores, self.targets = self._rows(scores), self._rows(targets)
        self.weight = None if weight is None else self._rows(weight)
        self._check_lengths()
        self.n_rows: int | None = len(self.scores)
        self.scores_shape, self.targets_shape = self.scores.shape, self.targets.shape

    @classmethod
    def of_npy(cls, names: Names) -> ArraySource:
        """Open .npy files, one for each array."""
        arrays = {}
        for file in names.given().values():
            with reading(file, "a file of an array"):
                arrays[file] = _load(Path(file))
        return cls(str(names.scores), "a file of an array", arrays, names)

    @classmethod
    def of_npz(cls, file: Path, names: Names) -> ArraySource:
        """Open the arrays of a .npz file."""
        return cls(str(file), "a file of arrays", Members(file), names)

    def class_names(self) -> tuple[str, ...]:
        """Return the names of the classes, which are their numbers."""
        return tuple(str(c) for c in range(self.scores_shape[1]))

    def read(self, rows: int) -> Iterator[Block]:
        """Yield all rows in order, ``rows`` at a time."""
        for start in range(0, len(self.scores), rows):
            cut = slice(start, start + rows)
            targets, weight = self.targets[cut], None
            if targets.dtype.kind == "f":
                targets = np.asarray(targets, np.float64)
            if self.weight is not None:
                weight = np.asarray(self.weight[cut], np.float64).reshape(-1)
            yield Block(np.asarray(self.scores[cut], np.float64), targets, weight)

    def _rows(self, key: str) -> HostArray:
        if key not in self.arrays:
            raise BadDataError(
                f"{self.name}: no array {shown(key)}; found {listed(self.arrays)}: name one of "
                f"these with --logits, --probs, --targets or --weight"
            )
        array = self.arrays[key]
        if array.dtype.kind not in "biuf" or array.ndim == 0:
            raise BadDataError(
                f"{self.name}: {key} of shape {array.shape} and dtype {array.dtype}; "
                f"there must be rows of numbers: name another array with --logits, --probs, "
                f"--targets or --weight"
            )
        return array

    def _check_lengths(self) -> None:
        n = len(self.scores)
        if self.weight is not None and self.weight.size != len(self.weight):
            raise BadDataError(
                f"{self.name}: weight of shape {self.weight.shape}; there must be one for each "
                f"row: name another with --weight"
            )
        for what, found in (("targets", self.targets), ("weight", self.weight)):
            if found is not None and len(found) != n:
                raise BadDataError(
                    f"{self.name}: {n} rows of scores and {len(found)} of {what}; there must be "
                    f"as many of both: name another array with --{what}"
                )


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
            with archive.open(info) as data:
                return np.lib.format.read_array(data, allow_pickle=False)


def _load(file: Path) -> HostArray:
    with file.open("rb") as raw:
        shape, _, _ = _read_header(raw)
    # an empty array can't be mapped
    return np.load(file, mmap_mode="r" if math.prod(shape) else None)


def _map(file: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> HostArray:
    """Map a stored member, whose data begin behind two headers, the archive's and NumPy's."""
    with archive.open(info) as member:
        shape, is_fortran, dtype = _read_header(member)
        header = member.tell()
    size = header + math.prod(shape) * dtype.itemsize
    if size != info.file_size and not dtype.hasobject:  # else bytes of its neighbour would be read
        raise ValueError(f"{info.filename} has {info.file_size} bytes and says it has {size}")
    if math.prod(shape) == 0 or dtype.hasobject:
        return np.empty(shape, dtype)
    with file.open("rb") as raw:
        raw.seek(info.header_offset + 26)  # the lengths of the member's name and extra field
        lengths = np.frombuffer(raw.read(4), dtype="<u2")
    offset = info.header_offset + 30 + int(lengths.sum()) + header
    order: Any = "F" if is_fortran else "C"
    return np.memmap(file, dtype=dtype, mode="r", offset=offset, shape=shape, order=order)


def _read_header(file: Any) -> tuple[tuple[int, ...], bool, Any]:
    """Return shape, whether in Fortran's order, and dtype of an array in NumPy's format."""
    version = np.lib.format.read_magic(file)
    if version not in HEADERS:
        raise ValueError(f"its format is {version}, which NumPy writes for no array of numbers")
    shape, is_fortran, dtype = HEADERS[version](file)
    return shape, is_fortran, dtype
