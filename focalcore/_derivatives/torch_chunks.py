"""The value of a loss and its gradients, from the logits of one chunk of rows after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import array_api_compat.torch as xp
import torch
from torch import Tensor
from torch.nn.functional import linear

from .._dtypes import arithmetic_dtype, cast
from .._execution import torch_host
from .._execution.torch_host import mode_of
from .._inputs.checks import Look
from .._losses.operands import Operands, Output, nothing
from .._losses.spec import LossSpec
from . import torch_function, torch_products
from .torch_function import OF_SUM

Arrays = Sequence[Any]  # hidden features, weight, bias or None, and the other operands
Needed = Sequence[bool]  # which of the arrays need a gradient
OF_CLASSIFIER = 3


@dataclass(frozen=True)
class Chunks:
    """The static part of a call; not a tuple, because torch takes tuples apart."""

    loss: LossSpec
    output: Output
    numbers: tuple[tuple[str, float], ...]
    names: tuple[str, ...]  # of the other operands
    rows: int  # of a chunk
    look: Look = nothing

    def without_look(self) -> Chunks:
        """Return the same for backward, which must not keep the caller's arrays alive."""
        return replace(self, look=nothing)

    def value(self, *arrays: Any) -> Tensor:
        """Return the value."""
        chunks = self._slices(arrays)
        found = [self._run(self._operands(arrays, chunk), self.output)[0] for chunk in chunks]
        return torch.stack(found).sum() if self.output.is_sum else torch.cat(found)

    def two_steps(self, *arrays: Any) -> Tensor:
        """Return the value from the logits of all rows at once."""
        logits = linear(*arrays[:OF_CLASSIFIER])
        operands = self._beside(logits, arrays[OF_CLASSIFIER:])
        return torch_function.run(self.loss, operands, self.output)

    def push(self, arrays: Arrays, needed: Needed) -> tuple[Tensor, Arrays]:
        """Return the sum, and its gradients along what is needed of the classifier."""
        found = Gradients(arrays, needed)

        def sum_of(chunk: slice) -> Tensor:  # logits and slopes end with it
            total, slopes = self._run(self._operands(arrays, chunk), *OF_SUM)
            found.add(chunk, slopes)
            return total

        totals = [sum_of(chunk) for chunk in self._slices(arrays)]
        return torch.stack(totals).sum(), found.rounded()

    def pull(self, arrays: Arrays, needed: Needed, upstream: Tensor) -> Arrays:
        """Return the gradients along what is needed, from that of the value."""
        found = Gradients(arrays, needed)
        pairs = zip(self.names, needed[OF_CLASSIFIER:], strict=True)
        learned = [name for name, is_needed in pairs if is_needed]

        def pull_through(chunk: slice) -> None:
            operands = self._operands(arrays, chunk)
            share = upstream[chunk] if upstream.ndim else upstream
            if learned:
                found.add_others(chunk, self._slopes_of_others(operands, share, learned))
            if any(needed[:OF_CLASSIFIER]):
                found.add(chunk, self._slopes(operands, share))

        for chunk in self._slices(arrays):
            pull_through(chunk)
        return found.rounded()

    def _slices(self, arrays: Arrays) -> Iterator[slice]:
        """Return the rows of each chunk; of no rows there is a chunk of none."""
        return (slice(i, i + self.rows) for i in range(0, len(arrays[0]) or 1, self.rows))

    def _operands(self, arrays: Arrays, chunk: slice) -> Operands:
        """Return the operands of a chunk, whose logits are made here."""
        hidden, weight, bias, *others = arrays
        logits = torch_products.logits(hidden[chunk], weight, bias)
        return self._beside(logits, [x[chunk] if _is_long(x) else x for x in others])

    def _beside(self, logits: Tensor, others: Arrays) -> Operands:
        """Return the operands of the loss alone."""
        arrays = {"scores": logits} | dict(zip(self.names, others, strict=True))
        return Operands(arrays, self.numbers, self.look)

    def _run(self, operands: Operands, *outputs: Output) -> tuple[Tensor, ...]:
        return torch_host.run(self.loss, operands, outputs, mode_of(operands))

    def _slopes(self, operands: Operands, upstream: Tensor) -> Tensor:
        """Return the gradient of logits, from that of the value, with which rows are weighed."""
        weight, upstream = operands.get("weight"), cast(xp, upstream, operands.dtype(xp))
        operands = operands.bind(weight=upstream if weight is None else upstream * weight)
        return self._run(operands, Output.GRAD)[0]

    def _slopes_of_others(self, operands: Operands, upstream: Tensor, names: list[str]) -> Arrays:
        """Return the gradients of other operands of these names, as autograd makes them."""
        leaves = {name: operands.arrays[name].detach().requires_grad_() for name in names}
        with torch.enable_grad():
            (value,) = self._run(replace(operands, arrays=operands.arrays | leaves), self.output)
        return torch.autograd.grad(value, list(leaves.values()), upstream)


class Gradients:
    """The gradients along what is needed of some arrays, to which chunks add theirs.

    That of the weight is rounded to its type at each chunk: a wider one would take as much again as
    it saves.
    """

    def __init__(self, arrays: Arrays, needed: Needed) -> None:
        self.arrays = arrays
        pairs = zip(arrays, needed, strict=True)
        self.sums = [_zeros_like(x) if is_needed else None for x, is_needed in pairs]

    def add(self, chunk: slice, slopes: Tensor) -> None:
        """Add what the slopes of a chunk's logits give."""
        along_hidden, along_weight, along_bias, *_ = self.sums
        hidden, weight, *_ = self.arrays
        if along_hidden is not None:
            along_hidden[chunk] = torch_products.along_hidden(slopes, weight)
        if along_weight is not None:
            torch_products.add_along_weight(along_weight, slopes, hidden[chunk])
        if along_bias is not None:
            along_bias += slopes.sum(0, dtype=along_bias.dtype)

    def add_others(self, chunk: slice, found: Arrays) -> None:
        """Add the gradients along the other operands, of those that are needed."""
        sums = [x for x in self.sums[OF_CLASSIFIER:] if x is not None]
        for total, x in zip(sums, found, strict=True):
            if _is_long(total):
                total[chunk] = x
            else:
                total += x

    def rounded(self) -> Arrays:
        """Return the gradients in the types of the arrays, None where none is needed."""
        pairs = zip(self.sums, self.arrays, strict=True)
        return [None if total is None else cast(xp, total, x.dtype) for total, x in pairs]


def _zeros_like(x: Tensor) -> Tensor:
    """Return zeros to add to, in float32 at least where they are few."""
    return torch.zeros_like(x, dtype=arithmetic_dtype(xp, x.dtype) if x.ndim < 2 else x.dtype)


def _is_long(x: Tensor) -> bool:
    """Tell whether an operand has an entry for each row, and not one for all of them."""
    return x.ndim > 0 and len(x) != 1
