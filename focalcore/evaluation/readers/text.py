"""Tables in files of text, which may be compressed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from .source import Place, Reading
from .tables import Table

# by how the first bytes of a file tell them
COMPRESSIONS = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd"}


class TextTable(Table):
    """A file whose columns are read as its first rows look, but for those whose type is known."""

    def __init__(self, place: Place, reading: Reading) -> None:
        super().__init__(place, reading)
        self.types: dict[str, Any] = {}

    def as_numbers(self, columns: Sequence[str]) -> None:
        """Read these columns as numbers, whatever the first rows look like."""
        self.types |= dict.fromkeys(columns, pa.float64())

    @property
    def numbers(self) -> set[str]:
        """Return the columns that have to be numbers."""
        return {name for name, kind in self.types.items() if kind == pa.float64()}


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a file to read its bytes, decompressed."""
    with path.open("rb") as raw:
        start = raw.read(4)
        raw.seek(0)
        found = [name for magic, name in COMPRESSIONS.items() if start.startswith(magic)]
        stream = pa.PythonFile(raw, mode="r")
        yield pa.CompressedInputStream(stream, found[0]) if found else stream
