"""From what the caller gave to arrays of one namespace on one device.

Lists and scalars become arrays of the other arguments' namespace; whatever has ``__array__``, such
as a column of pandas, polars or pyarrow, is read as NumPy. Nothing is copied that need not be, and
nothing is changed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ._backends import NUMPY, Backend, backend_of, is_loose
from ._options import INFINITY, Parameter

Array = Any
Namespace = Any
DType = Any
Shape = tuple[Any, ...]

FLOATS = ("float16", "bfloat16", "float32", "float64")
HALVES = ("float16", "bfloat16")


class Home(NamedTuple):
    """The namespace and the device that the arrays of one call live in."""

    backend: Backend
    device: Any

    @property
    def xp(self) -> Namespace:
        return self.backend.xp

    def floating(self, name: str, value: Any, dtype: DType = None) -> Array:
        """A real floating array; numbers and lists take ``dtype``."""
        if is_loose(value):
            value = self._from_host(np.asarray(_numbers(name, value), dtype=float), dtype)
        found = dtype_name(value.dtype)
        if found not in FLOATS:
            raise TypeError(
                f"{name} must be real floating ({', '.join(FLOATS)}); found {found}: "
                f"cast with xp.astype({name}, xp.float32)"
            )
        return value

    def numeric(self, name: str, value: Any, dtype: DType) -> Array:
        """A bool, integer or real floating array; lists of floats take ``dtype``."""
        if is_loose(value):
            host = _numbers(name, value)
            host = host if host.size else host.astype(int)  # an empty list has no kind
            value = self._from_host(host, dtype if host.dtype.kind == "f" else None)
        found = dtype_name(value.dtype)
        if found not in FLOATS and found != "bool" and not found.lstrip("u").startswith("int"):
            raise TypeError(f"{name} must be bool, integer or real floating; found {found}")
        return value

    def boolean(self, name: str, value: Any) -> Array:
        """A boolean array."""
        if is_loose(value):
            value = self._from_host(_numbers(name, value), None)
        if dtype_name(value.dtype) != "bool":
            found = dtype_name(value.dtype)
            raise TypeError(f"{name} must be boolean, True = counted; found {found}")
        return value

    def parameter(self, value: Parameter, dtype: DType, most: float) -> Parameter:
        """A parsed option: a float, a name or nothing stays, all else becomes an array."""
        if value is None or isinstance(value, (float, str)):
            return value
        if isinstance(value, np.ndarray) and self.backend is not NUMPY:
            value = value.tolist()
        if isinstance(value, tuple | list):
            return self.xp.asarray(value, dtype=dtype, device=self.device)
        seen = self.backend.peek(value)
        value = self.xp.astype(value, dtype, copy=False)
        if seen is not None:
            return value
        # what could not be checked must not pass as good
        most = min(most, float(self.xp.finfo(dtype).max))
        return self.xp.where((value >= 0) & (value <= most), value, self.xp.nan)

    def _from_host(self, host: Any, dtype: DType) -> Array:
        return self.xp.asarray(host.tolist(), dtype=dtype, device=self.device)


class Given(NamedTuple):
    """The arguments of a call, as arrays of one home."""

    home: Home
    logits: Array
    targets: Array
    mask: Array
    weight: Array
    parameters: dict[str, Parameter]


def settle(
    scores: str,
    logits: Any,
    labels: str,
    targets: Any,
    *,
    mask: Any = None,
    weight: Any = None,
    alpha_most: float = INFINITY,
    **parameters: Parameter,
) -> Given:
    """Bring the arguments of a call home; ``scores`` and ``labels`` are the callers' names."""
    given = {scores: as_array(scores, logits), labels: as_array(labels, targets)}
    if mask is not None:
        given["mask"] = as_array("mask", mask)
    if weight is not None:
        given["weight"] = as_array("weight", weight)
    # constants have no home: NumPy's may go with any library
    placed = {n: p for n, p in parameters.items() if not isinstance(p, _CONSTANTS)}
    home = home_of({n: x for n, x in (given | placed).items() if not is_loose(x)})
    x = home.floating(scores, given[scores], _floating_dtype(given[labels]))
    dtype = arithmetic_dtype(home.xp, x.dtype)
    y = home.numeric(labels, given[labels], x.dtype)
    if mask is not None:
        mask = home.boolean("mask", given["mask"])
    if weight is not None:
        weight = cast(home.xp, home.numeric("weight", given["weight"], dtype), dtype)
    settled = {
        name: home.parameter(value, dtype, alpha_most if name == "alpha" else INFINITY)
        for name, value in parameters.items()
    }
    return Given(home, x, y, mask, weight, settled)


_CONSTANTS = (type(None), float, str, tuple, np.ndarray)


def home_of(arrays: dict[str, Array]) -> Home:
    """Where arrays live; two libraries or two devices are an error."""
    home, first = Home(NUMPY, None), None
    for name, x in arrays.items():
        backend = _known(name, x)
        device = x.device if backend.placed else None
        if first is None:
            home, first = Home(backend, device), name
        elif backend.name != home.backend.name:
            raise _two(TypeError, "libraries", first, home.backend.name, name, backend.name)
        elif device != home.device:
            raise _two(ValueError, "devices", first, home.device, name, device)
    return home


def as_array(name: str, value: Any) -> Any:
    """Columns become NumPy arrays; arrays, numbers and lists pass."""
    if type(value) is np.ndarray or is_loose(value):
        return value
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a numpy masked array, whose mask would be lost; "
            f"pass {name}.data, and mask=~np.ma.getmaskarray({name})"
        )
    if isinstance(value, np.ndarray):
        return np.asarray(value)  # a matrix multiplies otherwise
    if backend_of(value) is not None:
        return value
    if hasattr(value, "__array__") and not isinstance(value, type):
        return np.asarray(value)
    raise TypeError(f"{name} must be an array, a list or a number; found {type(value).__name__}")


def arithmetic_dtype(xp: Namespace, dtype: DType) -> DType:
    """Half precision is computed in float32."""
    return xp.float32 if dtype_name(dtype) in HALVES else dtype


def cast(xp: Namespace, x: Array, dtype: DType) -> Array:
    """The array in a dtype, itself where it has it."""
    return x if x.dtype == dtype else xp.astype(x, dtype)


def dtype_name(dtype: DType) -> str:
    """The standard's name of a dtype, the same in every library."""
    key = (type(dtype), dtype)  # the dtypes of two libraries don't like to be compared
    if key not in _DTYPE_NAMES:
        name = getattr(dtype, "name", None) or str(dtype)
        _DTYPE_NAMES[key] = name.rpartition(".")[2]
    return _DTYPE_NAMES[key]


_DTYPE_NAMES: dict[tuple[type, DType], str] = {}  # asking NumPy takes longer than many an array


def check_fits(name: str, array: Parameter | None, onto_name: str, onto: Shape) -> None:
    """An array, where one was given, must broadcast to a shape, never past it."""
    if array is None or isinstance(array, float):
        return
    if len(array.shape) == len(onto) and array.shape == onto:  # a traced length is not asked
        return
    shape, onto = tuple(array.shape), tuple(onto)
    padded = (1,) * (len(onto) - len(shape)) + shape
    if len(padded) == len(onto) and all(
        length == 1 or _same(length, other) for length, other in zip(padded, onto, strict=True)
    ):
        return
    fix = f"it must broadcast to {onto}"
    if shape == (*onto, 1):
        fix = f"reshape {name} to {onto}"
    elif shape == onto[:-1]:
        fix = f"reshape {name} to {(*shape, 1)}"
    raise ValueError(f"{name} of shape {shape} does not fit {onto_name} of shape {onto}; {fix}")


def full_rank(xp: Namespace, x: Array, ndim: int) -> Array:
    """The array, where there is one, with all the leading axes that broadcasting gives it."""
    if x is not None:
        for _ in range(ndim - x.ndim):
            x = xp.expand_dims(x, axis=0)
    return x


def same_shape(shape: Shape, other: Shape) -> bool:
    """Whether two shapes are equal, as far as they are known."""
    return len(shape) == len(other) and all(map(_same, shape, other))


def check_broadcast(name: str, shape: Shape, other_name: str, other: Shape) -> None:
    """Two shapes broadcast; but not (N,) against (N, 1), to the (N, N) that nobody means."""
    short, long = sorted((tuple(shape), tuple(other)), key=len)
    pairs = zip(reversed(short), reversed(long), strict=False)
    if not all(1 in (a, b) or _same(a, b) for a, b in pairs):
        raise ValueError(
            f"{name} of shape {tuple(shape)} and {other_name} of shape {tuple(other)} do not "
            f"broadcast; each length must be the same in both, or 1"
        )
    if long == (*short, 1) and short[-1:] != (1,) and short:
        raise ValueError(
            f"{name} of shape {tuple(shape)} and {other_name} of shape {tuple(other)} would "
            f"broadcast to every pair; reshape one to the shape of the other"
        )


def _same(length: Any, other: Any) -> bool:
    # a length that is not known yet is NaN in dask, not equal to itself, and None in TensorFlow
    is_known = length is not None and other is not None
    return bool(not is_known or length == other or length != length or other != other)


def _floating_dtype(value: Any) -> DType:
    """The dtype of a floating array, None for anything else."""
    dtype = None if is_loose(value) else value.dtype
    return dtype if dtype_name(dtype) in FLOATS else None


def _numbers(name: str, value: Any) -> Any:
    try:
        host = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} must be a rectangular list; found rows that differ") from None
    if host.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers; found {host.dtype}")
    return host


def _known(name: str, x: Any) -> Backend:
    backend = backend_of(x)
    if backend is None:
        raise TypeError(f"{name} must be an array, a list or a number; found {type(x).__name__}")
    return backend


def _two(
    error: type[Exception], what: str, first: str, its: Any, other: str, others: Any
) -> Exception:
    return error(
        f"arrays of two {what} in one call: {first} is {its}, {other} is {others}; "
        f"move one to the other"
    )
