"""The value of a loss whose logits a classifier makes, some rows at a time."""

from __future__ import annotations

from . import _call, _derivatives, _execution
from ._losses.linear import LinearCall, taken_apart
from ._losses.operands import Output
from ._typing import Result


def value(call: LinearCall) -> Result:
    """Return the loss, reduced as asked, as a function of all operands, the classifier's too."""
    return _execution.compiled(call.context.backend, _value)(call)


def _value(call: LinearCall) -> Result:
    context, xp, operands = call.context, call.context.xp, call.operands
    classifier, _ = taken_apart(operands)
    # of which nothing but the shape counts: a row in memory, as kernels read rows
    row = xp.zeros(classifier.shape[1:], dtype=classifier.hidden.dtype, device=context.device)
    logits = xp.broadcast_to(row, classifier.shape)
    divisor = _call.divisor_of(call.of_logits(logits))
    operands = operands.bind(normalizer=None, denominator=divisor)
    output = Output.VALUE if call.reduction == "none" else Output.LOSS_SUM
    arguments = context.backend, call.loss, operands, output, call.chunk_rows
    value = _derivatives.run_linear(*arguments)
    return xp.reshape(value, call.rows) if call.reduction == "none" else value
