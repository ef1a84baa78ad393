"""The plain way to run: the operations as they are written, on whole arrays."""

from __future__ import annotations

import numpy as np

from .._backends import Backend
from .._dtypes import cast
from .._inputs.checks import values_of
from .._losses.operands import Operands, Output
from .._losses.reduction import dtype_of, quotients, summed
from .._losses.spec import LossSpec
from .._typing import Namespace, Result


def run(
    xp: Namespace, loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]
) -> tuple[Result, ...]:
    """Return the outputs, computed on whole arrays; sums are divided by the denominator."""
    found = []
    for output, x in zip(outputs, loss.compute(xp, operands, outputs), strict=True):
        dtype = dtype_of(xp, output, operands.arrays["scores"].dtype)
        found.append(summed(xp, x, dtype) if output.is_sum else cast(xp, x, dtype))
    return quotients(xp, operands, outputs, found)


def looked(backend: Backend, operands: Operands, found: tuple[Result, ...]) -> tuple[Result, ...]:
    """Return the outputs, after a look for a bad target if the first has NaN, or can't be read."""
    seen = values_of(backend, found[0])
    if seen is None or np.isnan(seen).any():
        operands.look()
    return found
