"""The way to run for DTensors; a plain tensor beside them is the same on every worker."""

from __future__ import annotations

from typing import Any

import array_api_compat.torch as xp
import torch
from torch import Tensor
from torch.distributed.tensor import DTensor, Replicate

from .._backends.namespaces import autodiff_safe
from .._losses.operands import Operands, Output
from .._losses.spec import LossSpec
from .._typing import Result
from . import plain


def run(loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]) -> tuple[Result, ...]:
    """Return the outputs, spread over the workers as torch finds best."""
    mesh = operands.arrays["scores"].device_mesh

    def everywhere(x: Tensor) -> Tensor:
        if isinstance(x, DTensor):
            return x
        return DTensor.from_local(x, mesh, [Replicate()] * mesh.ndim, run_check=False)

    def arange(*bounds: int, **options: Any) -> Tensor:
        return everywhere(xp.arange(*bounds, **options))

    spread = {name: everywhere(x) for name, x in operands.arrays.items()}
    namespace = autodiff_safe(xp, stop_gradient=torch.Tensor.detach, arange=arange)
    return plain.run(namespace, loss, Operands(spread, operands.numbers), outputs)
