"""The warning where torch's compiler was asked for and can't be used."""

from __future__ import annotations

import functools
import warnings


@functools.cache
def warn_once(reason: str) -> None:
    """Warn that torch's compiler can't be used, once for each reason."""
    warnings.warn(
        f"use_compiler: going on without, torch's compiler can't be used here. It needs torch and "
        f"a C++ compiler, such as g++ or clang, on the PATH. What it says: {reason}",
        RuntimeWarning,
        stacklevel=2,
    )
