"""Tables of columns, whatever file they are in: blocks of their numbers, and what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..._typing import HostArray
from ..block import Block, for_targets
from .columns import choose_columns
from .errors import BadDataError, listed, shown
from .names import Names
from .source import Place, Reading, Shape, Source, by_number

FIRST_ROWS = 1024  # which tell the kinds of the columns


class Table:
    """An opened file of columns."""

    kind: str  # what the file must be, in a message
    targets: Sequence[str] = ()  # the columns that were chosen as such

    def __init__(self, place: Place, reading: Reading) -> None:
        self.place, self.reading = place, reading
        self.path, self.name = place.path, place.name

    @property
    def n_rows(self) -> int | None:
        """Return the number of rows, if the file says it."""
        return None

    def header(self) -> Sequence[str]:
        """Return the names of the columns, as the file has them."""
        raise NotImplementedError

    def header_of_targets(self) -> Sequence[str] | None:
        """Return the names of the columns among which the targets are, None: all."""
        return None

    def batches(self, columns: Sequence[str], rows: int) -> Iterator[Any]:
        """Yield record batches of some columns, of their own length, some ``rows`` if it can."""
        raise NotImplementedError

    def as_numbers(self, columns: Sequence[str]) -> None:
        """Take note that the file holds numbers in these columns, as far as it does not say it."""

    def as_text(self, column: str) -> None:
        """Take note that a column holds names, as far as the file does not say it."""

    def where(self, row: int) -> str:
        """Return where a row is, as a message says it."""
        return by_number(row)

    def origin(self, column: str, row: int) -> tuple[str, str]:  # noqa: ARG002
        """Return the file that a column is in, and where a row is there."""
        return self.name, self.where(row)


class TableSource(Source):
    """The scores, targets and weights in the columns of a table."""

    def __init__(self, table: Table, names: Names) -> None:
        self.table, self.reading = table, table.reading
        self.name, self.kind = table.name, table.kind
        self.id = names.id
        self.raw = _stripped(table.name, table.header())
        choice = choose_columns(table.name, names, tuple(self.raw), table.header_of_targets())
        self.taken, self.from_logits = choice.taken, choice.from_logits
        table.targets = [self.raw[name] for name in self.taken.targets]
        self._check_id()
        first = self._first(choice.classes)
        target = self.taken.targets[0]
        self.n_rows = table.n_rows if len(first[target]) else 0
        is_kept = self._is_kept(target, first[target], choice.classes)
        has_names = _is_text(first[target].type) and is_kept
        self.first_number = 0 if has_names else choice.first
        self.scores_shape = self._shape(self.taken.scores, first)
        self.targets_shape = self._shape(self.taken.targets, first)
        n = 1 if len(self.scores_shape) == 1 else self.scores_shape[1]
        found = choice.classes if len(choice.classes) == n else tuple(map(str, range(n)))
        self.classes = self.reading.class_names or found

    def read(self, rows: int) -> Iterator[Block]:
        """Yield all rows in order, ``rows`` at a time at most."""
        first = 0
        for batch in self.table.batches(self._wanted(), rows):
            for start in range(0, batch.num_rows, rows):
                part = batch.slice(start, rows)
                yield self._block(first + start, part)
            first += batch.num_rows

    def where(self, row: int) -> str:
        """Return where a row is, as a message says it."""
        return self.table.where(row)

    def origin(self, name: str, row: int) -> tuple[str, str]:
        """Return the file that a column is in, and where a row is there."""
        return self.table.origin(self.raw[name], row)

    def _wanted(self) -> list[str]:
        others = [name for name in (self.taken.weight, self.id) if name is not None]
        return [self.raw[name] for name in (*self.taken.scores, *self.taken.targets, *others)]

    def _block(self, first: int, batch: Any) -> Block:
        taken, present = self.taken, np.ones(batch.num_rows, dtype=bool)
        scores = self._rows(first, batch, taken.scores, present)
        targets = self._rows(first, batch, taken.targets, present)
        weight, ids = None, None
        if taken.weight is not None:
            found = self._rows(first, batch, (taken.weight,), present).astype(np.float64)
            weight = np.where(present, found, 0.0)
        if self.id is not None:
            ids = np.asarray(texts(_column(batch, self.raw[self.id])), dtype=object)
        kept = None if present.all() else for_targets(present, targets)
        return Block(scores, targets, weight, kept, ids)

    def _rows(self, first: int, batch: Any, names: Sequence[str], present: HostArray) -> HostArray:
        """Return some columns beside each other, and mark rows that lack a number as absent."""
        columns = [self._numbers(first, name, _column(batch, self.raw[name])) for name in names]
        found = columns[0] if len(columns) == 1 else np.stack(columns, axis=1)
        missing = np.isnan(found) if found.ndim == 1 else np.isnan(found).any(axis=1)
        if self.reading.missing == "ignore":
            present &= ~missing
        return found

    def _numbers(self, first: int, name: str, column: Any) -> HostArray:
        """Return a column of numbers, of lists of them, or of the names of classes."""
        if column.null_count and self.reading.missing == "error":
            row = int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
            file, where = self.origin(name, first + row)
            raise BadDataError(
                f"{file}: {where} has nothing in column {shown(name)}; it must be a number: fill "
                f"it, or leave such rows out with --na ignore"
            )
        if _is_list(column.type) and _is_number(column.type.value_type):
            return self._lists(first, name, column)
        if _is_text(column.type) and name in self.taken.targets:
            return self._labels(first, name, column)
        if not _is_number(column.type):
            found = shown(str(column[0].as_py())) if len(column) else str(column.type)
            file, where = self.origin(name, first)
            raise BadDataError(
                f"{file}: {where} column {shown(name)} is {found}; it must be a number: name other "
                f"columns with --logits, --probs, --targets or --weight"
            )
        return _floats(column)

    def _lists(self, first: int, name: str, column: Any) -> HostArray:
        """Return a column of lists of numbers, which all have one length."""
        n = self.scores_shape[1] if len(column) else 0
        lengths = pc.list_value_length(column).fill_null(n).to_numpy(zero_copy_only=False)
        if (lengths != n).any():
            row = int(np.argmax(lengths != n))
            file, where = self.origin(name, first + row)
            raise BadDataError(
                f"{file}: {where} has {lengths[row]} numbers in column {shown(name)}; the first "
                f"has {n}, and each row must have as many"
            )
        found = _floats(column.drop_null().flatten()).reshape(-1, n)
        if not column.null_count:
            return found
        rows = np.full((len(column), n), np.nan, found.dtype)
        rows[column.is_valid().to_numpy(zero_copy_only=False)] = found
        return rows

    def _labels(self, first: int, name: str, column: Any) -> HostArray:
        """Return the numbers of classes that are named, NaN where there is none."""
        names = self.classes if len(self.classes) > 1 else ()  # one column names no two classes
        codes = pc.index_in(column, value_set=pa.array(names, column.type))
        unknown = codes.is_null().to_numpy(zero_copy_only=False)
        unknown &= column.is_valid().to_numpy(zero_copy_only=False)
        if unknown.any():
            row = int(np.argmax(unknown))
            allowed = f"one of the classes {listed(names)}" if names else "one of two classes"
            file, where = self.origin(name, first + row)
            raise BadDataError(
                f"{file}: {where} column {shown(name)} is {shown(str(column[row]))}; it must be a "
                f"number, or {allowed}: name them in their order with --class-names"
            )
        found: HostArray = codes.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return found

    def _first(self, classes: Sequence[str]) -> dict[str, Any]:
        """Return the first rows of the columns that are wanted, by their names.

        Targets may be names of classes; all else that is no number is a mistake.
        """
        wanted = self._wanted()
        batches = self.table.batches(wanted, FIRST_ROWS)
        batch = next((batch for batch in batches if batch.num_rows), None)
        names = {raw: name for name, raw in self.raw.items()}
        if batch is None:
            return {names[raw]: pa.array([], pa.float64()) for raw in wanted}
        first = {names[raw]: _column(batch, raw) for raw in wanted}
        classes = self.reading.class_names or classes
        numbers = [
            self.raw[name]
            for name, column in first.items()
            if not self._is_kept(name, column, classes)
        ]
        self.table.as_numbers(numbers)
        return first

    def _is_kept(self, name: str, column: Any, classes: Sequence[str]) -> bool:
        """Tell whether a column is read as it is, and not as numbers."""
        if name == self.id or _is_list(column.type) or pa.types.is_boolean(column.type):
            return True
        if name not in self.taken.targets or not _is_text(column.type):
            return False
        is_said = self.reading.class_names is not None
        return is_said or any(label in classes for label in column.unique().to_pylist())

    def _shape(self, names: Sequence[str], first: dict[str, Any]) -> Shape:
        if len(names) > 1:
            return (-1, len(names))
        column = first[names[0]]
        if not _is_list(column.type):
            return (-1,)
        lengths = pc.list_value_length(column.drop_null())
        return (-1, lengths[0].as_py() if len(lengths) else 0)

    def _check_id(self) -> None:
        if self.id is not None and self.id not in self.raw:
            raise BadDataError(
                f"{self.name}: no column {shown(self.id)}; found {listed(self.raw)}: name one of "
                f"these with --id"
            )
        if self.id is not None:
            self.table.as_text(self.raw[self.id])


def _stripped(file: str, header: Sequence[str]) -> dict[str, str]:
    """Return the names of the columns as the file has them, by their names without spaces."""
    names = [name.strip() for name in header]
    if not any(names):
        raise BadDataError(
            f"{file}: the file is empty, or its first line is; there must be a header and rows"
        )
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise BadDataError(
            f"{file}: two columns are called {shown(name)}; each must have a name of its own in "
            f"the header"
        )
    return dict(zip(names, header, strict=True))


def texts(column: Any) -> list[str]:
    """Return what examples are called; what has no name is called nothing."""
    return ["" if value is None else str(value) for value in column.to_pylist()]


def _column(batch: Any, name: str) -> Any:
    column = batch.column(name)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.cast(pa.string()) if pa.types.is_string_view(column.type) else column


def _floats(column: Any) -> HostArray:
    """Return numbers as float32, if that holds them, or else rounded to float64; nulls are NaN."""
    types = pa.types
    is_single = types.is_float32(column.type) or types.is_float16(column.type)
    kind = pa.float32() if is_single else pa.float64()
    found: HostArray = column.cast(kind, safe=False).to_numpy(zero_copy_only=False)
    return found


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_list(kind: Any) -> bool:
    types = pa.types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _is_number(kind: Any) -> bool:
    types = pa.types
    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_boolean(kind)
        or types.is_decimal(kind)
        or types.is_null(kind)
    )
