"""The pictures of a report: which there are, as files, and as parts of a page."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..evaluation import FocalReport
from ..evaluation.renderings.picture import Picture
from ..evaluation.renderings.whole_file import whole_file
from ._class_loss import ClassLossDisplay, height_of
from ._confidence import ConfidenceDisplay
from ._cumulative_loss import CumulativeLossDisplay, name_of
from ._loss_curve import LossCurveDisplay
from ._style import legend_below, needing_matplotlib
from ._svg import LOOK, svg_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, HEIGHT, DPI = 4.6, 3.2, 200  # inches: letters can be read where it is as wide as a phone


class Drawing(NamedTuple):
    """What there is to draw."""

    name: str
    caption: str
    draw: Callable[..., Any]  # on ``ax=``
    height: float = HEIGHT


def write_pictures(report: FocalReport, folder: str | os.PathLike[str]) -> list[Path]:
    """Write the pictures of a report into a folder, as PNG.

    Each is there as a whole or not at all. Which there are depends on the report: there is none of
    negatives where classes exclude each other, and none of shares of a loss that is 0 or infinite.

    Parameters
    ----------
    report : FocalReport
        A report with batches.
    folder : str or path
        Where to write; it is made if it is not there. Files of the same names are replaced.

    Returns
    -------
    list of Path
        The files: ``class-loss.png``, ``cumulative-loss-positives.png``,
        ``cumulative-loss-negatives.png``, ``cumulative-loss-rows.png``, ``confidence.png``,
        ``loss-curve.png``.

    Raises
    ------
    ImportError
        There is no matplotlib.
    OSError
        The folder can't be made, or a file can't be written.
    ValueError
        A report without batches.

    See Also
    --------
    svg_pictures : The same for a page.

    Examples
    --------
    >>> import tempfile
    >>> from focalcore.evaluation import FocalReport
    >>> from focalcore.plot import write_pictures
    >>> report = FocalReport("multi-class")
    >>> report.update([[2.0, 0.0, 1.0], [0.0, 1.0, 3.0]], [0, 1])
    >>> [file.name for file in write_pictures(report, tempfile.mkdtemp())]
    ['class-loss.png', 'cumulative-loss-rows.png', 'loss-curve.png']
    """
    made = {}
    for drawing, figure in _figures(report, {"savefig.dpi": DPI}):
        data = io.BytesIO()
        figure.savefig(data, format="png")
        made[Path(folder, f"{drawing.name}.png")] = data.getvalue()
    Path(folder).mkdir(parents=True, exist_ok=True)
    for file, content in made.items():
        with whole_file(file, "wb") as stream:
            stream.write(content)
    return [*made]


def svg_pictures(report: FocalReport) -> tuple[Picture, ...]:
    """Pictures of a report for a page, which is light or dark.

    Text and axes have the colour of the text around them, and there is no ground.

    Parameters
    ----------
    report : FocalReport
        A report with batches.

    Returns
    -------
    tuple of Picture
        A title, a caption, and an element ``svg`` of each.

    Raises
    ------
    ImportError
        There is no matplotlib.
    ValueError
        A report without batches.

    See Also
    --------
    write_pictures : The same as files.

    Examples
    --------
    >>> from focalcore.evaluation import FocalReport
    >>> from focalcore.plot import svg_pictures
    >>> report = FocalReport("binary")
    >>> report.update([2.0, -1.0, 0.5], [1, 0, 0])
    >>> [picture.title for picture in svg_pictures(report)][:2]
    ['Loss by class, gamma 2', 'Which positives carry the loss']
    """
    made = []
    for drawing, figure in _figures(report, LOOK):
        (axes,) = figure.axes
        title = axes.get_title()
        axes.set_title("")  # it stands beside the picture
        made.append(Picture(title, drawing.caption, svg_of(figure, drawing.name)))
    return tuple(made)


def _figures(report: FocalReport, look: Mapping[str, Any]) -> Iterator[tuple[Drawing, Figure]]:
    """Yield what there is to draw of a report, drawn, whatever style the user has set."""
    with needing_matplotlib():
        from matplotlib import style
        from matplotlib.figure import Figure
    for drawing in _drawings(report):
        with style.context(["default", dict(look)]):
            figure = Figure(figsize=(WIDTH, drawing.height), layout="constrained")
            drawing.draw(ax=figure.add_subplot())
            legend_below(figure)
            yield drawing, figure


def _drawings(report: FocalReport) -> Iterator[Drawing]:
    """Yield what there is to draw of a report."""
    score = max(report.compute().losses, key=lambda score: score.gamma)
    if any(c.share is not None for c in score.classes):
        yield Drawing(
            "class-loss",
            f"Each class's share of the focal loss at gamma {score.gamma:g}, and its mean loss at "
            f"the right.",
            partial(ClassLossDisplay.from_report, report),
            height_of(len(score.classes)),
        )
    for positives in (True, False):
        if _have_shares(report, positives):
            name = name_of(report, positives)
            yield Drawing(
                f"cumulative-loss-{name}",
                f"The {name} in the order of their loss, from the easiest on, and which share of "
                f"the loss they carry together.",
                partial(CumulativeLossDisplay.from_report, report, positives=positives),
            )
    if report.task != "multi-class":
        yield Drawing(
            "confidence",
            "How often targets are positive, against the probability that the model gives them. "
            "On the diagonal probabilities are true; the posterior is, of a model that has learned "
            "all there is to learn by the loss of that gamma. ECE is the mean distance from the "
            "diagonal.",
            partial(ConfidenceDisplay.from_report, report),
        )
    yield Drawing(
        "loss-curve",
        "The loss of one target against the probability that the model gives its class: the larger "
        "gamma is, the less is left of the loss of what is right already.",
        partial(LossCurveDisplay.from_gammas, sorted({0.0, *report.gammas})),
    )


def _have_shares(report: FocalReport, positives: bool) -> bool:
    ends = [report.cumulative_loss(gamma, positives)[1][-1] for gamma in report.gammas]
    return not np.isnan(ends).any()
