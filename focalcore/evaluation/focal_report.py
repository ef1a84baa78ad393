"""A report on predictions that come in batches, and from several places."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from .._inputs import parse
from .._typing import TASKS, ArrayLike, HostArray, Task
from ._batches import batch_of, has_posterior, sums_of
from ._scores import score_of
from ._sums import Sums
from .arrays import read_batch
from .block import Block
from .report import Report, parsed_alpha


class FocalReport:
    r"""Losses of predictions by class and gamma, added up batch after batch.

    Nothing is kept of a row but its part in sums, which are in float64: so a report takes as much
    memory for a billion rows as for one, and reports of batches, files or workers are merged into
    that of the whole, in any order.

    Parameters
    ----------
    task : {"binary", "multi-class", "multi-label"}
        What the predictions are: (N,) scores of independent targets; (N, C) scores of classes that
        exclude each other, with (N,) labels; or (N, C) scores of independent classes with (N, C)
        targets.
    gammas : float or sequence of float, default (2.0,)
        The focusing parameters, >= 0, each of which is reported. 0 is the cross-entropy.
    alpha : float or sequence of float, optional
        The class balance: in [0, 1], positives weigh alpha and negatives 1 - alpha; or a weight of
        each class that excludes the others.
    class_names : sequence of str, optional
        The names of the classes. None: their numbers, as many as the first batch has.
    from_logits : bool, default True
        Whether scores are logits; else they are probabilities.
    ignore_index : int, optional
        The target of what is left out. None: nothing is.

    Raises
    ------
    ValueError
        An option outside its range.

    See Also
    --------
    focalcore.metrics.focal_loss : The mean of one batch.

    Notes
    -----
    Arrays may be of any library; they are read into the host's memory. The state is plain numbers
    and lists, which JSON, Spark, Ray or a message of MPI can carry.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017; the shares that the hardest
    targets carry are those of its Figure 4.

    Examples
    --------
    >>> from focalcore.evaluation import FocalReport
    >>> report = FocalReport("binary", gammas=(0.0, 2.0))
    >>> report.update([2.0, -1.0], [1, 0])
    >>> report.update([0.5], [1])
    >>> for score in report.compute().losses:
    ...     print(f"gamma {score.gamma:g}: {score.focal_loss:.4f}")
    gamma 0: 0.3048
    gamma 2: 0.0307
    """

    def __init__(
        self,
        task: Task,
        gammas: Sequence[float] | float = (2.0,),
        alpha: float | Sequence[float] | None = None,
        class_names: Sequence[str] | None = None,
        from_logits: bool = True,
        ignore_index: int | None = None,
    ) -> None:
        self.task: Task = parse.choose("task", task, TASKS)
        listed = np.ravel(np.asarray(gammas, dtype=np.float64)).tolist()
        self.gammas = tuple(parse.number("gammas", gamma, parse.MOST_GAMMA) for gamma in listed)
        if not self.gammas:
            raise ValueError("gammas must have one number at least; found none")
        self.alpha = parsed_alpha(self.task, alpha)
        names = ("negative", "positive") if task == "binary" else None
        self.class_names = names if class_names is None else tuple(map(str, class_names))
        self.from_logits = parse.flag("from_logits", from_logits)
        self.ignore_index = None if ignore_index is None else operator.index(ignore_index)
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self._sums: Sums | None = None
        if self.class_names is not None:
            self._sums = Sums(len(self.class_names), len(self.gammas))
        self._weighted = False

    def update(
        self,
        scores: ArrayLike,
        targets: ArrayLike,
        weight: ArrayLike | None = None,
        mask: ArrayLike | None = None,
    ) -> None:
        """Add a batch.

        Parameters
        ----------
        scores : array of shape (N,) or (N, C)
            Logits, or probabilities, as `from_logits` says.
        targets : array of shape (N,) or (N, C)
            Targets in [0, 1], or class labels.
        weight : array of shape (N,), optional
            What each row weighs, >= 0.
        mask : bool array of shape (N,) or of the targets, optional
            True for what counts; the others are left out, whatever is there.

        Raises
        ------
        ValueError
            Shapes that do not fit, scores that are NaN, bad targets.
        """
        beside = weight, mask, self.ignore_index
        is_logits = self.from_logits
        self.add(read_batch(self.task, scores, targets, *beside, from_logits=is_logits))

    def add(self, block: Block) -> None:
        """Add checked rows, of which some targets may not count."""
        sums = self._sums_for(block.scores)
        batch = batch_of(self.task, block, self.from_logits, len(sums.weight))
        sums.add(sums_of(batch, self.gammas, self.alpha))
        self._weighted = self._weighted or block.weight is not None

    def merge(self, other: FocalReport) -> Self:
        """Add all batches of another report, and return this one.

        Parameters
        ----------
        other : FocalReport
            A report of the same task, gammas, alpha, classes and kind of scores.

        Returns
        -------
        FocalReport
            This report.

        Raises
        ------
        ValueError
            A report of another kind.
        """
        theirs = other._settings()
        for name, own in self._settings().items():
            if own != theirs[name] and (name != "class_names" or None not in (own, theirs[name])):
                raise ValueError(
                    f"reports must be of the same kind to be merged; found {name}={own!r} and "
                    f"{theirs[name]!r}"
                )
        if other._sums is not None:
            self.class_names = self.class_names or other.class_names
            self._sums = self._sums or Sums(len(other._sums.weight), len(self.gammas))
            self._sums.add(other._sums)
        self._weighted = self._weighted or other._weighted
        return self

    def state(self) -> dict[str, Any]:
        """Return all that the report knows, as numbers, strings and lists.

        Returns
        -------
        dict
            For `from_state`, here or elsewhere.
        """
        sums = None if self._sums is None else self._sums.state()
        return {**self._settings(), "weighted": self._weighted, "sums": sums}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the report of a state.

        Parameters
        ----------
        state : dict
            What `state` has returned, perhaps through JSON.

        Returns
        -------
        FocalReport
            A report as the one that the state is of.
        """
        given = {name: state[name] for name in SETTINGS}
        made = cls(**given)
        if state["sums"] is not None:
            made._sums = Sums(len(state["sums"]["weight"]), len(made.gammas))
            made._sums.restore(state["sums"])
        made._weighted = state["weighted"]
        return made

    def compute(self) -> Report:
        """Return the report on all batches so far.

        Returns
        -------
        Report
            Means and shares, by gamma and class.

        Raises
        ------
        ValueError
            No batch yet, or weights that add up to nothing.
        """
        sums, mass = self._sums, self.mass
        if sums is None or not 0 < mass < np.inf:
            raise ValueError(f"there must be targets of a weight above 0; their sum is {mass:g}")
        examples, ignored, targets = map(int, sums.rows)
        positives, is_known = self._positives(sums), has_posterior(self.task, self.alpha)
        return Report(
            task=self.task,
            scores="logits" if self.from_logits else "probabilities",
            examples=examples,
            ignored=ignored,
            targets=targets,
            positives=positives,
            alpha=self.alpha,
            weighted=self._weighted,
            cross_entropy=float(sums.cross_entropy.sum()) / mass,
            losses=tuple(
                score_of(sums, i, gamma, self.class_names or (), positives, is_known)
                for i, gamma in enumerate(self.gammas)
            ),
        )

    def cumulative_loss(self, gamma: float, positives: bool = True) -> tuple[HostArray, HostArray]:
        """Return the curve of the paper's Figure 4, the share of the loss against that of targets.

        Parameters
        ----------
        gamma : float
            One of the gammas of the report.
        positives : bool, default True
            Whether of positives; else of negatives.

        Returns
        -------
        targets, loss : ndarray
            Shares of the targets, from the easiest on, and of the loss that they carry; NaN where
            there are none, or their loss is 0 or infinite.
        """
        if gamma not in self.gammas or self._sums is None:
            raise ValueError(f"gamma must be one of {self.gammas}, of batches that are there")
        return self._sums.cumulative(self.gammas.index(gamma), int(positives))

    def sums(self) -> dict[str, HostArray]:
        """Return the sums by name, as arrays to add to those of others; none before a batch."""
        return {} if self._sums is None else vars(self._sums)

    @property
    def mass(self) -> float:
        """Return the sum of the weights, which the means divide by."""
        return 0.0 if self._sums is None else float(self._sums.weight.sum())

    @property
    def targets(self) -> int:
        """Return how many targets count."""
        return 0 if self._sums is None else int(self._sums.rows[2])

    def _settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in SETTINGS}

    def _positives(self, sums: Sums) -> int | None:
        """Return how many targets are positive, if there are negatives beside them."""
        of_task = {"binary": sums.count[1:], "multi-label": sums.count}.get(self.task)
        return None if of_task is None else int(of_task.sum())

    def _sums_for(self, scores: HostArray) -> Sums:
        """Return the sums, made for as many classes as the first batch has."""
        n = 2 if self.task == "binary" else scores.shape[1]
        if self.class_names is None:
            self.class_names = tuple(map(str, range(n)))
        if len(self.class_names) != n:
            raise ValueError(
                f"scores must have {len(self.class_names)} classes, {list(self.class_names)}; "
                f"found {n}"
            )
        self._sums = self._sums or Sums(n, len(self.gammas))
        return self._sums


SETTINGS = ("task", "gammas", "alpha", "class_names", "from_logits", "ignore_index")
