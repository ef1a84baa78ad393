"""dask."""

from __future__ import annotations

import array_api_compat.dask.array as xp

from .backend import Backend
from .namespaces import Namespace

BACKEND = Backend("dask", xp, Namespace(xp), runner="dask_chunks")


def devices() -> tuple[str, ...]:
    """Where its arrays may live on this machine."""
    return ("cpu",)
