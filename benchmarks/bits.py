"""Whether results are the same bits, whatever the library, the threads and the layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from focalcore import (
    binary_focal_loss,
    sigmoid_focal_loss,
    sigmoid_focal_loss_value_and_grad,
    softmax_focal_loss,
    softmax_focal_loss_value_and_grad,
    sparse_categorical_focal_loss,
    use_threads,
)

from .row import absent

Array = Any
Record = dict[str, Any]

NAME = "the same bits"
DTYPES = ("float32", "float64")
SHAPES = ((6_001, 20), (131, 1_000))  # rows in the lanes of a vector, and classes
PARTS = 4  # chunks that the rows are cut into


class Way(NamedTuple):
    """Where and how arrays lie, and how many threads work on them."""

    name: str
    needs: tuple[str, ...]  # modules
    placed: Callable[[Array], Array]
    threads: int = 1


class Work(NamedTuple):
    """What is computed, of which arrays."""

    name: str
    arrays: Callable[[tuple[int, int], str], tuple[Array, Array]]
    run: Callable[[Array, Array], Array]
    shapes: tuple[tuple[int, int], ...] = SHAPES


def with_targets(shape: tuple[int, int], dtype: str) -> tuple[Array, Array]:
    """Logits, and a target for each."""
    rng = np.random.default_rng(0)
    return (8 * rng.standard_normal(shape)).astype(dtype), rng.random(shape).round(1).astype(dtype)


def with_labels(shape: tuple[int, int], dtype: str) -> tuple[Array, Array]:
    """Logits, and a class for each row."""
    x, _ = with_targets(shape, dtype)
    return x, np.random.default_rng(1).integers(0, shape[1], shape[0])


def with_distributions(shape: tuple[int, int], dtype: str) -> tuple[Array, Array]:
    """Logits, and a distribution over the classes for each row."""
    x, y = with_targets(shape, dtype)
    return x, y / y.sum(1, keepdims=True)


def with_probabilities(shape: tuple[int, int], dtype: str) -> tuple[Array, Array]:
    """A label for each element, and a probability."""
    x, y = with_targets(shape, dtype)
    return (y > 0.5).astype(dtype), (1 / (1 + np.exp(-x))).astype(dtype)


def with_rows_of_probabilities(shape: tuple[int, int], dtype: str) -> tuple[Array, Array]:
    """A class for each row, and probabilities of all."""
    x, y = with_labels(shape, dtype)
    exp = np.exp(x - x.max(1, keepdims=True))
    return y, exp / exp.sum(1, keepdims=True)


def gradient(loss: Callable[..., Array], both: Callable[..., Array]) -> Callable[..., Array]:
    """The gradient of the sum, by autograd where there is autograd."""

    def run(x: Array, y: Array) -> Array:
        if not hasattr(x, "requires_grad_"):
            return both(x, y, reduction="sum")[1]
        learned = x.detach().requires_grad_()
        loss(learned, y, reduction="sum").backward()
        return learned.grad

    return run


def strided(x: Array) -> Array:
    """Every second row and column of an array that has more."""
    wide = np.zeros([2 * n for n in x.shape], x.dtype)
    part = wide[tuple(slice(None, None, 2) for _ in x.shape)]
    part[...] = x
    return part


def on_torch(x: Array) -> Array:
    import torch

    return torch.from_numpy(x)


def on_dask(x: Array) -> Array:
    """In chunks of some rows, none of which is a whole number of blocks."""
    import dask.array as da

    return da.from_array(x, chunks=(-(-x.shape[0] // PARTS), *x.shape[1:]))


@contextmanager
def threads(number: int) -> Iterator[None]:
    """The same number for NumPy's arrays and for torch's."""
    with use_threads(number):
        if absent(("torch",)):
            yield
            return
        import torch

        before = torch.get_num_threads()
        torch.set_num_threads(number)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def found(work: Work, way: Way, arrays: tuple[Array, Array]) -> bytes:
    """The bytes of a result."""
    with threads(way.threads):
        result = work.run(*map(way.placed, arrays))
        result = result.detach() if hasattr(result, "detach") else result
        return np.asarray(result).tobytes()


def compared(work: Work, shape: tuple[int, int]) -> Record:
    """Which types have the same bits, by the ways that are here."""
    here = [way for way in WAYS if absent(way.needs) is None]
    same: dict[str, dict[str, bool]] = {way.name: {} for way in here}
    for dtype in DTYPES:
        arrays = work.arrays(shape, dtype)
        expected = found(work, REFERENCE, arrays)
        for way in here:
            same[way.name][dtype] = found(work, way, arrays) == expected
    return {"work": f"{work.name}, {' x '.join(f'{n:,}' for n in shape)}", "same": same}


def compared_all() -> list[Record]:
    """A record for each work and shape."""
    return [compared(work, shape) for work in WORKS for shape in work.shapes]


def lines(records: list[Record]) -> Iterator[list[str]]:
    """A line for each work and shape: where the bits are not those of NumPy with one thread."""
    for record in records:
        yield [record["work"], *(_cell(record["same"].get(way.name)) for way in WAYS)]


def _cell(same: dict[str, bool] | None) -> str:
    if same is None:
        return "not run"
    others = [dtype for dtype, is_same in same.items() if not is_same]
    return f"other: {', '.join(others)}" if others else "same"


REFERENCE = Way("NumPy, 1 thread", (), lambda x: x)
WAYS = (
    Way("NumPy, 2 threads", (), lambda x: x, threads=2),
    Way("Fortran order", (), np.asfortranarray),
    Way("strided", (), strided),
    Way("torch, 1 thread", ("torch",), on_torch),
    Way("torch, 2 threads", ("torch",), on_torch, threads=2),
    Way("dask", ("dask",), on_dask),
)
COLUMNS = (f"bits of {REFERENCE.name}, and others", *(way.name for way in WAYS))

OF_SIGMOID = gradient(sigmoid_focal_loss, sigmoid_focal_loss_value_and_grad)
OF_SOFTMAX = gradient(softmax_focal_loss, softmax_focal_loss_value_and_grad)
WORKS = (
    Work("value", with_targets, sigmoid_focal_loss, SHAPES[:1]),
    Work("gradient", with_targets, OF_SIGMOID, SHAPES[:1]),
    Work("sum", with_targets, partial(sigmoid_focal_loss, reduction="sum"), SHAPES[:1]),
    Work("softmax value, labels", with_labels, softmax_focal_loss),
    Work("softmax gradient, labels", with_labels, OF_SOFTMAX),
    Work("softmax sum, labels", with_labels, partial(softmax_focal_loss, reduction="sum")),
    Work("softmax value, distributions", with_distributions, softmax_focal_loss),
    Work("softmax gradient, distributions", with_distributions, OF_SOFTMAX),
    Work("probabilities", with_probabilities, binary_focal_loss, SHAPES[:1]),
    Work("rows of probabilities", with_rows_of_probabilities, sparse_categorical_focal_loss),
)
