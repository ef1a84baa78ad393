"""Columns of numbers from .csv files, read line by line: a bad one is named with its line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ._source import BadDataError, Block, Names, Shape, listed, which_scores


class TableSource:
    """Columns of a file with a header."""

    def __init__(self, file: Path, names: Names) -> None:
        self.name, self.file = str(file), file
        self.n_rows: int | None = None
        self.header = self._read_header()
        scores, self.from_logits = which_scores(self.name, names, self.header, "logit*", "prob*")
        self.scores = self._columns(scores)
        self.targets = self._columns(names.targets or "target*")
        weight = names.weight or ("weight" if "weight" in self.header else None)
        self.weight = [] if weight is None else self._columns(weight)
        if len(self.weight) > 1:
            raise BadDataError(f"{file}: {weight!r} names {len(self.weight)} columns of weights")
        self.scores_shape, self.targets_shape = _shape(self.scores), _shape(self.targets)

    def class_names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self.header[i] for i in self.scores)

    def read(self, rows: int) -> Iterator[Block]:
        """All rows in order, so many at a time."""
        wanted = [*self.scores, *self.targets, *self.weight]
        ends = np.cumsum([len(self.scores), len(self.targets)])
        with self._open() as lines:
            reader = csv.reader(lines)
            next(reader)
            numbered = ((reader.line_num, row) for row in reader if row)
            while block := list(islice(numbered, rows)):
                table = np.asarray([self._numbers(line, row, wanted) for line, row in block])
                scores, targets, weight = np.split(table, ends, axis=1)
                scores = scores if len(self.scores) > 1 else scores[:, 0]
                targets = targets if len(self.targets) > 1 else targets[:, 0]
                yield Block(scores, targets, weight[:, 0] if self.weight else None)

    def _open(self) -> Any:
        return self.file.open(newline="", encoding="utf-8-sig")

    def _read_header(self) -> list[str]:
        try:
            with self._open() as lines:
                header = [column.strip() for column in next(csv.reader(lines), [])]
        except UnicodeDecodeError as error:
            raise BadDataError(f"{self.name}: not a text file ({error})") from None
        if not header:
            raise BadDataError(f"{self.name}: the file is empty; there must be a header and rows")
        for column in header:
            if header.count(column) > 1:
                raise BadDataError(f"{self.name}: two columns are called {column!r}")
        return header

    def _columns(self, patterns: str) -> list[int]:
        columns = []
        for pattern in map(str.strip, patterns.split(",")):
            found = [i for i, column in enumerate(self.header) if fnmatchcase(column, pattern)]
            if not found:
                raise BadDataError(
                    f"{self.name}: no column {pattern!r}; found {listed(self.header)}"
                )
            columns += found
        return columns

    def _numbers(self, line: int, row: list[str], wanted: Sequence[int]) -> list[float]:
        if len(row) != len(self.header):
            raise BadDataError(
                f"{self.name}: line {line} has {len(row)} fields; the header has {len(self.header)}"
            )
        return [self._number(line, i, row[i]) for i in wanted]

    def _number(self, line: int, column: int, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise BadDataError(
                f"{self.name}: line {line}, column {self.header[column]!r} is {text!r}; "
                f"it must be a number"
            ) from None


def _shape(columns: list[int]) -> Shape:
    return (-1,) if len(columns) == 1 else (-1, len(columns))
