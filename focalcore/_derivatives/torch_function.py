"""torch: autograd Functions that give the closed form of the slope.

The slope along the logits is the closed form. Along anything else that learns (gamma, alpha,
weights, soft targets) the formula is differentiated, which is written to be smooth; so it is
inside torch.func's forward mode, where a Function in a Function loses the outer tangent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import array_api_compat.torch as xp
import torch
from torch._functorch.pyfunctorch import TransformType
from torch.autograd.function import once_differentiable

from .. import _execution
from .._backends import Backend, backend_of, is_dtensor
from .._dtypes import cast
from .._execution.torch_blocks import is_differentiated, is_transformed, transforms
from .._formulas.focal import times
from .._losses.operands import TOTAL, UNROUNDED_SLOPE, UNROUNDED_VALUE, Operands, Part
from .._losses.reduction import divided
from .._losses.spec import LossSpec

Array = Any


@dataclass(frozen=True)
class _Call:
    """What is static in a call: opaque to torch, which takes tuples apart."""

    loss: LossSpec
    element: Part  # the value of each element or row
    numbers: Operands
    names: tuple[str, ...]

    def run(self, arrays: tuple[Array, ...], *parts: Part) -> tuple[Array, ...]:
        backend = backend_of(arrays[0])
        assert backend is not None
        given = dict(zip(self.names, arrays, strict=True))
        return _execution.run(backend, self.loss, self.numbers._replace(**given), parts)

    def value(self, arrays: tuple[Array, ...]) -> Array:
        return self.run(arrays, self.element)[0]

    def pulled_back(self, upstream: Array, arrays: tuple[Array, ...]) -> Array:
        (slope,), axis = self.run(arrays, UNROUNDED_SLOPE), self.loss.axis
        along = upstream if axis is None or not upstream.ndim else upstream.unsqueeze(axis)
        return cast(xp, along * slope, arrays[0].dtype)

    def pushed_forward(self, tangent: Array, arrays: tuple[Array, ...]) -> Array:
        (slope,), axis = self.run(arrays, UNROUNDED_SLOPE), self.loss.axis
        along = times(xp, tangent, slope)  # a slope may be infinite where nothing moves
        return cast(xp, along if axis is None else along.sum(axis), tangent.dtype)

    def partial(
        self, arrays: tuple[Array, ...], learned: list[int]
    ) -> tuple[Callable[..., Array], *tuple[Array, ...]]:
        """The value as a function of some of the arrays, and these."""

        def of(*moved: Array) -> Array:
            at = dict(zip(learned, moved, strict=True))
            return self.value(tuple(at.get(i, x) for i, x in enumerate(arrays)))

        return of, *(arrays[i] for i in learned)


def run(backend: Backend, loss: LossSpec, operands: Operands, part: Part, divisor: Array) -> Array:
    """The loss of each element or row, or their sum, divided."""
    if torch.compiler.is_compiling():
        return divided(xp, _compiled(loss, operands, part), divisor)
    if not is_differentiated(operands):
        (result,) = _execution.run(backend, loss, operands, (part,))
        return divided(xp, result, divisor)
    call, arrays = _call(loss, operands, part)
    logits_learn, *others_learn = map(_learns, (*arrays, divisor))
    if part.summed and logits_learn and not (any(others_learn) or is_transformed()):
        return _Total.apply(call, divisor, *arrays)
    is_forward = any(level.key() == TransformType.Jvp for level in transforms())
    # what torch does to spread a plain tensor knows no transform, which a Function would take
    if is_forward or (any(others_learn) and is_dtensor(operands.logits)):
        return divided(xp, call.run(arrays, part)[0], divisor)
    value = _Loss.apply(call, *arrays)
    return divided(xp, value.sum() if part.summed else value, divisor)


def _compiled(loss: LossSpec, operands: Operands, part: Part) -> Array:
    call, arrays = _call(loss, operands, part)
    logits_learn, *others_learn = map(_learns, arrays)
    # Dynamo knows no Function inside a transform, and export must see plain operations
    # asked by its public name, Dynamo says yes at every compilation before torch 2.13
    is_exporting = torch.compiler._is_exporting_flag
    plain = any(others_learn) or is_exporting or is_transformed()
    if plain or not logits_learn:
        return call.run(arrays, part)[0]
    return (_CompiledTotal if part.summed else _CompiledLoss).apply(call, *arrays)


def _call(loss: LossSpec, operands: Operands, part: Part) -> tuple[_Call, tuple[Array, ...]]:
    arrays, numbers = operands.split()
    if _learns(operands.targets) or is_transformed():  # a tangent is not seen from here
        loss = loss.softened()
    element = UNROUNDED_VALUE if part.summed else part
    return _Call(loss, element, numbers, tuple(arrays)), tuple(arrays.values())


class _Total(torch.autograd.Function):  # type: ignore[misc] # torch is not a dependency
    """The sum, which keeps the slope: found with the value, it costs little more."""

    @staticmethod
    def forward(ctx: Any, call: _Call, divisor: Array, *arrays: Array) -> Array:
        total, slope = call.run(arrays, TOTAL, UNROUNDED_SLOPE)
        is_tensor = isinstance(divisor, torch.Tensor)  # saved: torch sees it where it is changed
        ctx.call, ctx.number = call, None if is_tensor else divisor
        ctx.save_for_backward(slope, divisor if is_tensor else None, *arrays)
        return divided(xp, total, divisor)

    @staticmethod
    def backward(ctx: Any, upstream: Array) -> Any:
        slope, divisor, *arrays = ctx.saved_tensors
        upstream = divided(xp, upstream, ctx.number if divisor is None else divisor)
        if torch.is_grad_enabled():  # what is pulled back will be differentiated
            grad = ctx.call.pulled_back(upstream, tuple(arrays))
        else:
            grad = cast(xp, upstream * slope, arrays[0].dtype)
        return None, None, grad, *(None for _ in arrays[1:])


class _Loss(torch.autograd.Function):  # type: ignore[misc] # as above
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


class _CompiledTotal(torch.autograd.Function):  # type: ignore[misc] # as above
    """The sum for Dynamo, which keeps the slope."""

    @staticmethod
    def forward(ctx: Any, call: _Call, *arrays: Array) -> Array:
        total, slope = call.run(arrays, TOTAL, UNROUNDED_SLOPE)
        ctx.dtype = arrays[0].dtype
        ctx.save_for_backward(slope)
        return total

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator] # torch's
    def backward(ctx: Any, upstream: Array) -> Any:
        (slope,) = ctx.saved_tensors
        return (
            None,
            cast(xp, upstream * slope, ctx.dtype),
            *(None for _ in ctx.needs_input_grad[2:]),
        )


def _learns(x: Array) -> bool:
    return torch.is_grad_enabled() and isinstance(x, torch.Tensor) and x.requires_grad
