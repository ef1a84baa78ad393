"""From what the caller gave to arrays of one namespace on one device.

Lists and scalars become arrays of the other arguments' namespace; whatever has ``__array__``, such
as a column of pandas, polars or pyarrow, is read as NumPy. Nothing is copied that need not be, and
nothing is changed.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .._backends import NUMPY, Backend, backend_of, in_memory, is_list, is_loose
from .._dtypes import FLOATS, arithmetic_dtype, cast, dtype_name
from .doors import Door
from .options import INFINITY, MOST_GAMMA, Parameter, rectangular
from .shapes import is_empty

Array = Any
Namespace = Any
DType = Any
Shape = tuple[Any, ...]


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
            value = self._from_loose(name, value, dtype)
            if dtype_name(value.dtype) not in FLOATS:
                value = self.xp.astype(value, dtype or self.xp.asarray(0.0).dtype)
        found = dtype_name(value.dtype)
        if found not in FLOATS:
            raise TypeError(
                f"{name} must be real floating ({', '.join(FLOATS)}); found {found}: "
                f"cast with {self.cast(name, 'float32')}"
            )
        return value

    def numeric(self, name: str, value: Any, dtype: DType) -> Array:
        """A bool, integer or real floating array; lists of floats take ``dtype``."""
        if is_loose(value):
            value = self._from_loose(name, value, dtype)
            if is_empty(value):  # an empty list has no type
                return self.xp.astype(value, self.xp.int32)
        found = dtype_name(value.dtype)
        if found not in FLOATS and found != "bool" and not found.lstrip("u").startswith("int"):
            raise TypeError(f"{name} must be bool, integer or real floating; found {found}")
        return value

    def boolean(self, name: str, value: Any) -> Array:
        """A boolean array."""
        if is_loose(value):
            value = self._from_loose(name, value, None)
        if is_empty(value):  # whose type says nothing
            return self.xp.astype(value, self.xp.bool)
        if dtype_name(value.dtype) != "bool":
            found = dtype_name(value.dtype)
            raise TypeError(
                f"{name} must be boolean, True = counted; found {found}: "
                f"cast with {self.cast(name, 'bool')}"
            )
        return value

    def cast(self, name: str, dtype: str) -> str:
        """How a cast is written here."""
        return self.backend.cast.format(name, dtype)

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

    def _from_loose(self, name: str, value: Any, dtype: DType) -> Array:
        """An array of numbers; floats are of a dtype, None: of that of the library."""
        as_array = partial(self.xp.asarray, device=self.device)
        if self.backend.traces_python():  # NumPy would be traced too
            found = as_array(value)
            is_floating = dtype is not None and dtype_name(found.dtype) in FLOATS
            return as_array(value, dtype=dtype) if is_floating else found
        host = _numbers(name, value)
        if self.backend is NUMPY and dtype is None:
            return host  # a NumPy scalar or a buffer has a type
        return as_array(host.tolist(), dtype=dtype if host.dtype.kind == "f" else None)


class Given(NamedTuple):
    """The arguments of a call, as arrays of one home."""

    home: Home
    logits: Array
    targets: Array
    mask: Array
    weight: Array
    parameters: dict[str, Parameter]


def settle(
    door: Door,
    scores: Any,
    labels: Any,
    *,
    mask: Any = None,
    weight: Any = None,
    alpha_most: float = INFINITY,
    **parameters: Parameter,
) -> Given:
    """Bring the arguments of a call home."""
    beside = {"mask": mask, door.weight: weight}
    given = {door.scores: scores, door.labels: labels}
    given |= {name: x for name, x in beside.items() if x is not None}
    given = {name: as_array(door, name, x) for name, x in given.items()}
    # constants have no home: NumPy's may go with any library
    placed = {n: p for n, p in parameters.items() if not isinstance(p, _CONSTANTS)}
    home = home_of({n: x for n, x in (given | placed).items() if not is_loose(x)})
    x = _scores(home, door, given)
    dtype = arithmetic_dtype(home.xp, x.dtype)
    y = home.numeric(door.labels, given[door.labels], x.dtype)
    if mask is not None:
        mask = home.boolean("mask", given["mask"])
    if weight is not None:
        weight = cast(home.xp, home.numeric(door.weight, given[door.weight], dtype), dtype)
    most = {"alpha": alpha_most, "gamma": MOST_GAMMA}
    settled = {
        name: home.parameter(value, dtype, most.get(name, INFINITY))
        for name, value in parameters.items()
    }
    return Given(home, x, y, mask, weight, settled)


def _scores(home: Home, door: Door, given: dict[str, Any]) -> Array:
    """The logits or probabilities, of the type that the loss computes from."""
    labels_dtype = _floating_dtype(given[door.labels])
    try:
        return home.backend.scores(home.floating(door.scores, given[door.scores], labels_dtype))
    except TypeError as error:
        if labels_dtype is None:
            raise
        raise TypeError(f"{error}{door.swapped}") from None


_CONSTANTS = (type(None), float, str, tuple, np.ndarray)


def home_of(arrays: dict[str, Array]) -> Home:
    """Where arrays live; two libraries or two devices are an error."""
    home, first = Home(NUMPY, None), None
    for name, x in arrays.items():
        backend = _known(name, x)
        reason = backend.refuses(x)
        if reason is not None:
            raise TypeError(f"{name} is {reason}")
        device = x.device if backend.placed else None
        if first is None:
            home, first = Home(backend, device), name
        elif backend.name != home.backend.name:
            raise _two(TypeError, "libraries", first, home.backend.name, name, backend.name)
        elif device != home.device:
            raise _two(ValueError, "devices", first, home.device, name, device)
    return home


def as_array(door: Door, name: str, value: Any) -> Any:
    """Columns become NumPy arrays, dask's dask arrays; arrays, numbers and lists pass."""
    if type(value) is np.ndarray:
        return value
    if is_loose(value):
        return _without_arrays(name, value) if is_list(value) else value
    if isinstance(value, np.ma.MaskedArray):
        kept = f"pass {name}.data, and mask=~np.ma.getmaskarray({name})"
        raise TypeError(
            f"{name} is a numpy masked array, whose mask would be lost; "
            f"{kept if 'mask=' in door.leave_out else 'leave out what is masked before'}"
        )
    if isinstance(value, np.ndarray):
        return np.asarray(value)  # a matrix multiplies otherwise
    if backend_of(value) is not None:
        if isinstance(getattr(value, "_meta", None), np.ma.MaskedArray):
            raise TypeError(f"{name} is a dask array of masked arrays, whose mask would be lost")
        return value
    if hasattr(value, "to_dask_array"):
        return value.to_dask_array()
    if hasattr(value, "__array__") and not isinstance(value, type):
        return in_memory(name, value)
    raise TypeError(f"{name} must be an array, a list or a number; found {type(value).__name__}")


def _without_arrays(name: str, value: Any) -> Any:
    """A list of Python's or NumPy's numbers; arrays of another library would leave it there."""
    for x in value if isinstance(value, list | tuple) else ():  # all else holds numbers alone
        if is_list(x):
            _without_arrays(name, x)
        backend = None if is_loose(x) else backend_of(x)
        if backend not in (None, NUMPY):
            raise TypeError(
                f"{name} is a {type(value).__name__} of {backend.name} arrays; "
                f"stack them into one array first"
            )
    return value


def _floating_dtype(value: Any) -> DType:
    """The dtype of a floating array, None for anything else."""
    dtype = None if is_loose(value) else value.dtype
    return dtype if dtype_name(dtype) in FLOATS else None


def _numbers(name: str, value: Any) -> Any:
    host = rectangular(name, value)
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
