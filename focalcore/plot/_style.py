"""What the displays have in common: axes to draw on, colours, and lines that differ in grey."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# of Okabe and Ito, those with a contrast of 3 or more on white and on near-black
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
DASHES: tuple[Any, ...] = ("-", "--", "-.", (0, (7, 2, 1, 2, 1, 2)), (0, (10, 3)))
OF_LEGENDS: dict[str, Any] = {"frameon": False, "handlelength": 3.5}
LINE = 0.22  # inches


@contextmanager
def needing_matplotlib() -> Iterator[None]:
    """Name the way out where an import finds no matplotlib."""
    try:
        yield
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install 'focalcore[plot]'") from error


def new_axes(height: float | None = None) -> Axes:
    """Return the axes of a new figure, of a height in inches."""
    with needing_matplotlib():
        from matplotlib import pyplot
    figure, axes = pyplot.subplots(layout="constrained")
    if height is not None:
        figure.set_figheight(height)
    return axes


def ink(axes: Axes) -> Any:
    """Return the colour of text on these axes, which is seen on their ground."""
    return axes.xaxis.label.get_color()


def lines(axes: Axes, gammas: Sequence[float]) -> list[dict[str, Any]]:
    """Return how the line of each gamma looks; 0 is what the others are compared with."""
    others = [gamma for gamma in gammas if gamma != 0]
    return [baseline(axes) if gamma == 0 else of_place(others.index(gamma)) for gamma in gammas]


def baseline(axes: Axes) -> dict[str, Any]:
    """Return the colour and dashes of what the others are compared with."""
    return {"color": ink(axes), "linestyle": ":"}


def of_place(i: int) -> dict[str, Any]:
    """Return a colour and dashes that together come back after twenty lines."""
    return {"color": COLOURS[i % len(COLOURS)], "linestyle": DASHES[i % len(DASHES)]}


def frame(axes: Axes, title: str, x: str, y: str) -> None:
    """Write a title and what the axes are, and draw no more of the frame than is read."""
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=ink(axes), alpha=0.15, linewidth=0.8)
    axes.set_axisbelow(True)


def legend(axes: Axes, **options: Any) -> None:
    """Write what the lines are, on no ground of its own."""
    axes.legend(**OF_LEGENDS, **options)


def legend_below(figure: Figure) -> None:
    """Move the legend of a figure's only axes below these, where it hides nothing."""
    (axes,) = figure.axes
    written = axes.get_legend()
    if written is not None:
        written.remove()
        figure.set_figheight(figure.get_figheight() + LINE * len(written.get_texts()))
        figure.legend(loc="outside lower left", **OF_LEGENDS)


def in_percent(axes: Axes, *which: str) -> None:
    """Write the numbers of axes as percentages, few enough that they don't touch."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    for name in which:
        axis = getattr(axes, f"{name}axis")
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda x, _: f"{100 * x:.3g}%"))
