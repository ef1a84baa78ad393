"""torch's hook: autograd Functions that give the closed form of the gradient.

The gradient along the logits is the closed form. Along anything else that learns (gamma, alpha,
weights, soft targets) torch differentiates the formula, which is written to be smooth. It does so
for the logits too in torch.func's forward mode, where a nested Function loses the outer tangent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import array_api_compat.torch as xp
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .._backends.torch import is_dtensor, is_host_tensor
from .._dtypes import arithmetic_dtype, cast
from .._execution import torch_host
from .._execution.kinds import Again
from .._execution.torch_host import Mode, mode_of, requires_grad
from .._losses.operands import Operands, Output, nothing
from .._losses.reduction import divided
from .._losses.spec import LossSpec
from .torch_call import StaticCall


def run(loss: LossSpec, operands: Operands, output: Output) -> Tensor:
    """Return the value of each element or row, or their sum, or mean by a denominator."""
    mode = mode_of(operands)
    keeps = mode is Mode.RECORDED and output.is_sum and _logits_alone_learn(operands.arrays)
    if keeps and _keeps_quotients(operands):
        return _apply(_Sum, loss, operands, output)
    function = _Sum if keeps else _function(mode, operands.arrays, output)
    if function is None:
        return torch_host.run(loss, operands, (output,), mode)[0]
    denominator, operands = operands.get("denominator"), operands.bind(denominator=None)
    if keeps:
        divisor = _exact_divisor(denominator, operands.arrays["scores"])
        return divided(xp, _apply(_Sum, loss, operands, output), divisor)
    element = Output.WIDE_VALUE if output.is_sum else output
    value = _apply(function, loss, operands, element, keeps_look=mode is not Mode.COMPILED)
    return divided(xp, value.sum() if output.is_sum and value.ndim else value, denominator)


def _exact_divisor(denominator: Any, like: Tensor) -> Any:
    """Return a denominator that is divided by: of a number, a GPU takes the rounded reciprocal."""
    if is_host_tensor(like) or not isinstance(denominator, int | float):
        return denominator
    return torch.full((), denominator, dtype=arithmetic_dtype(xp, like.dtype), device=like.device)


def _keeps_quotients(operands: Operands) -> bool:
    """Tell whether a slope has digits left in the logits' type when a large count divides it."""
    return operands.arrays["scores"].dtype is not torch.float16


def _apply(
    function: Any, loss: LossSpec, operands: Operands, output: Output, *, keeps_look: bool = True
) -> Tensor:
    arrays = operands.arrays
    look = operands.look if keeps_look else nothing
    constants = StaticCall(loss, output, operands.numbers, tuple(arrays), look)
    return function.apply(constants, *arrays.values())


def _logits_alone_learn(arrays: dict[str, Any]) -> bool:
    logits_learn, *others_learn = map(requires_grad, arrays.values())
    return logits_learn and not any(others_learn)


def _function(mode: Mode, arrays: dict[str, Any], output: Output) -> Any:
    """Return the Function that gives the closed form; None: torch differentiates the formula."""
    logits_learn, *others_learn = map(requires_grad, arrays.values())
    match mode:
        case Mode.PLAIN | Mode.PUSHED_FORWARD | Mode.TRACED:
            return None
        case Mode.COMPILED if any(others_learn) or not logits_learn or not output.has_slope:
            return None
        case Mode.COMPILED:
            return _CompiledSum if output.is_sum else _CompiledValues
    # the Function would use torch.func, under which `DTensor.from_local` fails
    return None if any(others_learn) and is_dtensor(arrays["scores"]) else _Values


class _Sum(torch.autograd.Function):
    """The sum, or the mean, which keeps the gradient: found with the value it costs little more.

    The first backward takes the gradient that is kept, and may write on it. Any other computes it
    anew from the inputs.
    """

    @staticmethod
    def forward(ctx: Any, constants: StaticCall, *arrays: Tensor) -> Tensor:
        ctx.save_for_backward(*arrays)
        ctx.constants = constants.without_look()
        if constants.kernel is not None:
            mean, ctx.kept = constants.kernel(arrays)
            return mean
        mean, ctx.kept = constants.run(arrays, *OF_SUM)
        return mean

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        kept, ctx.kept = ctx.kept, None
        # where gradients are recorded, this one will be differentiated itself
        if kept is None or torch.is_grad_enabled():
            grad = ctx.constants.vjp(upstream, ctx.saved_tensors)
        else:
            grad = scaled(kept, upstream)
        return None, grad, *(None for _ in ctx.needs_input_grad[2:])


OF_SUM = Output.LOSS_SUM, Output.GRAD


def again(loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]) -> Again | None:
    """Return how outputs are computed of other tensors of the same kind, or None: not by a kernel.

    A sum that is recorded keeps its gradient.
    """
    if not requires_grad(operands.arrays["scores"]):
        return torch_host.again(loss, operands, outputs)
    is_known = outputs == (Output.LOSS_SUM,) and _logits_alone_learn(operands.arrays)
    if not (is_known and _keeps_quotients(operands)):
        return None
    kernel = torch_host.again(loss, operands, OF_SUM)
    if kernel is None:
        return None
    names = tuple(operands.arrays)
    constants = StaticCall(loss, Output.LOSS_SUM, operands.numbers, names, kernel=kernel)

    def of(arrays: Sequence[Tensor], **numbers: float) -> tuple[Tensor]:
        own = constants.with_numbers(numbers) if numbers else constants
        return (_Sum.apply(own, *arrays),)  # type: ignore[no-untyped-call] # torch's

    return of


def scaled(x: Tensor, factor: Tensor) -> Tensor:
    """Return x times a number, written where x is if it can be.

    Half precision is multiplied in float32.
    """
    try:
        number = factor.item() if is_host_tensor(factor) else None
        if number == 1:  # as `loss.backward()` gives it
            return x
        if x.dtype == arithmetic_dtype(xp, x.dtype):
            return x.mul_(factor if number is None else number)
    except RuntimeError:  # a batch of factors
        number = None
    if number is None:
        return cast(xp, cast(xp, x, arithmetic_dtype(xp, x.dtype)) * factor, x.dtype)
    for part in torch.split(x.view(-1), PART):  # so that no array of the size of x is made
        part.copy_(part.float().mul_(number))
    return x


PART = 2**16  # elements, which the caches hold


class _Values(torch.autograd.Function):
    """The value of each element or row, with its derivatives; the logits are the first array."""

    generate_vmap_rule = True

    @staticmethod
    def forward(constants: StaticCall, *arrays: Tensor) -> Tensor:
        return constants.value(arrays)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:  # noqa: ARG004 - torch's
        constants, *arrays = inputs
        ctx.constants = constants.without_look()
        ctx.save_for_backward(*arrays)
        ctx.save_for_forward(*arrays)
        ctx.set_materialize_grads(False)  # what does not move has no tangent, and not one of 0

    @staticmethod
    def backward(ctx: Any, upstream: Tensor | None) -> Any:
        arrays, (_, *needed) = ctx.saved_tensors, ctx.needs_input_grad
        grads = [None] * len(arrays)
        if upstream is None:  # nothing is pulled back
            return None, *grads
        if needed[0] and ctx.constants.element.has_slope:
            grads[0], needed[0] = ctx.constants.vjp(upstream, arrays), False
        learned = [i for i, is_needed in enumerate(needed) if is_needed]
        if learned:
            _, pull = ctx.constants.pullback(arrays, learned)
            for i, grad in zip(learned, pull(upstream), strict=True):
                grads[i] = grad
        return None, *grads

    @staticmethod
    def jvp(ctx: Any, _: None, *along: Tensor) -> Tensor:
        arrays, parts = ctx.saved_tensors, []
        moving = {i: t for i, t in enumerate(along) if t is not None}
        if 0 in moving and ctx.constants.element.has_slope:
            parts.append(ctx.constants.jvp(moving.pop(0), arrays))
        if moving:
            # forward mode does not nest; but `pull` is linear, and its own vjp is the jvp
            result, pull = ctx.constants.pullback(arrays, list(moving))
            _, push = torch.func.vjp(pull, torch.zeros_like(result))  # type: ignore[misc] # 3 with has_aux
            parts.append(push(tuple(moving.values()))[0])
        return sum(parts)


class _CompiledValues(torch.autograd.Function):
    """The same as `_Values` for Dynamo, which takes no Function that has a `jvp`."""

    @staticmethod
    def forward(ctx: Any, constants: StaticCall, *arrays: Tensor) -> Tensor:
        ctx.constants = constants
        ctx.save_for_backward(*arrays)
        return constants.value(arrays)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        arrays = ctx.saved_tensors
        return None, ctx.constants.vjp(upstream, arrays), *(None for _ in arrays[1:])


class _CompiledSum(torch.autograd.Function):
    """The sum for Dynamo, which keeps the gradient for a single backward."""

    @staticmethod
    def forward(ctx: Any, constants: StaticCall, *arrays: Tensor) -> Tensor:
        total, grad = constants.run(arrays, Output.LOSS_SUM, Output.WIDE_GRAD)
        ctx.dtype = arrays[0].dtype
        ctx.save_for_backward(grad)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> Any:
        (grad,) = ctx.saved_tensors
        return (
            None,
            cast(xp, upstream * grad, ctx.dtype),
            *(None for _ in ctx.needs_input_grad[2:]),
        )
