"""The base of the losses of independent logits, each against a number in [0, 1].

A loss says which formula it has, and by what names its formula knows its options; how logits and
targets are read, masked and checked is the same for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from .._dtypes import FLOATS, dtype_name
from .._formulas import focal
from .._inputs import checks, parse
from .._inputs.doors import Door
from .._inputs.options import option, options, parameter
from .._typing import Array, ArrayLike, Namespace, Parameter
from .operands import Operands
from .options import MeanOptions, ReducedOptions
from .prepare import LossCall, elementwise_inputs, loss_call
from .spec import LossSpec, nan_outside, zero_left_out


@options
class ElementOptions(MeanOptions):
    """The options that losses of independent logits have in common."""

    normalizer: Parameter | str | None = parameter(
        None, partial(parse.normalizer, names=("positives", "weight"))
    )
    detach_factor: bool = option(False, parse.flag)


@dataclass(frozen=True, kw_only=True)
class LossOfElements(LossSpec):
    """The base of losses of independent logits."""

    def of_elements(
        self, xp: Namespace, x: Array, target: focal.Target, operands: Operands
    ) -> focal.Formula:
        """Return the formula of logits against targets, which are NaN where they are bad."""
        raise NotImplementedError

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """Return the formula of the operands, after masking."""
        y, counted = self.read(xp, operands)
        if dtype_name(operands.arrays["targets"].dtype) != "bool":  # of which none can be bad
            y = nan_outside(xp, y)
        x, y = (zero_left_out(xp, counted, v) for v in (operands.wide(xp, "scores"), y))
        return self.of_elements(xp, x, focal.Target.of(y), operands)


def has_soft_targets(operands: Operands) -> bool:
    """Tell whether targets may lie between 0 and 1; where not, each is 0, 1 or NaN."""
    return dtype_name(operands.arrays["targets"].dtype) in FLOATS


def elementwise_call(
    loss: LossOfElements,
    door: Door,
    logits: ArrayLike,
    targets: ArrayLike,
    options: ReducedOptions,
    **called: str,
) -> LossCall:
    """Return a loss of independent logits and its operands, from what the caller gave.

    ``called`` are the names of options as operands, where these are others.
    """
    inputs = elementwise_inputs(door, logits, targets, options)
    look = partial(checks.check_unit_interval, inputs, door, None)
    own = {name: x for name, x in inputs.parameters.items() if name != "normalizer"}
    given = {called.get(name, name): x for name, x in own.items()}
    return loss_call(inputs, loss, options, look, **given)
