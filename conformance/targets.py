"""The matrix: a library, on a device, in a type, run in a mode."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass

from .places import HALVES, PLACES, Place, missing
from .vectors import QUANTITIES, Vectors, load

# one of each loss, for a compilation takes ten seconds in torch, and half of one in JAX
SAMPLE = (
    "sigmoid-hard[gamma=0.5]",
    "sigmoid-soft[gamma=3.7]",
    "softmax-hard[gamma=2]",
    "softmax-soft[gamma=0.5, soft_targets=mixture]",
    "softmax-posterior[gamma=2, alpha=(0.25 1 3)]",
    "asymmetric-hard[gamma_pos=1, gamma_neg=4, clip=0.05]",
    "quality-soft[beta=2]",
    "asymmetric_softmax-hard[gamma_pos=0, gamma_neg=4, label_smoothing=0.1]",
    "distribution-soft[axis=-1]",
    "gaussian-soft[alpha=2, gamma=4]",
    "poly-hard[gamma=2, poly_epsilon=1]",
    "poly_softmax-soft[gamma=2, poly_epsilon=1, alpha=(0.25 1 3)]",
    "varifocal-soft[alpha=0.75, gamma=2]",
)
SHORT_SAMPLE = ("sigmoid-hard[gamma=0.5]", "softmax-hard[gamma=2]")
# what the tests measure where each choice of options is compiled: every kind of inputs and rule
SLICE = (
    *SAMPLE,
    "binary-hard[gamma=2, eps=0.0078125, label_smoothing=0.1]",
    "binary-soft[gamma=0.5, eps=0.0078125]",
    "categorical-hard[gamma=(0.5 2 3.75), eps=0.0078125, class_weight=(0.25 1 3)]",
    "categorical-soft[gamma=(0.5 2 3.75), eps=0.0078125, alpha=(0.25 1 3)]",
    "categorical-soft[gamma=2, eps=0.0078125, soft_targets=mixture, alpha=(0.25 1 3)]",
    "sigmoid-hard[gamma=0]",
    "sigmoid-hard[gamma=2, alpha=0.25, pos_weight=3]",
    "sigmoid-hard[gamma=0.5, label_smoothing=0.1, soft_targets=expected]",
    "sigmoid-hard[gamma=2, label_smoothing=0.1, soft_targets=hard]",
    "sigmoid-soft[gamma=2, soft_targets=mixture, alpha=0.25]",
    "sigmoid-classes[gamma=(0.5 2 3.75), alpha=(0.125 0.25 0.875)]",
    "sigmoid-labels[gamma=0.5, alpha=(0.125 0.25 0.875), class_axis=-1]",
    "sigmoid-soft[gamma=0.5, soft_targets=mixture, detach_factor=True]",
    "sigmoid-posterior[gamma=2, alpha=0.25]",
    "softmax-posterior[gamma=(0.5 2 3.75), alpha=(0.25 1 3)]",
    "asymmetric-soft[gamma_pos=0.5, gamma_neg=2, clip=0]",
    "poly-soft[gamma=2, poly_epsilon=1, alpha=0.25]",
    "poly_softmax-hard[gamma=0.5, poly_epsilon=-1]",
    "quality-hard[beta=0.5]",
    "softmax-pair[gamma=1.5]",
    "softmax-hard[gamma=0.5, label_smoothing=0.1, soft_targets=expected]",
    "softmax-hard[gamma=2, label_smoothing=0.1, soft_targets=hard]",
    "softmax-soft[gamma=(0.5 2 3.75), alpha=(0.25 1 3)]",
    "softmax-soft[gamma=3.7, detach_factor=True]",
    "softmax-many[gamma=5]",
)


@dataclass(frozen=True)
class Target:
    """What a score is for."""

    place: Place
    dtype: str
    mode: str
    only: tuple[str, ...] = ()  # ids of exact values, if it is to be measured by these alone

    @property
    def id(self) -> str:
        return f"{self.place.id}-{self.dtype}-{self.mode}"

    @property
    def functions(self) -> str:
        """Whose exp and log it uses."""
        return self.place.functions(self.mode)

    def missing(self) -> str | None:
        """Why it cannot run here."""
        return missing(self.place) or self.place.cannot(self.mode)

    @property
    def is_sampled(self) -> bool:
        """It is measured by a part of the exact values."""
        if self.mode == "compiled":
            return self.place.name in ("torch", "tensorflow") or self.dtype in HALVES
        return self.mode == "vmapped" and self.place.name == "jax"

    @property
    def quantities(self) -> tuple[str, ...]:
        return tuple(q for q in QUANTITIES if q != "curvature" or not self.is_sampled)

    def vectors(self) -> list[Vectors]:
        """The exact values that it is measured by."""
        sample = SHORT_SAMPLE if self.dtype in HALVES else SAMPLE
        of_its_own = [v for v in load(self.dtype) if not self.is_sampled or v.id in sample]
        return [v for v in of_its_own if not self.only or v.id in self.only]


MATRIX = tuple(
    Target(place, dtype, mode) for place in PLACES for dtype in place.dtypes for mode in place.modes
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
