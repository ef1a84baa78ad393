"""The backend of JAX, whose compiler sees the operations as they are written."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from .backend import Backend
from .namespaces import autodiff_safe


class Unmade(jax.ShapeDtypeStruct):
    """An array that is never made, of which nothing but shape and type is asked."""


def _host_values(x: Array) -> Any:
    if isinstance(x, jax.core.Tracer | Unmade) or not x.is_fully_addressable:
        return None
    on_host = [device.platform for device in x.devices()] == ["cpu"]
    return np.asarray(x) if on_host else None


def _from_numpy(x: Any) -> Array:
    native = x.dtype.newbyteorder("=")
    own = jax.dtypes.canonicalize_dtype(native)  # of 32 bits where JAX has no 64
    if native.kind in "iu" and own != native:  # a label that is no class must not wrap to one
        x = np.clip(x, np.iinfo(own).min, np.iinfo(own).max)
    with np.errstate(all="ignore"):  # of a float64 that float32 has not
        return jnp.asarray(x.astype(native, copy=False))


def _rounded(x: Array) -> Array:
    kind = jnp.finfo(x.dtype)
    return jax.lax.reduce_precision(x, kind.nexp, kind.nmant)


def _one_plus_and_lost(e: Array) -> tuple[Array, Array]:
    total = _rounded(1 + e)  # or XLA would take the sum as if it were exact
    return total, e - (total - 1)


def _total(x: Array) -> Array:
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return jnp.sum(x)
    # XLA's CPU backend would split the sum from the loop that computes its terms, through many
    # arrays of the full size; before a rounding, even one that changes nothing, it does not
    return jnp.sum(_rounded(x))


BACKEND = Backend(
    "jax",
    jnp,
    autodiff_safe(
        jnp,
        stop_gradient=jax.lax.stop_gradient,
        one_plus_and_lost=_one_plus_and_lost,
        total=_total,
    ),
    host_values=_host_values,
    is_immutable=True,
    from_numpy=_from_numpy,
    differentiator="jax_custom_jvp",
    program="jax_program",
)
