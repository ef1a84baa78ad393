"""The losses of single examples, and those that have the largest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._typing import HostArray
from .block import Block
from .predictions import Predictions
from .report import Alpha


@dataclass(frozen=True)
class Example:
    """One example: what it is called, its target, and its loss, of several targets their sum."""

    file: str
    name: str  # its id, or else its row, counted from 0
    target: str | None  # None: it has several
    p_t: float | None  # the probability of its target; None: it has several
    focal_loss: float


def losses_of(
    predictions: Predictions, block: Block, gamma: float, alpha: Alpha
) -> tuple[HostArray, HostArray]:
    """Return the loss of each example, 0 where it is ignored, and which are not."""
    kept = block.counted
    loss = np.where(kept, predictions.loss(block, gamma, alpha), 0.0)
    if loss.ndim == 1:
        return loss, kept
    return np.sum(loss, axis=1), np.any(kept, axis=1)


def names_of(first_row: int, block: Block) -> list[str]:
    """Return what the rows of a block are called: by their ids, or their numbers."""
    if block.ids is not None:
        return list(block.ids)
    return [str(first_row + i) for i in range(len(block.scores))]


class Hardest:
    """The examples of the largest loss, of all that it has seen."""

    def __init__(self, most: int, gamma: float, alpha: Alpha) -> None:
        self.most, self.gamma, self.alpha = most, gamma, alpha
        self.examples: list[Example] = []

    def see(self, predictions: Predictions, first_row: int, block: Block) -> None:
        """Look at a block."""
        loss, kept = losses_of(predictions, block, self.gamma, self.alpha)
        order = np.argsort(-loss, kind="stable")
        order = order[kept[order]][: self.most]
        if len(self.examples) == self.most:
            order = order[loss[order] > self.examples[-1].focal_loss]
        if not order.size:
            return
        every, chosen = names_of(first_row, block), block.at(order)
        names, targets = [every[i] for i in order], _targets(predictions, chosen)
        columns = names, targets, _p_t(predictions, chosen), loss[order].tolist()
        found = [Example(predictions.source.name, *each) for each in zip(*columns, strict=True)]
        both = sorted([*self.examples, *found], key=lambda each: -each.focal_loss)
        self.examples = both[: self.most]

    def found(self) -> dict[str, Any]:
        """Return what is to be said in the report."""
        return {"hardest": tuple(self.examples)}


def _targets(predictions: Predictions, block: Block) -> list[str | None]:
    if block.targets.ndim == 2:
        return [None] * len(block.targets)
    if predictions.task == "binary":
        return [f"{y:g}" for y in block.targets.tolist()]
    return [predictions.classes[int(y)] for y in block.targets.tolist()]


def _p_t(predictions: Predictions, block: Block) -> list[float | None]:
    """Return the probability of each target, if there is one of them."""
    if block.targets.ndim == 2:
        return [None] * len(block.targets)
    found: list[float | None] = np.exp(-predictions.loss(block, 0.0, None)).tolist()
    return found
