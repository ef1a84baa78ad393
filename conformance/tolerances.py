"""How far a result may be from the exact one: the one table, in units in the last place (ulp).

u and the cross-entropy are each good to about 2 ulp, and u enters gamma times: that makes
2 gamma + 3 for the value, and one more for the derivatives. In a softmax over more than two
classes, both hold the sum over the others, for 2 ulp more. The posterior of a logit is such a
product too; that of rows compares two classes, each with a u of its own. Half precision is computed
in float32 and rounded once.

The losses beside the focal loss have the rows of the sigmoid, or of the softmax where they are of
rows, by the largest of their exponents: another power, that of ``1 - y`` in a heatmap, has lost
less, and a sum of two losses no more than the worse one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .places import HALVES

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
    ("sigmoid", "posterior"): lambda gamma: 2 * gamma + 3,
    ("softmax", "value"): lambda gamma: 2 * gamma + 5,
    ("softmax", "slope"): lambda gamma: 2 * gamma + 6,
    ("softmax", "curvature"): lambda gamma: 2 * gamma + 6,
    ("softmax", "posterior"): lambda gamma: 3 * gamma + 8,
    ("half", "value"): lambda _: 1.0,
    ("half", "slope"): lambda _: 1.0,
    ("half", "curvature"): lambda _: 1.0,
    ("half", "posterior"): lambda _: 1.0,
}


def bound(dtype: str, quantity: str, gamma: float, n_classes: int | None = None) -> float:
    """The most that a result may be off by; two classes are a sigmoid, and so are probabilities."""
    row = "sigmoid" if n_classes in (None, 2) else "softmax"
    return TABLE["half" if dtype in HALVES else row, quantity](gamma)


# the table takes functions that are good to 1 ulp, as those of the kernels are, and this is by how
# much a library's are worse: NumPy documents 2.52 for the exp of float32, which on processors
# without AVX-512 is what is found; CUDA's was found to be 1.88, by every seventh float32 from -104
# to 0 on an H200; XLA's log1p on the CPU is off by 2.48, and by how much more, as TensorFlow's
# functions, `exhaustive --ways` shows
WORSE = {
    ("numpy", "float32"): 1.52,
    ("cuda", "float32"): 0.88,
    ("jax", "float32"): 1.0,
    ("tensorflow", "float32"): 1.2,
}


def allowance(functions: str, dtype: str, gamma: float) -> float:
    """What a library's functions add: exp enters u gamma times, and another one does once."""
    return WORSE.get((functions, dtype), 0.0) * (gamma + 1)


def ulp(x: Array, dtype: str) -> Array:
    """The distance of two neighbours of a type, at the size of x."""
    digits, least = FORMATS[dtype]
    _, exponent = np.frexp(np.where(np.isfinite(x) & (x != 0), x, np.ldexp(1.0, least)))
    return np.ldexp(1.0, np.maximum(exponent - 1, least) - (digits - 1))


def least(dtype: str, quantity: str) -> float:
    """The size below which digits are missing: they are measured as if it were of this size.

    For a value, the smallest normal number. In a derivative or a posterior, what is denormal is
    multiplied by gamma, the logit and the weight; float16 is computed where its own denormals are
    normal.
    """
    amplified = quantity != "value" and dtype != "float16"
    return float(np.ldexp(1.0, FORMATS[dtype][1] + (14 if amplified else 0)))
