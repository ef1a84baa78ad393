"""A report as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..file_report import FileReport


def text_of(report: FileReport) -> str:
    """Return the report as it looks on this terminal: the file, the losses, the classes."""
    console = Console(highlight=False)
    with console.capture() as text:
        console.print(_summary(report))
        console.print(_losses(report))
        console.print(_classes(report))
    return text.get()


def _summary(report: FileReport) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column()
    ignored = f" ({report.ignored:,} ignored)" if report.ignored else ""
    table.add_row("file", escape(report.file))
    one_hot = ", one-hot targets" if report.one_hot else ""
    table.add_row("task", f"{report.task}{one_hot}, from {report.scores}")
    table.add_row("scores", _names(report.taken.scores))
    table.add_row("targets", _names(report.taken.targets))
    if report.taken.weight is not None:
        table.add_row("weight", escape(f"{report.taken.weight}: means are weighted"))
    if report.taken.unused:
        table.add_row("unused", _names(report.taken.unused))
    table.add_row("examples", f"{report.examples:,}{ignored}")
    if report.positives is not None:
        share = f" ({report.positives / report.targets:.1%})" if report.targets else ""
        table.add_row("positives", f"{report.positives:,}{share}")
    if report.alpha is not None:
        table.add_row("alpha", str(report.alpha))
    table.add_row("cross-entropy", _number(report.cross_entropy))
    return table


def _losses(report: FileReport) -> Table:
    table = _table("Focal loss")
    for heading in ("gamma", "mean focal loss", "mean modulating factor"):
        table.add_column(heading, justify="right")
    for score in report.losses:
        table.add_row(
            f"{score.gamma:g}", _number(score.focal_loss), _number(score.modulating_factor)
        )
    return table


def _classes(report: FileReport) -> Table:
    table = _table("By class")
    table.add_column("class")
    table.add_column("positives" if report.task == "multi-label" else "count", justify="right")
    for score in report.losses:
        table.add_column(f"mean, gamma {score.gamma:g}", justify="right")
        table.add_column("share", justify="right")
    for number, of_gammas in enumerate(zip(*(s.classes for s in report.losses), strict=True)):
        cells = [
            cell
            for c in of_gammas
            for cell in (_number(c.focal_loss), "-" if c.share is None else f"{c.share:.1%}")
        ]
        table.add_row(
            _label(report.task, number, of_gammas[0].name), f"{of_gammas[0].count:,}", *cells
        )
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)


def _names(names: Sequence[str], most: int = 20) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return escape(", ".join(names[:most]) + more)


def _label(task: str, number: int, name: str) -> str:
    """Return the name of a class, and its number among the targets where that is not its name."""
    return escape(f"{number}: {name}" if task == "multi-class" and name != str(number) else name)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"
