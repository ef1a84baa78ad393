"""What every kind of file gives: rows of scores and targets, a block at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, Protocol

Array = Any
Shape = tuple[int, ...]


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


class Block(NamedTuple):
    """Consecutive rows."""

    scores: Array
    targets: Array
    weight: Array | None
    kept: Array | None = None  # which targets are not ignored; None: all of them


class Source(Protocol):
    """A file, opened."""

    name: str
    from_logits: bool
    n_rows: int | None  # None: only reading tells
    scores_shape: Shape  # -1 for a number of rows that is not known
    targets_shape: Shape

    def class_names(self) -> tuple[str, ...]:
        """The names of the columns of the scores."""

    def read(self, rows: int) -> Iterator[Block]:
        """All rows in order, so many at a time."""


def which_scores(
    file: str, names: Names, available: Iterable[str], logits: str, probs: str
) -> tuple[str, bool]:
    """What holds the scores, as named or by its usual name, and whether they are logits."""
    if names.scores is not None:
        return names.scores, names.logits is not None
    found = [p for p in (logits, probs) if any(fnmatchcase(name, p) for name in available)]
    if len(found) == 1:
        return found[0], found[0] == logits
    which = f"both {logits} and {probs}" if found else f"neither {logits} nor {probs}"
    raise BadDataError(
        f"{file}: {which}; found {listed(available)}: name the scores with --logits or --probs"
    )


def listed(names: Iterable[str]) -> str:
    """Names in a message."""
    return ", ".join(map(repr, names)) or "nothing"
