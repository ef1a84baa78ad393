"""Where the arrays of a call lie in memory, as far as a kernel has to know it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from .._losses.operands import Operands, Output
from .._losses.reduction import dtype_of
from .._losses.spec import LossSpec
from .program import Array, Request, split
from .symbols import Over
from .trace import Trace
from .writer import SIZES

Shape = tuple[int, ...]
PlanT = TypeVar("PlanT")
MOST_PLANS = 1024  # that are known at a time


class Layout(NamedTuple):
    """How an array lies in memory; strides are in bytes."""

    name: str
    dtype: str
    shape: Shape
    strides: tuple[int, ...]


class Call(NamedTuple):
    """What plans are looked up by."""

    loss: LossSpec
    outputs: tuple[Output, ...]
    constants: tuple[tuple[str, float], ...]
    numbers: tuple[str, ...]
    layouts: tuple[Layout, ...]  # the logits are the first

    @staticmethod
    def of(
        loss: LossSpec,
        operands: Operands,
        outputs: tuple[Output, ...],
        layout: Callable[[str, Any], Layout | None],
    ) -> tuple[Call, dict[str, float]] | None:
        """Return a call and its numbers, or None where there is no kernel to read its operands.

        What tells how an array lies is given its name among the operands.
        """
        found = [layout(name, x) for name, x in operands.arrays.items()]
        layouts = tuple([each for each in found if each is not None])
        if not loss.has_kernel or len(layouts) < len(found):
            return None
        constants, numbers = split(operands.numbers)
        return Call(loss.anywhere, outputs, constants, tuple(numbers), layouts), numbers

    @property
    def shape(self) -> Shape:
        """Return the shape of the logits."""
        return self.layouts[0].shape

    @property
    def rows(self) -> int:
        """Return the number of rows, or of independent elements."""
        return math.prod(self.loss.rows_of(self.shape))

    @property
    def classes(self) -> int:
        """Return the number of classes, 1 where the elements are independent."""
        return 1 if self.loss.axis is None else self.shape[self.loss.axis]

    def request(self, operands: Iterable[tuple[Array, Place]]) -> Request:
        """Return what is asked of the kernel of a call with these operands."""
        arrays = tuple(array for array, _ in operands)
        return Request(self.loss, self.constants, self.numbers, self.outputs, arrays)

    def operands(self) -> tuple[tuple[Array, Place], ...]:
        """Return the operands, and where they lie."""
        found = []
        for layout in self.layouts:
            place = _operand(self.loss, layout, self.shape)
            found.append((Array(layout.name, layout.dtype, place.over), place))
        return tuple(found)

    def made(self) -> tuple[tuple[Shape | None, str, Place | None], ...]:
        """Return the outputs: the shape, the type, and where it lies in C order; a sum has none."""
        found: list[tuple[Shape | None, str, Place | None]] = []
        for output in self.outputs:
            dtype = dtype_of(Trace, output, self.layouts[0].dtype)
            if output.is_sum:
                found.append((None, dtype, None))
                continue
            shape = self.loss.shape_of(output, self.shape)
            is_like = output.is_like_scores and self.loss.axis is not None
            layout = Layout("", dtype, shape, _strides(shape, dtype))
            place = _place(self.loss, layout, Over.CLASS if is_like else Over.ROW)
            found.append((shape, dtype, place))
        return tuple(found)


class Arguments(NamedTuple):
    """The arguments of a kernel, with 0 in place of what each call has of its own."""

    values: tuple[Any, ...]
    pointers: tuple[int, ...]  # which are the pointers of operands, and then of outputs
    numbers: slice  # which are numbers

    @staticmethod
    def of(
        first: Sequence[int],
        placed: Iterable[tuple[int, ...]],
        n_numbers: int,
        stored: Iterable[tuple[int, ...]],
    ) -> Arguments:
        """Return some arguments, and after these what says where operands and outputs lie."""
        values: list[Any] = list(first)
        pointers = _append(values, placed)
        numbers = slice(len(values), len(values) + n_numbers)
        values += [0.0] * n_numbers
        pointers += _append(values, stored)
        return Arguments(tuple(values), tuple(pointers), numbers)

    def filled(self, pointers: Sequence[int], numbers: Sequence[float]) -> list[Any]:
        """Return the arguments of a call."""
        values = list(self.values)
        for i, pointer in zip(self.pointers, pointers, strict=True):
            values[i] = pointer
        values[self.numbers] = numbers
        return values


def _append(values: list[Any], described: Iterable[tuple[int, ...]]) -> list[int]:
    pointers = []
    for place in described:
        pointers.append(len(values))
        values += [0, *place]
    return pointers


def planned(known: dict[Call, PlanT], call: Call, make: Callable[[Call], PlanT]) -> PlanT:
    """Return the plan of a call, made where it is not known."""
    with contextlib.suppress(KeyError):  # another thread may clear what is known at any time
        return known[call]
    plan = make(call)
    if len(known) >= MOST_PLANS:
        known.clear()
    known[call] = plan
    return plan


class Place(NamedTuple):
    """Where the rows, or elements, of an array lie, and how far apart the classes are."""

    over: Over
    axes: tuple[tuple[int, int], ...] = ()  # length and stride in bytes; neighbours are joined
    step: tuple[int, ...] = ()  # from class to class, for what has one for each class
    size: int = 1  # bytes of an element

    @property
    def is_dense(self) -> bool:
        """Tell whether one row, or element, follows the other."""
        return not self.axes or (len(self.axes) == 1 and self.axes[0][1] == self.size)


def _operand(loss: LossSpec, layout: Layout, shape: Shape) -> Place:
    is_scores = layout.name == "scores"
    if not is_scores and math.prod(layout.shape) == 1:
        return Place(Over.ALL)
    is_per_row = loss.is_per_row(layout.name)
    onto = loss.rows_of(shape) if is_per_row else shape
    missing = len(onto) - len(layout.shape)
    strides = (0,) * missing + tuple(
        0 if n == 1 else s for n, s in zip(layout.shape, layout.strides, strict=True)
    )
    over = Over.ROW if loss.axis is None or is_per_row else Over.CLASS
    return _place(loss, layout._replace(shape=onto, strides=strides), over)


def _place(loss: LossSpec, layout: Layout, over: Over) -> Place:
    axes = list(zip(layout.shape, layout.strides, strict=True))
    step: tuple[int, ...] = ()
    if over is Over.CLASS:
        step = (axes.pop(loss.axis)[1],)  # type: ignore[arg-type]
    return Place(over, tuple(_joined(axes)), step, SIZES[layout.dtype])


def _joined(axes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return axes without those of length 1, and neighbours that are one axis joined."""
    joined: list[tuple[int, int]] = []
    for n, stride in axes:
        if n == 1:
            continue
        if joined and joined[-1][1] == stride * n:
            joined[-1] = (joined[-1][0] * n, stride)
        else:
            joined.append((n, stride))
    return joined


def _strides(shape: Shape, dtype: str) -> tuple[int, ...]:
    """Return the strides of an array in C order."""
    steps, step = [], SIZES[dtype]
    for n in reversed(shape):
        steps.append(step)
        step *= n
    return tuple(reversed(steps))
