"""What a row of the measurements is, and what its runs are given."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from . import clock

Array = Any
Run = Callable[[], Any]
Runs = dict[str, Run]
Loss = Callable[..., Array]
Size = Any  # a number of elements, or a shape

OURS = "focalcore"
COPY = "a copy of as many bytes"  # which is the least that a loss could take
SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
LARGEST = 100_000_000  # for ours alone


class Row(NamedTuple):
    """A piece of work at several sizes; the first of the runs is ours."""

    name: str
    needs: tuple[str, ...]  # modules
    prepare: Callable[[], Callable[[Any], Runs]]  # what is done once, then what is timed at a size
    sizes: tuple[Size, ...] = SIZES
    largest: bool = False  # whether ours is run at the largest size too
    is_one_formula: bool = True  # whether the others compute what ours does
    free: float = 0  # bytes of memory that it needs
    why_not: Callable[[], str | None] = lambda: None  # why this machine would take hours

    def missing(self) -> str | None:
        """Why it can't be run here."""
        free = clock.available()
        if free is not None and free < self.free:
            return f"{self.free / 1e9:.0f} GB of memory not free"
        return absent(self.needs) or self.why_not()


def absent(modules: tuple[str, ...]) -> str | None:
    """Which modules are not here."""
    names = [name for name in modules if find_spec(name) is None]
    return f"{', '.join(names)} not installed" if names else None


def elements(size: Size) -> int:
    """How many elements a size has."""
    return size if isinstance(size, int) else math.prod(size)


def numbers(n: int, labels: str = "float32") -> tuple[Array, Array]:
    """Logits and labels."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(n, dtype="float32") * np.float32(3)
    return x, (rng.random(n, dtype="float32") < 0.1).astype(labels)


def on_torch(n: int) -> tuple[Array, Array]:
    """The same as tensors."""
    import torch

    x, y = numbers(n)
    return torch.from_numpy(x), torch.from_numpy(y)


def copy(*arrays: Array) -> Run:
    """A copy by NumPy that reads and writes as many bytes as read these and write the first."""
    moved = sum(array.nbytes for array in (*arrays, arrays[0]))
    return np.ones(moved // 2, "uint8").copy


def values(losses: dict[str, Loss], x: Array, y: Array) -> Runs:
    """What each loss is of the same arrays."""
    return {name: (lambda f=f: f(x, y)) for name, f in losses.items()}


def backwards(losses: dict[str, Loss], x: Array, y: Array) -> Runs:
    """Each loss forward and backward."""
    return {name: backward(f, x, y) for name, f in losses.items()}


def backward(loss: Loss, x: Array, y: Array) -> Run:
    """Forward, and backward into a fresh gradient, which nobody keeps: memory is counted so."""

    def run() -> Array:
        loss(x, y).backward()
        gradient, x.grad = x.grad, None
        return gradient

    return run
