"""JAX: a custom_jvp whose one residual is the slope.

Which operands are differentiated is told by symbolic zeros. Numbers are static, so that the formula
still sees that gamma is 2; arrays, a traced gamma among them, are differentiated as they are.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
from jax.custom_derivatives import SymbolicZero

from .. import _execution
from .._backends import Backend, backend_of
from .._terms import Operands, Terms

Array = Any
Arrays = dict[str, Array]


def value(backend: Backend, loss: Terms, operands: Operands) -> Array:  # noqa: ARG001 - a hook's
    """The loss of each element or row."""
    arrays, numbers = operands.split()
    return _value(loss, numbers, arrays)


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _value(loss: Terms, numbers: Operands, arrays: Arrays) -> Array:
    return _execution.value(_jax(arrays), loss, numbers._replace(**arrays))


@partial(_value.defjvp, symbolic_zeros=True)
def _jvp(
    loss: Terms, numbers: Operands, primals: tuple[Arrays], tangents: tuple[Arrays]
) -> tuple[Array, Array]:
    (arrays,) = primals
    moving = {name: t for name, t in tangents[0].items() if not isinstance(t, SymbolicZero)}
    operands, backend = numbers._replace(**arrays), _jax(arrays)

    def plain(others: Arrays) -> Array:
        return _execution.value(backend, loss, operands._replace(**others))

    along_logits = moving.pop("logits", None)
    if not moving:
        result, along = plain({}), 0.0
    else:
        result, along = jax.jvp(plain, ({name: arrays[name] for name in moving},), (moving,))
    if along_logits is not None:
        moved = _execution.slope(backend, loss, operands) * along_logits.astype(result.dtype)
        along = along + (moved if loss.axis is None else moved.sum(loss.axis))
    return result, along


def _jax(arrays: Arrays) -> Backend:
    backend = backend_of(arrays["logits"])
    assert backend is not None
    return backend
