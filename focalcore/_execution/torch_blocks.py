"""torch's way to run: in blocks if only numbers on the CPU are asked for, else as written."""

from __future__ import annotations

from enum import Enum
from typing import Any

import torch
from torch._functorch.pyfunctorch import TransformType, retrieve_all_functorch_interpreters  # type: ignore[attr-defined] # torch's

from .. import settings
from .._backends.torch import DIFFERENTIABLE, EAGER, ON_HOST, is_dtensor, is_host_tensor
from .._losses.operands import Operands, Output
from .._losses.spec import LossSpec
from .._typing import Result
from . import blocks, plain

# bytes of a block, which torch's own threads share; rows need more to be shared evenly
BLOCK, BLOCK_OF_ROWS = 2**20, 2**21


class Mode(Enum):
    """What records or transforms the operations that are run here."""

    PLAIN = "nobody: numbers are asked for"
    RECORDED = "autograd"
    TRANSFORMED = "a transform of torch.func, or forward mode"
    PUSHED_FORWARD = "the forward mode of torch.func"
    COMPILED = "Dynamo"
    TRACED = "Dynamo inside a transform, or to export: neither takes an autograd Function"


def mode_of(operands: Operands) -> Mode:
    """Return what records or transforms the operations on the operands."""
    # torch has no public name for what its own Function.apply asks
    is_inside = torch._C._are_functorch_transforms_active()
    is_transformed = is_inside or torch.autograd.forward_ad._current_level >= 0
    if torch.compiler.is_compiling():
        # asked by its public name, Dynamo says yes at every compilation before torch 2.13
        is_exporting = torch.compiler._is_exporting_flag
        return Mode.TRACED if is_exporting or is_transformed else Mode.COMPILED
    if is_transformed:
        levels = retrieve_all_functorch_interpreters()
        is_pushed = any(level.key() == TransformType.Jvp for level in levels)
        return Mode.PUSHED_FORWARD if is_pushed else Mode.TRANSFORMED
    return Mode.RECORDED if any(map(requires_grad, operands.arrays.values())) else Mode.PLAIN


def requires_grad(x: Any) -> bool:
    """Tell whether autograd records the operations on a tensor."""
    return torch.is_grad_enabled() and isinstance(x, torch.Tensor) and x.requires_grad


def run(
    loss: LossSpec, operands: Operands, outputs: tuple[Output, ...], mode: Mode
) -> tuple[Result, ...]:
    """Return the outputs, by the fastest way that suits what records or transforms them."""
    x = operands.arrays["scores"]
    if is_dtensor(x):
        from . import torch_dtensor

        return torch_dtensor.run(loss, operands, outputs)
    if mode is not Mode.PLAIN:
        return plain.run(DIFFERENTIABLE, loss, operands, outputs)
    if settings.compiler() and type(x) in (torch.Tensor, torch.nn.Parameter):
        from . import torch_compiler

        found = torch_compiler.run(loss, operands, outputs)
        if found is not None:
            return found
    if not is_host_tensor(x):
        return plain.run(EAGER, loss, operands, outputs)
    size = (BLOCK if loss.axis is None else BLOCK_OF_ROWS) // max(x.element_size(), 4)
    if x.numel() <= size:
        return plain.run(ON_HOST, loss, operands, outputs)
    return blocks.run(ON_HOST, loss, operands, outputs, size=size, run_all=blocks.serially)
