"""The loss by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .._typing import ArrayLike, HostArray
from ..evaluation import FocalReport, Report
from ..metrics.predictions import read_predictions
from ._style import COLOURS, frame, in_percent, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 20  # bars
LONGEST = 20  # characters of a name


class ClassLossDisplay:
    """Each class's share of the loss as a bar, the largest on top, and its mean loss beside it.

    Make it with `from_report` or `from_predictions`; the parameters become attributes.

    Parameters
    ----------
    names : sequence of str
        What the classes are called.
    shares : sequence of float
        Their shares of the loss, which sum to 1.
    mean_losses : sequence of float or None
        Their mean losses; None of a class without examples.
    gamma : float
        The focusing parameter.

    Attributes
    ----------
    bars_ : matplotlib.container.BarContainer
        The bars, from the largest on, 20 at most.
    ax_ : matplotlib.axes.Axes
        The axes.
    figure_ : matplotlib.figure.Figure
        The figure.

    See Also
    --------
    focalcore.metrics.focal_report : The numbers as text.

    Examples
    --------
    >>> from focalcore.plot import ClassLossDisplay
    >>> y_true, y_pred = ["ham", "spam", "ham", "spam"], [0.1, 0.9, 0.2, 0.65]
    >>> display = ClassLossDisplay.from_predictions(y_true, y_pred)
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['spam', 'ham']
    """

    def __init__(
        self,
        *,
        names: Sequence[str],
        shares: Sequence[float],
        mean_losses: Sequence[float | None],
        gamma: float,
    ) -> None:
        self.names, self.shares, self.mean_losses = names, shares, mean_losses
        self.gamma = gamma

    @classmethod
    def from_report(
        cls,
        report: Report | FocalReport,
        *,
        gamma: float | None = None,
        ax: Axes | None = None,
        **bar_options: Any,
    ) -> Self:
        """Draw the classes of a report.

        Parameters
        ----------
        report : Report or FocalReport
            A report, or what computes one.
        gamma : float, optional
            One of its gammas. None: the largest.
        ax : matplotlib.axes.Axes, optional
            Where to draw. None: on a new figure.
        **bar_options
            Options of the bars, for ``Axes.barh``.

        Returns
        -------
        ClassLossDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            A gamma that the report does not have, or a loss that is 0 or infinite.
        """
        computed = report.compute() if isinstance(report, FocalReport) else report
        scores = {score.gamma: score for score in computed.losses}
        score = scores.get(max(scores) if gamma is None else gamma)
        if score is None:
            raise ValueError(f"gamma must be one of {list(scores)}, of the report; found {gamma}")
        shares = [c.share for c in score.classes if c.share is not None]
        if not shares:
            raise ValueError(
                f"the loss must be above 0 and finite to have shares; found {score.focal_loss:g} "
                f"at gamma {score.gamma:g}"
            )
        made = cls(
            names=[c.name for c in score.classes],
            shares=shares,
            mean_losses=[c.focal_loss for c in score.classes],
            gamma=score.gamma,
        )
        return made.plot(ax, **bar_options)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        gamma: float = 2.0,
        alpha: float | Sequence[float] | None = None,
        labels: ArrayLike | None = None,
        target_names: Sequence[str] | None = None,
        sample_weight: ArrayLike | None = None,
        from_logits: bool = False,
        ax: Axes | None = None,
        **bar_options: Any,
    ) -> Self:
        """Draw the classes of predictions.

        Parameters
        ----------
        y_true, y_pred, alpha, labels, target_names, sample_weight, from_logits
            As for `focalcore.metrics.focal_report`.
        gamma : float, default 2.0
            The focusing parameter, >= 0.
        ax : matplotlib.axes.Axes, optional
            Where to draw. None: on a new figure.
        **bar_options
            Options of the bars, for ``Axes.barh``.

        Returns
        -------
        ClassLossDisplay
            The display, drawn.
        """
        beside = labels, target_names, sample_weight
        given = read_predictions(y_true, y_pred, *beside, from_logits)
        return cls.from_report(given.report(gamma, alpha), ax=ax, **bar_options)

    def plot(self, ax: Axes | None = None, **bar_options: Any) -> Self:
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw. None: on a new figure, as high as the bars need.
        **bar_options
            Options of the bars, for ``Axes.barh``.

        Returns
        -------
        ClassLossDisplay
            This display.
        """
        order = np.argsort(-np.asarray(self.shares), kind="stable")
        first, others = order[:MOST], order[MOST:]
        ax = new_axes(height_of(len(order))) if ax is None else ax
        title = f"Loss by class, gamma {self.gamma:g}"
        frame(ax, title, f"share of the loss{self._word_on(others)}", "")
        places, shares = range(len(first)), [self.shares[c] for c in first]
        self.bars_ = ax.barh(places, shares, **{"color": COLOURS[0], "height": 0.7, **bar_options})
        ax.set_yticks(places, [_short(self.names[c]) for c in first], parse_math=False)
        beside = ax.secondary_yaxis("right")
        beside.set_yticks(places, [_mean(self.mean_losses[c]) for c in first])
        beside.spines["right"].set_visible(False)
        for side in (ax, beside):
            side.tick_params(axis="y", length=0)
        ax.grid(visible=False, axis="y")
        ax.set(ylim=(len(first) - 0.5, -0.5), xlim=(0, None))
        in_percent(ax, "x")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _word_on(self, others: HostArray) -> str:
        """Return what the classes that have no bar carry."""
        share = sum(self.shares[c] for c in others)
        most = f"the largest {MOST} of {len(self.shares):,}"
        return f"\n({share:.1%} lies beyond {most})" if len(others) else ""


def height_of(classes: int) -> float:
    """Return how many inches the bars of some classes need."""
    return 1.4 + 0.26 * min(classes, MOST)


def _mean(loss: float | None) -> str:
    return "no examples" if loss is None else f"mean {loss:.3g}"


def _short(name: str) -> str:
    """Return a name on one line, which is cut if it would take the place of the bars."""
    line = "".join(c if c.isprintable() else " " for c in name)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
