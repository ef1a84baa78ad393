"""What a loss is given, and what can be asked of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from .._formulas.focal import Exponent

Array = Any


class Operands(NamedTuple):
    """The arrays of a call, as given, and the parameters."""

    logits: Array  # or probabilities
    targets: Array
    gamma: Array
    alpha: Array = None  # what positives weigh, or each class; None: 1, and negatives too
    beta: Array = None  # what negatives weigh
    mask: Array = None
    weight: Array = None
    divisor: Array = None  # what the derivatives are divided by; None: 1
    gamma_rest: Array = None  # the digits of a gamma that is data, beyond those of its type

    @property
    def exponent(self) -> Any:
        """gamma, as formulas take it."""
        return self.gamma if self.gamma_rest is None else Exponent(self.gamma, self.gamma_rest)

    def split(self) -> tuple[dict[str, Array], Operands]:
        """The arrays by name, and the rest: numbers, and nothing in place of the arrays."""
        arrays = {}
        for name, x in zip(self._fields, self, strict=True):
            if x is not None and type(x) not in (int, float):  # NumPy's scalars are floats too
                arrays[name] = x
        return arrays, self._replace(**dict.fromkeys(arrays))


class Part(NamedTuple):
    """Something that can be asked of a loss."""

    name: str
    in_rows: bool = False  # without the class axis
    summed: bool = False
    rounded: bool = True  # to the dtype of the logits; what is summed never is


VALUE = Part("value", in_rows=True)
SLOPE, CURVATURE = Part("slope"), Part("curvature")  # with respect to the logits
UNROUNDED_VALUE = VALUE._replace(rounded=False)
UNROUNDED_SLOPE = SLOPE._replace(rounded=False)
TOTAL = Part("value", in_rows=True, summed=True)
# what a mean may divide by: how much counts, how much of it is positive, and what these weigh
NUMBER, POSITIVES, WEIGHT, POSITIVE_WEIGHT = (
    Part(name, in_rows=True, summed=True)
    for name in ("number", "positives", "weight", "positive weight")
)
