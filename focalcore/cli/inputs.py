"""The files that arguments name: found, checked, and opened."""

from __future__ import annotations

import argparse
import glob
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from ..evaluation import Names, Opening, Place, Reading
from ..evaluation.readers import KINDS, TABLES, kind_of
from ..evaluation.readers.errors import reading


@contextmanager
def openings(options: argparse.Namespace) -> Iterator[list[Opening]]:
    """Find the files that are meant, or end with an error of usage."""
    how = Reading(
        separator=options.sep,
        decimal=options.decimal,
        encoding=options.encoding,
        missing=options.na,
        axis=options.axis,
        class_names=options.class_names,
    )
    names = Names(options.logits, options.probs, options.targets, options.weight, options.id)
    truth = None if options.truth is None else _truth(options)
    one = Opening(None, names, how, truth, options.task, options.ignore_index, options.background)
    if not options.predictions:
        _check_npy(options, names)
        yield [one]
    elif options.predictions == ["-"]:
        with _standard_input(options) as place:
            yield [replace(one, place=place)]
    else:
        kind = _said_kind(options)
        paths = [path for name in options.predictions for path in _found(options, name)]
        found = [Place(path, str(path), kind or kind_of(path)) for path in paths]
        _check_pyarrow(options, found)
        yield [replace(one, place=place) for place in found]


def compared(options: argparse.Namespace, found: Sequence[Opening]) -> Opening:
    """Return the file that another is compared with, which is read as that one is."""
    paths = _found(options, options.compare)
    if len(found) > 1 or len(paths) > 1 or found[0].place is None:
        options.parser.error(
            "--compare takes one file of PREDICTIONS and one OTHER, as .csv, .parquet or .npz"
        )
    place = _beside(options, paths[0])
    _check_pyarrow(options, [place])
    return replace(found[0], place=place)


def read_files(options: argparse.Namespace, files: Sequence[Opening]) -> list[str]:
    """Return the names of all files that are read, which no result may replace."""
    names = [str(file.place.path) for file in files if file.place is not None]
    names += [name for name in (options.truth, options.compare) if name is not None]
    return names if options.predictions else [*names, *files[0].names.given().values()]


def _found(options: argparse.Namespace, name: str) -> list[Path]:
    """Return the files that a name, a folder or a pattern stands for."""
    path = Path(name)
    if os.path.isdir(name):
        inside = sorted(file for file in path.iterdir() if kind_of(file) and os.path.isfile(file))
        if not inside:
            options.parser.error(
                f"{path} is a folder with no files of predictions in it, as {', '.join(KINDS)}"
            )
        return inside
    if not os.path.isfile(name) and glob.has_magic(name):
        paths = sorted(map(Path, glob.glob(name)))
        matched = [file for file in paths if os.path.isfile(file) and _is_known(options, file)]
        if not matched:
            options.parser.error(f"no file fits the pattern {name}, of those that hold predictions")
        return matched
    _check_file(options, path)
    return [path]


def _check_file(options: argparse.Namespace, path: Path) -> None:
    if not _is_known(options, path):
        options.parser.error(
            f"PREDICTIONS must be {', '.join(KINDS)}; found {path}: say which with --format"
        )
    _check_there(options, path)


def _check_there(options: argparse.Namespace, path: Path) -> None:
    if os.path.isfile(path):
        return
    why = " is a pipe: send it to standard input, which is -" if os.path.exists(path) else ""
    why = " is a folder" if os.path.isdir(path) else why
    options.parser.error(f"no such file: {path}{why}")


def _is_known(options: argparse.Namespace, path: Path) -> bool:
    """Tell whether it is said, or told by the name of the file, of which kind it is."""
    return options.format is not None or kind_of(path) is not None


def _said_kind(options: argparse.Namespace) -> str | None:
    return None if options.format is None else f".{options.format}"


def _beside(options: argparse.Namespace, path: Path) -> Place:
    """Return a file that is read beside those of predictions, whose kind its own name tells."""
    return Place(path, str(path), kind_of(path) or _said_kind(options))


def _truth(options: argparse.Namespace) -> Place:
    if options.id is None:
        options.parser.error("--truth needs --id, the column by which both files are joined")
    path = Path(options.truth)
    _check_file(options, path)
    place = _beside(options, path)
    if place.kind not in TABLES:
        options.parser.error(f"--truth must be a table, as .csv or .parquet; found {path}")
    _check_pyarrow(options, [place])
    return place


def _check_npy(options: argparse.Namespace, names: Names) -> None:
    if not (names.targets and names.scores):
        options.parser.error("give PREDICTIONS, or .npy files as --logits or --probs and --targets")
    for name in names.given().values():
        if not name.lower().endswith(".npy"):
            options.parser.error(f"without PREDICTIONS the options name .npy files; found {name}")
        _check_there(options, Path(name))


def _check_pyarrow(options: argparse.Namespace, places: Sequence[Place]) -> None:
    if {place.kind for place in places} & set(TABLES) and find_spec("pyarrow") is None:
        options.parser.error("tables need pyarrow: pip install 'focalcore[cli]'")


@contextmanager
def _standard_input(options: argparse.Namespace) -> Iterator[Place]:
    """Copy standard input to a file, for its first rows are read twice to tell what they are."""
    if sys.stdin is None:
        options.parser.error("standard input is closed; name a file")
    place = Place(Path(), "standard input", _said_kind(options) or ".csv")
    _check_pyarrow(options, [place])
    with ExitStack() as stack:
        with reading(place.name, "bytes"):
            file = stack.enter_context(tempfile.NamedTemporaryFile())
            shutil.copyfileobj(sys.stdin.buffer, file)
            file.flush()
        yield place._replace(path=Path(file.name))
