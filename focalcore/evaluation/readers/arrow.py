"""Columns in Arrow's own format: .arrow, .feather and .ipc files, and streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from .tables import Table

MAGIC = b"ARROW1"  # of a file; a stream has none


class ArrowTable(Table):
    """A file of record batches, mapped and not loaded."""

    kind = "a file or stream of Arrow"

    def header(self) -> Sequence[str]:
        """Return the names of the columns."""
        with self._opened() as (schema, _):
            return tuple(schema.names)

    def batches(self, columns: Sequence[str], rows: int) -> Iterator[Any]:  # noqa: ARG002
        """Yield record batches of some columns."""
        with self._opened() as (_, found):
            for batch in found:
                chosen = batch.select(list(columns))
                chosen.validate(full=True)  # offsets beyond their data would be followed
                yield chosen

    @contextmanager
    def _opened(self) -> Iterator[tuple[Any, Iterator[Any]]]:
        with pa.memory_map(str(self.path)) as raw:
            is_file = raw.read(len(MAGIC)) == MAGIC
            raw.seek(0)
            if is_file:
                with pa.ipc.open_file(raw) as reader:
                    yield reader.schema, map(reader.get_batch, range(reader.num_record_batches))
            else:
                with pa.ipc.open_stream(raw) as reader:
                    yield reader.schema, iter(reader)
