"""JAX: an eager call is one program, compiled once for its options and shapes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from .._backends.namespaces import smooth
from .._dtypes import arithmetic_dtype
from .._losses.operands import Operands

Array = Any
T = TypeVar("T")


# the exponents that have a program of their own, of products and a root
STATIC = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0)


def whole(f: Callable[[Any], T], call: Any) -> T:
    """A function of a call."""
    arrays, static = call._replace(operands=_numbers_as_data(call.operands)).split()
    result: T = _jitted(f, static, arrays)
    return result


@partial(jax.jit, static_argnums=(0, 1), inline=True)
def _jitted(f: Callable[[Any], T], static: Any, arrays: dict[str, Array]) -> T:
    return f(static.joined(arrays))


def _numbers_as_data(operands: Operands) -> Operands:
    """The operands with numbers as arrays, so that one program serves a sweep of them."""
    dtype = arithmetic_dtype(jnp, operands.logits.dtype)
    as_array = partial(jnp.asarray, dtype=dtype)
    if isinstance(operands.gamma, float) and operands.gamma not in STATIC:
        gamma, rest = np.asarray(operands.gamma, dtype), None
        if dtype == jnp.float32:
            rest = as_array(operands.gamma - float(gamma))
        operands = operands._replace(gamma=as_array(gamma), gamma_rest=rest)
    if _is_compiled(operands.logits):  # by a program that has them as constants
        return operands
    balance = {name: getattr(operands, name) for name in ("alpha", "beta")}
    return operands._replace(
        **{name: as_array(x) for name, x in balance.items() if isinstance(x, float)}
    )


def _is_compiled(x: Array) -> bool:
    """Whether an array is traced by a compiler, and not only differentiated."""
    while isinstance(x, jax.core.Tracer) and hasattr(x, "primal"):
        x = x.primal
    return isinstance(x, jax.core.Tracer)


def _total(x: Array) -> Array:
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return jnp.sum(x)
    # XLA's CPU backend tears what it sums out of the loop that computes it, into many arrays of
    # the full size; it leaves the loop whole before a rounding that changes nothing
    kind = jnp.finfo(x.dtype)
    return jnp.sum(jax.lax.reduce_precision(x, kind.nexp, kind.nmant))


NAMESPACE = smooth(jnp, constant=jax.lax.stop_gradient, total=_total)
