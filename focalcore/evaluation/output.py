"""A report as JSON, and a way to write a file that is either complete or not there."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from .file_report import FileReport


@contextmanager
def whole_file(name: str) -> Iterator[TextIO]:
    """Open a file to write, which appears under its name only when all is written."""
    file = Path(os.path.realpath(name))
    if file.exists() and not file.is_file():  # a device or a pipe stays what it is
        with file.open("w", encoding="utf-8") as stream:
            yield stream
        return
    part = Path(f"{file}.part")
    with part.open("w", encoding="utf-8") as stream:
        try:
            yield stream
            stream.close()
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)


def json_of(report: FileReport) -> str:
    """Return the report as JSON in ASCII, which any terminal and file can hold."""
    return json.dumps(_plain(report.to_dict()), indent=2, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """Return a value with strings in place of infinities, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
