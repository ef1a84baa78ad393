"""What can be scored: a focal loss, and for which of the exact values it has options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import focalcore

from .family import FAMILY
from .places import PLACES, Place
from .vectors import Vectors

Array = Any
Loss = Callable[..., Array]


class Implementation:
    """A focal loss. Where it gives no slope, the library it is written in differentiates it."""

    name: str
    places: tuple[Place, ...]

    def missing(self) -> str | None:
        """Why this one cannot run here."""
        return None

    def value(self, vectors: Vectors) -> Loss | None:
        """The loss of logits and targets, or None where there are no such options."""
        raise NotImplementedError

    def slope(self, _: Vectors) -> Loss | None:
        return None

    def curvature(self, _: Vectors) -> Loss | None:
        return None

    def posterior(self, _: Vectors) -> Loss | None:
        """The probability that logits stand for; of targets it is given, it knows nothing."""
        return None


class Focalcore(Implementation):
    """This package."""

    name = "focalcore"
    places = PLACES

    def value(self, vectors: Vectors) -> Loss | None:
        options = vectors.options
        if vectors.loss == "binary":
            return lambda p, y: focalcore.binary_focal_loss(y, p, **options)
        if vectors.loss == "categorical":
            is_soft = vectors.targets.ndim == 2
            name = "categorical_focal_loss" if is_soft else "sparse_categorical_focal_loss"
            categorical = getattr(focalcore, name)
            return lambda p, y: categorical(y, p, **options)
        loss = getattr(focalcore, self._name(vectors))
        return lambda x, y: loss(x, y, **options)

    def slope(self, vectors: Vectors) -> Loss | None:
        return self._second_of("value_and_grad", vectors)

    def curvature(self, vectors: Vectors) -> Loss | None:
        return self._second_of("grad_and_hess", vectors)

    def posterior(self, vectors: Vectors) -> Loss | None:
        posterior = getattr(focalcore, f"{vectors.loss}_focal_posterior")
        return lambda x, y: posterior(x, **vectors.options)  # noqa: ARG005

    @staticmethod
    def _name(vectors: Vectors) -> str:
        known = FAMILY.get(vectors.loss)
        return known.function if known else f"{vectors.loss}_focal_loss"

    def _second_of(self, names: str, vectors: Vectors) -> Loss | None:
        pair = getattr(focalcore, f"{self._name(vectors)}_{names}", None)
        if pair is None:  # of probabilities there is only the value
            return None
        return lambda x, y: pair(x, y, **vectors.options)[1]


FOCALCORE = Focalcore()
