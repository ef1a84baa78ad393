"""Arrays from .npy and .npz files, mapped where they can be: never more in memory than a block."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ._source import BadDataError, Block, Names, listed, which_scores

Array = Any


class ArraySource:
    """Arrays of one row per example."""

    def __init__(self, name: str, arrays: dict[str, Array], names: Names) -> None:
        self.name, self.arrays = name, arrays
        scores, self.from_logits = which_scores(name, names, arrays, "logits", "probs")
        self.scores = self._rows(scores)
        self.targets = self._rows(names.targets or "targets")
        weight = names.weight or ("weight" if "weight" in arrays else None)
        self.weight = None if weight is None else self._rows(weight)
        if self.weight is not None and self.weight.size != len(self.weight):
            raise BadDataError(
                f"{name}: weight of shape {self.weight.shape}; there must be one for each row"
            )
        self.n_rows: int | None = len(self.scores)
        self.scores_shape, self.targets_shape = self.scores.shape, self.targets.shape
        for what, found in (("targets", self.targets), ("weight", self.weight)):
            if found is not None and len(found) != self.n_rows:
                raise BadDataError(
                    f"{name}: {self.n_rows} rows of scores and {len(found)} of {what}; "
                    f"there must be as many of both"
                )

    @classmethod
    def of_npy(cls, names: Names) -> ArraySource:
        """Each array in a .npy file of its own."""
        files = names.given()
        arrays = {key: _load(Path(file)) for key, file in files.items()}
        return cls(str(names.scores), arrays, Names(**{key: key for key in files}))

    @classmethod
    def of_npz(cls, file: Path, names: Names) -> ArraySource:
        """The arrays of a .npz file."""
        return cls(str(file), _members(file), names)

    def class_names(self) -> tuple[str, ...]:
        """Their numbers."""
        return tuple(str(c) for c in range(self.scores_shape[1]))

    def read(self, rows: int) -> Iterator[Block]:
        """All rows in order, so many at a time."""
        for start in range(0, len(self.scores), rows):
            cut = slice(start, start + rows)
            weight = None
            if self.weight is not None:
                weight = np.asarray(self.weight[cut], np.float64).reshape(-1)
            yield Block(np.asarray(self.scores[cut], np.float64), self.targets[cut], weight)

    def _rows(self, key: str) -> Array:
        if key not in self.arrays:
            raise BadDataError(f"{self.name}: no array {key!r}; found {listed(self.arrays)}")
        array = self.arrays[key]
        if array.dtype.kind not in "biuf" or array.ndim == 0:
            raise BadDataError(
                f"{self.name}: {key} of shape {array.shape} and dtype {array.dtype}; "
                f"there must be rows of numbers"
            )
        return array


def _load(file: Path) -> Array:
    try:
        with file.open("rb") as raw:
            shape, _, _ = _read_header(raw)
        # an empty array can't be mapped
        return np.load(file, mmap_mode="r" if math.prod(shape) else None)
    except (EOFError, ValueError) as error:
        raise BadDataError(f"{file}: not an array ({error})") from None


def _members(file: Path) -> dict[str, Array]:
    try:
        with zipfile.ZipFile(file) as archive, np.load(file) as loaded:
            return {
                name: _map(file, archive, name) if _is_stored(archive, name) else loaded[name]
                for name in loaded.files
            }
    except (zipfile.BadZipFile, EOFError, ValueError) as error:
        raise BadDataError(f"{file}: not a file of arrays ({error})") from None


def _is_stored(archive: zipfile.ZipFile, name: str) -> bool:
    """Whether a member lies in the file as it is, uncompressed."""
    member = f"{name}.npy"
    if member not in archive.namelist():
        raise BadDataError(f"{archive.filename}: {name!r} is not an array")
    return archive.getinfo(member).compress_type == zipfile.ZIP_STORED


def _map(file: Path, archive: zipfile.ZipFile, name: str) -> Array:
    """Map a stored member: its data begin behind two headers, the archive's and NumPy's."""
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as member:
        shape, is_fortran, dtype = _read_header(member)
        header = member.tell()
    if math.prod(shape) == 0 or dtype.hasobject:
        return np.empty(shape, dtype)
    with file.open("rb") as raw:
        raw.seek(info.header_offset + 26)  # the lengths of the member's name and extra field
        lengths = np.frombuffer(raw.read(4), dtype="<u2")
    offset = info.header_offset + 30 + int(lengths.sum()) + header
    order: Any = "F" if is_fortran else "C"
    return np.memmap(file, dtype=dtype, mode="r", offset=offset, shape=shape, order=order)


def _read_header(file: Any) -> tuple[tuple[int, ...], bool, Any]:
    """Shape, whether in Fortran's order, and dtype of an array in NumPy's format."""
    major, _ = np.lib.format.read_magic(file)
    read = getattr(np.lib.format, f"read_array_header_{major}_0")
    shape, is_fortran, dtype = read(file)
    return shape, is_fortran, dtype
