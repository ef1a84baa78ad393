"""JAX's programs: an eager call is one program, compiled once for its options and shapes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from .._backends.jax import BACKEND
from .._losses.linear import LinearCall
from .._losses.operands import Operands, is_exponent, rest_of
from .._losses.prepare import LossCall
from .._typing import Array
from . import plain

T = TypeVar("T")
CallT = TypeVar("CallT", LossCall, LinearCall)

# the exponents with a program of their own, which is made of products and a root
STATIC = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0)


@cache
def compiled(f: Callable[[CallT], T]) -> Callable[[CallT], T]:
    """Return the function as a program, in which arrays are traced and all else is constant."""

    @partial(jax.jit, static_argnums=0, inline=True)
    def program(constants: CallT, arrays: dict[str, Array]) -> T:
        return f(constants._replace(operands=constants.operands.bind(**arrays)))

    def run(call: CallT) -> T:
        operands = _numbers_as_arrays(call.operands)
        found: T = program(call._replace(operands=operands.constants()), operands.arrays)
        first = found[0] if isinstance(found, tuple) else found
        plain.looked(BACKEND, call.operands, (first,))
        return found

    return run


def _numbers_as_arrays(operands: Operands) -> Operands:
    """Return the operands with numbers as arrays, so that one program serves a sweep of them."""
    dtype = operands.dtype(jnp)
    exponents = {name: x for name, x in operands.numbers if is_exponent(name)}
    numbers = {name: x for name, x in operands.numbers if name not in exponents}
    if _is_inside_jit(operands.arrays["scores"]):  # in which they are constants
        numbers = {}
    arrays: dict[str, Any] = {name: jnp.asarray(x, dtype=dtype) for name, x in numbers.items()}
    for name, exact in exponents.items():
        if exact not in STATIC:
            gamma = np.asarray(exact, dtype)
            arrays[name] = jnp.asarray(gamma, dtype=dtype)
            if dtype == jnp.float32:
                arrays[rest_of(name)] = jnp.asarray(exact - float(gamma), dtype=dtype)
    return operands.bind(**arrays)


def _is_inside_jit(x: Array) -> bool:
    """Tell whether an array is traced by a compiler, and not only differentiated."""
    while isinstance(x, jax.core.Tracer) and hasattr(x, "primal"):
        x = x.primal
    return isinstance(x, jax.core.Tracer)
