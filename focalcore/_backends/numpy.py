"""The backend of NumPy, with replacements for the functions that NumPy computes slowly."""

from __future__ import annotations

from typing import NamedTuple

import array_api_compat.numpy as xp
import numpy as np

from .._typing import DType, HostArray
from .backend import Backend
from .namespaces import Namespace


class Choice(NamedTuple):
    """A choice of one class in each row by valid labels, with NumPy's own indexing."""

    labels: HostArray
    axis: int

    def gather(self, x: HostArray) -> HostArray:
        """Return the entry of each row's chosen class."""
        return np.take_along_axis(x, self.labels, axis=self.axis)

    def scatter(self, x: HostArray, by: HostArray) -> HostArray:
        """Return the rows with the entry of the chosen class replaced."""
        return self.scatter_into(x.copy(), by)

    def scatter_into(self, x: HostArray, by: HostArray) -> HostArray:
        """Return what `scatter` returns, for an x that may be overwritten."""
        np.put_along_axis(x, self.labels, by, axis=self.axis)
        return x


# log1p(e) = 2 t (1 + v P(v)), t = e / (2 + e), v = t^2: a fit to atanh, good to 5e-9 for e in
# [-1/2, 1], and formulas have no other arguments
P = (0.33333207, 0.2001085, 0.1399957, 0.14012233)


def _log1p(e: HostArray) -> HostArray:
    """Return log(1 + e) for e in [-1/2, 1]; it is used where NumPy's own is not vectorised."""
    if e.dtype != np.float32:
        whole = 1 + e
        return np.log(whole) + (e - (whole - 1)) / whole
    t = e / (e + 2)
    v = t * t
    t = t + t
    return t + t * (v * (((P[3] * v + P[2]) * v + P[1]) * v + P[0]))


def _is_vectorised(name: str) -> bool:
    try:
        found = np.lib.introspect.opt_func_info(func_name=f"^{name}$", signature="float32")
        return not found[name]["ff"]["current"].startswith("baseline")
    except (AttributeError, KeyError):  # an older NumPy can't tell
        return False


FILLED = (0.0, 2.0**60)  # the numbers that formulas compare with at every call
MOST_FILLED = 2**19  # the most bytes of each that are kept: those of a block


def _maximum(a: HostArray, b: HostArray | float) -> HostArray:
    return np.maximum(a, _filled(b, a) if isinstance(b, float) and b in FILLED else b)


def _minimum(a: HostArray, b: HostArray | float) -> HostArray:
    return np.minimum(a, _filled(b, a) if isinstance(b, float) and b in FILLED else b)


def _filled(number: float, like: HostArray) -> HostArray:
    """Return an array full of a number, with which NumPy compares three times as fast."""
    key = number, like.dtype
    known = _FILLED.get(key)
    if known is None or known.size < like.size:
        known = np.full(max(like.size, 2**12), number, dtype=like.dtype)
        if known.nbytes <= MOST_FILLED:
            _FILLED[key] = known
    return known[: like.size].reshape(like.shape)


_FILLED: dict[tuple[float, DType], HostArray] = {}


def _astype(x: HostArray, dtype: DType, copy: bool = True) -> HostArray:
    return x.astype(dtype, copy=copy)


def _shifted_exp(x: HostArray, shift: HostArray) -> HostArray:
    far = np.finfo(shift.dtype).max
    if (np.abs(shift) >= far).any():  # equal infinities differ by 0
        x, shift = np.clip(x, -far, far), np.clip(shift, -far, far)
    return np.exp(np.subtract(x, shift, out=x), out=x)


FORMULAS = Namespace(
    xp,
    Choice=Choice,
    maximum=_maximum,
    minimum=_minimum,
    astype=_astype,
    clip=np.clip,
    shifted_exp=_shifted_exp,
    total=lambda x: np.sum(x, dtype=np.float64),
    **({} if _is_vectorised("log1p") else {"log1p": _log1p}),
)

BACKEND = Backend("numpy", xp, FORMULAS, host_values=lambda x: x, runner="numpy_blocks")
