"""Losses as objects, for code that builds its loss once and calls it often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._options import (
    REDUCTIONS,
    TASKS,
    Parameter,
    choose,
    parse_alpha,
    parse_count,
    parse_gamma,
)
from .functional import sigmoid_focal_loss, softmax_focal_loss

Array = Any


@dataclass(frozen=True)
class FocalLoss:
    """Focal loss of one of three tasks, callable on the arrays of any library.

    Immutable; the options are checked here, not at the first call.

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

    gamma: Parameter = 2.0
    alpha: Parameter | None = None
    reduction: str = "mean"
    task_type: str = "binary"
    num_classes: int | None = None

    def __post_init__(self) -> None:
        choose("reduction", self.reduction, REDUCTIONS)
        choose("task_type", self.task_type, TASKS)
        parse_count("num_classes", self.num_classes)
        most = float("inf") if self.task_type == "multi-class" else 1.0
        object.__setattr__(self, "gamma", parse_gamma(self.gamma))
        object.__setattr__(self, "alpha", parse_alpha(self.alpha, most=most))
        for name in ("gamma", "alpha"):
            n, entries = self.num_classes, _entries(getattr(self, name))
            if n is not None and entries not in (None, n):
                raise ValueError(f"{name} must be one number or {n}; found {entries}")

    def __call__(self, logits: Any, targets: Any, *, mask: Any = None, weight: Any = None) -> Array:
        """The loss of logits against targets; `mask` and `weight` as for the functions."""
        return loss_of_task(self, logits, targets, mask=mask, weight=weight)


def loss_of_task(
    options: Any, logits: Any, targets: Any, *, mask: Any = None, weight: Any = None
) -> Array:
    """The loss that an object's options name, which are those of `FocalLoss`."""
    _check_classes(options, logits)
    return LOSSES[options.task_type](
        logits,
        targets,
        gamma=options.gamma,
        alpha=options.alpha,
        mask=mask,
        weight=weight,
        reduction=options.reduction,
    )


LOSSES: dict[str, Callable[..., Array]] = {
    "binary": sigmoid_focal_loss,
    "multi-class": softmax_focal_loss,
    "multi-label": sigmoid_focal_loss,
}


def _check_classes(options: Any, logits: Any) -> None:
    shape = np.shape(logits) if isinstance(logits, list | tuple) else logits.shape
    if options.num_classes is None or options.task_type == "binary" or not shape:
        return
    if shape[-1] != options.num_classes:
        raise ValueError(
            f"logits must have {options.num_classes} classes on the last axis; "
            f"found shape {tuple(shape)}"
        )


def _entries(parameter: Parameter) -> int | None:
    """How many numbers a list has; None for one number, or an array of several axes."""
    is_list = isinstance(parameter, tuple) or getattr(parameter, "ndim", 0) == 1
    return len(parameter) if is_list else None
