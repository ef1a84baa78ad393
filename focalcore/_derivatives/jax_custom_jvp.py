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
from .._losses.operands import UNROUNDED_SLOPE, UNROUNDED_VALUE, Operands, Part
from .._losses.spec import LossSpec

Array = Any
Arrays = dict[str, Array]


def run(loss: LossSpec, operands: Operands, part: Part) -> Array:
    """The loss of each element or row, or their sum."""
    arrays, numbers = operands.split()
    return _run(loss, part, numbers, arrays)


@partial(jax.custom_jvp, nondiff_argnums=(0, 1, 2))
def _run(loss: LossSpec, part: Part, numbers: Operands, arrays: Arrays) -> Array:
    (result,) = _execution.run(_jax(arrays), loss, numbers._replace(**arrays), (part,))
    return result


@partial(_run.defjvp, symbolic_zeros=True)
def _jvp(
    loss: LossSpec, part: Part, numbers: Operands, primals: tuple[Arrays], tangents: tuple[Arrays]
) -> tuple[Array, Array]:
    (arrays,) = primals
    moving = {name: t for name, t in tangents[0].items() if not isinstance(t, SymbolicZero)}
    operands, backend = numbers._replace(**arrays), _jax(arrays)
    along_logits, along = moving.pop("logits", None), jax.numpy.zeros(())
    if along_logits is None:
        (result,) = _execution.run(backend, loss, operands, (part,))
    else:
        result, slope = _both(backend, loss, operands, part)
        moved = slope * along_logits.astype(slope.dtype)
        along = moved.sum(None if part.summed else () if loss.axis is None else loss.axis)
    if moving:
        at = {name: arrays[name] for name in moving}

        def plain(others: Arrays) -> Array:
            return _execution.run(backend, loss, operands._replace(**others), (part,))[0]

        along = along + jax.jvp(plain, (at,), (moving,))[1]
    return result, along.astype(result.dtype)


def _both(backend: Backend, loss: LossSpec, operands: Operands, part: Part) -> tuple[Array, Array]:
    """The value, and its slope."""
    if not part.summed:
        result, slope = _execution.run(backend, loss, operands, (part, UNROUNDED_SLOPE))
        return result, slope
    # of the ways to write it, this one leaves XLA's CPU backend the fewest arrays of the full size:
    # the form for soft targets, and a sum of what it has anyway
    asked = (UNROUNDED_VALUE, UNROUNDED_SLOPE)
    value, slope = _execution.run(backend, loss.softened(), operands, asked)
    return value.sum(), slope


def _jax(arrays: Arrays) -> Backend:
    backend = backend_of(arrays["logits"])
    assert backend is not None
    return backend
