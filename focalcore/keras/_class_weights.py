"""Weights of classes as a dict, such as ``fit(class_weight=...)`` and scikit-learn take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .._inputs.parse import number


def by_class(name: str, value: Mapping[Any, Any]) -> dict[int, float]:
    """Return checked weights by class."""
    return {_class_of(name, key): number(f"{name}[{key!r}]", value[key]) for key in value}


def in_order(name: str, weights: dict[int, float], classes: int) -> list[float]:
    """Return the weight of each class; one that is not named weighs 1."""
    beyond = [label for label in weights if label >= classes]
    if beyond:
        raise ValueError(
            f"{name} has a weight for class {beyond[0]}, and y_pred has {classes} classes, from 0 "
            f"to {classes - 1}"
        )
    return [weights.get(label, 1.0) for label in range(classes)]


def _class_of(name: str, key: Any) -> int:
    """Return the class that a key names; what was saved as JSON has text as keys."""
    if isinstance(key, str) and key.isdecimal():
        return int(key)
    if isinstance(key, bool) or not isinstance(key, int | np.integer) or key < 0:
        raise TypeError(
            f"{name} is a dict by class label; its keys must be integers >= 0; found {key!r}"
        )
    return int(key)
