"""What every kind of file gives: rows of scores and targets, a block at a time."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from .._typing import HostArray

Shape = tuple[int, ...]

WEIGHTS = ("weight", "sample_weight")
# what NumPy, zipfile and a decoder raise at a file that isn't what its name says
MALFORMED = (
    ValueError,
    EOFError,
    MemoryError,
    OverflowError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


class BadDataError(Exception):
    """A file that can't be scored: what is wrong, where, and the value."""


@dataclass(frozen=True)
class Names:
    """What the caller calls things: arrays in a file, columns of a table, or files of their own."""

    logits: str | None = None
    probs: str | None = None
    targets: str | None = None
    weight: str | None = None

    @property
    def scores(self) -> str | None:
        """The name of the scores, whichever they are."""
        return self.logits or self.probs

    def given(self) -> dict[str, str]:
        """What was named."""
        return {key: name for key, name in vars(self).items() if name is not None}


@dataclass(frozen=True)
class Taken:
    """The names of the columns or arrays, by what they were taken for, in the order of classes."""

    scores: tuple[str, ...]
    targets: tuple[str, ...]
    weight: str | None
    unused: tuple[str, ...]

    @classmethod
    def of(
        cls,
        file: str,
        available: Iterable[str],
        scores: Sequence[str],
        targets: Sequence[str],
        weight: str | None,
    ) -> Taken:
        """What is taken, each name once, and what is left."""
        taken = Counter([*scores, *targets, *([] if weight is None else [weight])])
        name, times = taken.most_common(1)[0]
        if times > 1:
            raise BadDataError(
                f"{file}: {name!r} is taken {times} times; scores, targets and weight must be "
                f"different: name others with --logits, --probs, --targets or --weight"
            )
        unused = tuple(name for name in available if name not in taken)
        return cls(tuple(scores), tuple(targets), weight, unused)


class Block(NamedTuple):
    """Consecutive rows."""

    scores: HostArray
    targets: HostArray
    weight: HostArray | None
    kept: HostArray | None = None  # which targets are not ignored; None: all of them


class Source(Protocol):
    """A file, opened."""

    name: str
    kind: str  # what the file must be, in a message
    taken: Taken
    from_logits: bool
    n_rows: int | None  # None: only reading tells
    scores_shape: Shape  # -1 for a number of rows that is not known
    targets_shape: Shape

    def class_names(self) -> tuple[str, ...]:
        """The names of the columns of the scores."""

    def read(self, rows: int) -> Iterator[Block]:
        """All rows in order, so many at a time."""


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


def blocks(source: Source, rows: int) -> Iterator[Block]:
    """All rows of a source, so many at a time."""
    with reading(source.name, source.kind):
        yield from source.read(rows)


def which_scores(
    file: str, found: Mapping[str, Sequence[str]], available: Iterable[str], meant: str = ""
) -> str:
    """Which of the two usual kinds of scores there are."""
    kinds = [kind for kind, names in found.items() if names]
    if len(kinds) == 1:
        return kinds[0]
    which = f"both {' and '.join(found)}" if kinds else f"neither {' nor '.join(found)}{meant}"
    raise BadDataError(
        f"{file}: {which}; found {listed(available)}: name the scores with --logits or --probs"
    )


def which_weight(file: str, available: Iterable[str]) -> str | None:
    """The weight by its usual names, if there is one."""
    found = [name for name in available if name in WEIGHTS]
    if len(found) > 1:
        raise BadDataError(f"{file}: both {' and '.join(WEIGHTS)}; name one of them with --weight")
    return found[0] if found else None


def listed(names: Iterable[str], most: int = 20) -> str:
    """Names in a message."""
    every = [shown(name) for name in names]
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return (", ".join(every[:most]) or "nothing") + more


def shown(text: str, most: int = 60) -> str:
    """A text in a message."""
    return repr(text) if len(text) <= most else f"{text[:most]!r}... of {len(text)} characters"
