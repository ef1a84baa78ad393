"""Distribution focal loss of a row of logits: where a number lies among bins that are numbered.

The number v lies between two bins, and has of either the share by which it is nearer:

    y_j = max(0, 1 - |j - v|)      CE = -sum y_j log p_j      p = softmax(x)

so that the slope is p - y, written ``(1 - y) p - y q``, and the curvature p q.
"""

from __future__ import annotations

from . import focal, softmax
from .arrays import Array, Namespace


def shares(xp: Namespace, values: Array, bins: Array, last: float) -> focal.Target:
    """Return the shares of the bins in values, NaN in rows whose value is beside them."""
    y = xp.maximum(1 - xp.abs(bins - values), 0.0)
    return focal.Target.of(xp.where((values >= 0) & (values <= last), y, xp.nan))


class CrossEntropy:
    """The cross-entropy of rows of logits against distributions."""

    def __init__(self, xp: Namespace, row: softmax.RowProbabilities, target: focal.Target) -> None:
        self.xp, self.row, self.target = xp, row, target

    def value(self) -> Array:
        terms = self.xp.share_of(self.row.minus_log_p, self.target.y)
        return self.xp.sum(terms, axis=self.row.top.axis, keepdims=True)

    def slope(self) -> Array:
        return self.target.one_minus_y * self.row.p - self.target.y * self.row.q

    def curvature(self) -> Array:
        return self.xp.where(self.target.y == self.target.y, self.row.p * self.row.q, self.xp.nan)
