"""The namespaces that formulas use: a library's own functions, some of them replaced."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._formulas.focal import safe_multiply
from .._typing import Array, Library

# the names that formulas and losses use of a namespace
NAMES = (
    *("abs", "clip", "exp", "isinf", "log", "log1p", "maximum", "minimum", "pow", "sqrt", "where"),
    *("any", "argmax", "max", "sum"),
    *("arange", "asarray", "astype", "empty", "ones_like", "zeros_like"),
    *("broadcast_to", "expand_dims", "reshape", "squeeze"),
    *("finfo", "inf", "nan", "float32", "float64", "int32", "int64"),
)


class Hooks:
    """What formulas ask of a namespace beyond the standard, right for every library as it is here.

    What each returns, `_formulas.arrays.Namespace` says. A library that can do better, or has to,
    has functions of its own in these places.
    """

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def choice(self, labels: Array, axis: int) -> Any:  # noqa: ARG002
        return None

    def exp_and_lost(self, x: Array) -> tuple[Array, Array | None]:
        return self.exp(x), None

    def one_plus_and_lost(self, e: Array) -> tuple[Array, Array | None]:
        total = 1 + e
        return total, e - (total - 1)

    def log_of_complement(self, p: Array, least: float) -> Array:
        q = 1 - p
        # for p up to a half, 1 - p has lost digits of p, which log1p still sees
        of_difference = self.log(self.straight_through_floor(q, least))
        return self.where(q < 0.5, of_difference, self.log1p(-self.where(q < 0.5, 0.0, p)))

    def quotient(self, a: Array, b: Array, least: float) -> Array:
        return a / self.where(b <= least, 1.0, b)

    def share_of(self, x: Array, share: Array) -> Array:
        return safe_multiply(self, share, x)

    def straight_through_floor(self, x: Array, least: float) -> Array:
        return self.maximum(x, least)

    def stop_gradient(self, x: Array) -> Array:
        return x

    def with_slope_of(self, value: Array, form: Callable[[], Array]) -> Array:  # noqa: ARG002
        return value

    def shifted_exp(self, x: Array, shift: Array) -> Array:
        far = float(self.finfo(x.dtype).max)
        return self.exp(self.clip(x, -far, far) - self.clip(shift, -far, far))

    def total(self, x: Array) -> Array:
        return self.sum(x)


class Namespace(Hooks):
    """A library's functions as formulas use them, and the hooks, some of them replaced."""

    def __init__(self, xp: Library, **functions: Any) -> None:
        names = (name for name in NAMES if name not in functions)
        self.__dict__.update({name: getattr(xp, name) for name in names} | functions)


def _is_nan(x: Any) -> Any:
    return x != x


def autodiff_safe(xp: Library, stop_gradient: Callable[[Any], Any], **functions: Any) -> Namespace:
    """Return a namespace for automatic differentiation, where a kink has the slope of one side.

    At a tie, abs, maximum and minimum take the side of their first argument. The derivative of a
    power or a root at 0 is set to 0; the true one is infinite and would give 0 * inf = NaN.
    ``stop_gradient`` is the library's function that excludes a number from differentiation.
    """

    def maximum(a: Array, b: Array | float) -> Array:
        return xp.where((b > a) | _is_nan(b), b, a)

    def minimum(a: Array, b: Array | float) -> Array:
        return xp.where((b < a) | _is_nan(b), b, a)

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
        return xp.where(x >= least, x, least + (x - stop_gradient(x)))

    def with_slope_of(value: Array, form: Callable[[], Array]) -> Array:
        seen = form()
        return stop_gradient(value) + (seen - stop_gradient(seen))

    own = {
        "stop_gradient": stop_gradient,
        "straight_through_floor": straight_through_floor,
        "with_slope_of": with_slope_of,
        "maximum": maximum,
        "minimum": minimum,
        "abs": absolute,
        "pow": power,
        "sqrt": sqrt,
    }
    return Namespace(xp, **own, **functions)
