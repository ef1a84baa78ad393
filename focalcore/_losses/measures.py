"""What a report adds up of independent targets, all from one reading of each.

A measure is an output as others are, and is computed by the same kernels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from .._formulas.posterior import sigmoid_log_loss
from .._typing import Array, Namespace
from .binary import Binary
from .operands import Operands
from .sigmoid import Sigmoid, balance_of
from .spec import LossSpec

REACH, PER_UNIT = 32.0, 32.0  # margins are put in bins from -32 to 32, and what is beyond in these
BINS = int(2 * REACH * PER_UNIT)


@dataclass(frozen=True)
class Measure:
    """A number of each target, weighed, or the sum of these in float64, of all or of some."""

    quantity: Literal["cross entropy", "loss", "factor", "log loss", "bin"]
    gamma: float = 0.0
    is_sum: bool = False
    of: Literal["all", "negatives", "positives"] = "all"

    is_like_scores: ClassVar[bool] = False
    is_rounded: ClassVar[bool] = False

    @property
    def is_double(self) -> bool:
        """Tell whether it is in float64, whatever the scores are in."""
        return self.is_sum


class Measured(LossSpec):
    """A loss of independent scores whose outputs are measures."""

    def logits(self, xp: Namespace, operands: Operands) -> Array:
        """Return the logits that the scores are or stand for."""
        raise NotImplementedError

    def compute(self, xp: Namespace, operands: Operands, outputs: Any) -> tuple[Array, ...]:
        """Return the measures of each target."""
        return tuple(self._measured(xp, operands, measure) for measure in outputs)

    def _measured(self, xp: Namespace, operands: Operands, measure: Measure) -> Array:
        y, _ = self.read(xp, operands)
        is_positive = y > 0.5
        plain = operands.bind(positive_weight=None, negative_weight=None)
        if measure.quantity == "bin":
            return self._bin(xp, self.logits(xp, operands), is_positive)
        if measure.quantity == "loss":
            x = self.formula(xp, operands.bind(gamma=measure.gamma)).value()
        elif measure.quantity == "factor":
            x = self._factor(xp, plain, measure.gamma)
        elif measure.quantity == "log loss":
            logits, balance = self.logits(xp, operands), balance_of(operands)
            x = sigmoid_log_loss(xp, logits, y, measure.gamma, balance)
        else:
            x = self.formula(xp, plain.bind(gamma=0.0)).value()
        x = self.weighed(xp, x, operands)
        if measure.of == "all":
            return x
        nothing = xp.zeros_like(x)
        is_of = measure.of == "positives"
        return xp.where(is_positive, *((x, nothing) if is_of else (nothing, x)))

    def _factor(self, xp: Namespace, plain: Operands, gamma: float) -> Array:
        """Return (1 - p_t)^gamma as loss / ce, or its limit where both are 0 or infinite."""
        ce = self.formula(xp, plain.bind(gamma=0.0)).value()
        one = xp.ones_like(ce)
        if gamma == 0:
            return one
        loss, is_infinite = self.formula(xp, plain.bind(gamma=gamma)).value(), xp.isinf(ce)
        limit = xp.where(is_infinite, one, 0.0)
        return xp.where((ce > 0) & ~is_infinite, loss / xp.where(ce > 0, ce, one), limit)

    @staticmethod
    def _bin(xp: Namespace, x: Array, is_positive: Array) -> Array:
        """Return in which bin the margin is, and behind it those of positives."""
        margin = xp.where(is_positive, x, -x)
        place = xp.clip((margin + REACH) * PER_UNIT, 0.0, float(BINS - 1))
        return xp.where(is_positive, place + float(BINS), place)


@dataclass(frozen=True, kw_only=True)
class SigmoidMeasures(Measured, Sigmoid):
    """The measures of independent logits."""

    def logits(self, xp: Namespace, operands: Operands) -> Array:
        """Return the logits, which the scores are."""
        return operands.wide(xp, "scores")


@dataclass(frozen=True, kw_only=True)
class BinaryMeasures(Measured, Binary):
    """The measures of probabilities of the positive class."""

    def logits(self, xp: Namespace, operands: Operands) -> Array:
        """Return the logits that the probabilities stand for, whose logarithms have a bound."""
        p = operands.wide(xp, "scores")
        least = math.log(self.eps)
        return xp.maximum(xp.log(p), least) - xp.maximum(xp.log1p(-p), least)
