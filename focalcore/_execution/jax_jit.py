"""JAX: an eager call is one program, compiled once for its options and shapes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from .namespaces import smooth

Array = Any
T = TypeVar("T")


def whole(f: Callable[[Any], T], call: Any) -> T:
    """A function of a call."""
    arrays, static = call.split()
    result: T = _jitted(f, static, arrays)
    return result


@partial(jax.jit, static_argnums=(0, 1), inline=True)
def _jitted(f: Callable[[Any], T], static: Any, arrays: dict[str, Array]) -> T:
    return f(static.joined(arrays))


def _total(x: Array) -> Array:
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return jnp.sum(x)
    # XLA's CPU backend tears what it sums out of the loop that computes it, into many arrays of
    # the full size; it leaves the loop whole before a rounding that changes nothing
    kind = jnp.finfo(x.dtype)
    return jnp.sum(jax.lax.reduce_precision(x, kind.nexp, kind.nmant))


NAMESPACE = smooth(jnp, constant=jax.lax.stop_gradient, total=_total)
