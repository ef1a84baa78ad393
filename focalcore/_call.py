"""The results of a prepared loss: its value, its gradient, the diagonal of its Hessian.

Each public function here is the outermost one whose arguments are arrays alone, so that a library
with a compiler of its own, as JAX has, compiles all of it as one program.
"""

from __future__ import annotations

from . import _derivatives, _execution
from ._losses.operands import Operands, Output
from ._losses.prepare import Prepared
from ._losses.reduction import divided, size_of
from ._typing import Parameter, Result


def value(call: Prepared) -> Result:
    """Return the loss, reduced as asked; it is differentiable where the library differentiates."""
    return _execution.compiled(call.context.backend, _value)(call)


def value_and_grad(call: Prepared) -> tuple[Result, Result]:
    """Return the loss, and its gradient with respect to the logits."""
    return _execution.compiled(call.context.backend, _value_and_grad)(call)


def grad_and_hess(call: Prepared) -> tuple[Result, Result]:
    """Return the gradient and the diagonal of the Hessian."""
    return _execution.compiled(call.context.backend, _grad_and_hess)(call)


def sum_and_denominator(call: Prepared) -> tuple[Result, Parameter | None]:
    """Return the sum that a mean is made of, and what it is divided by (None: nothing)."""
    operands = _without_normalizer(call.operands)
    total = _derivatives.run(call.context.backend, call.loss, operands, Output.LOSS_SUM)
    return total, _denominator(call)


def _value(call: Prepared) -> Result:
    if call.reduction == "none":
        return _derivatives.run(call.context.backend, call.loss, call.operands, Output.VALUE)
    return divided(call.context.xp, *sum_and_denominator(call))


def _value_and_grad(call: Prepared) -> tuple[Result, Result]:
    denominator = _denominator(call)
    output = Output.VALUE if call.reduction == "none" else Output.LOSS_SUM
    value, grad = _run(call, denominator, output, Output.GRAD)
    return divided(call.context.xp, value, denominator), grad


def _grad_and_hess(call: Prepared) -> tuple[Result, Result]:
    grad, hess = _run(call, _denominator(call), Output.GRAD, Output.HESS_DIAG)
    return grad, hess


def _denominator(call: Prepared) -> Parameter | None:
    """Return what the mean divides by, or None where there is no mean."""
    if call.reduction != "mean":
        return None
    given = call.operands.get("normalizer")
    if given is not None:
        return given
    is_masked = call.operands.get("mask") is not None or call.loss.ignore_index is not None
    output = call.divide_by or (Output.COUNT if is_masked else None)
    if output is None:
        return size_of(call.context.xp, call.operands.arrays["scores"], call.loss.axis)
    (total,) = _run(call, None, output)
    return total


def _run(call: Prepared, denominator: Parameter | None, *outputs: Output) -> tuple[Result, ...]:
    operands = _without_normalizer(call.operands)
    if denominator is not None:
        operands = operands.bind(denominator=denominator)
    return _execution.run(call.context.backend, call.loss, operands, outputs)


def _without_normalizer(operands: Operands) -> Operands:
    """Return the operands without the normalizer, which the elements do not depend on."""
    return operands if operands.get("normalizer") is None else operands.bind(normalizer=None)
