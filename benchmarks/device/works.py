"""What is timed on a device: our works and those of others, on logits of many shapes."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from conformance.peers import TorchvisionForm
from conformance.places import Place
from focalcore import (
    sigmoid_focal_loss,
    sigmoid_focal_loss_value_and_grad,
    softmax_focal_loss,
    softmax_focal_loss_value_and_grad,
)

from ..row import OURS, Loss, backward, elements
from .libraries import copied, nbytes, placed

Array = Any
Record = dict[str, Any]
Shape = tuple[int, ...]

VALUE, BOTH, MEAN, TRAINING = "value", "value and gradient", "mean", "mean and backward"
TORCHVISION, CROSS_ENTROPY, PLAIN = "torchvision", "cross-entropy", "plain form"
COMPILED = ", compiled"

OURS_OF: dict[str, tuple[Loss, Loss]] = {
    "sigmoid": (sigmoid_focal_loss, sigmoid_focal_loss_value_and_grad),
    "softmax": (softmax_focal_loss, softmax_focal_loss_value_and_grad),
}
SIZES = (10_000_000, 1_000_000, 100_000_000, 100_000, 10_000, 1_000)
CLASSES: tuple[Shape, ...] = (
    (100_000, 10), (100_000, 100), (10_000, 1_000), (1_000, 50_257), (512, 128_256),
    (8, 21, 512, 512),
)  # fmt: skip
CACHED = 60e6  # bytes that a device's cache holds at most
WARM = 10_000_000  # logits below which the arrays of a run may be those of the last
SAMPLE = 1_000_000  # numbers that are drawn; more are repetitions of these


class Group(NamedTuple):
    """Logits, and what is done with them in turn."""

    loss: str
    targets: str
    shape: Shape

    @property
    def name(self) -> str:
        return f"{self.loss}, {self.targets} targets, {' x '.join(f'{n:,}' for n in self.shape)}"


class Inputs(NamedTuple):
    """Arrays that a work reads; the learned logits are the same numbers, for autograd."""

    x: Array
    y: Array
    learned: Array


class Work(NamedTuple):
    """Something to time at a place."""

    place: Place
    by: str
    task: str
    run: Callable[[Inputs], Any]


GROUPS = (
    *(Group("sigmoid", "float32", (size,)) for size in SIZES),
    Group("sigmoid", "int64", (10_000_000,)),
    Group("sigmoid", "bool", (10_000_000,)),
    *(Group("softmax", "int64", shape) for shape in CLASSES),
)

MEASURED = (
    Group("sigmoid", "float32", (10_000_000,)),
    Group("softmax", "int64", (100_000, 100)),
)  # whose memory is measured


def within(limit: int, groups: tuple[Group, ...] = GROUPS) -> list[Group]:
    """The groups, each with as many rows as so many logits have."""
    cut = [group._replace(shape=_cut(group.shape, limit)) for group in groups]
    return [group for group in dict.fromkeys(cut) if elements(group.shape)]


def _cut(shape: Shape, limit: int) -> Shape:
    return min(shape[0], limit // elements(shape[1:])), *shape[1:]


def inputs(place: Place, group: Group) -> Inputs:
    """Logits, and targets of which one in ten is positive, or classes."""
    rng = np.random.default_rng(0)
    logits = rng.standard_normal(min(SAMPLE, elements(group.shape)), dtype="float32")
    x = placed(place, np.resize(3 * logits, group.shape), "float32")
    rows = group.shape[:1] + group.shape[2:]
    labels: Array
    if group.loss == "sigmoid":
        labels = np.resize(rng.random(SAMPLE) < 0.1, group.shape)
    else:
        labels = rng.integers(0, group.shape[1], rows)
    y = placed(place, labels, group.targets)
    return _with_learned(place, x, y)


def _with_learned(place: Place, x: Array, y: Array) -> Inputs:
    return Inputs(x, y, x.detach().requires_grad_() if place.differentiates else x)


def several(place: Place, first: Inputs, logits: int) -> list[Inputs]:
    """Enough sets of inputs that the cache doesn't hold what comes next, where they are large."""
    more = sets_of(nbytes((first.x, first.y)), logits) - 1
    copies = (_with_learned(place, copied(first.x), copied(first.y)) for _ in range(more))
    return [first, *copies]


def sets_of(size: int, logits: int) -> int:
    return 1 if logits < WARM else max(1, round(4 * CACHED / size))


def works(place: Place, group: Group) -> Iterator[Work]:
    """Ours, and in torch those of others."""
    options: Record = {"alpha": 0.25} if group.loss == "sigmoid" else {"axis": 1}
    value, both = OURS_OF[group.loss]
    loss, mean = partial(value, **options), partial(value, reduction="mean", **options)
    yield Work(place, OURS, VALUE, _of(loss))
    yield Work(place, OURS, BOTH, _of(partial(both, **options)))
    yield Work(place, OURS, MEAN, _of(mean))
    if place.differentiates:
        yield Work(place, OURS, TRAINING, _trained(mean))
        for by, task, theirs in others(group.loss):
            yield Work(place, by, task, _trained(theirs) if task == TRAINING else _of(theirs))


def _of(loss: Loss) -> Callable[[Inputs], Any]:
    return lambda given: loss(given.x, given.y)


def _trained(loss: Loss) -> Callable[[Inputs], Any]:
    return lambda given: backward(loss, given.learned, given.y)()


def others(loss: str) -> Iterator[tuple[str, str, Loss]]:
    """Whose, of what, and the loss: by torch's operations, one by one and compiled."""
    import torch

    if loss == "sigmoid":
        yield from _torchvision()
        return
    torch.compiler.reset()  # each shape has a program of its own, and there is a limit to them
    yield CROSS_ENTROPY, TRAINING, torch.nn.functional.cross_entropy
    for task, form in ((VALUE, plain_form), (TRAINING, plain_mean)):
        yield PLAIN, task, form
        yield PLAIN + COMPILED, task, torch.compile(form, dynamic=False)


@cache
def _torchvision() -> tuple[tuple[str, str, Loss], ...]:
    """Torchvision's, compiled once for all sizes."""
    import torch

    each = torchvision()
    forms: dict[str, Loss] = {VALUE: each, TRAINING: lambda x, y: each(x, y).mean()}
    eager = [(TORCHVISION, task, form) for task, form in forms.items()]
    compiled = [
        (TORCHVISION + COMPILED, task, torch.compile(form, dynamic=True))
        for task, form in forms.items()
    ]
    return (*eager, *compiled)


def torchvision() -> Loss:
    """Torchvision's own loss, or where there is none its published formula; of any labels."""
    try:
        theirs = importlib.import_module("torchvision.ops").sigmoid_focal_loss
    except Exception:  # one that doesn't fit this torch may raise anything
        return TorchvisionForm().loss("sigmoid", 2.0, 0.25)
    return lambda x, y: theirs(x, y.to(x.dtype), alpha=0.25, gamma=2.0)


def plain_form(x: Array, y: Array) -> Array:
    """The paper's formula of a class, as it is usually written."""
    log_p = x.log_softmax(1).gather(1, y.unsqueeze(1)).squeeze(1)
    return -((1 - log_p.exp()) ** 2) * log_p


def plain_mean(x: Array, y: Array) -> Array:
    return plain_form(x, y).mean()
