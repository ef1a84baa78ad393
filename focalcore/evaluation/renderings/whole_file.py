"""A way to write a file that is either complete or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4


@contextmanager
def whole_file(name: str | os.PathLike[str], mode: str = "w") -> Iterator[Any]:
    """Open a file to write, which appears under its name only when all is written."""
    file = Path(os.path.realpath(name))
    encoding = None if "b" in mode else "utf-8"
    if file.exists() and not file.is_file():  # a device or a pipe stays what it is
        with file.open(mode, encoding=encoding) as stream:
            yield stream
        return
    part = Path(f"{file}.{uuid4().hex[:8]}.part")  # another run may write the same file
    with part.open(mode.replace("w", "x"), encoding=encoding) as stream:
        try:
            yield stream
            stream.close()
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
