"""What is timed: each row is one piece of work, by focalcore and by what people use for it.

The forms of others are their published formulas, restated in `conformance.peers` and beside the
rows. All are given the same arrays: gamma 2, and of independent logits alpha 0.25, one label in ten
positive.
"""

from __future__ import annotations

from . import (
    rows_boosting,
    rows_family,
    rows_files,
    rows_jax,
    rows_keras,
    rows_labels,
    rows_linear,
    rows_numpy,
    rows_softmax,
    rows_torch,
)
from .row import LARGEST, elements

ROWS = (
    *rows_numpy.ROWS,
    *rows_torch.ROWS,
    *rows_labels.ROWS,
    *rows_softmax.ROWS,
    *rows_linear.ROWS,
    *rows_jax.ROWS,
    *rows_keras.ROWS,
    *rows_family.ROWS,
    *rows_boosting.ROWS,
    *rows_files.ROWS,
)
MOST = max(LARGEST, *(elements(size) for row in ROWS for size in row.sizes))
