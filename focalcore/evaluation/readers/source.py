"""What all kinds of files have in common: they give rows of scores and targets, in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from ..block import Block
from .errors import reading
from .names import Taken

Shape = tuple[int, ...]


class Place(NamedTuple):
    """A file: where it is, what it is called in messages, and of which kind it is."""

    path: Path
    name: str
    kind: str | None = None  # None: as the name of the file says


@dataclass(frozen=True)
class Reading:
    """How files are read, as far as they do not say it themselves."""

    separator: str | None = None  # of columns; None: as the name of the file says
    decimal: str = "."
    encoding: str = "utf-8"
    missing: Literal["error", "ignore"] = "error"  # what is done about a row that lacks a number
    axis: int | None = None  # of the classes in arrays; None: as the shapes say
    class_names: tuple[str, ...] | None = None  # None: as the columns say


class Source:
    """An opened file of predictions."""

    name: str
    kind: str  # what the file must be, in a message
    taken: Taken
    from_logits: bool
    n_rows: int | None = None  # None: not known before reading
    scores_shape: Shape  # -1 for a number of rows that is not known
    targets_shape: Shape
    classes: tuple[str, ...]  # their names, as many as there are scores in a row
    reading: Reading
    # the number that the first class' column ends in, where labels are not names
    first_number: int = 0

    def read(self, rows: int) -> Iterator[Block]:
        """Yield all rows in order, ``rows`` at a time at most."""
        raise NotImplementedError

    def where(self, row: int) -> str:
        """Return where a row is, as a message says it."""
        return by_number(row)

    def origin(self, name: str, row: int) -> tuple[str, str]:  # noqa: ARG002
        """Return the file that an array or a column is in, and where a row is there."""
        return self.name, self.where(row)


def by_number(row: int) -> str:
    """Return where a row is, as a message says it of files without lines."""
    return f"row {row}, counted from 0,"


def blocks(source: Source, rows: int) -> Iterator[Block]:
    """Yield all rows of a source in order, ``rows`` at a time at most."""
    with reading(source.name, source.kind):
        yield from source.read(rows)
