"""The backend of TensorFlow: its functions, by the names of the array API standard."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import tensorflow as tf

from .._typing import Array, DType
from .backend import Backend
from .namespaces import Namespace, autodiff_safe


def astype(x: Array, dtype: DType, *, copy: bool = True) -> Array:  # noqa: ARG001 - the API's
    """Return the array in a dtype."""
    return tf.convert_to_tensor(tf.cast(x, dtype))  # a variable is no array


def asarray(
    x: Any,
    *,
    dtype: DType = None,
    device: Any = None,  # noqa: ARG001 - TensorFlow places it
    copy: bool | None = None,  # noqa: ARG001 - its tensors never change, and variables are read
) -> Array:
    """Return a value as a tensor."""
    return tf.convert_to_tensor(x, dtype=dtype)


def arange(stop: int, *, dtype: DType, device: Any) -> Array:  # noqa: ARG001
    """Return the integers from 0 up to, but not including, ``stop``."""
    return tf.range(stop, dtype=dtype)


def argmax(x: Array, *, axis: int, keepdims: bool) -> Array:  # noqa: ARG001 - it is always asked
    """Return the index of the largest element along an axis, which is kept with length 1."""
    return tf.expand_dims(tf.argmax(x, axis=axis), axis=axis)


def where(condition: Any, a: Any, b: Any) -> Array:
    """Return a or b, by the condition; a number takes the dtype of the other, in a graph too."""
    dtype = next((x.dtype for x in (a, b) if tf.is_tensor(x)), None)
    a, b = (tf.convert_to_tensor(x, dtype=dtype) for x in (a, b))
    if condition.shape.is_fully_defined() and condition.shape == a.shape == b.shape:
        return tf.raw_ops.Select(condition=condition, x=a, y=b)  # twice as fast: no broadcasting
    return tf.where(condition, a, b)


def broadcast_to(x: Array, shape: Any) -> Array:
    """Return the array in a shape, where a length that is not known yet is taken for its own."""
    if tuple(x.shape) == tuple(shape):
        return x
    if None in shape:
        raise ValueError(
            f"TensorFlow does not know the shape {tuple(shape)} yet, to broadcast {x.shape} to; "
            f"give an array of the full shape"
        )
    return tf.broadcast_to(x, shape)


def broadcast_arrays(x: Array, y: Array) -> list[Array]:
    """Return two arrays in their common shape."""
    shape = tf.broadcast_dynamic_shape(tf.shape(x), tf.shape(y))
    both = tf.broadcast_static_shape(x.shape, y.shape)
    return [tf.ensure_shape(tf.broadcast_to(a, shape), both) for a in (x, y)]


def take(x: Array, indices: Array, *, axis: int) -> Array:
    """Return the entries of these indices along an axis."""
    return tf.gather(x, indices, axis=axis)


def finfo(dtype: DType) -> Any:
    """Return the limits of a floating dtype."""
    return np.finfo(dtype.as_numpy_dtype)


OWN = (astype, asarray, arange, argmax, where, broadcast_to, broadcast_arrays, finfo)
SAME = (
    *("abs", "exp", "maximum", "minimum", "pow", "sqrt"),
    *("expand_dims", "ones_like", "reshape", "squeeze", "zeros_like"),
    *("float32", "float64", "int32", "int64"),
)


# XLA's CPU compiler calls exp and log1p for one number after the other where a loop has nothing but
# them, and for a vector at a time where there is a constant, even one that changes nothing. Without
# XLA it keeps exp from being joined with the minus before it, which takes longer than both.


def _exp(x: Array) -> Array:
    return tf.exp(tf.minimum(x, x.dtype.max))


def _log1p(x: Array) -> Array:
    return tf.math.log1p(tf.maximum(x, -1.0))


def _total(x: Array) -> Array:
    # XLA's CPU compiler adds one by one: of ten million in float32 it would lose half a percent
    return tf.reduce_sum(tf.cast(x, tf.float64) if x.dtype.is_floating else x)


def _log_of_complement(p: Array, least: float) -> Array:
    return tf.maximum(_log1p(-p), np.log(least) if least else -np.inf)


_FUNCTIONS = SimpleNamespace(
    any=tf.reduce_any,
    clip=tf.clip_by_value,
    empty=tf.zeros,
    inf=np.inf,
    isinf=tf.math.is_inf,
    log=tf.math.log,
    log1p=tf.math.log1p,
    max=tf.reduce_max,
    nan=np.nan,
    sum=tf.reduce_sum,
    **{name: getattr(tf, name) for name in SAME},
    **{function.__name__: function for function in OWN},
)
# for what nobody differentiates, in the fewest operations: each is a pass over memory
CLOSED_FORMS = Namespace(
    _FUNCTIONS,
    exp=_exp,
    log1p=_log1p,
    log_of_complement=_log_of_complement,
    one_plus_and_lost=lambda e: (1 + e, None),  # exp and log1p lose more
    quotient=lambda a, b, _: tf.math.divide_no_nan(a, b),  # what is denormal is 0 here
    share_of=tf.math.multiply_no_nan,
    total=_total,
)
DIFFERENTIABLE = autodiff_safe(
    _FUNCTIONS,
    stop_gradient=tf.stop_gradient,
    total=_total,
    broadcast_arrays=broadcast_arrays,
    bool=tf.bool,
    take=take,
)


def _host_values(x: Any) -> Any:
    is_eager = tf.executing_eagerly() and hasattr(x, "numpy")
    return x.numpy() if is_eager and "CPU" in x.device else None


BACKEND = Backend(
    "tensorflow",
    DIFFERENTIABLE,
    DIFFERENTIABLE,
    host_values=_host_values,
    from_numpy=tf.convert_to_tensor,
    written_cast="tf.cast({}, tf.{})",
    convert_scores=tf.convert_to_tensor,
    differentiator="tensorflow_custom_gradient",
)
