"""The results of a prepared loss: its value, its gradient, the diagonal of its Hessian.

Each public function here is the outermost one whose arguments are arrays alone, so that a library
with a compiler of its own, as JAX has, compiles all of it as one program.
"""

from __future__ import annotations

from . import _derivatives, _execution
from ._losses.operands import Operands, Output
from ._losses.prepare import LossCall
from ._losses.reduction import denominator_of, divided
from ._typing import Parameter, Result


def value(call: LossCall) -> Result:
    """Return the loss, reduced as asked; it is differentiable where the library differentiates."""
    return _execution.compiled(call.context.backend, _value)(call)


def value_and_grad(call: LossCall) -> tuple[Result, Result]:
    """Return the loss, and its gradient with respect to the logits."""
    return _execution.compiled(call.context.backend, _value_and_grad)(call)


def grad_and_hess(call: LossCall) -> tuple[Result, Result]:
    """Return the gradient and the diagonal of the Hessian."""
    return _execution.compiled(call.context.backend, _grad_and_hess)(call)


def sum_and_denominator(call: LossCall) -> tuple[Result, Parameter | None]:
    """Return the sum that a mean is made of, and what it is divided by (None: nothing)."""
    operands = _without_normalizer(call.operands)
    total = _derivatives.run(call.context.backend, call.loss, operands, Output.LOSS_SUM)
    return total, _denominator(call)


def _value(call: LossCall) -> Result:
    if call.reduction == "none":
        return _derivatives.run(call.context.backend, call.loss, call.operands, Output.VALUE)
    return divided(call.context.xp, *sum_and_denominator(call))


def _value_and_grad(call: LossCall) -> tuple[Result, Result]:
    denominator = _denominator(call)
    output = Output.VALUE if call.reduction == "none" else Output.LOSS_SUM
    value, grad = _run(call, denominator, output, Output.GRAD)
    return divided(call.context.xp, value, denominator), grad


def _grad_and_hess(call: LossCall) -> tuple[Result, Result]:
    grad, hess = _run(call, _denominator(call), Output.GRAD, Output.HESS_DIAG)
    return grad, hess


def _denominator(call: LossCall) -> Parameter | None:
    """Return what the mean is divided by, or None where there is no mean."""
    if call.reduction != "mean":
        return None
    xp, loss, operands = call.context.xp, call.loss, call.operands
    is_partial = operands.get("mask") is not None or loss.ignore_index is not None
    found = denominator_of(xp, operands, call.divide_by, loss.axis, is_partial=is_partial)
    return _run(call, None, found)[0] if isinstance(found, Output) else found


def _run(call: LossCall, denominator: Parameter | None, *outputs: Output) -> tuple[Result, ...]:
    operands = _without_normalizer(call.operands)
    if denominator is not None:
        operands = operands.bind(denominator=denominator)
    return _execution.run(call.context.backend, call.loss, operands, outputs)


def _without_normalizer(operands: Operands) -> Operands:
    """Return the operands without the normalizer, which the elements do not depend on."""
    return operands if operands.get("normalizer") is None else operands.bind(normalizer=None)
