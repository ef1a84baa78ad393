"""The matrix: a library, on a device, in a type, run in a mode."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass

from .places import HALVES, PLACES, WIDE, Place
from .vectors import QUANTITIES, Vectors, load

# a compilation takes ten seconds in torch, and half of one in JAX
SAMPLE = (
    "sigmoid-hard[gamma=0.5]",
    "sigmoid-soft[gamma=3.7]",
    "softmax-hard[gamma=2]",
    "softmax-soft[gamma=0.5, soft_targets=mixture]",
)
SHORT_SAMPLE = ("sigmoid-hard[gamma=0.5]", "softmax-hard[gamma=2]")


@dataclass(frozen=True)
class Target:
    """What a score is for."""

    place: Place
    dtype: str
    mode: str

    @property
    def id(self) -> str:
        return f"{self.place.id}-{self.dtype}-{self.mode}"

    @property
    def is_sampled(self) -> bool:
        """It is measured by a part of the exact values."""
        if self.mode == "switched":
            return True
        if self.mode == "compiled":
            return self.place.name == "torch" or self.dtype in HALVES
        return self.mode == "vmapped" and self.place.name == "jax"

    @property
    def quantities(self) -> tuple[str, ...]:
        return QUANTITIES[:2] if self.is_sampled else QUANTITIES

    def vectors(self) -> list[Vectors]:
        """The exact values that it is measured by."""
        is_short = self.dtype in HALVES or self.mode == "switched"
        sample = SHORT_SAMPLE if is_short else SAMPLE
        return [v for v in load(self.dtype) if not self.is_sampled or v.id in sample]


MATRIX = tuple(
    Target(place, dtype, mode)
    for place in PLACES
    for dtype in place.dtypes
    for mode in place.modes
    if mode != "switched" or dtype in WIDE
)


def chosen(patterns: list[str]) -> list[Target]:
    """The targets whose ids match one of the patterns; all of them where there is none."""
    if not patterns:
        return list(MATRIX)
    ids = [target.id for target in MATRIX]
    for pattern in patterns:
        if not fnmatch.filter(ids, pattern):
            raise ValueError(f"no target matches {pattern}; there are {', '.join(ids)}")
    return [t for t in MATRIX if any(fnmatch.fnmatch(t.id, pattern) for pattern in patterns)]
