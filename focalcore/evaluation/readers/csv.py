"""Text in columns: .csv and .tsv files, compressed or not."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from .errors import BadDataError, shown
from .source import Place, Reading
from .text import TextTable, opened

MISSING = ("", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL", "None")
BLOCK = 2**20  # bytes that are parsed at once


class CsvTable(TextTable):
    """A file of text whose first line names its columns."""

    kind = "a text file of columns"

    def __init__(self, place: Place, reading: Reading) -> None:
        super().__init__(place, reading)
        self.separator = reading.separator or ("\t" if place.kind == ".tsv" else ",")

    def header(self) -> Sequence[str]:
        """Return the names of the columns."""
        try:
            return next((row for _, row in self._rows()), [])
        except (csv.Error, UnicodeError) as error:
            raise self._diagnosed(error) from None

    def batches(self, columns: Sequence[str], rows: int) -> Iterator[Any]:  # noqa: ARG002
        """Yield record batches of some columns."""
        with self._opened(columns) as reader:
            yield from map(self._with_holes, reader)

    def as_text(self, column: str) -> None:
        """Read this column as it is written, even if it looks like numbers."""
        self.types[column] = pa.string()

    def where(self, row: int) -> str:
        """Return the line of a row, for which the file is read again, if it can be told."""
        try:
            return f"line {next(islice(self._rows(), row + 1, None))[0]}"
        except (csv.Error, UnicodeError, StopIteration):
            return super().where(row)

    @contextmanager
    def _opened(self, columns: Sequence[str]) -> Iterator[Any]:
        """Open the file, to read some columns, and say which line is at fault."""
        try:
            with opened(self.path) as stream:
                yield arrow_csv.open_csv(
                    stream,
                    arrow_csv.ReadOptions(
                        use_threads=False, block_size=BLOCK, encoding=self.reading.encoding
                    ),
                    arrow_csv.ParseOptions(delimiter=self.separator, newlines_in_values=True),
                    arrow_csv.ConvertOptions(
                        include_columns=columns,
                        column_types=self.types,
                        null_values=MISSING,
                        decimal_point=self.reading.decimal,
                    ),
                )
        except pa.ArrowInvalid as error:
            raise self._diagnosed(error) from None

    def _with_holes(self, batch: Any) -> Any:
        """Return a batch with nothing in place of text that says so, but for what is a name."""
        for i, (name, column) in enumerate(zip(batch.schema.names, batch.columns, strict=True)):
            if pa.types.is_string(column.type) and name not in self.types:
                is_hole = pc.is_in(column, value_set=pa.array(MISSING))
                column = pc.if_else(is_hole, pa.scalar(None, pa.string()), column)
                batch = batch.set_column(i, name, column)
        return batch

    def _diagnosed(self, error: Exception) -> BadDataError:
        """Return an error that names the first line at fault, found by reading line by line."""
        header: list[str] = []
        try:
            for line, row in self._rows():
                fault = _fault(row, header, self.numbers, self.reading.decimal) if header else None
                if fault is not None:
                    return BadDataError(f"{self.name}: line {line}{fault}")
                header = header or row
        except csv.Error as fault:
            return BadDataError(
                f"{self.name}: a line can't be cut into fields ({fault}); close its quotes, or "
                f"leave a column of long texts out of the file"
            )
        except UnicodeError as fault:
            return BadDataError(
                f"{self.name}: not text in {self.reading.encoding} ({fault}); say another with "
                f"--encoding, as utf-16"
            )
        if not header:
            return BadDataError(f"{self.name}: the file is empty; there must be a header and rows")
        return BadDataError(f"{self.name}: not {self.kind} ({error})")

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the number of the line that a row ends on, and its fields, from the header on."""
        encoding = "utf-8-sig" if self.reading.encoding == "utf-8" else self.reading.encoding
        with opened(self.path) as stream:
            text = io.TextIOWrapper(stream, encoding=encoding, newline="")
            reader = csv.reader(text, delimiter=self.separator, strict=True)
            for row in reader:
                if row:
                    yield reader.line_num, row


def _fault(row: list[str], header: list[str], numbers: Set[str], decimal: str) -> str | None:
    """Return what is wrong in a row, or None."""
    if len(row) != len(header):
        return (
            f" has {len(row)} fields; the header has {len(header)}, and each line must have as many"
        )
    for name, text in zip(header, row, strict=True):
        if name in numbers and not _is_number(text, decimal):
            return (
                f", column {shown(name.strip())} is {shown(text)}; it must be a number whose "
                f"decimal point is {decimal!r}: name another with --decimal, or other columns with "
                f"--logits, --probs, --targets or --weight"
            )
    return None


def _is_number(text: str, decimal: str) -> bool:
    """Tell whether a text is a number, or nothing."""
    try:
        float(text.translate(str.maketrans(f"{decimal}.", f".{decimal}")))
    except ValueError:
        return text in MISSING
    return "_" not in text
