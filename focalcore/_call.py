"""A call of a loss, from its operands to its number.

What is left of the arguments is a loss and its operands, which `_execution` runs, differentiable by
`_derivatives`, and what their sum is divided by.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from . import _derivatives, _execution
from ._inputs.arrays import Home
from ._losses.operands import CURVATURE, NUMBER, SLOPE, TOTAL, VALUE, Operands, Part
from ._losses.reduction import divided, size_of
from ._losses.spec import LossSpec

Array = Any


class Call(NamedTuple):
    """All that a loss needs to be computed."""

    home: Home
    loss: LossSpec
    operands: Operands
    reduction: str = "none"
    normalizer: Any = None  # of a mean: None, a part, a number or an array

    def value(self) -> Array:
        """The loss, reduced as asked; differentiable where the backend differentiates."""
        return _execution.whole(Call._value, self)

    def fraction(self) -> tuple[Array, Array]:
        """The sum that a mean is made of, and what it is divided by; None: nothing."""
        total = _derivatives.total(self.home.backend, self.loss, self.operands, None)
        return total, self._divisor()

    def value_and_grad(self) -> tuple[Array, Array]:
        """The loss, and its gradient with respect to the logits."""
        return _execution.whole(Call._value_and_grad, self)

    def grad_and_hess(self) -> tuple[Array, Array]:
        """The gradient and the diagonal of the Hessian."""
        return _execution.whole(Call._grad_and_hess, self)

    def split(self) -> tuple[dict[str, Array], Call]:
        """The arrays by name, and the call without them."""
        arrays, numbers = self.operands.split()
        if self.normalizer is None or isinstance(self.normalizer, Part):
            return arrays, self._replace(operands=numbers)
        arrays["normalizer"] = self.normalizer
        return arrays, self._replace(operands=numbers, normalizer=None)

    def joined(self, arrays: dict[str, Array]) -> Call:
        """The call with its arrays in their places."""
        rest = dict(arrays)
        normalizer = rest.pop("normalizer", self.normalizer)
        return self._replace(operands=self.operands._replace(**rest), normalizer=normalizer)

    def _value(self) -> Array:
        backend, loss, operands = self.home.backend, self.loss, self.operands
        if self.reduction == "none":
            return _derivatives.value(backend, loss, operands)
        return _derivatives.total(backend, loss, operands, self._divisor())

    def _value_and_grad(self) -> tuple[Array, Array]:
        is_reduced, divisor = self.reduction != "none", self._divisor()
        value, grad = self._run(TOTAL if is_reduced else VALUE, SLOPE, divisor=divisor)
        return divided(self.home.xp, value, divisor), grad

    def _grad_and_hess(self) -> tuple[Array, Array]:
        grad, hess = self._run(SLOPE, CURVATURE, divisor=self._divisor())
        return grad, hess

    def _divisor(self) -> Array:
        """What the mean divides by; None where there is no mean."""
        if self.reduction != "mean":
            return None
        if isinstance(self.normalizer, Part):
            (total,) = self._run(self.normalizer)
            return total
        if self.normalizer is not None:
            return self.normalizer
        if self.operands.mask is None and self.loss.ignore_index is None:
            return size_of(self.home.xp, self.operands.logits, self.loss.axis)
        (number,) = self._run(NUMBER)
        return number

    def _run(self, *parts: Part, divisor: Array = None) -> tuple[Array, ...]:
        operands = self.operands._replace(divisor=divisor)
        return _execution.run(self.home.backend, self.loss, operands, parts)
