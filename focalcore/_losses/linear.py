"""The softmax loss of logits that a classifier makes of hidden features, some rows at a time.

The logits of all rows never exist: what prepares the loss is shown a stand-in of their shape and
type. Among the operands hidden features take the place of the scores, whose rows they have.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, ClassVar, Literal, NamedTuple

from .._inputs import parse
from .._inputs.arrays import ArrayContext
from .._inputs.doors import LINEAR
from .._inputs.options import fixed, option, options
from .._typing import Array, ArrayLike, Library, Reduction, Shape
from . import softmax
from .operands import Operands, Output
from .prepare import LossCall
from .softmax import Softmax, SoftmaxOptions
from .spec import LossSpec

LEAST = 2**25  # bytes of a chunk's logits, from which on malloc gives back what is freed, at once


@options
class LinearOptions(SoftmaxOptions):
    """The options of the softmax loss, with its classes on the last axis, and of the chunks."""

    called: ClassVar[dict[str, str]] = {"weight": "sample_weight"}
    axis: int = fixed(-1)
    chunk_rows: int | Literal["auto"] = option("auto", parse.rows)


class Classifier(NamedTuple):
    """What makes the logits ``hidden @ weight.T + bias``."""

    hidden: Any
    weight: Any
    bias: Any

    @property
    def shape(self) -> Shape:
        """Return the shape of the logits."""
        return (*self.hidden.shape[:-1], self.weight.shape[0])


class LinearCall(NamedTuple):
    """A loss as `LossCall` has it, and the number of rows whose logits exist at a time.

    The operands have their rows on the first axis, or a length of 1 there, or no axes.
    """

    context: ArrayContext
    loss: LossSpec
    operands: Operands
    reduction: Reduction
    divide_by: Output | None
    rows: Shape  # of the value where nothing is summed up
    chunk_rows: int

    def of_logits(self, logits: Array) -> LossCall:
        """Return the call of the loss alone."""
        _, operands = taken_apart(self.operands)
        arrays = {"scores": logits} | operands.arrays
        operands = replace(operands, arrays=arrays)
        return LossCall(self.context, self.loss, operands, self.reduction, self.divide_by)


def prepare(
    classifier: Classifier, stand_in: Any, targets: ArrayLike, options: LinearOptions
) -> LinearCall:
    """Return the loss, whose logits a classifier makes, and its operands on one axis of rows."""
    call = softmax.prepare(LINEAR, stand_in, targets, options)
    xp, (*rows, _) = call.context.xp, classifier.shape
    assert isinstance(call.loss, Softmax)
    hidden, weight, bias = classifier
    number = math.prod(rows)
    others = {
        name: _on_one_axis(xp, x, tuple(rows), 0 if call.loss.is_per_row(name) else 1)
        for name, x in call.operands.arrays.items()
        if name != "scores"
    }
    arrays = {
        "scores": xp.reshape(hidden, (number, weight.shape[1])),
        "classifier": weight,
    } | others
    if bias is not None:
        arrays["bias"] = bias
    return LinearCall(
        call.context,
        replace(call.loss, axis=1),
        replace(call.operands, arrays=arrays),
        call.reduction,
        call.divide_by,
        tuple(rows),
        rows_at_once(options.chunk_rows, number, weight),
    )


def taken_apart(operands: Operands) -> tuple[Classifier, Operands]:
    """Return the classifier among operands, and the others."""
    arrays = dict(operands.arrays)
    hidden, weight = arrays.pop("scores"), arrays.pop("classifier")
    return Classifier(hidden, weight, arrays.pop("bias", None)), replace(operands, arrays=arrays)


def rows_at_once(chunk_rows: int | Literal["auto"], rows: int, weight: Any) -> int:
    """Return how many rows a chunk has.

    "auto": its logits and their gradient take at most half of what the weight takes, unless that
    is little.
    """
    if chunk_rows == "auto":
        classes, features = weight.shape
        most = max(features // 4, -(-LEAST // (classes * weight.dtype.itemsize)))
    else:
        most = chunk_rows
    return min(most, max(rows, 1))


def _on_one_axis(xp: Library, x: Array, rows: Shape, more: int) -> Array:
    """Return an operand whose axes of rows are one; ``more`` tells how many axes lie behind."""
    if len(rows) == 1 or x.ndim < more or (rows and x.ndim == 0):
        return x
    own, rest = tuple(x.shape[: x.ndim - more]), tuple(x.shape[x.ndim - more :])
    if math.prod(own) == 1:  # the same for all rows
        return xp.reshape(x, (1, *rest))
    return xp.reshape(xp.broadcast_to(x, (*rows, *rest)), (math.prod(rows), *rest))
