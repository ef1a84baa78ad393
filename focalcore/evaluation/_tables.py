"""Columns of numbers from .csv files, read line by line; an error names the line."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from ._columns import choose_columns
from ._source import BadDataError, Block, Names, Shape, shown


class TableSource:
    """An opened .csv file, whose header names its columns."""

    kind = "a text file in UTF-8"

    def __init__(self, file: Path, names: Names) -> None:
        self.name, self.file = str(file), file
        self.n_rows: int | None = None
        self.header = self._read_header()
        self.taken, self.from_logits = choose_columns(self.name, names, self.header)
        self.scores_shape = _shape(self.taken.scores)
        self.targets_shape = _shape(self.taken.targets)

    def class_names(self) -> tuple[str, ...]:
        """Return the names of the classes, which are those of the columns of scores."""
        return self.taken.scores

    def read(self, rows: int) -> Iterator[Block]:
        """Yield all rows in order, ``rows`` at a time."""
        taken = self.taken
        weights = () if taken.weight is None else (taken.weight,)
        place = {name: i for i, name in enumerate(self.header)}
        wanted = [place[name] for name in (*taken.scores, *taken.targets, *weights)]
        ends = np.cumsum([len(taken.scores), len(taken.targets)])
        numbered = ((line, row) for line, row in islice(self._lines(), 1, None) if row)
        while block := list(islice(numbered, rows)):
            table = np.asarray([self._numbers(line, row, wanted) for line, row in block])
            scores, targets, weight = np.split(table, ends, axis=1)
            scores = scores if len(taken.scores) > 1 else scores[:, 0]
            targets = targets if len(taken.targets) > 1 else targets[:, 0]
            yield Block(scores, targets, weight[:, 0] if weights else None)

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the number of the line that a row ends on, and its fields, from the header on."""
        with self.file.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.reader(lines, strict=True)
            try:
                for row in reader:
                    yield reader.line_num, row
            except csv.Error as error:
                raise BadDataError(
                    f"{self.name}: line {reader.line_num} can't be cut into fields ({error}); "
                    f"close its quotes, or leave a column of long texts out of the file"
                ) from None

    def _read_header(self) -> list[str]:
        _, fields = next(self._lines(), (0, []))
        header = [column.strip() for column in fields]
        if not header:
            raise BadDataError(
                f"{self.name}: the file is empty, or its first line is; there must be a header "
                f"and rows"
            )
        column, times = Counter(header).most_common(1)[0]
        if times > 1:
            raise BadDataError(
                f"{self.name}: two columns are called {shown(column)}; each must have a name of "
                f"its own in the header"
            )
        return header

    def _numbers(self, line: int, row: list[str], wanted: Sequence[int]) -> list[float]:
        if len(row) != len(self.header):
            raise BadDataError(
                f"{self.name}: line {line} has {len(row)} fields; the header has "
                f"{len(self.header)}, and each line must have as many"
            )
        return [self._number(line, i, row[i]) for i in wanted]

    def _number(self, line: int, column: int, text: str) -> float:
        try:
            if "_" in text:  # `float` takes 1_000, which is no number in a table
                raise ValueError
            return float(text)
        except ValueError:
            raise BadDataError(
                f"{self.name}: line {line}, column {shown(self.header[column])} is {shown(text)}; "
                f"it must be a number: name other columns with --logits, --probs, --targets or "
                f"--weight"
            ) from None


def _shape(columns: Sequence[str]) -> Shape:
    return (-1,) if len(columns) == 1 else (-1, len(columns))
