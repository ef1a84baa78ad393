"""The ways that keep their library's own functions, at a dense sample of all float32 logits.

Value and slope are what a user has: the loss, and what the library's own differentiation makes of
it where it has one. They are compared with the float64 kernel.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import focalcore

from . import measure, tolerances
from .errors import FORMS, QUANTITIES, Form
from .places import JAX, NUMPY, TENSORFLOW, TORCH
from .scan import finite_and_infinite, in_float64
from .targets import Target

Array = Any
Record = dict[str, Any]

WAYS = tuple(
    Target(place, "float32", mode)
    for place, mode in (
        (NUMPY, "eager"),
        (TORCH, "eager"),
        (TORCH, "compiled"),
        (JAX, "eager"),
        (JAX, "compiled"),
        (TENSORFLOW, "eager"),
        (TENSORFLOW, "compiled"),
    )
)
STEP = 997


def worst_of(way: Target, gammas: Iterable[float], step: int = STEP) -> list[Record]:
    """The largest errors of a way, for each gamma and quantity; or why it is not run."""
    reason = way.missing()
    if reason:
        return [{"way": way.id, "reason": reason}]
    logits = np.concatenate([*finite_and_infinite(step)])
    return [record for gamma in gammas for record in worst_at(way, gamma, logits)]


def worst_at(way: Target, gamma: float, logits: Array) -> list[Record]:
    """The largest errors of a way at a gamma, for value and slope."""
    worst = {quantity: nothing_yet(way, gamma, quantity) for quantity in QUANTITIES}
    for form in FORMS:
        found, wide = results(way, form, gamma, logits), in_float64(form, logits, gamma)
        for quantity, record in worst.items():
            errors = measure.in_ulp(way, wide[quantity], quantity, found[quantity])
            i = int(np.argmax(errors))
            if errors[i] > record["ulp"]:
                record |= {"ulp": float(errors[i]), "logit": float(logits[i]), "label": form.shown}
    return [*worst.values()]


def nothing_yet(way: Target, gamma: float, quantity: str) -> Record:
    """A record before anything is measured."""
    bound = tolerances.bound(way.dtype, quantity, gamma)
    bound += tolerances.allowance(way.functions, way.dtype, gamma)
    return {"way": way.id, "gamma": gamma, "quantity": quantity, "bound": bound, "ulp": -1.0}


def results(way: Target, form: Form, gamma: float, logits: Array) -> dict[str, Array]:
    """Value and slope in float32, as float64."""
    place, mode = way.place, way.mode

    def value(x: Array, y: Array) -> Array:
        return focalcore.sigmoid_focal_loss(x, y, gamma=gamma)

    def slope(x: Array, y: Array) -> Array:
        return focalcore.sigmoid_focal_loss_value_and_grad(x, y, gamma=gamma)[1]

    own = place.differentiates
    both = (
        place.run(mode, value),
        place.gradient(mode, value) if own else place.run(mode, slope),
    )
    x = place.array(logits, "float32")
    y = place.array(np.full(logits.shape, form.label, form.dtype))
    with place.running():
        found = [np.asarray(place.numpy(f(x, y)), "float64") for f in both]
    return dict(zip(QUANTITIES, found, strict=True))
