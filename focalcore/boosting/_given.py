"""What a booster gives in a round: each library, and each of its doors, in an order of its own."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._typing import HostArray


class Given(NamedTuple):
    """Labels, raw scores, and weights (None: all examples weigh 1), in one library."""

    labels: HostArray
    raw: HostArray
    weight: HostArray | None


def is_data(given: Any) -> bool:
    """Tell whether this is a DMatrix of XGBoost or a Dataset of LightGBM."""
    return hasattr(given, "get_label")


def is_data_of_lightgbm(given: Any) -> bool:
    """Tell whether this is a Dataset of LightGBM."""
    return hasattr(given, "get_init_score")


def read(first: Any, second: Any, weight: Any = None) -> Given:
    """Return what was given as (scores, data) in training, or as (labels, scores, weight)."""
    if is_data(second):
        first, second, weight = second.get_label(), first, second.get_weight()
    raw = scores(second)
    labels = np.asarray(first, like=raw)
    if weight is not None:
        weight = np.asarray(weight, like=raw)
    return Given(labels, raw, weight if weight is not None and weight.size else None)


def scores(raw: Any) -> HostArray:
    """Return raw scores as floating-point numbers, of CuPy if they are that."""
    found = raw if hasattr(raw, "__array_function__") else np.asarray(raw)
    return found if found.dtype.kind == "f" else found.astype(np.float64)


def check_length(name: str, values: HostArray, n: int) -> None:
    """Raise an error if there is not one number for each example."""
    if values.shape != (n,):
        missing = "" if values.size else "; the data has none"
        raise ValueError(
            f"{name} must be one number for each of {n} examples; found shape "
            f"{tuple(values.shape)}{missing}"
        )


def refuse_nan(raw: HostArray) -> None:
    """Raise the error of a loss that is NaN, for raw scores or weights that are."""
    is_bad = np.isnan(raw)
    if not is_bad.any():
        raise ValueError("sample_weight must be finite numbers; found one that is not")
    row = int(np.argmax(is_bad.reshape(len(raw), -1).any(axis=1)))
    raise ValueError(
        f"raw scores must be numbers; found NaN at row {row}; where training diverges, take "
        f"hess='abs' or a smaller learning rate"
    )
