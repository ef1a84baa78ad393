"""Files of text, which may be compressed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

# by how the first bytes of a file tell them
COMPRESSIONS = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd"}


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a file to read its bytes, decompressed."""
    with path.open("rb") as raw:
        start = raw.read(4)
        raw.seek(0)
        found = [name for magic, name in COMPRESSIONS.items() if start.startswith(magic)]
        stream = pa.PythonFile(raw, mode="r")
        yield pa.CompressedInputStream(stream, found[0]) if found else stream
