"""A table of predictions and one of truth, joined by what the examples are called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from ..._typing import HostArray
from .errors import BadDataError, reading, shown
from .tables import Table, texts

ROWS = 65_536


class JoinedTable(Table):
    """The columns of predictions, and beside them those of truth, whose rows are in memory."""

    def __init__(self, predictions: Table, truth: Table, id: str) -> None:  # noqa: A002
        super().__init__(predictions.place, predictions.reading)
        self.predictions, self.truth, self.id = predictions, truth, id
        self.kind = predictions.kind
        # of the batch that is read: its first row, and the rows of truth that belong to it
        self.first, self.matched = 0, np.zeros(0, dtype=np.int64)
        for table in (predictions, truth):
            table.as_text(id)
            if id not in table.header():
                raise BadDataError(
                    f"{table.name}: no column {shown(id)}, by which predictions and truth are "
                    f"joined; name another with --id"
                )

    @property
    def n_rows(self) -> int | None:
        """Return the number of rows, if the file says it."""
        return self.predictions.n_rows

    def where(self, row: int) -> str:
        """Return where a row of the predictions is, as a message says it."""
        return self.predictions.where(row)

    def origin(self, column: str, row: int) -> tuple[str, str]:
        """Return the file that a column is in, and where what is beside a row is there."""
        if column not in self.targets:
            return self.name, self.where(row)
        return self.truth.name, self.truth.where(int(self.matched[row - self.first]))

    def header(self) -> Sequence[str]:
        """Return the names of the columns, those of truth behind those of the predictions."""
        own = self.predictions.header()
        return [*own, *(name for name in self.header_of_targets() if name not in own)]

    def header_of_targets(self) -> list[str]:
        """Return the names of the columns of truth."""
        return [name for name in self.truth.header() if name != self.id]

    def as_numbers(self, columns: Sequence[str]) -> None:
        """Take note that the files hold numbers in these columns."""
        own, beside = self._apart(columns)
        self.predictions.as_numbers(own)
        self.truth.as_numbers(beside)

    def batches(self, columns: Sequence[str], rows: int) -> Iterator[Any]:
        """Yield record batches of some columns, in the order of the predictions."""
        own, beside = self._apart([name for name in columns if name != self.id])
        truth, used, first = self._truth(beside), np.zeros(len(self._places), dtype=bool), 0
        for batch in self.predictions.batches([*own, self.id], rows):
            self.first, self.matched = first, self._found(first, texts(batch.column(self.id)), used)
            taken = truth.take(pa.array(self.matched)).combine_chunks()
            arrays = [batch.column(name) for name in (*own, self.id)]
            arrays += [taken.column(name).combine_chunks() for name in beside]
            yield pa.RecordBatch.from_arrays(arrays, [*own, self.id, *beside])
            first += batch.num_rows
        if first and not used.all():
            id_ = list(self._places)[int(np.argmin(used))]
            raise BadDataError(
                f"{self.truth.name}: {shown(id_)} has no prediction in {self.name}; each id must "
                f"be in both files"
            )

    def _apart(self, columns: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return which columns are of predictions, and which, as the targets, of truth."""
        own = [name for name in self.predictions.header() if name not in self.targets]
        return [c for c in columns if c in own], [c for c in columns if c not in own]

    def _found(self, first: int, ids: list[str], used: HostArray) -> HostArray:
        """Return the rows of truth that belong to ids, and mark them as used."""
        found = np.asarray([self._places.get(id_, -1) for id_ in ids], dtype=np.int64)
        if (found < 0).any():
            row = int(np.argmin(found))
            raise BadDataError(
                f"{self.name}: {self.where(first + row)} is of {shown(ids[row])}, which is not in "
                f"{self.truth.name}; each id must be in both files"
            )
        is_first = np.zeros(len(found), dtype=bool)
        is_first[np.unique(found, return_index=True)[1]] = True
        again = used[found] | ~is_first
        used[found] = True
        if again.any():
            row = int(np.argmax(again))
            raise BadDataError(
                f"{self.name}: {self.where(first + row)} is of {shown(ids[row])}, which was "
                f"there before; each id must be there once"
            )
        return found

    @cached_property
    def _places(self) -> dict[str, int]:
        """Return the row of each id of truth."""
        places: dict[str, int] = {}
        with reading(self.truth.name, self.truth.kind):
            for batch in self.truth.batches([self.id], ROWS):
                for id_ in texts(batch.column(self.id)):
                    if id_ in places:
                        raise BadDataError(
                            f"{self.truth.name}: {shown(id_)} is there twice; each id must be "
                            f"there once"
                        )
                    places[id_] = len(places)
        return places

    def _truth(self, columns: Sequence[str]) -> Any:
        """Return some columns of truth as a table."""
        with reading(self.truth.name, self.truth.kind):
            batches = list(self.truth.batches(columns, ROWS))
        if not batches:
            raise BadDataError(f"{self.truth.name}: no rows; there must be at least one")
        return pa.Table.from_batches(batches)
