"""The types in the package's annotations: arrays, namespaces, and the values of named options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypedDict, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from ._formulas.arrays import Array as Array
from ._formulas.arrays import Namespace as Namespace

HostArray = NDArray[Any]
Result = Any  # an array of the same library as the operands of the call
Library = Any  # a library's own namespace, unchanged
DType = Any
Device = Any
Length = Any  # of an axis: an int, or what a library puts there while it does not know it
Shape = tuple[Length, ...]


class Column(Protocol):
    """A column or a table of pandas, polars or pyarrow."""

    def __array__(self) -> HostArray: ...
    def to_numpy(self) -> Any: ...


HostLike = HostArray | np.generic | Column | Sequence[Any] | float  # is, or becomes, a NumPy array
ArrayLike = Array | HostLike
ArrayT = TypeVar("ArrayT", bound=Array)
Parameter = Any  # a parsed option: a float, nested tuples of floats, or an array

Reduction = Literal["none", "sum", "mean"]
SoftTargets = Literal["expected", "mixture", "hard"]
WorkersReduction = Literal["none", "sum", "mean", "mean_positive"]
Task = Literal["binary", "multi-class", "multi-label"]

REDUCTIONS: tuple[Reduction, ...] = get_args(Reduction)
SOFT_TARGETS: tuple[SoftTargets, ...] = get_args(SoftTargets)
WORKERS_REDUCTIONS: tuple[WorkersReduction, ...] = get_args(WorkersReduction)
TASKS: tuple[Task, ...] = get_args(Task)


class CallKeywords(TypedDict, total=False):
    """The options of a call of `FocalLoss`."""

    mask: ArrayLike | None
    weight: ArrayLike | None
    normalizer: float | Array | None


class LossKeywords(TypedDict, total=False):
    """The options that the focal losses from logits have in common."""

    mask: ArrayLike | None
    gamma: ArrayLike
    alpha: ArrayLike | None
    detach_factor: bool
    label_smoothing: float
    soft_targets: SoftTargets
    poly_epsilon: float | None
    ignore_index: int | None
    background: int | None
    reduction: Reduction
    normalizer: str | float | Array | None


class SigmoidKeywords(LossKeywords, total=False):
    """The options of `sigmoid_focal_loss`."""

    weight: ArrayLike | None
    pos_weight: ArrayLike | None
    class_axis: int | None


class SoftmaxKeywords(LossKeywords, total=False):
    """The options of `softmax_focal_loss`."""

    weight: ArrayLike | None
    axis: int


class MeanKeywords(TypedDict, total=False):
    """The options by which a loss beside the focal loss is masked, weighed and reduced."""

    mask: ArrayLike | None
    weight: ArrayLike | None
    reduction: Reduction
    normalizer: str | float | Array | None


class ModulatedKeywords(MeanKeywords, total=False):
    """The same of a loss that has a modulating factor."""

    detach_factor: bool


class LinearKeywords(LossKeywords, total=False):
    """The options of `linear_softmax_focal_loss`, in which `weight` is the classifier's."""

    sample_weight: ArrayLike | None
    chunk_rows: int | Literal["auto"]


class BinaryKeywords(TypedDict, total=False):
    """The options of `binary_focal_loss` that are given by name alone."""

    pos_weight: ArrayLike | None
    from_logits: bool
    label_smoothing: float | None
    alpha: ArrayLike | None
    eps: float | None
    detach_factor: bool
    sample_weight: ArrayLike | None


class DistributionKeywords(TypedDict, total=False):
    """The options of `categorical_focal_loss` that are given by name alone."""

    alpha: ArrayLike | None
    soft_targets: SoftTargets
    label_smoothing: float
    from_logits: bool
    axis: int
    eps: float | None
    detach_factor: bool
    sample_weight: ArrayLike | None


class CategoricalKeywords(TypedDict, total=False):
    """The options of `sparse_categorical_focal_loss` that are given by name alone."""

    class_weight: ArrayLike | None
    from_logits: bool
    axis: int
    eps: float | None
    detach_factor: bool
    sample_weight: ArrayLike | None


class PosteriorKeywords(TypedDict, total=False):
    """The options that the maps of scores have in common."""

    gamma: ArrayLike
    alpha: ArrayLike | None


class SigmoidPosteriorKeywords(PosteriorKeywords, total=False):
    """The options of `sigmoid_focal_posterior` and of its inverse."""

    pos_weight: ArrayLike | None


class SoftmaxPosteriorKeywords(PosteriorKeywords, total=False):
    """The options of `softmax_focal_posterior` and of its inverse."""

    axis: int
