"""Labels of any kind as the numbers of their classes, and what the classes weigh."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .._typing import Array, Library

Weights = Mapping[Any, float] | str | None


class Labels(NamedTuple):
    """The number of each row's class, in the array library of the predictions."""

    xp: Library
    classes: Any  # the labels themselves, sorted
    codes: Array

    @property
    def n_classes(self) -> int:
        """Return how many classes there are."""
        return int(self.classes.shape[0])

    def masses(self, weight: Array | None) -> list[float]:
        """Return how many rows each class has, or what these weigh."""
        xp = self.xp
        own = [self.codes == code for code in range(self.n_classes)]
        if weight is None:
            return [float(xp.sum(xp.astype(rows, xp.int64))) for rows in own]
        return [float(xp.sum(xp.where(rows, weight, xp.zeros_like(weight)))) for rows in own]

    def each(self, of_classes: list[float], like: Array) -> Array:
        """Return a number for each row, of those of the classes, in the dtype of an array."""
        device = getattr(like, "device", None)
        numbers = self.xp.asarray(of_classes, dtype=like.dtype, device=device)
        return self.xp.take(numbers, self.codes, axis=0)

    def named(self) -> list[Any]:
        """Return the classes as Python's values."""
        found: list[Any] = self.classes.tolist()
        return found


def encoded(xp: Library, y_true: Array, labels: Array | None) -> Labels:
    """Return labels as numbers, or raise an error at one that is not among ``labels``."""
    classes = xp.unique_values(y_true if labels is None else labels)
    if classes.shape[0] < 2:
        found = classes.tolist()
        if labels is not None:
            raise ValueError(f"labels must be two classes or more; found {found}")
        raise ValueError(
            f"y_true must have two classes or more; found {found}: give all classes as labels="
        )
    codes = xp.searchsorted(classes, y_true)
    codes = xp.where(codes < classes.shape[0], codes, xp.zeros_like(codes))
    is_unknown = xp.take(classes, codes, axis=0) != y_true
    if xp.any(is_unknown):
        row = int(xp.argmax(xp.astype(is_unknown, xp.int32)))
        raise ValueError(
            f"y_true must be among labels={classes.tolist()}; found {y_true[row].tolist()!r} in "
            f"row {row}"
        )
    return Labels(xp, classes, codes)


def class_weights(given: Weights, labels: Labels, name: str = "class_weight") -> list[float] | None:
    """Return what each class weighs: by its label, or "balanced", as n / (C n_c)."""
    if given is None:
        return None
    if isinstance(given, str):
        if given != "balanced":
            raise ValueError(f"{name} must be a dict, 'balanced' or None; found {given!r}")
        masses = labels.masses(None)
        return [sum(masses) / (labels.n_classes * m) if m else 0.0 for m in masses]
    if not isinstance(given, Mapping):
        raise TypeError(
            f"{name} must be a dict of a weight for each label, 'balanced' or None; found "
            f"{type(given).__name__}"
        )
    classes = labels.named()
    unknown = [label for label in given if label not in classes]
    if unknown:
        raise ValueError(f"{name} has the label {unknown[0]!r}, which is not among {classes}")
    return [float(given.get(label, 1.0)) for label in classes]
