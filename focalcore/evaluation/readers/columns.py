"""The choice of the columns of a table that are meant, and of their order.

Columns have their usual names (`prob`, `prob_cat`, `prob7`), or a user names them, by a list or by
patterns. Numbers at the ends of names are those of classes; a list keeps its own order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

from .errors import BadDataError, listed, shown
from .names import SCORES, TARGETS, Names, Taken, which_scores, which_weight

OPTIONS = {"logit*": "--logits", "prob*": "--probs", "target*": "--targets"}
WORDS = {**SCORES, "target*": TARGETS}


class Key(NamedTuple):
    """What tells a column from the others of its kind: a text, and the number at its end."""

    text: str
    number: int | None

    @classmethod
    def of(cls, rest: str) -> Key:
        """Return the key in what a name has beyond its usual word or its pattern."""
        text = rest.rstrip("0123456789")
        digits = rest[len(text) :]
        return cls(text, int(digits) if digits else None)


@dataclass(frozen=True)
class Group:
    """The columns of one kind, in the order of the classes."""

    option: str
    names: tuple[str, ...]
    keys: tuple[Key, ...]
    is_listed: bool  # whether the user named each of them, and so their order

    @property
    def numbers(self) -> tuple[int | None, ...]:
        """Return the numbers of the columns if nothing else tells them apart, else nothing."""
        texts = {key.text for key in self.keys}
        return tuple(key.number for key in self.keys) if len(texts) == 1 else ()


class Choice(NamedTuple):
    """The columns that are meant, what their scores are, and what the classes are called."""

    taken: Taken
    from_logits: bool
    classes: tuple[str, ...]
    first: int  # the number that the first class' column ends in, 0 where there is none


def choose_columns(
    file: str, names: Names, header: Sequence[str], of_truth: Sequence[str] | None = None
) -> Choice:
    """Return the columns of scores, targets and weight; the targets may have a header of truth."""
    scores = _asked(file, names.scores, "logit*" if names.logits else "prob*", header)
    targets = _asked(file, names.targets, "target*", header if of_truth is None else of_truth)
    weight = _asked_weight(file, names.weight, header)
    asked = {
        weight,
        names.id,
        *(scores.names if scores else ()),
        *(targets.names if targets else ()),
    }
    free = [name for name in header if name not in asked]
    scores = scores or _usual_scores(file, free, header)
    free = [name for name in free if name not in scores.names]
    targets = targets or _usual_targets(file, free if of_truth is None else of_truth)
    of_scores, of_targets = _paired(file, scores, targets)
    weight = weight or which_weight(file, [name for name in free if name not in of_targets])
    others = () if names.id is None else (names.id,)
    taken = Taken.of(file, header, of_scores, of_targets, weight, others)
    numbers = () if scores.is_listed else scores.numbers  # a list has an order of its own
    first = min((n for n in numbers if n is not None), default=0)
    return Choice(taken, scores.option == "--logits", _classes(scores, of_scores), first)


def _classes(scores: Group, ordered: Sequence[str]) -> tuple[str, ...]:
    """Return what the classes are called: what tells their columns apart, or the columns' names.

    Numbers that are not those of the labels would mislead.
    """
    endings = {
        name: key.text + ("" if key.number is None else str(key.number))
        for name, key in zip(scores.names, scores.keys, strict=True)
    }
    found = tuple(endings[name] for name in ordered)
    are_numbers = all(ending.isdecimal() for ending in found)
    is_clear = found == tuple(map(str, range(len(found)))) if are_numbers else all(found)
    return found if is_clear else tuple(ordered)


def _usual(words: Sequence[str], header: Sequence[str]) -> tuple[str, list[str]]:
    """Return a word, and the column called so, or those with a name or a number behind it."""
    for word in words:
        if word in header:
            return word, [word]
    for word in words:
        found = [name for name in header if _beyond(word, name) is not None]
        if found:
            return word, found
    return "", []


def _beyond(word: str, name: str) -> str | None:
    """Return what a name has beyond a usual word, or None if it is no such name."""
    found = re.fullmatch(rf"{word}(?:_(.*)|([0-9]*))", name, re.DOTALL)
    return None if found is None else (found[1] or found[2] or "")


def _usual_scores(file: str, free: Sequence[str], header: Sequence[str]) -> Group:
    found = {kind: _usual(words, free) for kind, words in SCORES.items()}
    names = {kind: columns for kind, (_, columns) in found.items()}
    kind = which_scores(file, names, header, " (as prob, prob_NAME or prob0, prob1)")
    return _ordered(file, kind, *found[kind])


def _usual_targets(file: str, header: Sequence[str]) -> Group:
    word, found = _usual(TARGETS, header)
    if not found:
        raise BadDataError(
            f"{file}: no column 'target*' (as target, target_NAME or target0, target1) or 'label'; "
            f"found {listed(header)}: name the targets with --targets"
        )
    return _ordered(file, "target*", word, found)


def _ordered(file: str, kind: str, word: str, names: Sequence[str]) -> Group:
    keys = [Key.of(_beyond(word, name) or "") for name in names]
    return _by_number(file, Group(OPTIONS[kind], tuple(names), tuple(keys), is_listed=False))


def _asked(file: str, asked: str | None, kind: str, header: Sequence[str]) -> Group | None:
    """Return the columns that a user names, as a,b,c or with patterns."""
    if asked is None:
        return None
    option = OPTIONS[kind]
    parts = [asked] if asked in header else [part.strip() for part in asked.split(",")]
    groups = [_of_part(file, part, option, kind, header) for part in parts]
    return Group(
        option,
        tuple(name for group in groups for name in group.names),
        tuple(key for group in groups for key in group.keys),
        all(group.is_listed for group in groups),
    )


def _asked_weight(file: str, asked: str | None, header: Sequence[str]) -> str | None:
    """Return the one column that a user names as the weight."""
    if asked is None or asked in header:
        return asked
    found = [name for name in header if fnmatchcase(name, asked.strip())]
    if len(found) != 1:
        raise BadDataError(
            f"{file}: --weight {shown(asked)} names {len(found)} columns, {listed(found)}; it must "
            f"name one of {listed(header)}"
        )
    return found[0]


def _of_part(file: str, part: str, option: str, kind: str, header: Sequence[str]) -> Group:
    """Return one column by its name, or those that fit a pattern."""
    if not part:
        raise BadDataError(f"{file}: {option} has an empty name; names must be as a,b,c")
    if part in header:
        beyond = [each for word in WORDS[kind] if (each := _beyond(word, part)) is not None]
        return Group(option, (part,), (Key.of(beyond[0] if beyond else part),), True)
    names = [name for name in header if fnmatchcase(name, part)]
    if not names:
        raise BadDataError(
            f"{file}: no column {shown(part)}; found {listed(header)}: name one of these "
            f"with {option}"
        )
    keys = [Key.of(_in_pattern(part, name)) for name in names]
    return _by_number(file, Group(option, tuple(names), tuple(keys), is_listed=False))


def _in_pattern(pattern: str, name: str) -> str:
    """Return what a name has in place of a pattern's wildcards, with all digits of a number."""
    before = re.split(r"[*?[]", pattern, maxsplit=1)[0].rstrip("0123456789")
    after = re.split(r"[*?\]]", pattern)[-1].lstrip("0123456789")
    return name[len(before) : len(name) - len(after)]


def _by_number(file: str, group: Group) -> Group:
    """Return the columns in the order of their numbers, or of the file where they have none."""
    numbers = [key.number for key in group.keys if key.number is not None]
    if len(group.names) == 1 or not numbers:
        return group
    way_out = f"name them in the order of the classes, as {group.option} a,b,c"
    if len(numbers) < len(group.names):
        raise BadDataError(
            f"{file}: some of the columns {listed(group.names)} end in a number and some do not; "
            f"either all must, or none: {way_out}"
        )
    first = min(numbers)
    if first > 1 or sorted(numbers) != list(range(first, first + len(numbers))):
        raise BadDataError(
            f"{file}: the columns {listed(group.names)} do not end in each number once, from 0 "
            f"or 1 on: {way_out}"
        )
    order = sorted(range(len(numbers)), key=numbers.__getitem__)
    return Group(
        group.option,
        tuple(group.names[i] for i in order),
        tuple(group.keys[i] for i in order),
        is_listed=False,
    )


def _paired(file: str, scores: Group, targets: Group) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns of scores and of targets, both in one order of the classes."""
    n = len(scores.names)
    if n == 1 or n != len(targets.names) or (scores.is_listed and targets.is_listed):
        return scores.names, targets.names
    first, second = (targets, scores) if targets.is_listed else (scores, targets)
    for keys, others in ((first.keys, second.keys), (first.numbers, second.numbers)):
        partner = dict(zip(others, second.names, strict=False))
        if len(partner) == n and set(partner) == set(keys):
            match = tuple(partner[key] for key in keys)
            return (match, first.names) if targets.is_listed else (first.names, match)
    raise BadDataError(
        f"{file}: the columns of scores {listed(scores.names)} and of targets "
        f"{listed(targets.names)} do not end in the same names or numbers: list both in one "
        f"order, as {scores.option} a,b,c --targets d,e,f"
    )
