"""The hooks into each library's automatic differentiation, with no mathematics of their own.

A hook gives autodiff the closed form of the gradient. `reduction="none"` keeps only the inputs for
backward; "sum" and "mean" may also keep the gradient, which costs little beside the value.
Derivatives with respect to anything but the logits, and all beyond the first, come from automatic
differentiation of the formulas.
"""

from __future__ import annotations

from .. import _execution
from .._backends import Backend
from .._execution.kinds import Again
from .._losses.operands import Operands, Output
from .._losses.spec import LossSpec
from .._typing import Result


def run(backend: Backend, loss: LossSpec, operands: Operands, output: Output) -> Result:
    """Return the value of each element or row, or their sum; differentiable if the library can.

    Where there is a denominator among the operands, what is returned is divided by it.
    """
    # by `if`, for AutoGraph can't read a `match`
    if backend.differentiator == "torch_function":
        from . import torch_function

        return torch_function.run(loss, operands, output)
    if backend.differentiator == "jax_custom_jvp":
        from . import jax_custom_jvp

        return jax_custom_jvp.run(loss, operands, output)
    if backend.differentiator == "tensorflow_custom_gradient":
        from . import tensorflow_custom_gradient

        return tensorflow_custom_gradient.run(loss, operands, output)
    return _execution.run(backend, loss, operands, (output,))[0]


def run_linear(
    backend: Backend, loss: LossSpec, operands: Operands, output: Output, rows: int
) -> Result:
    """Return the same of logits that a classifier among the operands makes, of some rows at a time.

    Differentiable along the hidden features, the classifier's weight and bias, and all else.
    """
    if backend.differentiator == "torch_function":
        from . import torch_linear

        return torch_linear.run(loss, operands, output, rows)
    from . import jax_linear

    return jax_linear.run(loss, operands, output, rows)


def again(
    backend: Backend, loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]
) -> Again | None:
    """Return how `run` computes outputs of other arrays of the same kind, by a kernel alone.

    Sums are divided by a denominator among the operands. None: there is no kernel. Where it finds
    NaN, what is returned raises `AnewError`.
    """
    if backend.differentiator == "torch_function":
        from . import torch_function

        return torch_function.again(loss, operands, outputs)
    return _execution.again(backend, loss, operands, outputs)
