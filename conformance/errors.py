"""A loss of losses: how far a loss in float32 is from the same in float64, as one kernel.

A kernel computes both at a logit and tells how far apart they are, in units in the last place of
the float32 result. Of every row of logits it returns the largest error alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from focalcore import _kernels
from focalcore._execution import host, numpy_host
from focalcore._losses.operands import Operands, Output
from focalcore._losses.sigmoid import Sigmoid
from focalcore._losses.spec import LossSpec

from . import tolerances

Array = Any

QUANTITIES = ("value", "slope")
OUTPUTS = (Output.WIDE_VALUE, Output.WIDE_GRAD)
UNIT = (2 * 1023 + 23) << 52  # less the exponent of a float64: that of 1 / ulp in float32


class Form(NamedTuple):
    """A label in a type: integers are hard, a float32 might be soft and has another formula."""

    label: int
    dtype: str

    @property
    def name(self) -> str:
        return f"{self.dtype}_{self.label}"

    @property
    def shown(self) -> str:
        return f"{self.label} ({self.dtype})"

    @property
    def sign(self) -> int:
        """What makes the loss at a logit that of a positive: FL(x, 0) = FL(-x, 1)."""
        return 1 if self.label else -1

    @property
    def target(self) -> Array:
        return np.asarray(self.label, self.dtype)


FORMS = tuple(Form(label, dtype) for label in (1, 0) for dtype in ("int32", "float32"))


@dataclass(frozen=True, kw_only=True)
class Errors(LossSpec):
    """Rows of logits, and of each row the largest error of a loss, for every gamma and quantity.

    Only the smallest and the largest of the results in float32 are compared with the one in
    float64, from which no other can be farther.
    """

    loss: LossSpec
    gammas: tuple[float, ...]  # none: the one that is given
    axis: int = 1

    def is_per_row(self, name: str) -> bool:
        """Tell whether an operand has no class axis: the labels are one for all."""
        return name != "scores"

    def compute(self, xp: Any, operands: Operands, outputs: tuple[Output, ...]) -> Any:  # noqa: ARG002
        """Return the largest error of each row: those of one gamma after those of another."""
        of = partial(self._errors, xp, operands)
        errors = [e for gamma in self.gammas or (operands.get("gamma"),) for e in of(gamma)]
        return tuple(xp.max(xp.astype(e, "float32"), axis=self.axis, keepdims=True) for e in errors)

    def _errors(self, xp: Any, operands: Operands, gamma: Any) -> Iterator[Any]:
        """Yield the largest error of all forms, for the value and then for the slope."""
        x, positive = operands.arrays["scores"], operands.arrays[FORMS[0].name]

        def at(loss: LossSpec, x: Any, y: Any) -> Any:
            return loss.compute(xp, Operands.of(scores=x, targets=y, gamma=gamma), OUTPUTS)

        wide = at(Sigmoid(), xp.astype(x, "float64"), positive)
        values, slopes = zip(
            *(at(self.loss, f.sign * x, operands.arrays[f.name]) for f in FORMS), strict=True
        )
        slopes = [f.sign * slope for f, slope in zip(FORMS, slopes, strict=True)]
        for found, exact, quantity in zip((values, slopes), wide, QUANTITIES, strict=True):
            yield _largest(xp, found, exact, tolerances.least("float32", quantity))


def _largest(xp: Any, found: Iterable[Any], exact: Any, least: float) -> Any:
    """Return the largest error of some results, infinite where one is NaN."""
    smallest = largest = None
    for x in found:
        smallest = x if smallest is None else xp.minimum(smallest, x)
        largest = x if largest is None else xp.maximum(largest, x)
    size = xp.maximum(xp.abs(exact), least)
    per_ulp = xp.from_bits(UNIT - (xp.bits(size) & (0x7FF << 52)))
    low, high = (_in_ulp(xp, x, exact, per_ulp) for x in (smallest, largest))
    return xp.select(low > high, low, high)


def _in_ulp(xp: Any, found: Any, exact: Any, per_ulp: Any) -> Any:
    """Return the distance in units in the last place, as `tolerances.ulp` counts them."""
    found = xp.astype(found, "float64")
    error = xp.abs(found - exact) * per_ulp
    error = xp.select(error == error, error, xp.inf)
    return xp.select(found == exact, 0.0, error)


def errors_of_rows(loss: LossSpec, gammas: tuple[float, ...], rows: Array) -> tuple[Array, ...]:
    """The largest error of each row, for every gamma of a group and every quantity."""
    constants, _ = _kernels.split([("gamma", gammas[0])])
    given = {} if constants else {"gamma": gammas[0]}
    labels = {form.name: form.target for form in FORMS}
    errors = host.run(
        numpy_host.MEMORY,
        Errors(loss=loss, gammas=gammas if constants else ()),
        Operands.of(scores=rows, **labels, **given),
        (Output.WIDE_VALUE,) * (len(gammas) * len(QUANTITIES)),
    )
    if errors is None:
        raise RuntimeError(f"there is no kernel: {_kernels.why_not() or 'it was not made'}")
    return errors


def groups_of(gammas: Iterable[float]) -> list[tuple[float, ...]]:
    """Gammas that a kernel is made for are in one; another one is given to it, one at a time."""
    made_for = {gamma: bool(_kernels.split([("gamma", gamma)])[0]) for gamma in gammas}
    together = tuple(gamma for gamma, is_constant in made_for.items() if is_constant)
    alone = [(gamma,) for gamma, is_constant in made_for.items() if not is_constant]
    return [*([together] if together else []), *alone]
