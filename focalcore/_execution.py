"""How a backend runs a loss: the formula says what is computed, this room says how.

Each backend takes the straight way, the operations as they are written.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._backends import Backend
from ._terms import Loss, Operands

Array = Any


def value(backend: Backend, loss: Loss, operands: Operands) -> Array:
    """The loss of each element."""
    if not backend.quiet:
        return loss.value(backend.xp, operands)
    # an underflow or an infinity on the way is meant; the caller's errstate stays as it is
    with np.errstate(all="ignore"):
        return loss.value(backend.xp, operands)
