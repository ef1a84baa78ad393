"""What columns and arrays are called, by a user or usually, and what is taken for what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .errors import BadDataError, listed

# the usual words, of which the first that is there is taken; an ending names a class
SCORES = {
    "logit*": ("logit", "logits"),
    "prob*": (
        "prob",
        "probs",
        "proba",
        "probability",
        "y_prob",
        "y_proba",
        "y_score",
        "score",
        "scores",
        "y_pred",  # which may be labels, so the others go before
    ),
}
TARGETS = ("target", "targets", "label", "labels", "y_true", "y")
WEIGHTS = ("weight", "sample_weight")


@dataclass(frozen=True)
class Names:
    """The names that the caller gives, of arrays in a file, columns of a table, or whole files."""

    logits: str | None = None
    probs: str | None = None
    targets: str | None = None
    weight: str | None = None
    id: str | None = None  # of the examples

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
        others: Iterable[str] = (),
    ) -> Taken:
        """Return what is taken and what is left, or raise an error if a name is taken twice."""
        taken = Counter([*scores, *targets, *([] if weight is None else [weight]), *others])
        name, times = taken.most_common(1)[0]
        if times > 1:
            raise BadDataError(
                f"{file}: {name!r} is taken {times} times; scores, targets, weight and id must be "
                f"different: name others with --logits, --probs, --targets, --weight or --id"
            )
        unused = tuple(name for name in available if name not in taken)
        return cls(tuple(scores), tuple(targets), weight, unused)


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
