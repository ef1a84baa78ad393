"""The namespaces that formulas see: a library's own, with functions in place of some of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._typing import Array, Library

# all that formulas and losses ask of a namespace
NAMES = (
    *("abs", "clip", "exp", "isinf", "log", "log1p", "maximum", "minimum", "pow", "sqrt", "where"),
    *("any", "argmax", "max", "sum"),
    *("arange", "asarray", "astype", "empty", "ones_like", "zeros_like"),
    *("broadcast_to", "expand_dims", "reshape", "squeeze"),
    *("finfo", "inf", "nan", "float32", "float64", "int32", "int64"),
)


class Namespace:
    """A namespace as formulas see it: the library's own functions, or others in their place.

    The methods are hooks: what follows is right for every library, and one that can do better, or
    that has to, gives its own.
    """

    # the entry that each row's label names, of labels that are known to be good; None: compare
    # with every class
    Choice: Callable[[Array, int], Any] | None = None

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __init__(self, xp: Library, **functions: Any) -> None:
        names = (name for name in NAMES if name not in functions)
        self.__dict__.update({name: getattr(xp, name) for name in names} | functions)

    def heaviside(self, x: Array) -> Array:
        """1 where x > 0, 0 where x < 0; at 0 either, which no result may depend on."""
        return self.astype(x >= 0, x.dtype)

    def straight_through_floor(self, x: Array, least: float) -> Array:
        """At least so much; where it is less, automatic differentiation sees x still."""
        return self.maximum(x, least)

    def with_slope_of(self, value: Array, form: Callable[[], Array]) -> Array:  # noqa: ARG002
        """A value; automatic differentiation sees another form, whose slope keeps its digits."""
        return value

    def shifted_exp(self, x: Array, shift: Array) -> Array:
        """``exp(x - shift)``, equal infinities being 0 apart; x is needed by nobody any more."""
        far = float(self.finfo(x.dtype).max)
        return self.exp(self.clip(x, -far, far) - self.clip(shift, -far, far))

    def total(self, x: Array) -> Array:
        """The sum of all elements."""
        return self.sum(x)


def autodiff_safe(xp: Library, constant: Callable[[Any], Any], **functions: Any) -> Namespace:
    """A namespace for automatic differentiation: every point has the derivatives of one side.

    At a tie, abs, maximum and minimum take the side of their first argument. The derivative of a
    power or a root at 0 is set to 0; the true one is infinite and would give 0 * inf = NaN.
    ``constant`` is the library's way to say that a number has no derivative.
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

    def straight_through_floor(x: Array, least: float) -> Array:
        return xp.where(x >= least, x, least + (x - constant(x)))

    def with_slope_of(value: Array, form: Callable[[], Array]) -> Array:
        seen = form()
        return constant(value) + (seen - constant(seen))

    own = {
        "straight_through_floor": straight_through_floor,
        "with_slope_of": with_slope_of,
        "maximum": maximum,
        "minimum": minimum,
        "abs": absolute,
        "pow": power,
        "sqrt": sqrt,
    }
    return Namespace(xp, **own, **functions)
