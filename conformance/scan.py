"""Every float32 logit there is: value and slope of the sigmoid loss against float64.

The largest error of all is found by the kernels of `errors`, and where it is, afterwards, by the
kernels that users have.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from focalcore._execution import numpy_host
from focalcore._losses.operands import Operands
from focalcore._losses.sigmoid import Sigmoid
from focalcore._losses.spec import LossSpec

from . import measure, tolerances
from .errors import FORMS, OUTPUTS, QUANTITIES, Form, errors_of_rows, groups_of
from .places import NUMPY
from .targets import Target
from .vectors import Exact

Array = Any

GAMMAS = (0.0, 0.5, 1.0, 2.0, 5.0)
ROW, ROWS = 1024, 1024  # logits whose largest error a kernel returns, and how many rows it is given
INFINITY, SIGN = 0x7F800000, 0x80000000  # as bits of a float32; what is between them is NaN
MANTISSA, EXPONENTS = 23, 256  # bits of a float32, and how many exponents it has
ON_NUMPY = Target(NUMPY, "float32", "kernel")


@dataclass
class Worst:
    """The largest error of a gamma and a quantity; at first of rows of logits."""

    gamma: float
    quantity: str
    ulp: float = -1.0
    row: Array = field(default=None, repr=False)
    logit: float = 0.0
    form: Form = FORMS[0]
    by_exponent: Array = field(default_factory=lambda: np.zeros(EXPONENTS), repr=False)

    @property
    def bound(self) -> float:
        return tolerances.bound("float32", self.quantity, self.gamma)

    def note(self, errors: Array, rows: Array) -> None:
        """Take in the largest errors of rows, each of which has logits of one exponent."""
        np.maximum.at(self.by_exponent, biased_exponent(rows[:, 0]), errors)
        i = int(np.argmax(errors))
        if errors[i] > self.ulp:
            self.ulp, self.row = float(errors[i]), rows[i].copy()

    def locate(self, loss: LossSpec) -> None:
        """Find the logit and the label, with the kernel of the loss itself."""
        found = []
        for form in FORMS:
            errors = errors_at(loss, form, form.sign * self.row, self.gamma)[self.quantity]
            i = int(np.argmax(errors))
            found.append((float(errors[i]), float(form.sign * self.row[i]), form))
        again, self.logit, self.form = max(found, key=lambda each: each[0])
        if np.float32(again) != np.float32(self.ulp):
            raise AssertionError(f"{self} is off by {again} where it is computed alone")


def scan(loss: LossSpec, gammas: Iterable[float], chunks: Iterable[Array]) -> list[Worst]:
    """The largest errors among chunks of logits, for each gamma and quantity."""
    groups = groups_of(gammas)
    worst = {
        group: [Worst(g, quantity) for g in group for quantity in QUANTITIES] for group in groups
    }
    for logits in chunks:
        rows = np.resize(logits, (-(-logits.size // ROW), ROW))  # the last is filled from the first
        for group in groups:
            errors = errors_of_rows(loss, group, rows)
            for each, largest in zip(worst[group], errors, strict=True):
                each.note(largest, rows)
    found = [each for of_group in worst.values() for each in of_group]
    for each in found:
        each.locate(loss)
    return found


def biased_exponent(logits: Array) -> Array:
    """The exponents of float32 logits, 127 for those from 1 on; 0 for what is denormal."""
    return (logits.view(np.uint32) >> MANTISSA) % EXPONENTS


def run(loss: LossSpec, form: Form, logits: Array, gamma: float) -> dict[str, Array]:
    """Value and slope by the kernel that users have, in the type of the logits."""
    operands = Operands.of(scores=logits, targets=form.target, gamma=gamma)
    return dict(zip(QUANTITIES, numpy_host.run(loss, operands, OUTPUTS), strict=True))


def errors_at(loss: LossSpec, form: Form, logits: Array, gamma: float) -> dict[str, Array]:
    """The error of each logit, in ulp of what the loss is in float64."""
    found = run(loss, form, logits, gamma)
    return {
        quantity: measure.in_ulp(ON_NUMPY, exact, quantity, found[quantity].astype("float64"))
        for quantity, exact in in_float64(form, logits, gamma).items()
    }


def in_float64(form: Form, logits: Array, gamma: float) -> dict[str, Exact]:
    """Value and slope of logits by the kernel in float64."""
    wide = run(Sigmoid(), form, logits.astype("float64"), gamma)
    return {name: Exact(x, np.zeros_like(x), np.abs(x)) for name, x in wide.items()}


def finite_and_infinite(step: int = 1) -> Iterator[Array]:
    """Chunks of logits: every step-th float32 that is a number, outwards, and the infinities."""
    yield from _chunks(0, INFINITY + 1, step)
    yield from _chunks(SIGN, SIGN + INFINITY + 1, step)
    yield np.asarray([np.inf, -np.inf], np.float32)


def n_chunks(step: int) -> int:
    """How many chunks these are."""
    return 2 * -(-(INFINITY + 1) // (step * ROW * ROWS)) + 1


def n_logits(step: int) -> int:
    """How many logits these are, without the infinities that are in the last chunk again."""
    return 2 * -(-(INFINITY + 1) // step)


def not_numbers(step: int = 1) -> Iterator[Array]:
    """Chunks of every step-th float32 that is NaN."""
    yield from _chunks(INFINITY + 1, SIGN, step)
    yield from _chunks(SIGN + INFINITY + 1, 2 * SIGN, step)


def _chunks(first: int, stop: int, step: int) -> Iterator[Array]:
    span = step * ROW * ROWS
    for start in range(first, stop, span):
        bits = np.arange(start, min(start + span, stop), step, dtype=np.int64)
        yield bits.astype(np.uint32).view(np.float32)


def nan_lost(loss: LossSpec, gammas: Iterable[float], step: int) -> int:
    """How many results at every step-th NaN are a number."""
    found = 0
    for logits in not_numbers(step):
        for gamma, form in itertools.product(gammas, FORMS):
            results = run(loss, form, logits, gamma)
            found += sum(int(np.sum(~np.isnan(x))) for x in results.values())
    return found


def wrong_limits(loss: LossSpec, gammas: Iterable[float]) -> list[str]:
    """What infinite logits give, where it is not 0 and 0, or an infinite value and a slope of 1."""
    found = []
    for gamma, form in itertools.product(gammas, FORMS):
        favoured, other = form.sign * np.inf, -form.sign * np.inf
        logits = np.asarray([favoured, other], np.float32)
        value, slope = run(loss, form, logits, gamma).values()
        if value.tolist() != [0, np.inf] or slope.tolist() != [0, -form.sign]:
            found.append(f"gamma {gamma:g}, {form.name}: values {value}, slopes {slope}")
    return found
