"""The results of a prepared loss: its value, its gradient, the diagonal of its Hessian.

`value`, `value_and_grad` and `grad_and_hess` are the outermost functions whose arguments are arrays
alone, so that a library with a compiler of its own, as JAX has, compiles all of it as one program.
`call` is what the public functions go through: it remembers calls, and prepares the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from . import _derivatives, _execution, _recall
from ._execution.kinds import Again
from ._losses.operands import Operands, Output
from ._losses.prepare import LossCall, Recipe
from ._losses.reduction import denominator_of, divided
from ._typing import ArrayLike, Library, Parameter, Result

Outputs = tuple[Output, ...]


def value(call: LossCall) -> Result:
    """Return the loss, reduced as asked; it is differentiable where the library differentiates."""
    return _execution.compiled(call.context.backend, _value)(call)


def value_and_grad(call: LossCall) -> tuple[Result, Result]:
    """Return the loss, and its gradient with respect to the logits."""
    return _execution.compiled(call.context.backend, _value_and_grad)(call)


def grad_and_hess(call: LossCall) -> tuple[Result, Result]:
    """Return the gradient and the diagonal of the Hessian."""
    return _execution.compiled(call.context.backend, _grad_and_hess)(call)


# the outputs of each, before the value is summed up
OUTPUTS: dict[Callable[[LossCall], Any], Outputs] = {
    value: (Output.VALUE,),
    value_and_grad: (Output.VALUE, Output.GRAD),
    grad_and_hess: (Output.GRAD, Output.HESS_DIAG),
}


def mapped(call: LossCall) -> Result:
    """Return a map of the scores; it is differentiable where the library differentiates."""
    return _execution.compiled(call.context.backend, _mapped)(call)


def call(
    result: Callable[[LossCall], Any],
    recipe: Recipe,
    first: ArrayLike,
    second: ArrayLike,
    options: partial[Any],
) -> Any:
    """Return a result of a loss, from two arrays and options as the caller gave them."""
    key = _recall.key_of((result, recipe.prepare), options.keywords, (first, second))
    found = None if key is None else _recall.recall(key, (first, second))
    if found is None:
        prepared = recipe.prepare(recipe.door, first, second, options())
        found = result(prepared)
        if key is not None:
            _remember(key, (first, second), prepared, OUTPUTS[result])
    return found


def sum_and_denominator(call: LossCall) -> tuple[Result, Parameter | None]:
    """Return the sum that a mean is made of, and what it is divided by (None: nothing)."""
    operands = _without_normalizer(call.operands)
    total = _derivatives.run(call.context.backend, call.loss, operands, Output.LOSS_SUM)
    return total, divisor_of(call)


def divisor_of(call: LossCall) -> Parameter | None:
    """Return what the mean is divided by, or None where there is no mean."""
    found = _given_denominator(call)
    if not isinstance(found, Output):
        return found
    operands = _without_normalizer(call.operands)
    return _execution.run(call.context.backend, call.loss, operands, (found,))[0]


def _value(call: LossCall) -> Result:
    output = Output.VALUE if call.reduction == "none" else Output.LOSS_SUM
    operands = _divided_by(divisor_of(call), call.operands)
    return _derivatives.run(call.context.backend, call.loss, operands, output)


def _mapped(call: LossCall) -> Result:
    return _derivatives.run(call.context.backend, call.loss, call.operands, Output.MAPPED)


def _value_and_grad(call: LossCall) -> tuple[Result, Result]:
    return _pair(call, OUTPUTS[value_and_grad])


def _grad_and_hess(call: LossCall) -> tuple[Result, Result]:
    return _pair(call, OUTPUTS[grad_and_hess])


def _pair(call: LossCall, outputs: Outputs) -> Any:
    denominator, outputs = divisor_of(call), _reduced(outputs, call)
    operands = _divided_by(denominator, call.operands)
    return _execution.run(call.context.backend, call.loss, operands, outputs)


def _reduced(outputs: Outputs, call: LossCall) -> Outputs:
    """Return the outputs with the sum in place of the values, if there is a reduction."""
    if call.reduction == "none":
        return outputs
    return tuple(Output.LOSS_SUM if output is Output.VALUE else output for output in outputs)


def _remember(key: Any, given: tuple[Any, Any], call: LossCall, outputs: Outputs) -> None:
    """Remember a call that takes a run of a kernel, or two where something has to be counted."""
    outputs = _reduced(outputs, call)
    denominator = None if call.reduction == "none" else _given_denominator(call)
    if isinstance(denominator, Output):
        again = _counting(call, outputs, denominator)
    else:
        operands = _divided_by(denominator, call.operands)
        again = _derivatives.again(call.context.backend, call.loss, operands, outputs)
    if again is not None:
        _recall.remember(key, given, tuple(call.operands.arrays.values()), again)


def _counting(call: LossCall, outputs: Outputs, denominator: Output) -> Again | None:
    """Return how outputs are computed again where what a mean is divided by has to be counted."""
    backend, operands = call.context.backend, _without_normalizer(call.operands)
    if backend.host_values(operands.arrays["scores"]) is None:
        return None  # nobody waits for a count on a device
    again = partial(_derivatives.again, backend, call.loss)
    both = again(operands, (*outputs, denominator)) if outputs == (Output.LOSS_SUM,) else None
    if both is not None:
        return partial(_mean, backend.xp, both)
    counted = _execution.again(backend, call.loss, operands, (denominator,))
    divided_ = again(operands.bind(denominator=1.0), outputs)  # of each call its own
    if counted is None or divided_ is None:
        return None
    return partial(_divided_by_count, counted, divided_)


def _mean(xp: Library, both: Again, arrays: Sequence[Any]) -> tuple[Result, ...]:
    total, count = both(arrays)
    return (divided(xp, total, float(count)),)


def _divided_by_count(counted: Again, divided_: Again, arrays: Sequence[Any]) -> tuple[Result, ...]:
    return divided_(arrays, denominator=float(counted(arrays)[0]))


def _given_denominator(call: LossCall) -> Parameter | Output | None:
    """Return what the mean is divided by, or the output that has to be computed for it."""
    if call.reduction != "mean":
        return None
    xp, loss, operands = call.context.xp, call.loss, call.operands
    is_partial = operands.get("mask") is not None or loss.ignore_index is not None
    return denominator_of(xp, operands, call.divide_by, loss.axis, is_partial=is_partial)


def _divided_by(denominator: Parameter | None, operands: Operands) -> Operands:
    """Return the operands of outputs that are divided by a denominator."""
    operands = _without_normalizer(operands)
    return operands if denominator is None else operands.bind(denominator=denominator)


def _without_normalizer(operands: Operands) -> Operands:
    """Return the operands without the normalizer, which the elements do not depend on."""
    return operands if operands.get("normalizer") is None else operands.bind(normalizer=None)
