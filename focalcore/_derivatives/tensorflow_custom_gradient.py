"""TensorFlow's hook: a custom_gradient that gives the closed form along the logits.

What else learns (gamma, alpha, weights, soft targets) is differentiated through the formula, and so
are derivatives beyond the first, and all in forward mode, which takes no custom gradient. The
closed forms are computed from constants, by operations that need not be differentiable; of these no
tape keeps anything.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf
from tensorflow.python.eager.forwardprop_util import pack_tangents  # it has no public name

from .. import _execution
from .._backends.tensorflow import BACKEND, CLOSED_FORMS
from .._execution import plain
from .._losses.operands import Operands, Output
from .._losses.reduction import divided
from .._losses.spec import LossSpec
from .._typing import Array

Pull = Callable[[Array], Array | list[Array]]


def run(loss: LossSpec, operands: Operands, output: Output) -> Array:
    """Return the value of each element or row, or their sum, or mean by a denominator."""
    denominator, operands = operands.get("denominator"), operands.bind(denominator=None)
    operands = operands.with_arrays(map(tf.convert_to_tensor, operands.arrays.values()))
    if pack_tangents([*operands.arrays.values()]).tangents:
        (value,) = _execution.run(BACKEND, loss, operands, (output,))
    else:
        learned = _floating(operands)
        if output.has_slope:
            value, (_, *learned) = _along_logits(loss, operands, output), learned
        else:
            (value,) = _closed_forms(loss, operands, (output,))
        if learned:  # a tape records this 0 where one of them learns, and only there
            value += _through_formula(tf.zeros_like(value), learned, loss, operands, output)
    return divided(BACKEND.xp, value, denominator)


def _along_logits(loss: LossSpec, operands: Operands, output: Output) -> Array:
    """Return the value, whose gradient along the logits is the closed form."""

    @tf.custom_gradient  # type: ignore[untyped-decorator] # TensorFlow has no types
    def value_of(logits: Array) -> tuple[Array, Pull]:
        # a graph finds the slope with the value, and drops it where nobody asks
        outputs = (output,) if tf.executing_eagerly() else (output, Output.WIDE_GRAD)
        value, *slopes = _closed_forms(loss, operands, outputs)

        def pull(upstream: Array) -> Array:
            slope, *_ = slopes or _closed_forms(loss, operands, (Output.WIDE_GRAD,))
            slope = _through_formula(slope, _floating(operands), loss, operands, Output.WIDE_GRAD)
            if loss.axis is not None and not output.is_sum:
                upstream = tf.expand_dims(upstream, loss.axis)
            return tf.cast(tf.cast(upstream, slope.dtype) * slope, logits.dtype)

        return value, pull

    return value_of(operands.arrays["scores"])


def _closed_forms(
    loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]
) -> tuple[Array, ...]:
    constants = operands.with_arrays(map(tf.stop_gradient, operands.arrays.values()))
    return plain.looked(BACKEND, operands, plain.run(CLOSED_FORMS, loss, constants, outputs))


def _through_formula(
    value: Array, names: list[str], loss: LossSpec, operands: Operands, output: Output
) -> Array:
    """Return a value that is known, of which the formula gives the gradient along some arrays."""

    @tf.custom_gradient  # type: ignore[untyped-decorator] # TensorFlow has no types
    def known(*arrays: Array) -> tuple[Array, Pull]:
        def pull(upstream: Array) -> list[Array]:
            with tf.GradientTape() as tape:
                tape.watch(arrays)
                moved = operands.bind(**dict(zip(names, arrays, strict=True)))
                (found,) = plain.run(BACKEND.formula_xp, loss, moved, (output,))
            return tape.gradient(found, arrays, upstream, tf.UnconnectedGradients.ZERO)

        return value, pull

    return known(*(operands.arrays[name] for name in names))


def _floating(operands: Operands) -> list[str]:
    """Return the names of the arrays that can be differentiated, the logits first."""
    return [name for name, x in operands.arrays.items() if x.dtype.is_floating]
