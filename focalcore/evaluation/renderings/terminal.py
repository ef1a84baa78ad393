"""A report as tables for the terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from ..file_report import FileReport
from .rows import Table, summary, tables


def text_of(report: FileReport) -> str:
    """Return the report as it looks on this terminal: what was scored, and all tables."""
    console = Console(highlight=False)
    with console.capture() as text:
        console.print(_summary(report))
        for table in tables(report):
            console.print(_laid_out(table))
    return text.get()


def _summary(report: FileReport) -> Grid:
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column()
    for name, value in summary(report):
        grid.add_row(name, Text(value))
    return grid


def _laid_out(table: Table) -> Grid:
    grid = Grid(
        title=Text(table.title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD
    )
    first, *others = table.headings
    grid.add_column(first)
    for heading in others:
        grid.add_column(heading, justify="right")
    for row in table.rows:
        grid.add_row(*map(Text, row))
    return grid
