"""JAX's hook for a classifier and its loss in one, which make the logits of some rows at a time.

A custom_jvp makes the gradient of a sum with it, chunk by chunk, and keeps that alone. Where it
can't, chunks are checkpoints: JAX differentiates them, and makes their logits again.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.custom_derivatives import SymbolicZero

from .._backends.jax import BACKEND
from .._dtypes import cast
from .._losses.linear import taken_apart
from .._losses.operands import Operands, Output
from .._losses.reduction import divided
from .._losses.spec import LossSpec
from . import jax_custom_jvp

Arrays = dict[str, Array]
Step = Callable[[Any, Arrays], tuple[Any, Any]]
OF_CLASSIFIER = {"scores", "classifier", "bias"}


def run(loss: LossSpec, operands: Operands, output: Output, rows: int) -> Array:
    """Return the value of each row, or their sum, or mean by a denominator."""
    denominator, operands = operands.get("denominator"), operands.bind(denominator=None)
    chunks = Chunks(loss, output, operands.numbers, rows)
    value = _sum if output.is_sum else Chunks.value
    return divided(BACKEND.xp, value(chunks, operands.arrays), denominator)


@dataclass(frozen=True)
class Chunks:
    """The static part of a call."""

    loss: LossSpec
    output: Output
    numbers: tuple[tuple[str, float], ...]
    rows: int  # of a chunk

    def value(self, arrays: Arrays) -> Array:
        """Return the value; its chunks are checkpoints."""
        of_chunk = jax.checkpoint(self._value_of_chunk)
        if not self.output.is_sum:
            return self._scan(lambda _, part: ((), of_chunk(part)), (), arrays)[1]
        zero = jnp.zeros((), Operands(arrays).dtype(jnp))
        return self._scan(lambda total, part: (total + of_chunk(part), ()), zero, arrays)[0]

    def push(self, arrays: Arrays, learned: Container[str]) -> tuple[Array, Arrays]:
        """Return the sum, and its gradients along what learns of the classifier.

        That of the weight is rounded to its type at each chunk.
        """
        wide = Operands(arrays).dtype(jnp)
        sums = {"total": jnp.zeros((), wide)}
        if "classifier" in learned:
            sums["classifier"] = jnp.zeros_like(arrays["classifier"])
        if "bias" in learned:
            sums["bias"] = jnp.zeros_like(arrays["bias"], wide)

        def step(sums: Arrays, part: Arrays) -> tuple[Arrays, Arrays]:
            operands = self._operands(part)
            total, slopes = jax_custom_jvp.value_and_grad(self.loss, operands, self.output)
            slopes = cast(jnp, slopes, operands.arrays["scores"].dtype)
            found = {"total": total}
            if "classifier" in sums:
                found["classifier"] = slopes.T @ part["scores"]
            if "bias" in sums:
                found["bias"] = slopes.sum(0, dtype=wide)
            along_hidden = {"scores": slopes @ part["classifier"]} if "scores" in learned else {}
            return {name: x + found[name] for name, x in sums.items()}, along_hidden

        sums, along_hidden = self._scan(step, sums, arrays)
        return sums.pop("total"), sums | along_hidden

    def _value_of_chunk(self, arrays: Arrays) -> Array:
        return jax_custom_jvp.run(self.loss, self._operands(arrays), self.output)

    def _operands(self, arrays: Arrays) -> Operands:
        """Return the operands of the loss alone, of which the logits are made here."""
        (hidden, weight, bias), others = taken_apart(Operands(arrays, self.numbers))
        logits = hidden @ weight.T
        made = {"scores": logits if bias is None else logits + bias}
        return Operands(made | others.arrays, self.numbers)

    def _scan(self, step: Step, start: Any, arrays: Arrays) -> tuple[Any, Any]:
        """Return what steps over the chunks end with, and what they give of all rows."""
        n = len(arrays["scores"])
        long = {name: x for name, x in arrays.items() if _is_long(name, x, n)}
        chunks, rest = divmod(n, self.rows)
        whole = n - rest
        folded = {
            name: x[:whole].reshape(chunks, self.rows, *x.shape[1:]) for name, x in long.items()
        }
        end, found = jax.lax.scan(lambda state, own: step(state, arrays | own), start, folded)
        found = jax.tree.map(lambda x: x.reshape(whole, *x.shape[2:]), found)
        if not rest:
            return end, found
        end, last = step(end, arrays | {name: x[whole:] for name, x in long.items()})
        return end, jax.tree.map(lambda *parts: jnp.concatenate(parts), found, last)


def _is_long(name: str, x: Array, rows: int) -> bool:
    """Tell whether an array has an entry for each row, and not one for all of them."""
    return name not in ("classifier", "bias") and x.ndim > 0 and len(x) == rows


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _sum(chunks: Chunks, arrays: Arrays) -> Array:
    return chunks.value(arrays)


@partial(_sum.defjvp, symbolic_zeros=True)
def _jvp(chunks: Chunks, primals: tuple[Arrays], tangents: tuple[Arrays]) -> tuple[Array, Array]:
    (arrays,) = primals
    moving = {name: t for name, t in tangents[0].items() if not isinstance(t, SymbolicZero)}
    # in float16 slopes and their sums lose digits where the scale of the loss is not known yet
    if moving.keys() <= OF_CLASSIFIER and arrays["scores"].dtype != jnp.float16:
        total, along = chunks.push(arrays, moving)
        moved = [along[name].astype(total.dtype) * t for name, t in moving.items()]
        return total, sum((x.sum() for x in moved), jnp.zeros_like(total))
    at = {name: arrays[name] for name in moving}
    return jax.jvp(lambda moved: chunks.value(arrays | moved), (at,), (moving,))
