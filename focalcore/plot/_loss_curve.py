"""The loss against the probability of the target's class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .._typing import HostArray
from ..scoring import binary_focal_loss
from ._style import frame, ink, legend, lines, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 500
MOST = 5.0  # as in the paper: at 0 the loss is infinite


class LossCurveDisplay:
    r"""Loss of one example against the probability of its class: the paper's Figure 1.

    .. math:: FL(p_t) = -\alpha (1 - p_t)^\gamma \log p_t

    Make it with `from_gammas`; the parameters become attributes.

    Parameters
    ----------
    gammas : sequence of float
        The focusing parameters, each of which has a curve.
    probability : ndarray of shape (n,)
        Probabilities p_t of the target's class, in (0, 1].
    losses : sequence of ndarray of shape (n,)
        The losses there, of each gamma.

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
    CumulativeLossDisplay : What the curves do to the losses of a model.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, Figure 1.

    Examples
    --------
    >>> from focalcore.plot import LossCurveDisplay
    >>> display = LossCurveDisplay.from_gammas((0, 2))
    >>> [line.get_label() for line in display.lines_]
    ['gamma 0, the cross-entropy', 'gamma 2']
    >>> display.figure_.savefig("loss.png")  # doctest: +SKIP
    """

    def __init__(
        self, *, gammas: Sequence[float], probability: HostArray, losses: Sequence[HostArray]
    ) -> None:
        self.gammas, self.probability, self.losses = gammas, probability, losses

    @classmethod
    def from_gammas(
        cls,
        gammas: Sequence[float] = (0.0, 0.5, 1.0, 2.0, 5.0),
        *,
        alpha: float | None = None,
        ax: Axes | None = None,
        **line_options: Any,
    ) -> Self:
        """Draw the curves of some gammas.

        Parameters
        ----------
        gammas : sequence of float, default (0, 0.5, 1, 2, 5)
            The focusing parameters, >= 0. The default is that of the paper.
        alpha : float, optional
            What the loss is multiplied by, in [0, 1]. None: 1.
        ax : matplotlib.axes.Axes, optional
            Where to draw. None: on a new figure.
        **line_options
            Options of all lines, for ``Axes.plot``.

        Returns
        -------
        LossCurveDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            A gamma below 0, an alpha outside [0, 1].
        """
        p = np.arange(1, POINTS + 1) / POINTS
        y = np.ones(POINTS)
        losses = [binary_focal_loss(y, p, gamma, alpha=alpha) for gamma in gammas]
        return cls(gammas=gammas, probability=p, losses=losses).plot(ax, **line_options)

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
        LossCurveDisplay
            This display.
        """
        ax = new_axes() if ax is None else ax
        frame(ax, "What gamma leaves of the loss", "probability of the target's class", "loss")
        self.lines_ = []
        for gamma, loss, look in zip(self.gammas, self.losses, lines(ax, self.gammas), strict=True):
            label = f"gamma {gamma:g}" + (", the cross-entropy" if gamma == 0 else "")
            self.lines_ += ax.plot(
                self.probability, loss, **{"label": label, **look, **line_options}
            )
        ax.axvspan(0.5, 1.0, color=ink(ax), alpha=0.06, linewidth=0)
        ax.text(0.75, 0.35, "already right", color=ink(ax), ha="center", transform=ax.transAxes)
        ax.set(xlim=(0, 1), ylim=(0, MOST))
        legend(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self
