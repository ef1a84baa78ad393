"""Every float32 logit there is: value and slope of the sigmoid loss against float64.

    python -m conformance.exhaustive --reports conformance/reports

Both are traced into one kernel, which tells how far apart they are in units in the last place of
the float32 result. The float64 numbers are good to about 1e-15, far below what is measured here;
they are compared themselves, before, with the stored values of 106 bits, and with exact values at
random logits.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from focalcore._execution import host, numpy_host
from focalcore._losses.operands import Operands, Output
from focalcore._losses.sigmoid import Sigmoid
from focalcore._losses.spec import LossSpec

from . import tolerances

GAMMAS = (0.0, 0.5, 1.0, 2.0, 5.0)
LABELS = (0, 1)
KINDS = ("int32", "float32")  # of labels: hard by their type, and such as might be soft
CHUNK = 2**22
OUTPUTS = {"value": Output.WIDE_VALUE, "slope": Output.WIDE_GRAD}


@dataclass(frozen=True)
class Errors(LossSpec):
    """A loss whose outputs are the errors of another loss in float32, in ulp."""

    loss: LossSpec

    def compute(self, xp: Any, operands: Operands, outputs: tuple[Output, ...]) -> Any:
        """Return how far each output in float32 is from the same in float64."""
        narrow = self.loss.compute(xp, operands, outputs)
        x = xp.astype(operands.arrays["scores"], "float64")
        wide = self.loss.compute(xp, operands.bind(scores=x), outputs)
        names = {output: name for name, output in OUTPUTS.items()}
        return tuple(
            xp.astype(_in_ulp(xp, a, b, names[output]), "float32")
            for output, a, b in zip(outputs, narrow, wide, strict=True)
        )


def _in_ulp(xp: Any, found: Any, exact: Any, quantity: str) -> Any:
    """Return the distance in units in the last place, as `tolerances.ulp` counts them."""
    found = xp.astype(found, "float64")
    size = xp.maximum(xp.abs(exact), tolerances.least("float32", quantity))
    power_of_two = xp.from_bits(xp.bits(size) & (0x7FF << 52))
    error = xp.abs(found - exact) / (power_of_two * 2.0**-23)
    error = xp.select(error == error, error, xp.inf)
    is_same = (found == exact) | ((found != found) & (exact != exact))
    return xp.select(is_same, 0.0, error)


@dataclass
class Worst:
    """The largest error of all logits."""

    gamma: float
    quantity: str
    ulp: float = -1.0
    logit: float = 0.0
    label: str = ""

    @property
    def bound(self) -> float:
        return tolerances.bound("float32", self.quantity, self.gamma)


def scan(gamma: float, first: int, stop: int, step: int = 1) -> list[Worst]:
    """The largest errors among the logits whose bits lie in a range."""
    found = [Worst(gamma, quantity) for quantity in OUTPUTS]
    loss = Errors(Sigmoid())
    for start in range(first, stop, CHUNK * step):
        bits = np.arange(start, min(start + CHUNK * step, stop), step, dtype=np.uint32)
        logits = bits.view(np.float32)
        for label, kind in itertools.product(LABELS, KINDS):
            operands = Operands.of(scores=logits, targets=np.asarray(label, kind), gamma=gamma)
            errors = host.run(numpy_host.MEMORY, loss, operands, tuple(OUTPUTS.values()))
            if errors is None:
                raise RuntimeError("there is no compiler here: pip install 'focalcore[fast]'")
            for worst, error in zip(found, errors, strict=True):
                i = int(np.argmax(error))
                if error[i] > worst.ulp:
                    worst.ulp, worst.logit = float(error[i]), float(logits[i])
                    worst.label = f"{label} ({kind})"
    return found
