"""How a backend learns the slope: its hook into automatic differentiation, and no mathematics.

A hook gives autodiff the closed form of the slope. Of one loss for each element it keeps the
operands alone; of their sum it may keep the slope, which costs little beside the value.
Derivatives with respect to anything but the logits, and all beyond the first, come from automatic
differentiation of the formulas.
"""

from __future__ import annotations

from typing import Any

from .. import _execution
from .._backends import Backend
from .._losses.operands import TOTAL, VALUE, Operands, Part
from .._losses.reduction import divided
from .._losses.spec import LossSpec

Array = Any


def value(backend: Backend, loss: LossSpec, operands: Operands) -> Array:
    """The loss of each element or row, differentiable where the backend differentiates."""
    return _run(backend, loss, operands, VALUE, None)


def total(backend: Backend, loss: LossSpec, operands: Operands, divisor: Array) -> Array:
    """Its sum, divided by what a mean divides by (None: nothing)."""
    return _run(backend, loss, operands, TOTAL, divisor)


def _run(backend: Backend, loss: LossSpec, operands: Operands, part: Part, divisor: Array) -> Array:
    if backend.name == "torch":
        from . import torch_function

        return torch_function.run(backend, loss, operands, part, divisor)
    if backend.name == "jax":
        from . import jax_custom_jvp

        result = jax_custom_jvp.run(loss, operands, part)
    else:
        (result,) = _execution.run(backend, loss, operands, (part,))
    return divided(backend.xp, result, divisor)
