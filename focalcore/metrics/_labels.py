"""Labels of any kind as the numbers of their classes, and what the classes weigh."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from .._typing import HostArray
from ..evaluation.arrays import column, labels_on_host, places_among

Weights = Mapping[Any, float] | str | None


class Labels(NamedTuple):
    """The number of each row's class, in the host's memory."""

    classes: HostArray  # the labels themselves, sorted
    codes: HostArray

    @property
    def n_classes(self) -> int:
        """Return how many classes there are."""
        return len(self.classes)

    def masses(self, weight: HostArray | None) -> list[float]:
        """Return how many rows each class has, or what these weigh."""
        found: list[float] = np.bincount(self.codes, weight, self.n_classes).tolist()
        return found

    def balanced(self, weight: HostArray | None = None) -> list[float]:
        """Return n / (C n_c) of each class, 0 of one without rows: so all have the same part."""
        masses = self.masses(weight)
        return [sum(masses) / (self.n_classes * m) if m else 0.0 for m in masses]

    def each(self, of_classes: list[float]) -> HostArray:
        """Return a number for each row, of those of the classes."""
        return np.asarray(of_classes)[self.codes]

    def check_columns(self, name: str, columns: int) -> None:
        """Refuse predictions that are neither of all classes nor of the second of two."""
        if columns != self.n_classes and (columns, self.n_classes) != (1, 2):
            raise ValueError(
                f"{name} has {columns} columns for the {self.n_classes} classes {self.named()}; "
                f"give all classes as labels="
            )

    def named(self) -> list[Any]:
        """Return the classes as Python's values."""
        found: list[Any] = self.classes.tolist()
        return found


def encoded(y_true: Any, labels: Any) -> Labels:
    """Return labels of any kind as numbers, or raise an error at one not among ``labels``."""
    y_true = column("y_true", labels_on_host("y_true", y_true))
    labels = None if labels is None else labels_on_host("labels", labels)
    for name, given in (("y_true", y_true), ("labels", labels)):
        if given is not None and given.dtype.kind == "f" and np.isnan(given).any():
            raise ValueError(f"{name} must be labels; found NaN")
    classes = np.unique(y_true if labels is None else labels)
    if len(classes) < 2:
        found = classes.tolist()
        if labels is not None:
            raise ValueError(f"labels must be two classes or more; found {found}")
        raise ValueError(
            f"y_true must have two classes or more; found {found}: give all classes as labels="
        )
    return Labels(classes, places_among("labels", classes, "y_true", y_true))


def weights_by_label(given: Weights, labels: Labels) -> list[float] | None:
    """Return the class_weight of each class: by its label, or "balanced"."""
    if given is None:
        return None
    if isinstance(given, str):
        if given != "balanced":
            raise ValueError(f"class_weight must be a dict, 'balanced' or None; found {given!r}")
        return labels.balanced()
    if not isinstance(given, Mapping):
        raise TypeError(
            f"class_weight must be a dict of a weight for each label, 'balanced' or None; found "
            f"{type(given).__name__}"
        )
    classes = labels.named()
    unknown = [label for label in given if label not in classes]
    if unknown:
        raise ValueError(f"class_weight has the label {unknown[0]!r}, which is not among {classes}")
    return [float(given.get(label, 1.0)) for label in classes]
