"""Sums over batches, which add up to those of the whole, and the curves made of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._losses.measures import BINS, REACH
from .._typing import HostArray

MARGINS = (np.arange(BINS) + 0.5) * (2 * REACH / BINS) - REACH  # the middle of each bin
HARDEST = {"1%": 0.01, "5%": 0.05, "20%": 0.2}


class Sums:
    """What is summed up, in float64: by class, by gamma, and by margin of negatives and positives.

    Each is an array, so that sums are merged, kept and sent by their names alone.
    """

    def __init__(self, classes: int, gammas: int) -> None:
        self.weight, self.count = np.zeros(classes), np.zeros(classes)
        self.cross_entropy = np.zeros(classes)
        self.loss = np.zeros((classes, gammas))
        self.factor, self.log_loss = np.zeros(gammas), np.zeros(gammas)
        self.rows = np.zeros(3)  # examples, ignored ones, and targets
        self.by_margin = np.zeros((2, BINS, 1 + gammas))  # the weight, and the loss by gamma

    def add(self, other: Sums) -> None:
        """Add the sums of other rows."""
        for name, own in vars(self).items():
            own += getattr(other, name)

    def state(self) -> dict[str, Any]:
        """Return the sums as lists."""
        return {name: own.tolist() for name, own in vars(self).items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take the sums from lists."""
        for name, own in vars(self).items():
            own += np.asarray(state[name])

    def cumulative(self, gamma: int, group: int) -> tuple[HostArray, HostArray]:
        """Return the share of the loss that the easiest share of a group carries, bin by bin."""
        weight, loss = self.by_margin[group, ::-1, 0], self.by_margin[group, ::-1, 1 + gamma]
        return _shares(weight), _shares(loss)

    def hardest(self, gamma: int) -> dict[str, float | None]:
        """Return the shares of the loss that the hardest shares of all targets carry."""
        weight, loss = self.by_margin[..., 0].ravel(), self.by_margin[..., 1 + gamma].ravel()
        filled = weight > 0
        weight, loss = weight[filled], loss[filled]
        total = loss.sum()
        if not 0 < total < np.inf:
            return dict.fromkeys(HARDEST)
        order = np.argsort(-loss / weight, kind="stable")
        of_weight, of_loss = _shares(weight[order]), _shares(loss[order])
        found = np.interp([*HARDEST.values()], of_weight, of_loss)
        return dict(zip(HARDEST, found.tolist(), strict=True))


def histogram(bins: HostArray, weight: HostArray | None) -> HostArray:
    """Return the sums of weights (None: of ones) in bins, of negatives and of positives."""
    of_weight = None if weight is None else weight.reshape(-1)
    return np.bincount(bins.reshape(-1), of_weight, 2 * BINS).reshape(2, BINS)


def _shares(x: HostArray) -> HostArray:
    """Return the running sum as a share of the whole, from 0 on; NaN if that is 0 or infinite."""
    total = np.concatenate([[0.0], np.cumsum(x)])
    return total / total[-1] if 0 < total[-1] < np.inf else np.full(total.shape, np.nan)
