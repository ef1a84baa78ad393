"""Arrays of any library, read into the host's memory and checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._backends import backend_of
from .._typing import HostArray, Task
from .block import Block, for_targets


def read_batch(
    task: Task,
    scores: Any,
    targets: Any,
    weight: Any = None,
    mask: Any = None,
    ignore_index: int | None = None,
    *,
    from_logits: bool,
) -> Block:
    """Return the arrays of a batch, in the shapes that a task has, or raise an error."""
    x, y = on_host("scores", scores), on_host("targets", targets)
    w = None if weight is None else weights_on_host("weight", weight)
    x = column("scores", x) if task == "binary" else x
    y = y if task == "multi-label" else column("targets", y)
    if x.ndim != 1 + (task != "binary"):
        raise ValueError(f"scores of a {task} task must have shape (N, C); found {x.shape}")
    if task == "multi-label" and y.shape != x.shape:
        raise ValueError(f"targets must have the shape of scores, {x.shape}; found {y.shape}")
    for name, beside in (("targets", y), ("weight", w)):
        if beside is not None and len(beside) != len(x):
            raise ValueError(f"{name} must have {len(x)} rows, as scores have; found {len(beside)}")
    x, y, w, kept, _ = Block(x, y, w, _kept(mask, y)).without(ignore_index)
    y = _class_labels(y, x.shape[1]) if task == "multi-class" else _in_unit("targets", y)
    x = _floats(x)
    return Block(x if from_logits else _in_unit("probabilities", x), y, w, kept)


def _kept(mask: Any, targets: HostArray) -> HostArray | None:
    """Return a mask of what counts, for each target or for each row."""
    if mask is None:
        return None
    found = on_host("mask", mask)
    if found.dtype != bool:
        raise TypeError(f"mask must be bool, true for what counts; found {found.dtype}")
    if found.shape == targets.shape:
        return found
    rows = column("mask", found)
    if len(rows) != len(targets):
        raise ValueError(f"mask must have {len(targets)} rows, as scores have; found {len(rows)}")
    return for_targets(rows, targets)


def labels_on_host(name: str, x: Any) -> HostArray:
    """Return labels of any kind, text too, in the host's memory."""
    backend = backend_of(x) if hasattr(x, "dtype") and not isinstance(x, np.generic) else None
    seen = None if backend is None else backend.host_values(x)
    if seen is None and backend is not None:
        seen = backend.device_values(x)
    try:
        found: HostArray = np.asarray(x if seen is None else seen)
    except (RuntimeError, TypeError) as error:
        raise TypeError(f"{name} can't be read ({error}); move it to the host first") from None
    return found


def on_host(name: str, x: Any) -> HostArray:
    """Return an array of numbers in the host's memory."""
    found = labels_on_host(name, x)
    if found.dtype.kind not in "biuf" and found.dtype.name != "bfloat16":
        raise TypeError(f"{name} must be numbers; found {found.dtype}")
    return found


def weights_on_host(name: str, x: Any) -> HostArray:
    """Return one weight for each row, finite and >= 0, as float64."""
    found = column(name, on_host(name, x)).astype(np.float64)
    bad = ~is_weight(found)
    if bad.any():
        row = _first(bad)
        raise ValueError(f"{name} must be finite and >= 0; found {found[row]:g} in row {row}")
    return found


def column(name: str, x: HostArray) -> HostArray:
    """Return an array of one axis, of (n,) or (n, 1)."""
    if x.ndim == 1 or (x.ndim == 2 and x.shape[1] == 1):
        return x.reshape(len(x))
    raise ValueError(f"{name} must have shape (n,); found {x.shape}")


def _floats(scores: HostArray) -> HostArray:
    """Return scores as float32, if they are that, or else as float64."""
    found = scores if scores.dtype in (np.float32, np.float64) else scores.astype(np.float64)
    bad = np.isnan(found)
    if bad.any():
        raise ValueError(f"scores must be numbers; found NaN in row {_first(bad)}")
    return found


def _class_labels(targets: HostArray, n: int) -> HostArray:
    """Return targets that are classes from 0 to n - 1, as int64."""
    if targets.dtype.kind not in "biu":
        raise TypeError(f"targets are class labels and must be integer; found {targets.dtype}")
    found = targets.astype(np.int64)
    bad = (found < 0) | (found >= n)
    if bad.any():
        row = _first(bad)
        raise ValueError(
            f"targets must be class labels from 0 to {n - 1}; found {targets[row]} in row {row}; "
            f"leave such rows out before"
        )
    return found


def places_among(listed: str, classes: HostArray, name: str, labels: HostArray) -> HostArray:
    """Return the place of each label in a list of classes, which may be in any order."""
    order = np.argsort(classes)
    places = np.searchsorted(classes, labels, sorter=order)
    found: HostArray = order[np.minimum(places, len(classes) - 1)]
    is_unknown = classes[found] != labels
    if np.any(is_unknown):
        row = int(np.argmax(is_unknown))
        raise ValueError(
            f"{name} must be among {listed}={classes.tolist()}; found {labels.tolist()[row]!r} in "
            f"row {row}"
        )
    return found


def _in_unit(name: str, x: HostArray) -> HostArray:
    """Return numbers that are all in [0, 1]."""
    bad = ~in_unit(x)
    if bad.any():
        place = tuple(np.argwhere(bad)[0].tolist())
        raise ValueError(f"{name} must lie in [0, 1]; found {x[place]} at {place}")
    return x


def in_unit(x: HostArray) -> HostArray:
    """Tell which numbers are in [0, 1]."""
    return (x >= 0) & (x <= 1)


def is_weight(w: HostArray) -> HostArray:
    """Tell which numbers can be weights."""
    return (w >= 0) & (w < np.inf)


def _first(bad: HostArray) -> int:
    return int(np.argwhere(bad)[0][0])
