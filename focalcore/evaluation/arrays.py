"""Arrays of any library, read into the host's memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._backends import backend_of
from .._typing import HostArray


def on_host(name: str, x: Any) -> HostArray:
    """Return an array's values in the host's memory."""
    backend = backend_of(x) if hasattr(x, "dtype") and not isinstance(x, np.generic) else None
    seen = None if backend is None else backend.host_values(x)
    if seen is None and backend is not None:
        seen = backend.device_values(x)
    try:
        found: HostArray = np.asarray(x if seen is None else seen)
    except (RuntimeError, TypeError) as error:
        raise TypeError(f"{name} can't be read ({error}); move it to the host first") from None
    if found.dtype.kind not in "biuf" and found.dtype.name != "bfloat16":
        raise TypeError(f"{name} must be numbers; found {found.dtype}")
    return found


def floats(name: str, x: Any) -> HostArray:
    """Return an array's values as float32, if they are that, or else as float64."""
    found = on_host(name, x)
    return found if found.dtype in (np.float32, np.float64) else found.astype(np.float64)


def check_no_nan(name: str, x: HostArray | None) -> None:
    """Refuse an array that has NaN."""
    if x is not None and np.isnan(x).any():
        row = int(np.argwhere(np.isnan(x))[0][0])
        raise ValueError(f"{name} must be numbers; found NaN in row {row}")
