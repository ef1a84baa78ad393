"""Files of predictions: a reader for each kind, which all give blocks of scores and targets.

A table has columns (`csv`, `parquet`, `arrow`, `jsonl`; `joined` is two of them), and others have
arrays (`npz`, `npy`, `safetensors`). pyarrow is imported for tables alone.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from .arrays import ArraySource
from .errors import BadDataError, reading
from .names import Names, Taken
from .npy import arrays_of
from .source import Place, Reading, Source, blocks

__all__ = [
    "KINDS",
    "BadDataError",
    "Names",
    "Place",
    "Reading",
    "Source",
    "Taken",
    "blocks",
    "kind_of",
    "open_arrays",
    "open_source",
]

# by the ending of a file's name: the module and the class that reads it
TABLES = {
    ".csv": ("csv", "CsvTable"),
    ".tsv": ("csv", "CsvTable"),
    ".txt": ("csv", "CsvTable"),
    ".parquet": ("parquet", "ParquetTable"),
    ".pq": ("parquet", "ParquetTable"),
    ".arrow": ("arrow", "ArrowTable"),
    ".feather": ("arrow", "ArrowTable"),
    ".ipc": ("arrow", "ArrowTable"),
    ".jsonl": ("jsonl", "JsonTable"),
    ".ndjson": ("jsonl", "JsonTable"),
}
ARRAYS = {".npz": ("npz", "Members"), ".safetensors": ("safetensors", "Tensors")}
KINDS = (*TABLES, *ARRAYS)
COMPRESSED = (".gz", ".bz2", ".zst")


def kind_of(path: Path) -> str | None:
    """Return the kind of a file by its name, in lower case and without that of a compression."""
    endings = [ending.lower() for ending in path.suffixes]
    if endings and endings[-1] in COMPRESSED:
        endings.pop()
    return endings[-1] if endings and endings[-1] in KINDS else None


def open_source(place: Place, names: Names, how: Reading, truth: Place | None = None) -> Source:
    """Open a file of predictions, and one of truth beside it where there is one."""
    kind = place.kind or kind_of(place.path)
    if kind in TABLES:
        return _table_source(place, names, how, truth)
    if truth is not None:
        raise BadDataError(
            f"{place.name}: --truth joins tables, as .csv and .parquet files; put the targets "
            f"beside the scores, or give both as .npy files"
        )
    with reading(place.name, "a file of arrays"):
        arrays = _made(ARRAYS[str(kind)])(place.path)
        return ArraySource(place.name, "a file of arrays", arrays, names, how)


def open_arrays(names: Names, how: Reading) -> Source:
    """Open .npy files, one for each array."""
    return ArraySource(str(names.scores), "a file of an array", arrays_of(names), names, how)


def _table_source(place: Place, names: Names, how: Reading, truth: Place | None) -> Source:
    from .tables import TableSource

    table = _table(place, how)
    with reading(table.name, table.kind):
        if truth is None:
            return TableSource(table, names)
        from .joined import JoinedTable

        return TableSource(JoinedTable(table, _table(truth, how), str(names.id)), names)


def _table(place: Place, how: Reading) -> Any:
    """Return an opened table."""
    place = place._replace(kind=place.kind or kind_of(place.path))
    made = _made(TABLES[str(place.kind)])
    with reading(place.name, made.kind):
        return made(place, how)


def _made(where: tuple[str, str]) -> Any:
    """Return a class by its module, which may need a package that is not installed."""
    module, name = where
    return getattr(import_module(f".{module}", __package__), name)
