"""The same for Dynamo: operators that its graph holds whole, and that run as eager calls do.

Traced through, each chunk would be compiled by itself: for minutes, and into code that needs more.
"""

from __future__ import annotations

import base64
import functools
import pickle
from dataclasses import fields
from typing import Any

import array_api_compat.torch as xp
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .._dtypes import cast
from .._losses.reduction import dtype_of
from .torch_chunks import Arrays, Chunks, Needed


def value(chunks: Chunks, *arrays: Any) -> Tensor:
    """Return the value."""
    return _value(*_call(chunks, arrays))


class Kept(torch.autograd.Function):
    """The sum, or the mean, which keeps the gradients of the classifier for a single backward."""

    @staticmethod
    def forward(ctx: Any, chunks: Chunks, *arrays: Any) -> Tensor:
        total, *kept = _push(*_call(chunks, arrays), list(ctx.needs_input_grad[1:]))
        ctx.save_for_backward(*kept)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> Any:
        found = [cast(xp, x * upstream, x.dtype) for x in ctx.saved_tensors]
        return None, *_placed(found, ctx.needs_input_grad[1:])


class Anew(torch.autograd.Function):
    """The value; backward makes the logits of each chunk again."""

    @staticmethod
    def forward(ctx: Any, chunks: Chunks, *arrays: Any) -> Tensor:
        ctx.chunks = chunks
        ctx.save_for_backward(*arrays)
        return value(chunks, *arrays)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> Any:
        needed = ctx.needs_input_grad[1:]
        found = _pull(*_call(ctx.chunks, ctx.saved_tensors), list(needed), upstream)
        return None, *_placed(found, needed)


Call = tuple[list[Tensor], str, list[float], int]
CALL = "Tensor[] arrays, str static, float[] numbers, SymInt rows"  # what an operator can be given


def _call(chunks: Chunks, arrays: Arrays) -> Call:
    """Return a call as an operator is given it; the values of numbers may be traced."""
    loss = tuple((f.name, getattr(chunks.loss, f.name)) for f in fields(chunks.loss))
    there = tuple(x is not None for x in arrays)
    names = tuple(name for name, _ in chunks.numbers)
    static = _written(type(chunks.loss), loss, chunks.output, names, chunks.names, there)
    return _there(arrays), static, [number for _, number in chunks.numbers], chunks.rows


def _eager(arrays: list[Tensor], static: str, numbers: list[float], rows: int) -> Any:
    """Return the chunks of a call, and its arrays."""
    kind, loss, output, of_numbers, names, there = _read(static)
    numbered = tuple(zip(of_numbers, numbers, strict=True))
    return Chunks(kind(**dict(loss)), output, numbered, names, rows), _placed(arrays, there)


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator] # torch's
def _written(*static: Any) -> str:
    """Return what is static as text, by which graphs are told apart in every process."""
    return base64.b64encode(pickle.dumps(static)).decode()


@functools.cache
def _read(static: str) -> Any:
    return pickle.loads(base64.b64decode(static))


def _placed(found: list[Tensor], there: Needed) -> Arrays:
    """Return tensors in their places, and None in the others."""
    left = iter(found)
    return [next(left) if is_there else None for is_there in there]


def _there(found: Arrays) -> list[Tensor]:
    return [x for x in found if x is not None]


custom_op = functools.partial(torch.library.custom_op, mutates_args=())


@custom_op("focalcore::value_by_chunks", schema=f"({CALL}) -> Tensor")
def _value(*call: Any) -> Tensor:
    chunks, arrays = _eager(*call)
    return chunks.value(*arrays)


@custom_op("focalcore::push_by_chunks", schema=f"({CALL}, bool[] needed) -> Tensor[]")
def _push(*call: Any) -> list[Tensor]:
    chunks, arrays = _eager(*call[:-1])
    total, found = chunks.push(arrays, call[-1])
    return [total, *_there(found)]


@custom_op(
    "focalcore::pull_by_chunks", schema=f"({CALL}, bool[] needed, Tensor upstream) -> Tensor[]"
)
def _pull(*call: Any) -> list[Tensor]:
    chunks, arrays = _eager(*call[:-2])
    return _there(chunks.pull(arrays, *call[-2:]))


@_value.register_fake
def _value_shape(*call: Any) -> Tensor:
    chunks, (hidden, *_) = _eager(*call)
    shape = () if chunks.output.is_sum else hidden.shape[:1]
    return hidden.new_empty(shape, dtype=dtype_of(xp, chunks.output, hidden.dtype))


@_push.register_fake
def _push_shapes(*call: Any) -> list[Tensor]:
    return [_value_shape(*call[:-1]), *_gradient_shapes(*call)]


@_pull.register_fake
def _pull_shapes(*call: Any) -> list[Tensor]:
    return _gradient_shapes(*call[:-1])


def _gradient_shapes(*call: Any) -> list[Tensor]:
    _, arrays = _eager(*call[:-1])
    pairs = zip(arrays, call[-1], strict=True)
    return [torch.empty_like(x) for x, is_needed in pairs if is_needed]
