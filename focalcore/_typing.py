"""The types that the package speaks of: arrays, namespaces, and the names of choices."""

from __future__ import annotations

from typing import Any, Literal, TypedDict, get_args

Array = Any
Namespace = Any
DType = Any
Device = Any
Length = Any  # of an axis: an int, or what a library has in place of one that it does not know
Shape = tuple[Length, ...]
ArrayLike = Any  # an array, a column, a list, a number
Parameter = Any  # parsed: a float, nested tuples of floats, or an array

Reduction = Literal["none", "sum", "mean"]
SoftTargets = Literal["expected", "mixture", "hard"]
WorkersReduction = Literal["none", "sum", "mean", "mean_positive"]
Task = Literal["binary", "multi-class", "multi-label"]

REDUCTIONS: tuple[Reduction, ...] = get_args(Reduction)
SOFT_TARGETS: tuple[SoftTargets, ...] = get_args(SoftTargets)
WORKERS_REDUCTIONS: tuple[WorkersReduction, ...] = get_args(WorkersReduction)
TASKS: tuple[Task, ...] = get_args(Task)


class Keywords(TypedDict, total=False):
    """The options that the losses from logits have in common, for type checkers."""

    gamma: float | ArrayLike
    alpha: float | ArrayLike | None
    label_smoothing: float
    soft_targets: SoftTargets
    ignore_index: int | None
    mask: ArrayLike | None
    weight: ArrayLike | None
    reduction: Reduction
    normalizer: str | float | Array | None


class SigmoidKeywords(Keywords, total=False):
    """The options of `sigmoid_focal_loss`."""

    pos_weight: float | ArrayLike | None


class SoftmaxKeywords(Keywords, total=False):
    """The options of `softmax_focal_loss`."""

    axis: int
