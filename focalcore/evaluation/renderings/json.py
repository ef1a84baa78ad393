"""A report as JSON."""

from __future__ import annotations

import json
import math
from typing import Any

from ..file_report import FileReport


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
