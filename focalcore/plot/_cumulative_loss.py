"""Which targets carry the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .._typing import ArrayLike, HostArray
from ..evaluation import FocalReport
from ..metrics.predictions import read_predictions
from ._style import frame, in_percent, legend, lines, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HARDEST = 0.2


class CumulativeLossDisplay:
    """Share of the loss against the share of the targets that carry it: the paper's Figure 4.

    Targets are in the order of their loss, from the easiest on. Where the curve is flat they carry
    nothing, and the more it bends the more of the loss is the part of the hardest. Make it with
    `from_report` or `from_predictions`; the parameters become attributes.

    Parameters
    ----------
    gammas : sequence of float
        The focusing parameters, each of which has a curve.
    targets, losses : sequence of ndarray
        Shares of the targets, and of the loss that they carry, of each gamma: from 0 to 1.
    name : str, default "targets"
        What the targets are called, such as "positives".

    Attributes
    ----------
    lines_ : list of matplotlib.lines.Line2D
        The curves, in the order of `gammas`.
    ax_ : matplotlib.axes.Axes
        The axes.
    figure_ : matplotlib.figure.Figure
        The figure.

    See Also
    --------
    LossCurveDisplay : The loss of one target.
    focalcore.evaluation.FocalReport.cumulative_loss : The numbers.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, Figure 4.

    Examples
    --------
    >>> import numpy as np
    >>> from focalcore.plot import CumulativeLossDisplay
    >>> y_true, y_pred = [0, 0, 0, 0, 1], [0.1, 0.01, 0.02, 0.6, 0.7]
    >>> display = CumulativeLossDisplay.from_predictions(y_true, y_pred, positives=False)
    >>> [f"{np.interp(0.75, *curve):.3f}" for curve in zip(display.targets, display.losses)]
    ['0.129', '0.050', '0.020', '0.003']
    """

    def __init__(
        self,
        *,
        gammas: Sequence[float],
        targets: Sequence[HostArray],
        losses: Sequence[HostArray],
        name: str = "targets",
    ) -> None:
        self.gammas, self.targets, self.losses, self.name = gammas, targets, losses, name

    @classmethod
    def from_report(
        cls,
        report: FocalReport,
        *,
        positives: bool = True,
        ax: Axes | None = None,
        **line_options: Any,
    ) -> Self:
        """Draw the curves of a report's gammas.

        Parameters
        ----------
        report : FocalReport
            A report with batches.
        positives : bool, default True
            Whether of positives; else of negatives. The rows of a multi-class task are positives.
        ax : matplotlib.axes.Axes, optional
            Where to draw. None: on a new figure.
        **line_options
            Options of all lines, for ``Axes.plot``.

        Returns
        -------
        CumulativeLossDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            No such targets, or a loss of theirs that is 0 or infinite and has no shares.
        """
        name = name_of(report, positives)
        curves = [report.cumulative_loss(gamma, positives) for gamma in report.gammas]
        for gamma, (_, loss) in zip(report.gammas, curves, strict=True):
            if np.isnan(loss[-1]):
                raise ValueError(
                    f"{name} must have a loss above 0, and a finite one, to have shares of it; "
                    f"found none such at gamma {gamma:g}"
                )
        targets, losses = zip(*curves, strict=True)
        made = cls(gammas=report.gammas, targets=targets, losses=losses, name=name)
        return made.plot(ax, **line_options)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        gamma: float | Sequence[float] = (0.0, 0.5, 1.0, 2.0),
        positives: bool = True,
        labels: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        from_logits: bool = False,
        ax: Axes | None = None,
        **line_options: Any,
    ) -> Self:
        """Draw the curves of predictions.

        Parameters
        ----------
        y_true, y_pred, labels, sample_weight, from_logits
            As for `focalcore.metrics.focal_report`.
        gamma : float or sequence of float, default (0, 0.5, 1, 2)
            The focusing parameters, >= 0. The default is that of the paper.
        positives : bool, default True
            Whether of positives, which are the rows of the second of two classes; else of
            negatives. The rows of more classes that exclude each other are positives.
        ax : matplotlib.axes.Axes, optional
            Where to draw. None: on a new figure.
        **line_options
            Options of all lines, for ``Axes.plot``.

        Returns
        -------
        CumulativeLossDisplay
            The display, drawn.
        """
        given = read_predictions(y_true, y_pred, labels, None, sample_weight, from_logits)
        report = given.report(gamma, None)
        return cls.from_report(report, positives=positives, ax=ax, **line_options)

    def plot(self, ax: Axes | None = None, **line_options: Any) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw. None: on a new figure.
        **line_options
            Options of all lines, for ``Axes.plot``.

        Returns
        -------
        CumulativeLossDisplay
            This display.
        """
        ax = new_axes() if ax is None else ax
        x = f"share of the {self.name}, easiest first"
        frame(ax, f"Which {self.name} carry the loss", x, "share of their loss")
        self.lines_, looks = [], lines(ax, self.gammas)
        for i, gamma in enumerate(self.gammas):
            of_hardest = 1 - np.interp(1 - HARDEST, self.targets[i], self.losses[i])
            label = f"gamma {gamma:g}: hardest {HARDEST:.0%} carry {of_hardest:.0%}"
            options = {"label": label, **looks[i], **line_options}
            self.lines_ += ax.plot(self.targets[i], self.losses[i], **options)
        ax.set(xlim=(0, 1), ylim=(0, 1))
        in_percent(ax, "x", "y")
        legend(ax, loc="upper left")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def name_of(report: FocalReport, positives: bool) -> str:
    """Return what the positives of a report are called, or its negatives."""
    every = "rows" if report.task == "multi-class" else "positives"
    return every if positives else "negatives"
