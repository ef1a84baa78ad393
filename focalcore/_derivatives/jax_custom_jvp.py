"""JAX's hook: a custom_jvp whose one residual (what it keeps for later) is the gradient.

Symbolic zeros tell which operands are not differentiated. Numbers are static, so that the formula
still sees that gamma is 2; arrays, a traced gamma among them, are differentiated as they are.
"""

from __future__ import annotations

from functools import partial

import jax
from jax import Array
from jax.custom_derivatives import SymbolicZero

from .. import _execution
from .._backends.jax import BACKEND
from .._losses.operands import Operands, Output
from .._losses.reduction import divided
from .._losses.spec import LossSpec

Arrays = dict[str, Array]


def run(loss: LossSpec, operands: Operands, output: Output) -> Array:
    """Return the value of each element or row, or their sum, or mean by a denominator."""
    denominator, operands = operands.get("denominator"), operands.bind(denominator=None)
    return divided(BACKEND.xp, _run(loss, output, operands.numbers, operands.arrays), denominator)


@partial(jax.custom_jvp, nondiff_argnums=(0, 1, 2))
def _run(
    loss: LossSpec, output: Output, numbers: tuple[tuple[str, float], ...], arrays: Arrays
) -> Array:
    (found,) = _execution.run(BACKEND, loss, Operands(arrays, numbers), (output,))
    return found


@partial(_run.defjvp, symbolic_zeros=True)
def _jvp(
    loss: LossSpec,
    output: Output,
    numbers: tuple[tuple[str, float], ...],
    primals: tuple[Arrays],
    tangents: tuple[Arrays],
) -> tuple[Array, Array]:
    (arrays,) = primals
    moving = {name: t for name, t in tangents[0].items() if not isinstance(t, SymbolicZero)}
    tangent_of_logits = moving.pop("scores", None) if output.has_slope else None
    tangent = jax.numpy.zeros(())
    if tangent_of_logits is None:
        (result,) = _execution.run(BACKEND, loss, Operands(arrays, numbers), (output,))
    else:
        result, grad = value_and_grad(loss, Operands(arrays, numbers), output)
        moved = grad * tangent_of_logits.astype(grad.dtype)
        tangent = moved.sum(None if output.is_sum else () if loss.axis is None else loss.axis)
    if moving:
        at = {name: arrays[name] for name in moving}

        def plain(others: Arrays) -> Array:
            (found,) = _execution.run(BACKEND, loss, Operands(arrays | others, numbers), (output,))
            return found

        tangent = tangent + jax.jvp(plain, (at,), (moving,))[1]
    return result, tangent.astype(result.dtype)


def value_and_grad(loss: LossSpec, operands: Operands, output: Output) -> tuple[Array, Array]:
    if not output.is_sum:
        value, grad = _execution.run(BACKEND, loss, operands, (output, Output.WIDE_GRAD))
        return value, grad
    # of the ways to write it, this one leaves XLA's CPU backend the fewest arrays of the full size:
    # the form for soft targets, and a sum of what it has anyway
    operands = loss.with_soft_targets(jax.numpy, operands)
    outputs = (Output.WIDE_VALUE, Output.WIDE_GRAD)
    value, grad = _execution.run(BACKEND, loss, operands, outputs)
    return value.sum(), grad
