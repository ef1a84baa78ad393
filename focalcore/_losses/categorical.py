"""The categorical loss: rows of probabilities, each against a class label."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .._dtypes import arithmetic_dtype, cast
from .._formulas import focal, probability
from .classes import choice_of, of_each_class, wide_labels
from .operands import Operands
from .spec import LossSpec, nan_outside

Array = Any
Namespace = Any


@dataclass(frozen=True)
class Categorical(LossSpec):
    """Rows of probabilities, each against a class label."""

    axis: int
    eps: float
    trusted: bool = True
    device: Any = None
    indexed: bool = field(default=True, init=False)

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array]:
        """The class labels; all count."""
        return wide_labels(xp, operands.targets), None

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """The formula of the probability given to the target."""
        labels = xp.expand_dims(self.read(xp, operands)[0], axis=self.axis)
        p = cast(xp, operands.logits, arithmetic_dtype(xp, operands.logits.dtype))
        p = p if self.trusted else nan_outside(xp, p)
        choice = choice_of(xp, p, labels, self.axis, self.device, self.trusted)
        return probability.Index(xp, p, choice, *of_each_class(operands, choice), self.eps)
