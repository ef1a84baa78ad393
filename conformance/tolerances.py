"""How far a result may be from the exact one: the one table, in units in the last place (ulp).

In a sigmoid, u and the cross-entropy are each good to about 2 ulp, and u enters gamma times: that
makes 2 gamma + 3 for the value, and one more for the slope. In a softmax over more than two
classes, both hold the sum over the others, which costs 2 ulp more in each. Half precision is
computed in float32 and rounded once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any

# digits of the significand, and the exponent of the smallest normal number
FORMATS = {
    "float16": (11, -14),
    "bfloat16": (8, -126),
    "float32": (24, -126),
    "float64": (53, -1022),
}

Bound = Callable[[float], float]  # of gamma

TABLE: dict[tuple[str, str], Bound] = {
    ("sigmoid", "value"): lambda gamma: 2 * gamma + 3,
    ("sigmoid", "slope"): lambda gamma: 2 * gamma + 4,
    ("sigmoid", "curvature"): lambda gamma: 2 * gamma + 4,
    ("softmax", "value"): lambda gamma: 4 * gamma + 5,
    ("softmax", "slope"): lambda gamma: 4 * gamma + 6,
    ("softmax", "curvature"): lambda gamma: 4 * gamma + 6,
    ("half", "value"): lambda _: 1.0,
    ("half", "slope"): lambda _: 1.0,
    ("half", "curvature"): lambda _: 1.0,
}


# the table takes an exp that is good to 1 ulp; by how much a library's is worse than that
# NumPy documents 2.52 for its float32 (measured here: 2.52)
WORSE_EXP = {("numpy", "float32"): 1.52}


def bound(dtype: str, quantity: str, gamma: float, n_classes: int | None = None) -> float:
    """The most that a result may be off by; two classes are a sigmoid, and so are probabilities."""
    row = "sigmoid" if n_classes in (None, 2) else "softmax"
    return TABLE["half" if dtype in ("float16", "bfloat16") else row, quantity](gamma)


def allowance(arithmetic: str, dtype: str, gamma: float) -> float:
    """What a library's own exp adds: it enters u gamma times, and the cross-entropy once."""
    return WORSE_EXP.get((arithmetic, dtype), 0.0) * (gamma + 1)


def ulp(x: Array, dtype: str) -> Array:
    """The distance of two neighbours of a type, at the size of x."""
    digits, least = FORMATS[dtype]
    _, exponent = np.frexp(np.where(np.isfinite(x) & (x != 0), x, np.ldexp(1.0, least)))
    return np.ldexp(1.0, np.maximum(exponent - 1, least) - (digits - 1))


def is_denormal(x: Array, dtype: str) -> Array:
    """Below the smallest normal number, where there are fewer digits."""
    return np.abs(x) < np.ldexp(1.0, FORMATS[dtype][1])
