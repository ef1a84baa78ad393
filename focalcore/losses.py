"""Losses as objects, for code that builds its loss once and calls it often."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, fields
from functools import partial
from typing import Any, Unpack, overload

import numpy as np

from . import _call
from ._backends import backend_of
from ._backends.libraries import register_pytree
from ._inputs import parse
from ._inputs.doors import Door
from ._losses import sigmoid, softmax
from ._losses.prepare import Recipe
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
    SoftTargets,
    Task,
)


@dataclass(frozen=True, eq=False, repr=False)
class FocalLoss:
    """Focal loss of one of three tasks, callable on the arrays of any library.

    Immutable, comparable and hashable; the options are checked here, not at the first call. Arrays
    among them are kept as their numbers; where these can't be seen (traced, lazy or on a GPU) as a
    copy; and where they learn, or are those of JAX, as they are. To JAX a loss is a pytree, whose
    leaves are the arrays of JAX among its options; numbers are part of its structure.

    Parameters
    ----------
    gamma : float or array, default 2.0
        The focusing parameter, >= 0.
    alpha : float or array, optional
        The class balance: in [0, 1] for "binary" and "multi-label", where positives weigh alpha and
        negatives 1 - alpha; per-class weights >= 0 for "multi-class". None: all weigh 1.
    reduction : {"mean", "sum", "none"}, default "mean"
        Whether to return the mean or the sum of the losses, or each: of rows where the task is
        "multi-class", else of elements.
    task_type : {"binary", "multi-class", "multi-label"}, default "binary"
        Independent logits, or classes that exclude each other.
    num_classes : int, optional
        Length of the class axis, checked at each call. None: whatever it is.
    pos_weight, class_axis : optional
        As for `sigmoid_focal_loss`; of the tasks "binary" and "multi-label".
    axis : int, default -1
        The class axis; of the task "multi-class".
    background, label_smoothing, soft_targets, poly_epsilon, ignore_index : optional
        As for the functions.
    normalizer, detach_factor : optional
        As for the functions.

    Raises
    ------
    TypeError, ValueError
        An option of the wrong kind or outside its range, or that the task does not have.

    See Also
    --------
    sigmoid_focal_loss, softmax_focal_loss : The functions, which say what each option means.

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
    _: KW_ONLY
    pos_weight: ArrayLike | None = None
    class_axis: int | None = None
    axis: int = -1
    background: int | None = None
    label_smoothing: float = 0.0
    soft_targets: SoftTargets = "expected"
    poly_epsilon: float | None = None
    ignore_index: int | None = None
    normalizer: str | Array | float | None = None
    detach_factor: bool = False

    def __post_init__(self) -> None:
        parse.choose("task_type", self.task_type, TASKS)
        parsed = {name: _frozen(value) for name, value in _parsed_options(self).items()}
        parsed["num_classes"] = parse.count("num_classes", self.num_classes)
        for name, value in parsed.items():
            object.__setattr__(self, name, value)
        n = self.num_classes
        for name in ("gamma", "alpha"):
            entries = _entries(getattr(self, name))
            if n is not None and entries not in (None, n):
                raise ValueError(
                    f"{name} must be one number, or {n}, one for each class; found {entries}"
                )
        register_pytree(FocalLoss, _flattened, _unflattened)

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
        normalizer: Array | float | None = None,
    ) -> Array:
        """Return the loss of logits against targets.

        `mask` and `weight` are those of the functions; `normalizer`, a number, is what this mean
        divides by.
        """
        at_call: dict[str, Any] = {"mask": mask, "weight": weight}
        if normalizer is not None:
            at_call["normalizer"] = parse.at_call("normalizer", normalizer)
        recipe = asked(self, RECIPES[self.task_type], logits, **at_call)
        return _call.call(_call.value, recipe, logits, targets, recipe.options)

    def __repr__(self) -> str:
        shown = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in fields(self)
            if not field.kw_only or not _is_default(getattr(self, field.name), field.default)
        ]
        return f"FocalLoss({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FocalLoss) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Any, ...]:
        options = (getattr(self, field.name) for field in fields(self))
        return tuple(_key_of(option) for option in options)


BINARY = sigmoid.RECIPE._replace(
    door=sigmoid.RECIPE.door._replace(for_classes="task_type='multi-class'")
)
RECIPES = {"binary": BINARY, "multi-class": softmax.RECIPE, "multi-label": BINARY}


def asked(loss: Any, recipe: Recipe, logits: ArrayLike, **at_call: Any) -> Recipe:
    """Return the recipe of one call, with the options of an object that has those of `FocalLoss`.

    The options are yet unchecked; with them go those of the call.
    """
    _check_classes(loss, recipe.door, logits)
    names = (name for name in recipe.options.names if name not in ("mask", "weight"))
    options = {name: getattr(loss, name) for name in names}
    return recipe._replace(options=partial(recipe.options, **options | at_call))


def _parsed_options(loss: FocalLoss) -> dict[str, Any]:
    """Return the options of a loss, parsed, if its task has them and they fit each other."""
    options, parsed = RECIPES[loss.task_type].options, {}
    for field in fields(FocalLoss):
        name, value = field.name, getattr(loss, field.name)
        if name in options.names:
            parsed[name] = options.parse(name, value)
        elif name not in ("task_type", "num_classes") and not _is_default(value, field.default):
            raise ValueError(
                f"{name} is no option of task_type={loss.task_type!r}; found {value!r}, "
                f"leave it out"
            )
    options(**parsed, weight=1.0)  # weights come with the call
    return parsed


def _is_default(value: Any, default: Any) -> bool:
    return value is default or (type(value) is type(default) and value == default)


def _frozen(parameter: Parameter) -> Parameter:
    """Return a parameter that nobody else can change: its numbers if they can be read, else a copy.

    One that is learned, or that can't be changed, is returned as it is.
    """
    backend = None if _is_plain(parameter) else backend_of(parameter)
    if backend is None or backend.is_immutable or getattr(parameter, "requires_grad", False):
        return parameter
    values = backend.host_values(parameter)
    if values is None:
        return backend.xp.asarray(parameter, copy=True)
    values = np.array(values)
    values.setflags(write=False)
    return parse.parameter("the values", values)  # a short array becomes a tuple


def _key_of(option: Any) -> Any:
    """Return what an option is compared by: its values, or its id where they can't be read."""
    if _is_plain(option):
        return option
    is_learned = getattr(option, "requires_grad", False)
    backend = None if is_learned else backend_of(option)
    seen = None if backend is None else backend.host_values(option)
    return id(option) if seen is None else (seen.dtype.str, seen.shape, seen.tobytes())


def _is_plain(option: Any) -> bool:
    return option is None or isinstance(option, (float, int, str, tuple))


def _check_classes(loss: Any, door: Door, logits: Any) -> None:
    n, axis = loss.num_classes, _axis_of(loss)
    if n is None or axis is None:
        return
    shape = logits.shape if hasattr(logits, "shape") else np.shape(logits)
    if -len(shape) <= axis < len(shape) and shape[axis] != n:
        place = "the last axis" if axis == -1 else f"axis {axis}"
        raise ValueError(
            f"{door.scores} must have {n} classes on {place}; found shape {tuple(shape)}"
        )


def _axis_of(loss: Any) -> int | None:
    """Return the axis of the classes, or None where there is none."""
    axis: int | None = loss.axis if loss.task_type == "multi-class" else loss.class_axis
    return -1 if axis is None and loss.task_type == "multi-label" else axis


def _entries(parameter: Parameter) -> int | None:
    """Return how many numbers a list has, or None for one number or several axes."""
    if isinstance(parameter, tuple):
        return len(parameter) if np.ndim(parameter) == 1 else None
    return parameter.shape[0] if getattr(parameter, "ndim", 0) == 1 else None


def _flattened(loss: FocalLoss) -> tuple[list[Any], tuple[tuple[str, ...], FocalLoss]]:
    """Return the arrays of JAX among the options; their names, and the loss without them."""
    values = {field.name: getattr(loss, field.name) for field in fields(loss)}
    names = tuple(
        name for name, x in values.items() if not (_is_plain(x) or isinstance(x, np.ndarray))
    )
    return [values[name] for name in names], (names, _with(loss, dict.fromkeys(names)))


def _unflattened(rest: tuple[tuple[str, ...], FocalLoss], leaves: Any) -> FocalLoss:
    names, loss = rest
    return _with(loss, dict(zip(names, leaves, strict=True)))


def _with(loss: FocalLoss, options: dict[str, Any]) -> FocalLoss:
    """Return a loss with other options, which may be what JAX puts in the place of arrays."""
    made = object.__new__(FocalLoss)
    made.__dict__.update(loss.__dict__ | options)
    return made
