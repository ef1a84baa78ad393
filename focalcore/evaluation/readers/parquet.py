"""Columns in .parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow.parquet as arrow_parquet

from .source import Place, Reading
from .tables import Table

BUFFER = 2**20  # bytes of a column that are read at once


class ParquetTable(Table):
    """A file of columns that are compressed in groups of rows."""

    kind = "a Parquet file"

    def __init__(self, place: Place, reading: Reading) -> None:
        super().__init__(place, reading)
        with arrow_parquet.ParquetFile(self.path) as file:
            self.names, self.length = file.schema_arrow.names, file.metadata.num_rows

    @property
    def n_rows(self) -> int:
        """Return the number of rows."""
        return int(self.length)

    def header(self) -> Sequence[str]:
        """Return the names of the columns."""
        return tuple(self.names)

    def batches(self, columns: Sequence[str], rows: int) -> Iterator[Any]:
        """Yield record batches of some columns, of which no whole group is in memory."""
        with arrow_parquet.ParquetFile(self.path, buffer_size=BUFFER, pre_buffer=False) as file:
            yield from file.iter_batches(batch_size=rows, columns=list(columns), use_threads=False)
