"""The labels of a data set, as the losses take them, and how much each class weighs in it."""

from __future__ import annotations

import numpy as np

from .._typing import HostArray

MOST = 1_000_000  # classes that anybody has: what is more is no class label


def positives(labels: HostArray) -> HostArray:
    """Return which labels are 1; the others have to be 0."""
    _check_kind(labels)
    found = labels == 1
    if np.count_nonzero(found) + np.count_nonzero(labels == 0) != labels.size:
        _refuse(labels, (labels == 0) | (labels == 1), "0 or 1")
    return found


def classes(labels: HostArray, number: int | None = None) -> HostArray:
    """Return labels as integers, which have to be classes from 0 on (None: however many)."""
    _check_kind(labels)
    last = MOST if number is None else number - 1
    if labels.size and labels.min() >= 0 and labels.max() <= last:
        found = labels if labels.dtype.kind in "iu" else labels.astype(np.int32)
        if found is labels or (found == labels).all():
            return found
    with np.errstate(invalid="ignore"):  # the rest of an infinite label
        is_class = (labels >= 0) & (labels <= last) & (labels % 1 == 0)
    _refuse(labels, is_class, f"integers from 0 {'on' if number is None else f'to {last}'}")
    return labels.astype(np.int32)  # none at all


def shares(targets: HostArray, weight: HostArray | None, number: int) -> HostArray:
    """Return which share of the weight each class has; all have to have some."""
    weighing = None if weight is None else weight.astype(np.float64)
    totals = np.bincount(targets, weighing, number)
    if not (totals > 0).all():
        absent = int(np.argmin(totals > 0))
        raise ValueError(
            f"labels must have examples of all {number} classes, whose weight is not zero, to "
            f"balance them or to find the best constant; found none of class {absent}"
        )
    return totals / totals.sum()


def _refuse(labels: HostArray, is_good: HostArray, allowed: str) -> None:
    """Raise an error if a label is bad."""
    if is_good.all():
        return
    row = int(np.argmin(is_good))
    raise ValueError(
        f"labels must be {allowed}; found {float(labels[row])} at row {row}; encode them first, as "
        f"with scikit-learn's LabelEncoder"
    )


def _check_kind(labels: HostArray) -> None:
    if labels.dtype.kind not in "biuf":
        raise TypeError(
            f"labels must be numbers; found an array of {labels.dtype}; encode them first, as with "
            f"scikit-learn's LabelEncoder"
        )
