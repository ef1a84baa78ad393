"""torch: an autograd Function that saves the operands alone.

The slope along the logits is the closed form. Along anything else that learns (gamma, alpha,
weights, soft targets) the formula is differentiated, which is written to be smooth; so it is
inside torch.func's forward mode, where a Function in a Function loses the outer tangent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch._functorch.pyfunctorch import TransformType, retrieve_all_functorch_interpreters

from .. import _execution
from .._backends import Backend, backend_of
from .._terms import Operands, Terms

Array = Any


@dataclass(frozen=True)
class _Call:
    """What is static in a call: opaque to torch, which takes tuples apart."""

    loss: Terms
    numbers: Operands
    names: tuple[str, ...]

    def value(self, arrays: tuple[Array, ...]) -> Array:
        return _execution.value(*self._of(arrays))

    def slope(self, arrays: tuple[Array, ...]) -> Array:
        return _execution.slope(*self._of(arrays))

    def pulled_back(self, upstream: Array, arrays: tuple[Array, ...]) -> Array:
        axis = self.loss.axis
        along = upstream if axis is None else upstream.unsqueeze(axis)
        return (along * self.slope(arrays)).to(arrays[0].dtype)

    def pushed_forward(self, tangent: Array, arrays: tuple[Array, ...]) -> Array:
        along, axis = self.slope(arrays) * tangent, self.loss.axis
        return along if axis is None else along.sum(axis)

    def partial(
        self, arrays: tuple[Array, ...], learned: list[int]
    ) -> tuple[Callable[..., Array], *tuple[Array, ...]]:
        """The value as a function of some of the arrays, and these."""

        def of(*moved: Array) -> Array:
            at = dict(zip(learned, moved, strict=True))
            return self.value(tuple(at.get(i, x) for i, x in enumerate(arrays)))

        return of, *(arrays[i] for i in learned)

    def _of(self, arrays: tuple[Array, ...]) -> tuple[Backend, Terms, Operands]:
        backend = backend_of(arrays[0])
        assert backend is not None
        given = dict(zip(self.names, arrays, strict=True))
        return backend, self.loss, self.numbers._replace(**given)


def value(backend: Backend, loss: Terms, operands: Operands) -> Array:
    """The loss of each element or row."""
    arrays, numbers = operands.split()
    logits, *others = arrays.values()
    call = _Call(loss, numbers, tuple(arrays))
    if torch.compiler.is_compiling():
        learns = torch.is_grad_enabled() and logits.requires_grad
        # Dynamo knows no Function inside a transform, and export must see plain operations
        others_learn = any(x.requires_grad for x in others)
        if learns and not (others_learn or torch.compiler.is_exporting() or _levels()):
            return _CompiledLoss.apply(call, logits, *others)
        return _execution.value(backend, loss, operands)
    if any(level.key() == TransformType.Jvp for level in _levels()):
        return _execution.value(backend, loss, operands)
    return _Loss.apply(call, logits, *others)


class _Loss(torch.autograd.Function):  # type: ignore[misc] # torch is not a dependency
    """The value, with its derivatives; the logits are the first of the arrays."""

    generate_vmap_rule = True

    @staticmethod
    def forward(call: _Call, *arrays: Array) -> Array:
        return call.value(arrays)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Array) -> None:  # noqa: ARG004 - torch's
        ctx.call, *arrays = inputs
        ctx.save_for_backward(*arrays)
        ctx.save_for_forward(*arrays)

    @staticmethod
    def backward(ctx: Any, upstream: Array) -> Any:
        arrays, (_, along_logits, *along) = ctx.saved_tensors, ctx.needs_input_grad
        grads = [None] * len(arrays)
        if along_logits:
            grads[0] = ctx.call.pulled_back(upstream, arrays)
        learned = [i for i, needed in enumerate(along, start=1) if needed]
        if learned:
            _, pull = torch.func.vjp(*ctx.call.partial(arrays, learned))
            for i, grad in zip(learned, pull(upstream), strict=True):
                grads[i] = grad
        return None, *grads

    @staticmethod
    def jvp(ctx: Any, _: None, along_logits: Array, *along: Array) -> Array:
        arrays, parts = ctx.saved_tensors, []
        if along_logits is not None:
            parts.append(ctx.call.pushed_forward(along_logits, arrays))
        moving = {i: t for i, t in enumerate(along, start=1) if t is not None}
        if moving:
            # forward mode does not nest, but pulling back is linear: pull that back
            result, pull = torch.func.vjp(*ctx.call.partial(arrays, list(moving)))
            _, push = torch.func.vjp(pull, torch.zeros_like(result))
            parts.append(push(tuple(moving.values()))[0])
        return sum(parts)


class _CompiledLoss(torch.autograd.Function):  # type: ignore[misc] # as above
    """The same for Dynamo, which takes no Function that has a `jvp`."""

    @staticmethod
    def forward(ctx: Any, call: _Call, *arrays: Array) -> Array:
        ctx.call = call
        ctx.save_for_backward(*arrays)
        return call.value(arrays)

    @staticmethod
    def backward(ctx: Any, upstream: Array) -> Any:
        arrays = ctx.saved_tensors
        return None, ctx.call.pulled_back(upstream, arrays), *(None for _ in arrays[1:])


def _levels() -> Any:
    """The transforms of torch.func that we are in."""
    # torch has no public name for what its own Function.apply asks
    if not torch._C._are_functorch_transforms_active():
        return ()
    return retrieve_all_functorch_interpreters()
