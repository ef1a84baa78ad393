"""Whether probabilities are true, before the posterior of the focal loss and after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .._typing import ArrayLike, HostArray
from ..evaluation import FocalReport
from ..evaluation.reliability import Reliability, positives_by_logit, reliability
from ..metrics.predictions import LabelledPredictions, read_predictions
from ..posterior import sigmoid_focal_posterior, softmax_focal_posterior
from ._style import baseline, frame, in_percent, ink, legend, new_axes, of_place

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 15
MARKS = {"marker": "o", "markersize": 4, "clip_on": False}  # whole at 0 and 1 too


class ConfidenceDisplay:
    """How often it is so, against how likely the model says it is: a reliability diagram.

    The sigmoid or softmax of a model that was trained with the focal loss is nearer to 1/2 than
    the probability that it stands for; the posterior of the gamma that it was trained with is that
    probability. True probabilities lie on the diagonal. Of two classes it is the probability of the
    second, of independent ones that of each, of several that of the most likely one. Make it with
    `from_predictions` or `from_report`; the parameters become attributes.

    Parameters
    ----------
    names : sequence of str
        What each curve is called. The first is what the others are compared with.
    curves : sequence of focalcore.evaluation.reliability.Reliability
        The confidence, the frequency and the share of the rows in each bin.
    of_classes : bool, default False
        Whether of the most likely class; else of positives.

    Attributes
    ----------
    lines_ : list of matplotlib.lines.Line2D
        The curves, in the order of `names`.
    ax_ : matplotlib.axes.Axes
        The axes.
    figure_ : matplotlib.figure.Figure
        The figure.

    See Also
    --------
    focalcore.sigmoid_focal_posterior, focalcore.softmax_focal_posterior : The maps.
    focalcore.calibration.FocalTemperature : What is left of a model's own over- and
        underconfidence.

    Notes
    -----
    The legend has the expected calibration error (ECE): the mean distance from the diagonal, in 15
    bins of equal width.

    References
    ----------
    Charoenphakdee et al., "On focal loss for class-posterior probability estimation: a theoretical
    perspective", CVPR 2021, theorem 11; Guo et al., "On calibration of modern neural networks",
    ICML 2017, equation 3.

    Examples
    --------
    >>> import numpy as np
    >>> from focalcore import sigmoid_focal_logit
    >>> from focalcore.plot import ConfidenceDisplay
    >>> draw = np.random.default_rng(0)
    >>> truth = draw.random(10_000)
    >>> y_true, y_pred = draw.random(10_000) < truth, sigmoid_focal_logit(truth)
    >>> display = ConfidenceDisplay.from_predictions(y_true, y_pred, from_logits=True)
    >>> [f"{curve.calibration_error:.2f}" for curve in display.curves]
    ['0.13', '0.01']
    """

    def __init__(
        self, *, names: Sequence[str], curves: Sequence[Reliability], of_classes: bool = False
    ) -> None:
        self.names, self.curves, self.of_classes = names, curves, of_classes

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        gamma: float | Sequence[float] = 2.0,
        alpha: float | Sequence[float] | None = None,
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
            As for `focalcore.metrics.focal_report`. Probabilities are what the sigmoid or softmax
            of the model has given.
        gamma : float or sequence of float, default 2.0
            The gamma that the model was trained with; if it isn't known, several to look at.
        alpha : float or sequence of float, optional
            The class balance that it was trained with.
        ax : matplotlib.axes.Axes, optional
            Where to draw. None: on a new figure.
        **line_options
            Options of all lines, for ``Axes.plot``.

        Returns
        -------
        ConfidenceDisplay
            The display, drawn.
        """
        given = read_predictions(y_true, y_pred, labels, None, sample_weight, from_logits)
        x = given.scores if from_logits else _logits(given)
        of_classes, curves = given.task == "multi-class", {}
        posterior = softmax_focal_posterior if of_classes else sigmoid_focal_posterior
        for name, options in _maps(np.ravel(gamma).tolist(), given.balance(alpha)):
            p, is_so = posterior(x, **options), given.targets
            if of_classes:
                p, is_so = p.max(axis=1), p.argmax(axis=1) == given.targets
            curves[name] = reliability(p, is_so, given.weight, BINS)
        return cls._of(curves, of_classes).plot(ax, **line_options)

    @classmethod
    def from_report(
        cls, report: FocalReport, *, ax: Axes | None = None, **line_options: Any
    ) -> Self:
        """Draw the curves of a report's gammas.

        Parameters
        ----------
        report : FocalReport
            A report with batches, of targets that have negatives beside them. A soft target counts
            as the label that it is nearer to.
        ax : matplotlib.axes.Axes, optional
            Where to draw. None: on a new figure.
        **line_options
            Options of all lines, for ``Axes.plot``.

        Returns
        -------
        ConfidenceDisplay
            The display, drawn. It has no posterior where alpha differs by class, or leaves one out.

        Raises
        ------
        ValueError
            A report of a multi-class task, which does not know the most likely class.
        """
        if report.task == "multi-class":
            raise ValueError(
                "a report of task 'multi-class' does not know how likely the most likely class is; "
                "use ConfidenceDisplay.from_predictions"
            )
        has_posterior = report.compute().losses[0].log_loss is not None
        has_posterior = has_posterior and not isinstance(report.alpha, tuple)
        x, is_so, weight = positives_by_logit(report)
        curves = {
            name: reliability(sigmoid_focal_posterior(x, **options), is_so, weight, BINS)
            for name, options in _maps(report.gammas if has_posterior else (), report.alpha)
        }
        return cls._of(curves).plot(ax, **line_options)

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
        ConfidenceDisplay
            This display.
        """
        ax = new_axes() if ax is None else ax
        x, y = ("probability of a positive", "how often it is one")
        if self.of_classes:
            x, y = ("probability of the most likely class", "how often it is that class")
        frame(ax, "How true the probabilities are", x, y)
        ax.plot([0, 1], [0, 1], color=ink(ax), alpha=0.35, linewidth=1)
        self.lines_ = []
        for i, (name, curve) in enumerate(zip(self.names, self.curves, strict=True)):
            look = of_place(i - 1) if i else baseline(ax)
            label = f"{name}: ECE {curve.calibration_error:.1%}"
            options = {"label": label, **MARKS, **look, **line_options}
            self.lines_ += ax.plot(curve.confidence, curve.frequency, **options)
        ax.set(xlim=(0, 1), ylim=(0, 1))
        in_percent(ax, "x", "y")
        legend(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def _of(cls, curves: Mapping[str, Reliability], of_classes: bool = False) -> Self:
        return cls(names=[*curves], curves=[*curves.values()], of_classes=of_classes)


def _maps(gammas: Sequence[float], alpha: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the options of the posterior of each gamma, after those of the model's own."""
    yield "as scored", {"gamma": 0.0}
    for gamma in gammas:
        if gamma != 0 or alpha is not None:
            yield f"posterior of gamma {gamma:g}", {"gamma": gamma, "alpha": alpha}


def _logits(given: LabelledPredictions) -> HostArray:
    """Return the scores whose sigmoid or softmax the predictions are."""
    p = given.scores
    with np.errstate(divide="ignore"):
        of_rows: HostArray = np.log(p)
        return of_rows if given.task == "multi-class" else of_rows - np.log1p(-p)
