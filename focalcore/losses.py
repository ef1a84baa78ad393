"""Losses as objects, for code that builds its loss once and calls it often."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Unpack, overload

import numpy as np

from . import _call
from ._backends import backend_of
from ._inputs import parse
from ._inputs.doors import Door
from ._losses import sigmoid, softmax
from ._losses.prepare import LossCall
from ._losses.sigmoid import SigmoidOptions
from ._losses.softmax import SoftmaxOptions
from ._typing import (
    TASKS,
    Array,
    ArrayLike,
    ArrayT,
    CallKeywords,
    HostArray,
    HostLike,
    Parameter,
    Reduction,
    Task,
)


@dataclass(frozen=True, eq=False)
class FocalLoss:
    """Focal loss of one of three tasks, callable on the arrays of any library.

    Immutable, comparable and hashable; the options are checked here, not at the first call. Of an
    array the numbers are kept; one whose numbers can't be seen (traced, lazy or on a GPU) is
    copied, one that learns is itself, and both are equal to themselves alone.

    Parameters
    ----------
    gamma : float or array, default 2.0
        The focusing parameter, >= 0.
    alpha : float or array, optional
        The class balance: in [0, 1] for "binary" and "multi-label", where positives weigh alpha and
        negatives 1 - alpha; per-class weights >= 0 for "multi-class". None: all weigh 1.
    reduction : {"mean", "sum", "none"}, default "mean"
        What becomes of the elements, or of the rows where the task is "multi-class".
    task_type : {"binary", "multi-class", "multi-label"}, default "binary"
        Independent logits, or classes that exclude each other, which lie on the last axis.
    num_classes : int, optional
        Length of the class axis, checked at each call. None: whatever it is.

    Raises
    ------
    TypeError, ValueError
        An option of the wrong kind or outside its range.

    See Also
    --------
    sigmoid_focal_loss, softmax_focal_loss : The functions, with every option.

    Examples
    --------
    >>> from focalcore import FocalLoss
    >>> criterion = FocalLoss(gamma=2, alpha=0.25, task_type="binary")
    >>> print(criterion([2.0, -1.0, 0.5, -2.0], [1, 0, 1, 0]).round(5))
    0.00892
    """

    gamma: ArrayLike = 2.0
    alpha: ArrayLike | None = None
    reduction: Reduction = "mean"
    task_type: Task = "binary"
    num_classes: int | None = None

    def __post_init__(self) -> None:
        parse.choose("task_type", self.task_type, TASKS)
        options = OPTIONS[self.task_type]
        options.parse("reduction", self.reduction)
        parsed = {
            "gamma": _frozen(options.parse("gamma", self.gamma)),
            "alpha": _frozen(options.parse("alpha", self.alpha)),
            "num_classes": parse.count("num_classes", self.num_classes),
        }
        for name, value in parsed.items():
            object.__setattr__(self, name, value)
        for name in ("gamma", "alpha"):
            n, entries = self.num_classes, _entries(getattr(self, name))
            if n is not None and entries not in (None, n):
                raise ValueError(f"{name} must be one number or {n}; found {entries}")

    @overload
    def __call__(
        self, logits: HostLike, targets: HostLike, **arrays: Unpack[CallKeywords]
    ) -> HostArray: ...
    @overload
    def __call__(
        self, logits: ArrayT | HostLike, targets: ArrayT | HostLike, **arrays: Unpack[CallKeywords]
    ) -> ArrayT: ...
    def __call__(
        self,
        logits: ArrayLike,
        targets: ArrayLike,
        *,
        mask: ArrayLike | None = None,
        weight: ArrayLike | None = None,
    ) -> Array:
        """Return the loss of logits against targets; `mask` and `weight` as for the functions."""
        door = DOORS[self.task_type]
        return _call.value(prepare_task(self, door, logits, targets, mask=mask, weight=weight))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FocalLoss) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Any, ...]:
        options = (getattr(self, field.name) for field in fields(self))
        return tuple(_key_of(option) for option in options)


DOORS = {
    "binary": Door(leave_out=("mask=",), for_classes="task_type='multi-class'"),
    "multi-class": Door(leave_out=("mask=",)),
    "multi-label": Door(leave_out=("mask=",), for_classes="task_type='multi-class'"),
}
OPTIONS: dict[str, Any] = {
    "binary": SigmoidOptions,
    "multi-class": SoftmaxOptions,
    "multi-label": SigmoidOptions,
}


def prepare_task(
    loss: Any, door: Door, logits: ArrayLike, targets: ArrayLike, **arrays: ArrayLike | None
) -> LossCall:
    """Return the loss and operands of an object that has the options of `FocalLoss`."""
    _check_classes(loss, door, logits)
    prepare: Any = softmax.prepare if loss.task_type == "multi-class" else sigmoid.prepare
    given = {"gamma": loss.gamma, "alpha": loss.alpha, "reduction": loss.reduction}
    return prepare(door, logits, targets, OPTIONS[loss.task_type](**given, **arrays))


def _frozen(parameter: Parameter) -> Parameter:
    """Return a parameter that nobody else can change: its numbers if they can be read, else a copy.

    One that is learned is returned as it is.
    """
    backend = None if _is_plain(parameter) else backend_of(parameter)
    if backend is None or getattr(parameter, "requires_grad", False):
        return parameter
    values = backend.host_values(parameter)
    if values is None:
        return backend.xp.asarray(parameter, copy=True)
    values = np.array(values)
    values.setflags(write=False)
    return parse.parameter("the values", values)  # a short array becomes a tuple


def _key_of(option: Any) -> Any:
    """Return what an option is compared by: its values, or its id where they can't be read."""
    if isinstance(option, np.ndarray):
        return option.dtype.str, option.shape, option.tobytes()
    return option if _is_plain(option) else id(option)


def _is_plain(option: Any) -> bool:
    return option is None or isinstance(option, (float, int, str, tuple))


def _check_classes(options: Any, door: Door, logits: Any) -> None:
    if options.num_classes is None or options.task_type == "binary":
        return
    shape = logits.shape if hasattr(logits, "shape") else np.shape(logits)
    if shape and shape[-1] != options.num_classes:
        raise ValueError(
            f"{door.scores} must have {options.num_classes} classes on the last axis; "
            f"found shape {tuple(shape)}"
        )


def _entries(parameter: Parameter) -> int | None:
    """Return how many numbers a list has, or None for one number or an array of several axes."""
    if isinstance(parameter, tuple):
        return len(parameter)
    return parameter.shape[0] if getattr(parameter, "ndim", 0) == 1 else None
