"""JAX, whose compiler sees the operations as they are written."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from .backend import Backend
from .namespaces import autodiff_safe


def _host_values(x: Array) -> Any:
    if isinstance(x, jax.core.Tracer) or not x.is_fully_addressable:
        return None
    on_host = [device.platform for device in x.devices()] == ["cpu"]
    return np.asarray(x) if on_host else None


def _total(x: Array) -> Array:
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return jnp.sum(x)
    # XLA's CPU backend tears what it sums out of the loop that computes it, into many arrays of
    # the full size; it leaves the loop whole before a rounding that changes nothing
    kind = jnp.finfo(x.dtype)
    return jnp.sum(jax.lax.reduce_precision(x, kind.nexp, kind.nmant))


BACKEND = Backend(
    "jax",
    jnp,
    autodiff_safe(jnp, constant=jax.lax.stop_gradient, total=_total),
    host_values=_host_values,
    differentiator="jax_custom_jvp",
    program="jax_program",
)
