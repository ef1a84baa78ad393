"""The namespaces that formulas see: a library's own, with functions in place of some of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Array = Any


# all that formulas and terms ask of a namespace
NAMES = (
    *("abs", "clip", "exp", "isinf", "log", "log1p", "maximum", "minimum", "pow", "sqrt", "where"),
    *("any", "argmax", "max", "sum"),
    *("arange", "asarray", "astype", "empty", "ones_like", "zeros_like"),
    *("broadcast_to", "expand_dims", "reshape", "squeeze"),
    *("finfo", "inf", "nan", "float32", "float64", "int32", "int64"),
)


class Namespace:
    """A namespace with replacements."""

    def __init__(self, xp: Any, **functions: Any) -> None:
        self.__dict__.update({name: getattr(xp, name) for name in NAMES} | functions)


def smooth(xp: Any, constant: Callable[[Array], Array], **functions: Any) -> Namespace:
    """For automatic differentiation, in which every point has the derivatives of one side.

    At a tie, abs, maximum and minimum take the side of their first argument; powers and roots of 0
    are constants, for their infinite derivative is multiplied by 0. ``constant`` is the library's
    way to say that a number has no derivative.
    """

    def maximum(a: Array, b: Array) -> Array:
        return xp.where(a >= b, a, b)

    def minimum(a: Array, b: Array) -> Array:
        return xp.where(a <= b, a, b)

    def absolute(x: Array) -> Array:
        return xp.where(x >= 0, x, -x)

    def power(u: Array, gamma: Array) -> Array:
        is_zero = u == 0
        limit = u if isinstance(gamma, float) else xp.astype(gamma == 0, u.dtype)
        return xp.where(is_zero, limit, xp.where(is_zero, 1.0, u) ** gamma)

    def sqrt(u: Array) -> Array:
        is_zero = u == 0
        return xp.where(is_zero, u, xp.sqrt(xp.where(is_zero, 1.0, u)))

    def floored(x: Array, least: float) -> Array:
        return xp.where(x >= least, x, least + (x - constant(x)))

    def with_slope_of(value: Array, like: Callable[[], Array]) -> Array:
        form = like()
        return constant(value) + (form - constant(form))

    own = {
        "floored": floored,
        "with_slope_of": with_slope_of,
        "maximum": maximum,
        "minimum": minimum,
        "abs": absolute,
        "pow": power,
        "sqrt": sqrt,
    }
    return Namespace(xp, **own, **functions)
