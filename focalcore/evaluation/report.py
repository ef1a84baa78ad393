"""What a report says, as plain numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .._inputs import parse
from .._typing import Task

Alpha = float | tuple[float, ...] | None


def parsed_alpha(task: Task, alpha: Any) -> Alpha:
    """Return a checked class balance of a task, as a number or a tuple of them."""
    if alpha is None:
        return None
    parsed = parse.alpha("alpha", alpha, float("inf") if task == "multi-class" else 1.0)
    is_list = not isinstance(parsed, float)
    if is_list and task == "binary":
        raise ValueError(f"alpha must be one number where the task is 'binary'; found {alpha!r}")
    if not is_list and task == "multi-class":
        raise ValueError(
            f"alpha must be a list of a weight for each class where the task is 'multi-class'; "
            f"found {alpha!r}"
        )
    return tuple(np.asarray(parsed).tolist()) if is_list else float(parsed)


@dataclass(frozen=True)
class ClassScore:
    """The score of one class at one gamma; None if there are no examples, or no loss to share."""

    name: str
    count: int
    focal_loss: float | None
    share: float | None


@dataclass(frozen=True)
class Score:
    """The scores of all classes at one gamma.

    ``per_positive`` is the sum of the losses over the number of positives, the paper's
    normalisation (None: there are none, or the task has no negatives). ``log_loss`` is that of the
    posterior, by which models of several gammas compare (None: alpha leaves out a class).
    ``hardest`` is the share of the loss that the hardest 1, 5 and 20 % of the targets carry.
    """

    gamma: float
    focal_loss: float
    modulating_factor: float
    classes: tuple[ClassScore, ...]
    per_positive: float | None
    log_loss: float | None
    hardest: dict[str, float | None]


@dataclass(frozen=True, kw_only=True)
class Report:
    """The losses of predictions; the counts of a multi-label task are of positives.

    Attributes
    ----------
    task, scores : str
        What was scored: "binary", "multi-class" or "multi-label"; "logits" or "probabilities".
    examples, ignored, targets : int
        How many examples count, how many are left out, and how many targets count, of which a
        multi-label example has several.
    positives : int or None
        How many of the targets are positive.
    alpha : float, tuple or None
        The class balance.
    weighted : bool
        Whether the means are weighted.
    cross_entropy : float
        The mean cross-entropy.
    losses : tuple of Score
        The scores at each gamma.
    """

    task: str
    scores: str
    examples: int
    ignored: int
    targets: int
    positives: int | None
    alpha: Alpha
    weighted: bool
    cross_entropy: float
    losses: tuple[Score, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a dict of plain numbers, strings and lists.

        Returns
        -------
        dict
            What JSON can hold, but for infinities.
        """
        return asdict(self)
