"""What all kinds of files have in common: they give rows of scores and targets, in blocks."""

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
    """The error for a file that can't be scored, which says what is wrong, where, and the value."""


@dataclass(frozen=True)
class Names:
    """The names that the caller gives, of arrays in a file, columns of a table, or whole files."""

    logits: str | None = None
    probs: str | None = None
    targets: str | None = None
    weight: str | None = None

    @property
    def scores(self) -> str | None:
        """Return the name of the scores, be they logits or probabilities."""
        return self.logits or self.probs

    def given(self) -> dict[str, str]:
        """Return the names that were given, by what they name."""
        return {key: name for key, name in vars(self).items() if name is not None}


@dataclass(frozen=True)
class Taken:
    """The names of the columns or arrays, by what they are taken for, in the order of classes."""

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
        """Return what is taken and what is left, or raise an error if a name is taken twice."""
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
    """Consecutive rows of scores, targets and weights."""

    scores: HostArray
    targets: HostArray
    weight: HostArray | None
    kept: HostArray | None = None  # which targets are not ignored; None: all of them


class Source(Protocol):
    """An opened file of predictions."""

    name: str
    kind: str  # what the file must be, in a message
    taken: Taken
    from_logits: bool
    n_rows: int | None  # None: not known before reading
    scores_shape: Shape  # -1 for a number of rows that is not known
    targets_shape: Shape

    def class_names(self) -> tuple[str, ...]:
        """Return the names of the classes."""

    def read(self, rows: int) -> Iterator[Block]:
        """Yield all rows in order, ``rows`` at a time."""


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
    """Yield all rows of a source in order, ``rows`` at a time."""
    with reading(source.name, source.kind):
        yield from source.read(rows)


def which_scores(
    file: str, found: Mapping[str, Sequence[str]], available: Iterable[str], meant: str = ""
) -> str:
    """Return the kind of scores that there is, or raise an error if there are both or neither."""
    kinds = [kind for kind, names in found.items() if names]
    if len(kinds) == 1:
        return kinds[0]
    which = f"both {' and '.join(found)}" if kinds else f"neither {' nor '.join(found)}{meant}"
    raise BadDataError(
        f"{file}: {which}; found {listed(available)}: name the scores with --logits or --probs"
    )


def which_weight(file: str, available: Iterable[str]) -> str | None:
    """Return the weight by its usual names, or None if there is none."""
    found = [name for name in available if name in WEIGHTS]
    if len(found) > 1:
        raise BadDataError(f"{file}: both {' and '.join(WEIGHTS)}; name one of them with --weight")
    return found[0] if found else None


def listed(names: Iterable[str], most: int = 20) -> str:
    """Return names as a message shows them, ``most`` of them at most."""
    every = [shown(name) for name in names]
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return (", ".join(every[:most]) or "nothing") + more


def shown(text: str, most: int = 60) -> str:
    """Return a text as a message shows it, in quotes, and cut at ``most`` characters."""
    return repr(text) if len(text) <= most else f"{text[:most]!r}... of {len(text)} characters"
