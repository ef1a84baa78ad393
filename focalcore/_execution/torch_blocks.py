"""torch: blocks on the CPU, where nothing is differentiated; else the operations as written."""

from __future__ import annotations

from typing import Any

import array_api_compat.torch as torch_namespace
import torch
from torch._functorch.pyfunctorch import retrieve_all_functorch_interpreters

from .. import settings
from .._backends import is_dtensor, is_plain_torch
from .._backends.namespaces import Namespace, smooth
from .._losses.operands import Operands, Part
from .._losses.spec import LossSpec
from . import blocks, plain

Array = Any

# bytes of a block, which torch's own threads share; of rows more, for them to share evenly
BLOCK, BLOCK_OF_ROWS = 2**20, 2**21


def run(loss: LossSpec, operands: Operands, parts: tuple[Part, ...]) -> tuple[Array, ...]:
    """The parts, by the way that fits what becomes of them."""
    x = operands.logits
    if is_dtensor(x):
        from . import torch_dtensor

        return torch_dtensor.run(loss, operands, parts)
    if torch.compiler.is_compiling() or is_differentiated(operands):
        return plain.run(_SMOOTH, loss, operands, parts)
    if settings.compiler() and type(x) in (torch.Tensor, torch.nn.Parameter):
        from . import torch_compiler

        found = torch_compiler.run(loss, operands, parts)
        if found is not None:
            return found
    if not is_plain_torch(x):
        return plain.run(_EAGER, loss, operands, parts)
    size = (BLOCK if loss.axis is None else BLOCK_OF_ROWS) // max(x.element_size(), 4)
    if x.numel() <= size:
        return plain.run(_ON_HOST, loss, operands, parts)
    return blocks.run(_ON_HOST, loss, operands, parts, size=size, share=blocks.in_turn)


def is_differentiated(operands: Operands) -> bool:
    """Whether torch watches what is done with the operands."""
    if is_transformed():
        return True
    learns = (isinstance(x, torch.Tensor) and x.requires_grad for x in operands)
    return torch.is_grad_enabled() and any(learns)


def is_transformed() -> bool:
    """Whether we are in forward mode, or in a transform of torch.func."""
    # torch has no public name for what its own Function.apply asks
    is_inside = torch._C._are_functorch_transforms_active()
    return bool(torch.autograd.forward_ad._current_level >= 0 or is_inside)


def transforms() -> Any:
    """The transforms of torch.func that we are in; Dynamo can't trace the question."""
    return retrieve_all_functorch_interpreters() if is_transformed() else ()


class Choice:
    """The entry that each row's label names, a good one, by torch's own gather and scatter."""

    def __init__(self, labels: Array, axis: int) -> None:
        self.labels, self.axis = labels.long(), axis

    def entry(self, x: Array) -> Array:
        """That entry of each row."""
        rows = list(self.labels.shape)
        rows[self.axis] = x.shape[self.axis]
        return x.expand(rows).gather(self.axis, self.labels)

    def replaced(self, x: Array, by: Array) -> Array:
        """The rows with that entry replaced."""
        return x.scatter(self.axis, self.labels, by)

    def overwritten(self, x: Array, by: Array) -> Array:
        """The same for rows that nothing else needs any more."""
        return x.scatter_(self.axis, self.labels, by)


def _maximum(a: Array, b: Array) -> Array:
    return torch.maximum(a, b) if isinstance(b, torch.Tensor) else torch.clamp_min(a, b)


def _minimum(a: Array, b: Array) -> Array:
    return torch.minimum(a, b) if isinstance(b, torch.Tensor) else torch.clamp_max(a, b)


def _step(x: Array) -> Array:
    return x.sign().clamp_min_(0.0)  # a comparison costs as much as eight additions


def _odds(others: Array, M: Array) -> Array:
    far = torch.finfo(M.dtype).max
    if (M.abs() >= far).any():  # infinities that are equal are 0 apart
        others, M = others.clamp_(-far, far), M.clamp(-far, far)
    return others.sub_(M).exp_()


_OWN = {
    "maximum": _maximum,
    "minimum": _minimum,
    "clip": torch.clamp,
    "step": _step,
    "Choice": Choice,
}
_EAGER = Namespace(torch_namespace, **_OWN)
_ON_HOST = Namespace(torch_namespace, odds=_odds, **_OWN)  # where a look at a number waits for none
_SMOOTH = smooth(torch_namespace, constant=torch.Tensor.detach)
