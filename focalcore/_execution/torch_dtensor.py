"""DTensors: what is made beside them, or given as a plain tensor, is the same on every worker."""

from __future__ import annotations

from typing import Any

import array_api_compat.torch as torch_namespace
import torch
from torch.distributed.tensor import DTensor, Replicate

from .._backends.namespaces import smooth
from .._losses.operands import Operands, Part
from .._losses.spec import LossSpec
from . import plain

Array = Any


def run(loss: LossSpec, operands: Operands, parts: tuple[Part, ...]) -> tuple[Array, ...]:
    """The parts, spread as torch finds best."""
    mesh = operands.logits.device_mesh

    def everywhere(x: Array) -> Array:
        if isinstance(x, DTensor):
            return x
        return DTensor.from_local(x, mesh, [Replicate()] * mesh.ndim, run_check=False)

    def arange(*bounds: int, **options: Any) -> Array:
        return everywhere(torch_namespace.arange(*bounds, **options))

    arrays, numbers = operands.split()
    spread = {name: everywhere(x) for name, x in arrays.items()}
    namespace = smooth(torch_namespace, constant=torch.Tensor.detach, arange=arange)
    return plain.run(namespace, loss, numbers._replace(**spread), parts)
