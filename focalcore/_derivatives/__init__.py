"""How a backend learns the slope: its hook into automatic differentiation, and no mathematics.

A hook keeps nothing for the backward pass but the operands, and asks `_execution` for the closed
form of the slope. Derivatives with respect to anything but the logits, and all beyond the first,
come from automatic differentiation of the formulas, which are written to be smooth.
"""

from __future__ import annotations

from typing import Any

from .. import _execution
from .._backends import Backend
from .._terms import Operands, Terms

Array = Any


def value(backend: Backend, loss: Terms, operands: Operands) -> Array:
    """The loss of each element or row, differentiable where the backend differentiates."""
    if backend.name == "torch":
        from . import torch_function

        return torch_function.value(backend, loss, operands)
    if backend.name == "jax":
        from . import jax_custom_jvp

        return jax_custom_jvp.value(backend, loss, operands)
    return _execution.value(backend, loss, operands)
