"""What an autograd Function of torch knows of a call beside its arrays, and computes of these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import array_api_compat.torch as xp
import torch
from torch import Tensor

from .._dtypes import cast
from .._execution import torch_host
from .._execution.kinds import Again
from .._execution.torch_host import mode_of
from .._formulas.focal import safe_multiply
from .._inputs.checks import Look
from .._losses.operands import Operands, Output, nothing
from .._losses.reduction import dtype_of
from .._losses.spec import LossSpec

Arrays = tuple[Tensor, ...]


@dataclass(frozen=True)
class StaticCall:
    """The static part of a call; not a tuple, because torch takes tuples apart."""

    loss: LossSpec
    element: Output  # the value of each element or row
    numbers: tuple[tuple[str, float], ...]
    names: tuple[str, ...]  # of the arrays; the logits are the first
    look: Look = nothing
    kernel: Again | None = None  # of the mean and its gradient, where it is known already

    def without_look(self) -> StaticCall:
        """Return the same call for backward, which must not keep the caller's arrays alive."""
        return self if self.look is nothing else replace(self, look=nothing)

    def with_numbers(self, numbers: dict[str, float]) -> StaticCall:
        """Return the same call of the known kernel by other numbers."""
        others = tuple((name, numbers.get(name, value)) for name, value in self.numbers)
        kernel = None if self.kernel is None else partial(self.kernel, **numbers)
        return replace(self, numbers=others, kernel=kernel)

    def operands(self, arrays: Arrays) -> Operands:
        """Return the operands of which these are the arrays."""
        return Operands(dict(zip(self.names, arrays, strict=True)), self.numbers, self.look)

    def run(self, arrays: Arrays, *outputs: Output) -> Arrays:
        operands = self.operands(arrays)
        return torch_host.run(self.loss, operands, outputs, mode_of(operands))

    def value(self, arrays: Arrays) -> Tensor:
        return self.run(arrays, self.element)[0]

    def vjp(self, upstream: Tensor, arrays: Arrays) -> Tensor:
        """Return the gradient of the logits, from that of the value."""
        (grad,), axis = self.run(arrays, Output.WIDE_GRAD), self.loss.axis
        beside = upstream if axis is None or not upstream.ndim else upstream.unsqueeze(axis)
        return cast(xp, beside * grad, arrays[0].dtype)

    def jvp(self, tangent: Tensor, arrays: Arrays) -> Tensor:
        """Return the tangent of the value, from that of the logits."""
        (grad,), axis = self.run(arrays, Output.WIDE_GRAD), self.loss.axis
        moved = safe_multiply(xp, tangent, grad)  # grad may be infinite where tangent is 0
        dtype = dtype_of(xp, self.element, tangent.dtype)
        return cast(xp, moved if axis is None else moved.sum(axis), dtype)

    def pullback(self, arrays: Arrays, along: list[int]) -> tuple[Tensor, Callable[..., Arrays]]:
        """Return the value, and what pulls its gradient back to some of the arrays."""

        def of(*moved: Tensor) -> Tensor:
            at = dict(zip(along, moved, strict=True))
            return self.value(tuple(at.get(i, x) for i, x in enumerate(arrays)))

        return torch.func.vjp(of, *(arrays[i] for i in along))  # type: ignore[return-value] # 3 with has_aux
