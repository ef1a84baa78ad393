"""array-api-strict, which allows what the array API standard allows, and nothing else."""

from __future__ import annotations

from typing import Any

import array_api_strict as xp
import numpy as np

from .._typing import Array
from .backend import Backend
from .namespaces import Namespace


def _host_values(x: Array) -> Any:
    return np.asarray(x) if x.device == xp.Device("CPU_DEVICE") else None


BACKEND = Backend(
    "array_api_strict",
    xp,
    Namespace(xp),
    needs_device=True,
    host_values=_host_values,
    written_cast="xp.astype({}, xp.{})",
)


def devices() -> tuple[str, ...]:
    """Where its arrays may live on this machine."""
    return ("cpu",)
