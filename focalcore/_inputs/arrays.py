"""The conversion of the caller's arguments to arrays of one library on one device.

Lists and scalars become arrays of the other arguments' namespace, and so do NumPy arrays beside
those of a library in whose world they are constants; whatever has ``__array__``, such as a column
of pandas, polars or pyarrow, is read as NumPy. Nothing is copied that need not be, and nothing that
the caller gave is changed.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .._backends import NUMPY, Backend, backend_of
from .._backends.python_values import LISTS, PYTHON_VALUES, in_memory
from .._dtypes import FLOATS, arithmetic_dtype, cast, dtype_name
from .._typing import Array, ArrayLike, Device, DType, Library, Parameter
from . import parse
from .doors import Door
from .options import Options
from .shapes import is_empty


class ArrayContext(NamedTuple):
    """The library and the device that the arrays of one call share."""

    backend: Backend
    device: Device

    @property
    def xp(self) -> Library:
        return self.backend.xp

    def floating(self, name: str, value: Any, dtype: DType = None) -> Array:
        """Return a real floating array; numbers and lists take ``dtype``."""
        if isinstance(value, PYTHON_VALUES):
            value = self._from_python(name, value, dtype)
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
        """Return a bool, integer or real floating array; lists of floats take ``dtype``."""
        if isinstance(value, PYTHON_VALUES):
            value = self._from_python(name, value, dtype)
            if is_empty(value):  # an empty list has no type
                return self.xp.astype(value, self.xp.int32)
        found = dtype_name(value.dtype)
        if found not in FLOATS and found != "bool" and not found.lstrip("u").startswith("int"):
            raise TypeError(f"{name} must be bool, integer or real floating; found {found}")
        return value

    def boolean(self, name: str, value: Any) -> Array:
        """Return a boolean array."""
        if isinstance(value, PYTHON_VALUES):
            value = self._from_python(name, value, None)
        if is_empty(value):  # the type of an empty array says nothing
            return self.xp.astype(value, self.xp.bool)
        if dtype_name(value.dtype) != "bool":
            found = dtype_name(value.dtype)
            raise TypeError(
                f"{name} must be boolean, True = counted; found {found}: "
                f"cast with {self.cast(name, 'bool')}"
            )
        return value

    def own(self, name: str, value: Any) -> Any:
        """Return a NumPy array beside those of another library as a constant of that library."""
        if self.backend.from_numpy is None or not isinstance(value, np.ndarray):
            return value
        found = dtype_name(value.dtype)
        if found not in FLOATS and value.dtype.kind not in "biu":
            raise TypeError(f"{name} must hold real numbers; found {found}")
        return self.backend.from_numpy(value)

    def cast(self, name: str, dtype: str) -> str:
        """Return a cast as the library's users write it, for an error message."""
        return self.backend.written_cast.format(name, dtype)

    def parameter(self, value: Parameter, dtype: DType, most: float) -> Parameter:
        """Return a parsed option, other than a single number, as an array."""
        if isinstance(value, np.ndarray) and self.backend is not NUMPY:
            value = value.tolist()
        if isinstance(value, tuple | list):
            return self.xp.asarray(value, dtype=dtype, device=self.device)
        seen = self.backend.host_values(value)
        value = self.xp.astype(value, dtype, copy=False)
        if seen is not None:
            return value
        # what could not be checked becomes NaN where it is bad, so that it does not pass as good
        most = min(most, float(self.xp.finfo(dtype).max))
        return self.xp.where((value >= 0) & (value <= most), value, self.xp.nan)

    def _from_python(self, name: str, value: Any, dtype: DType) -> Array:
        """Return numbers as an array; floats take ``dtype``, or for None the library's default."""
        as_array = partial(self.xp.asarray, device=self.device)
        if self.backend.is_tracing():  # the compiler would trace NumPy too
            found = as_array(value)
            is_floating = dtype is not None and dtype_name(found.dtype) in FLOATS
            return as_array(value, dtype=dtype) if is_floating else found
        host = _numbers(name, value)
        if self.backend is NUMPY and dtype is None:
            return host  # a NumPy scalar or a buffer keeps its own type
        return as_array(host.tolist(), dtype=dtype if host.dtype.kind == "f" else None)


class Inputs(NamedTuple):
    """The arguments of a call, as arrays of one library and one device."""

    context: ArrayContext
    scores: Array  # logits or probabilities
    targets: Any  # None: the scores alone are asked about
    mask: Array | None
    weight: Array | None
    parameters: dict[str, Parameter]


def convert_inputs(door: Door, scores: ArrayLike, labels: ArrayLike, options: Options) -> Inputs:
    """Return the arguments of a call as arrays, and those of its options that may be arrays."""
    given = {
        door.scores: as_array(door, door.scores, scores),
        door.labels: as_array(door, door.labels, labels),
    }
    for name, option in (("mask", "mask"), (door.weight, "weight")):
        x = getattr(options, option, None)
        if x is not None:
            given[name] = as_array(door, name, x)
    parameters = options.parameters()
    context = context_of(given | _deciding(parameters))
    given = {name: context.own(name, x) for name, x in given.items()}
    x = _scores(context, door, given[door.scores], given[door.labels])
    dtype = arithmetic_dtype(context.xp, x.dtype)
    y = context.numeric(door.labels, given[door.labels], x.dtype)
    mask, weight = given.get("mask"), given.get(door.weight)
    if mask is not None:
        mask = context.boolean("mask", mask)
    if weight is not None:
        weight = cast(context.xp, context.numeric(door.weight, weight, dtype), dtype)
    _convert(parameters, context, options, dtype)
    return Inputs(context, x, y, mask, weight, parameters)


def convert_scores(door: Door, scores: ArrayLike, options: Options) -> Inputs:
    """Return the scores as an array, where nothing else is given beside the options."""
    parameters, given = options.parameters(), as_array(door, door.scores, scores)
    context = context_of({door.scores: given} | _deciding(parameters))
    x = _scores(context, door, context.own(door.scores, given))
    _convert(parameters, context, options, arithmetic_dtype(context.xp, x.dtype))
    return Inputs(context, x, None, None, None, parameters)


def _deciding(parameters: dict[str, Parameter]) -> dict[str, Any]:
    """Return the options that decide on library or device: numbers and NumPy arrays do not."""
    return {name: p for name, p in parameters.items() if not isinstance(p, _CONSTANTS)}


def _convert(
    parameters: dict[str, Parameter], context: ArrayContext, options: Options, dtype: DType
) -> None:
    """Put arrays in a dtype in the place of options that are more than a number."""
    for name, value in parameters.items():
        if not isinstance(value, float | str):
            parameters[name] = context.parameter(value, dtype, options.limits[name])


def _scores(context: ArrayContext, door: Door, scores: Any, labels: Any = None) -> Array:
    """Return the logits or probabilities, in the dtype that the loss computes from."""
    is_array = labels is not None and not isinstance(labels, PYTHON_VALUES)
    labels_dtype = labels.dtype if is_array and dtype_name(labels.dtype) in FLOATS else None
    try:
        x = context.floating(door.scores, scores, labels_dtype)
    except TypeError as error:
        if labels_dtype is not None:
            raise TypeError(f"{error}{door.swapped}") from None
        found = str(getattr(scores, "dtype", ""))
        if door.for_labels and ("int" in found or "bool" in found):
            raise TypeError(
                f"{door.scores} are predicted labels, of {found}; {door.for_labels}"
            ) from None
        raise
    read = context.backend.convert_scores
    return x if read is None else read(x)


_CONSTANTS = (float, str, tuple, np.ndarray)


def context_of(arrays: dict[str, Any]) -> ArrayContext:
    """Return the library and device of the arrays, or raise an error if there are two of either.

    Beside a library that takes them as guests, NumPy arrays decide on neither.
    """
    homes = {n: _home_of(n, x) for n, x in arrays.items() if not isinstance(x, PYTHON_VALUES)}
    if any(home.backend.from_numpy is not None for home in homes.values()):
        homes = {name: home for name, home in homes.items() if home.backend is not NUMPY}
    context, first = ArrayContext(NUMPY, None), ""
    for name, home in homes.items():
        if not first:
            context, first = home, name
        elif home.backend.name != context.backend.name:
            raise _two_libraries({first: context.backend, name: home.backend})
        elif home.device != context.device:
            raise _two(
                ValueError,
                "devices",
                {first: context.device, name: home.device},
                "move one to the other",
            )
    return context


def _home_of(name: str, x: Any) -> ArrayContext:
    """Return the library and device of one array."""
    backend = backend_of(x)
    if backend is None:
        raise _no_array(name, x)
    reason = None if backend.refuses is None else backend.refuses(x)
    if reason is not None:
        raise TypeError(f"{name} is {reason}")
    return ArrayContext(backend, x.device if backend.needs_device else None)


def as_array(door: Door, name: str, value: Any) -> Any:
    """Return a column as a NumPy or dask array, and an array, a number or a list as it is."""
    if type(value) is np.ndarray:
        return value
    if isinstance(value, PYTHON_VALUES):
        return _without_arrays(name, value) if isinstance(value, LISTS) else value
    if isinstance(value, np.ma.MaskedArray):
        kept = f"pass {name}.data, and mask=~np.ma.getmaskarray({name})"
        raise TypeError(
            f"{name} is a numpy masked array, whose mask would be lost; "
            f"{kept if 'mask=' in door.leave_out else 'leave out what is masked before'}"
        )
    if isinstance(value, np.ndarray):
        return np.asarray(value)  # np.matrix, a subclass, has another product
    if backend_of(value) is not None:
        if isinstance(getattr(value, "_meta", None), np.ma.MaskedArray):
            raise TypeError(f"{name} is a dask array of masked arrays, whose mask would be lost")
        return value
    if hasattr(value, "to_dask_array"):
        return value.to_dask_array()
    if hasattr(value, "__array__") and not isinstance(value, type):
        return in_memory(name, value)
    raise _no_array(name, value)


def _without_arrays(name: str, value: Any) -> Any:
    """Return a list as it is, or raise an error if it holds arrays of a library but NumPy."""
    for x in value if isinstance(value, list | tuple) else ():  # other sequences hold numbers alone
        if isinstance(x, LISTS):
            _without_arrays(name, x)
        backend = None if isinstance(x, PYTHON_VALUES) else backend_of(x)
        if backend not in (None, NUMPY):
            raise TypeError(
                f"{name} is a {type(value).__name__} of {backend.name} arrays; "
                f"stack them into one array first"
            )
    return value


def _numbers(name: str, value: Any) -> Any:
    host = parse.rectangular(name, value)
    if host.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers; found {host.dtype}")
    return host


def _no_array(name: str, x: Any) -> Exception:
    return TypeError(f"{name} must be an array, a list or a number; found {type(x).__name__}")


def _two_libraries(found: dict[str, Backend]) -> Exception:
    """Return the error of arrays of two libraries, by the names of the arguments."""
    (one, other), way_out = found, "move one to the other"
    if NUMPY in found.values():
        guest, host = (one, other) if found[one] is NUMPY else (other, one)
        way_out = f"give {found[host].written_from_numpy.format(guest, host)}"
    names = {name: backend.name for name, backend in found.items()}
    return _two(TypeError, "libraries", names, way_out)


def _two(error: type[Exception], what: str, found: dict[str, Any], way_out: str) -> Exception:
    each = ", ".join(f"{name} is {its}" for name, its in found.items())
    return error(f"arrays of two {what} in one call: {each}; {way_out}")
