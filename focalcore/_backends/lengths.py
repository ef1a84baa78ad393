"""Lengths of axes, which are not always numbers."""

from __future__ import annotations

from .._typing import Length


def is_known(length: Length) -> bool:
    """Whether a length is one: of a dask array it may be NaN, in TensorFlow None."""
    return length is not None and bool(length == length)


def is_ragged(length: Length) -> bool:
    """Whether a length stands for those of the rows of one of torch's jagged tensors."""
    if isinstance(length, int):  # Dynamo knows no attributes of lengths, and calls them all int
        return False
    return hasattr(length, "node") and bool(length.node.is_nested_int())
