"""torch: an autograd Function that saves the operands alone.

The formulas are differentiated as they are under torch.compile, where Dynamo refuses a Function
with a `jvp` and the partitioner keeps nothing but the inputs by itself; inside torch.func, where an
operand does not tell whether an outer transform differentiates it; and where a parameter learns.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd import forward_ad

from .. import _execution
from .._backends import Backend, backend_of
from .._terms import Operands, Terms

Array = Any


def value(backend: Backend, loss: Terms, operands: Operands) -> Array:
    """The loss of each element or row."""
    arrays, numbers = operands.split()
    others = [x for name, x in arrays.items() if name != "logits"]
    if _is_transformed() or any(_is_differentiated(x) for x in others):
        return _execution.value(backend, loss, operands)
    return _Loss.apply(loss, numbers, tuple(arrays), *arrays.values())


class _Loss(torch.autograd.Function):  # type: ignore[misc] # torch is not a dependency
    """The value, with its slope with respect to the logits, the first of the arrays."""

    @staticmethod
    def forward(loss: Terms, numbers: Operands, names: tuple[str, ...], *arrays: Array) -> Array:
        return _execution.value(*_call(loss, numbers, names, arrays))

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Array) -> None:  # noqa: ARG004 - torch's
        ctx.static, arrays = inputs[:3], inputs[3:]
        ctx.save_for_backward(*arrays)
        ctx.save_for_forward(*arrays)

    @staticmethod
    def backward(ctx: Any, upstream: Array) -> Any:
        (loss, numbers, names), arrays = ctx.static, ctx.saved_tensors
        slope = _execution.slope(*_call(loss, numbers, names, arrays))
        upstream = upstream if loss.axis is None else upstream.unsqueeze(loss.axis)
        grad = (upstream * slope).to(arrays[0].dtype)
        return None, None, None, grad, *(None for _ in arrays[1:])

    @staticmethod
    def jvp(ctx: Any, *tangents: Array) -> Array:
        (loss, numbers, names), arrays = ctx.static, ctx.saved_tensors
        along = _execution.slope(*_call(loss, numbers, names, arrays)) * tangents[3]
        return along if loss.axis is None else along.sum(loss.axis)


def _call(
    loss: Terms, numbers: Operands, names: tuple[str, ...], arrays: tuple[Array, ...]
) -> tuple[Backend, Terms, Operands]:
    backend = backend_of(arrays[0])
    assert backend is not None
    return backend, loss, numbers._replace(**dict(zip(names, arrays, strict=True)))


def _is_transformed() -> bool:
    # torch has no public name for the question that its own Function.apply asks
    return bool(torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active())


def _is_differentiated(x: Array) -> bool:
    return bool(x.requires_grad) or forward_ad.unpack_dual(x).tangent is not None
