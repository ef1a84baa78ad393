"""torch's hook for a classifier and its loss in one, which make the logits of some rows at a time.

The gradient of a sum is made with it, chunk by chunk, and backward scales it. What is not known
before backward is made there, from logits that are computed again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .._execution.torch_host import Mode, mode_of, requires_grad
from .._losses.linear import taken_apart
from .._losses.operands import Operands, Output
from .._losses.spec import LossSpec
from .torch_chunks import Arrays, Chunks, Needed
from .torch_function import scaled


def run(loss: LossSpec, operands: Operands, output: Output, rows: int) -> Tensor:
    """Return the value of each row, or their sum, or mean by a denominator."""
    classifier, others = taken_apart(operands)
    if output is Output.VALUE and torch.is_autocast_enabled(classifier.hidden.device.type):
        output = Output.WIDE_VALUE  # float32, as torch's own losses
    chunks = Chunks(loss, output, others.numbers, tuple(others.arrays), rows, others.look)
    return _way(operands, output)(chunks, *classifier, *others.arrays.values())


def _way(operands: Operands, output: Output) -> Callable[..., Tensor]:
    """Return the way that suits what learns, and what records or transforms the operations."""
    classifier, others = taken_apart(operands)
    learns = any(map(requires_grad, classifier))
    others_learn = any(map(requires_grad, others.arrays.values()))
    # in float16 slopes and their sums lose digits where the scale of the loss is not known yet
    keeps = output.is_sum and not others_learn and classifier.hidden.dtype is not torch.float16
    match mode_of(operands):
        case Mode.PLAIN:
            return Chunks.value
        case Mode.RECORDED:
            return _Kept.apply if keeps else _Anew.apply
        case Mode.COMPILED if not others_learn:
            from . import torch_chunks_compiled as compiled

            if not learns:
                return compiled.value
            return compiled.Kept.apply if keeps else compiled.Anew.apply
    return Chunks.two_steps


class _Kept(torch.autograd.Function):
    """The sum, or the mean, which keeps the gradients of the classifier.

    The first backward takes those that are kept, and may write on them. Any other computes them
    anew.
    """

    @staticmethod
    def forward(ctx: Any, chunks: Chunks, *arrays: Any) -> Tensor:
        ctx.chunks = chunks.without_look()
        ctx.save_for_backward(*arrays)
        total, ctx.kept = chunks.push(arrays, ctx.needs_input_grad[1:])
        return total

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        kept, ctx.kept = ctx.kept, None
        if kept is None or torch.is_grad_enabled():
            return None, *_anew(ctx, upstream)
        return None, *(None if x is None else scaled(x, upstream) for x in kept)


class _Anew(torch.autograd.Function):
    """The value; backward makes the logits of each chunk again."""

    @staticmethod
    def forward(ctx: Any, chunks: Chunks, *arrays: Any) -> Tensor:
        ctx.chunks = chunks.without_look()
        ctx.save_for_backward(*arrays)
        return chunks.value(*arrays)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        return None, *_anew(ctx, upstream)


def _anew(ctx: Any, upstream: Tensor) -> Arrays:
    """Return the gradients of what needs one, from that of the value and from the inputs."""
    make = _differentiable if torch.is_grad_enabled() else Chunks.pull
    return make(ctx.chunks, ctx.saved_tensors, ctx.needs_input_grad[1:], upstream)


def _differentiable(chunks: Chunks, arrays: Arrays, needed: Needed, upstream: Tensor) -> Arrays:
    """Return the gradients as autograd makes them of the logits of all rows, and records them."""
    pairs = list(zip(arrays, needed, strict=True))
    seen = [x.view_as(x) if is_needed else x for x, is_needed in pairs]  # one may be made of others
    learned = [x for x, is_needed in zip(seen, needed, strict=True) if is_needed]
    found = iter(torch.autograd.grad(chunks.two_steps(*seen), learned, upstream, create_graph=True))
    return [next(found) if is_needed else None for is_needed in needed]
