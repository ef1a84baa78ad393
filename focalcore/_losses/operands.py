"""The operands that a loss is given, and the outputs that can be asked of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from .._dtypes import arithmetic_dtype, cast
from .._formulas.focal import Exponent
from .._inputs.checks import Look
from .._typing import Array, DType, Library, Parameter


def is_exponent(name: str) -> bool:
    """Tell by its name whether a number is an exponent, with which a program may be made."""
    return name.startswith("gamma")


def rest_of(name: str) -> str:
    """Return the name of what an exponent is more than its array, whose type has no digits left."""
    return f"{name}_rest"


def nothing() -> None:
    """Look at nothing."""


@dataclass(frozen=True)
class Operands:
    """The arrays of a call by name, and its numbers, which are constants of the computation."""

    arrays: dict[str, Any]  # of one library
    numbers: tuple[tuple[str, float], ...] = ()
    # looks for a bad target or probability, where values can be read, and raises what names it;
    # losses make NaN of it, so that nobody has to look before there is one
    look: Look = field(default=nothing, compare=False)

    @staticmethod
    def of(**values: Parameter) -> Operands:
        """Return the operands of these arrays and numbers; a None is left out."""
        arrays, numbers = {}, []
        for name, value in values.items():
            if type(value) in (int, float):  # by the exact type, for NumPy's float64 is a float too
                numbers.append((name, value))
            elif value is not None:
                arrays[name] = value
        return Operands(arrays, tuple(numbers))

    def dtype(self, xp: Library) -> DType:
        """Return the dtype of the arithmetic."""
        return arithmetic_dtype(xp, self.arrays["scores"].dtype)

    def wide(self, xp: Library, name: str) -> Array:
        """Return an array in the dtype of the arithmetic."""
        return cast(xp, self.arrays[name], self.dtype(xp))

    def get(self, name: str) -> Parameter:
        """Return the array or number of a name, or None if there is none."""
        for number, value in self.numbers:
            if number == name:
                return value
        return self.arrays.get(name)

    def exponent(self, name: str = "gamma") -> Parameter:
        """Return an exponent, as formulas take it."""
        rest = self.arrays.get(rest_of(name))
        return self.get(name) if rest is None else Exponent(self.arrays[name], rest)

    def bind(self, **values: Parameter) -> Operands:
        """Return the operands with more values, or others in place of those of the same names."""
        more = Operands.of(**values)
        kept = {name: x for name, x in self.arrays.items() if name not in values}
        numbers = tuple(pair for pair in self.numbers if pair[0] not in values)
        return replace(self, arrays=kept | more.arrays, numbers=numbers + more.numbers)

    def with_arrays(self, arrays: Iterable[Array]) -> Operands:
        """Return the operands with other arrays in place of its own, in their order."""
        return replace(self, arrays=dict(zip(self.arrays, arrays, strict=True)))

    def constants(self) -> Operands:
        """Return the numbers alone, which are hashable, so that a compiler can cache by them."""
        return Operands({}, self.numbers)

    def __hash__(self) -> int:
        return hash(self.numbers)


class Output(Enum):
    """The outputs of a loss. The wide ones are in the dtype of the arithmetic.

    Each has its quantity, and says whether it keeps the class axis, is a sum of elements, and is
    rounded to the dtype of the logits.
    """

    VALUE = "value", False, False, True
    WIDE_VALUE = "value", False, False, False
    GRAD = "slope", True, False, True
    WIDE_GRAD = "slope", True, False, False
    HESS_DIAG = "curvature", True, False, True
    LOSS_SUM = "value", False, True, False
    MAPPED = "mapped", True, False, True  # of a map of scores, which has neither targets nor slope
    # what a mean may divide by: how much counts, how much of it is positive, what these weigh, and
    # what their classes do
    COUNT = "count", False, True, False
    POSITIVES = "positives", False, True, False
    WEIGHT = "weight", False, True, False
    POSITIVE_WEIGHT = "weight of positives", False, True, False
    CLASS_WEIGHT = "alpha", False, True, False

    def __init__(self, quantity: str, is_like_scores: bool, is_sum: bool, is_rounded: bool) -> None:
        self.quantity, self.is_like_scores = quantity, is_like_scores
        self.is_sum, self.is_rounded = is_sum, is_rounded

    @property
    def is_double(self) -> bool:
        """Tell whether it is in float64, whatever the logits are in."""
        return False

    @property
    def has_slope(self) -> bool:
        """Tell whether the slope of a formula is its derivative along the logits."""
        return self is not Output.MAPPED
