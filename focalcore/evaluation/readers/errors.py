"""Errors of files: what is wrong, where, the value found, and the way out, in one line."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

# what NumPy, pyarrow, zipfile and a decoder raise at a file that isn't what its name says
MALFORMED = (
    ValueError,
    EOFError,
    MemoryError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    TypeError,
    zipfile.BadZipFile,
    zlib.error,
)
MOST_NAMES, LONGEST = 20, 60  # that a message shows, and the characters of each


class BadDataError(Exception):
    """The error for a file that can't be scored, which says what is wrong, where, and the value."""


@contextmanager
def reading(file: str, kind: str) -> Iterator[None]:
    """Turn whatever goes wrong in reading a file into an error with its name and the reason."""
    try:
        yield
    except OSError as error:
        raise BadDataError(f"{file}: can't be read ({error.strerror or error})") from None
    except MALFORMED as error:
        reason = str(error) or type(error).__name__
        raise BadDataError(f"{file}: not {kind} ({reason})") from None


def listed(names: Iterable[str]) -> str:
    """Return names as a message shows them, of many the first."""
    every = [shown(name) for name in names]
    more = f" and {len(every) - MOST_NAMES} more" if len(every) > MOST_NAMES else ""
    return (", ".join(every[:MOST_NAMES]) or "nothing") + more


def shown(text: str) -> str:
    """Return a text as a message shows it, in quotes, of a long one the beginning."""
    if len(text) <= LONGEST:
        return repr(text)
    return f"{text[:LONGEST]!r}... of {len(text)} characters"
