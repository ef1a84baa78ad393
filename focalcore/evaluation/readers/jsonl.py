"""Lines of JSON, an object each: .jsonl and .ndjson files, compressed or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.json as arrow_json

from .tables import Table
from .text import opened


class JsonTable(Table):
    """A file whose lines are objects of the same names."""

    kind = "lines of JSON objects"
    schema: Any = None  # of the columns that are numbers, even if the first of them are whole

    def header(self) -> Sequence[str]:
        """Return the names of the columns."""
        with self._opened() as reader:
            return tuple(reader.schema.names)

    def batches(self, columns: Sequence[str], rows: int) -> Iterator[Any]:  # noqa: ARG002
        """Yield record batches of some columns."""
        with self._opened() as reader:
            for batch in reader:
                yield batch.select(list(columns))

    def as_numbers(self, columns: Sequence[str]) -> None:
        """Read these columns as numbers, whatever the first rows look like."""
        self.schema = pa.schema([(name, pa.float64()) for name in columns])

    def where(self, row: int) -> str:
        """Return the line of a row."""
        return f"line {row + 1}"

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        with opened(self.path) as stream:
            yield arrow_json.open_json(
                stream,
                arrow_json.ReadOptions(use_threads=False),
                arrow_json.ParseOptions(explicit_schema=self.schema),
            )
