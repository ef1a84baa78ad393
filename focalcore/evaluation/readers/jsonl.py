"""Lines of JSON, an object each: .jsonl and .ndjson files, compressed or not."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.json as arrow_json

from .errors import BadDataError, shown
from .text import TextTable, opened

BLOCK = 2**22  # bytes that are parsed at once, of which a line is a part
KINDS = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list"}


class JsonTable(TextTable):
    """A file whose lines are objects of the same names."""

    kind = "lines of JSON objects"

    def header(self) -> Sequence[str]:
        """Return the names of the columns, of which the first lines tell the types."""
        if not self.types:
            with self._opened(None) as reader:
                self.types = {field.name: _widened(field.type) for field in reader.schema}
        return tuple(self.types)

    def batches(self, columns: Sequence[str], rows: int) -> Iterator[Any]:  # noqa: ARG002
        """Yield record batches of some columns."""
        schema = pa.schema([(name, self.types[name]) for name in columns])
        with self._opened(schema) as reader:
            for batch in reader:
                yield batch.select(list(columns))

    def where(self, row: int) -> str:
        """Return the line of a row, for which the file is read again."""
        line, _ = next(islice(self._lines(), row, None), (row + 1, ""))
        return f"line {line}"

    @contextmanager
    def _opened(self, schema: Any) -> Iterator[Any]:
        """Open the file, to read some columns, or all, and say which line is at fault."""
        try:
            with opened(self.path) as stream:
                yield arrow_json.open_json(
                    stream,
                    arrow_json.ReadOptions(use_threads=False, block_size=BLOCK),
                    arrow_json.ParseOptions(
                        explicit_schema=schema,
                        unexpected_field_behavior="infer" if schema is None else "ignore",
                    ),
                )
        except pa.ArrowInvalid as error:
            raise self._diagnosed(error) from None

    def _diagnosed(self, error: Exception) -> BadDataError:
        """Return an error that names the first line at fault, found by reading line by line."""
        kinds = dict.fromkeys(self.numbers, "a number")
        for line, text in self._lines():
            fault = _fault(text, kinds)
            if fault is not None:
                return BadDataError(f"{self.name}: line {line} {fault}")
        reason = re.sub(r" in row \d+$", "", str(error))  # which would be that of a block
        return BadDataError(f"{self.name}: not {self.kind} ({reason})")

    def _lines(self) -> Iterator[tuple[int, str]]:
        """Yield the lines that are not empty, and their numbers."""
        with opened(self.path) as stream:
            text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="\n")
            for line, each in enumerate(text, 1):
                if each.strip():
                    yield line, each


def _fault(text: str, kinds: dict[str, str]) -> str | None:
    """Return what is wrong in a line, or None; the kinds of what objects hold are learnt."""
    if len(text) > BLOCK:
        return f"has {len(text):,} letters, of {BLOCK:,} at most; write such rows as .parquet"
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return f"is {shown(text.strip())}; each line must be a JSON object"
    if not isinstance(found, dict):
        return f"is {shown(text.strip())}; each line must be a JSON object"
    for name, value in found.items():
        kind = KINDS.get(type(value), "an object")
        if value is not None and kinds.setdefault(name, kind) != kind:
            return (
                f"has {shown(str(value))} as {shown(name)}; it must be {kinds[name]}, as elsewhere"
            )
    return None


def _widened(kind: Any) -> Any:
    """Return the type of all lines by that of the first: whole numbers may be followed by others.

    Text that looks like a date stays text, which may be a name.
    """
    if pa.types.is_list(kind):
        inner = kind.value_type
        return pa.list_(pa.float64() if pa.types.is_integer(inner) else _widened(inner))
    if pa.types.is_null(kind):
        return pa.float64()
    return pa.string() if pa.types.is_timestamp(kind) else kind
