"""A report as a page of its own, which needs nothing beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files
from string import Template

from ..file_report import FileReport
from ..report import Report
from .picture import Picture
from .rows import Table, summary, tables

PAGE = files(__package__).joinpath("page.html")


def html_of(report: Report, pictures: Sequence[Picture] = ()) -> str:
    """Return a page with the tables of a report, and with pictures of it.

    It has no scripts, and loads nothing: a policy in it forbids both, so that a name that looks
    like a piece of a page can do no harm even if it were not escaped.
    """
    title = f"Focal loss of {report.file}" if isinstance(report, FileReport) else "Focal loss"
    laid_out = [_table(i, table) for i, table in enumerate(tables(report))]
    return Template(PAGE.read_text("utf-8")).substitute(
        title=_text(title),
        summary="".join(_fact(name, value) for name, value in summary(report)),
        losses="".join(laid_out[:2]),
        pictures=_pictures(pictures),
        classes="".join(laid_out[2:]),
    )


def _fact(name: str, value: str) -> str:
    return f"<div><dt>{_text(name)}</dt><dd>{_text(value)}</dd></div>\n"


def _table(i: int, table: Table) -> str:
    """Return a table, in a frame that scrolls by itself where the page is narrower."""
    name = f"table-{i}"
    headings = "".join(f'<th scope="col">{_heading(h)}</th>' for h in table.headings)
    return (
        f'<div class="table" role="region" aria-labelledby="{name}" tabindex="0"><table>\n'
        f'<caption id="{name}">{_text(table.title)}</caption>\n'
        f"<thead><tr>{headings}</tr></thead>\n"
        f"<tbody>\n{''.join(_rows(table))}</tbody>\n</table></div>\n"
    )


def _rows(table: Table) -> Iterator[str]:
    for first, *others in table.rows:
        cells = "".join(f"<td>{_text(cell)}</td>" for cell in others)
        yield f'<tr><th scope="row">{_text(first)}</th>{cells}</tr>\n'


def _pictures(pictures: Sequence[Picture]) -> str:
    """Return a section of pictures, if there are any."""
    figures = "".join(_figure(i, picture) for i, picture in enumerate(pictures))
    return f'<h2>Pictures</h2>\n<div class="pictures">\n{figures}</div>\n' if pictures else ""


def _figure(i: int, picture: Picture) -> str:
    """Return a picture, which is read out as its title and its caption."""
    svg = picture.svg.replace("<svg ", f'<svg role="img" aria-labelledby="picture-{i}" ', 1)
    title = f"<strong>{_text(picture.title)}</strong>"
    caption = f"{title} {_text(picture.caption)}"
    return f'<figure>{svg}\n<figcaption id="picture-{i}">{caption}</figcaption></figure>\n'


def _heading(text: str) -> str:
    """Return the text of a heading, in which a gamma stays with its number."""
    return _text(text).replace("gamma ", "gamma&nbsp;")


def _text(text: str) -> str:
    """Return text as a page has it; what no encoding can hold is shown by its number."""
    return escape(text.encode("utf-8", "backslashreplace").decode("utf-8"))
