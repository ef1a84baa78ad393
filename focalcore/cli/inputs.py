"""The files that arguments name: found, checked, and opened."""

from __future__ import annotations

import argparse
import glob
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from ..evaluation import Names, Opening, Place, Reading
from ..evaluation.readers import KINDS, TABLES, kind_of


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
        kind=options.format and f".{options.format}",
    )
    names = Names(options.logits, options.probs, options.targets, options.weight, options.id)
    one = Opening(None, names, how, None, options.task, options.ignore_index, options.background)
    if options.truth is not None:
        one = replace(one, truth=_truth(options, how))
    if not options.predictions:
        _check_npy(options, names)
        yield [one]
    elif options.predictions == ["-"]:
        with _standard_input() as place:
            yield [replace(one, place=place, how=replace(how, kind=how.kind or ".csv"))]
    else:
        found = [path for name in options.predictions for path in _found(options, name)]
        _check_pyarrow(options, found, how)
        yield [replace(one, place=Place(path, str(path))) for path in found]


def opening_of(options: argparse.Namespace, like: Opening, name: str) -> Opening:
    """Return a file that is read as others are."""
    path = _found(options, name)[0]
    return replace(like, place=Place(path, str(path)))


def read_files(options: argparse.Namespace, files: Sequence[Opening]) -> list[str]:
    """Return the names of all files that are read, which no result may replace."""
    names = [str(file.place.path) for file in files if file.place is not None]
    if options.truth is not None:
        names.append(options.truth)
    if not options.predictions:
        names += [name for name in (options.logits, options.probs, options.targets) if name]
        names += [options.weight] if options.weight else []
    return names


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
        matched = sorted(Path(found) for found in glob.glob(name) if os.path.isfile(found))
        if not matched:
            options.parser.error(f"no file fits the pattern {name}")
        return matched
    _check_file(options, path)
    return [path]


def _check_file(options: argparse.Namespace, path: Path) -> None:
    if options.format is None and kind_of(path) is None:
        options.parser.error(
            f"PREDICTIONS must be {', '.join(KINDS)}; found {path}: say which with --format"
        )
    if not os.path.isfile(path):
        options.parser.error(f"no such file: {path}{' is a folder' if os.path.isdir(path) else ''}")


def _truth(options: argparse.Namespace, how: Reading) -> Place:
    if options.id is None:
        options.parser.error("--truth needs --id, the column by which both files are joined")
    path = Path(options.truth)
    _check_file(options, path)
    if kind_of(path) not in TABLES:
        options.parser.error(f"--truth must be a table, as .csv or .parquet; found {path}")
    _check_pyarrow(options, [path], how)
    return Place(path, str(path))


def _check_npy(options: argparse.Namespace, names: Names) -> None:
    if not (names.targets and names.scores):
        options.parser.error("give PREDICTIONS, or .npy files as --logits or --probs and --targets")
    for name in names.given().values():
        if not name.lower().endswith(".npy"):
            options.parser.error(f"without PREDICTIONS the options name .npy files; found {name}")
        if not os.path.isfile(name):
            is_folder = " is a folder" if os.path.isdir(name) else ""
            options.parser.error(f"no such file: {name}{is_folder}")


def _check_pyarrow(options: argparse.Namespace, paths: Sequence[Path], how: Reading) -> None:
    kinds = {how.kind or kind_of(path) for path in paths}
    if kinds & set(TABLES) and find_spec("pyarrow") is None:
        options.parser.error("tables need pyarrow: pip install 'focalcore[cli]'")


@contextmanager
def _standard_input() -> Iterator[Place]:
    """Copy standard input to a file, for its first rows are read twice to tell what they are."""
    with tempfile.NamedTemporaryFile() as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
        file.flush()
        yield Place(Path(file.name), "standard input")
