"""What is timed: each row is one piece of work, by focalcore and by what people use for it.

The forms of others are their published formulas, restated in `conformance.peers` and here. All are
given the same arrays: gamma 2, alpha 0.25, one label in ten positive.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

import focalcore
from conformance.peers import CrossEntropyForm, Optax, TorchvisionForm
from focalcore import sigmoid_focal_loss, softmax_focal_loss

Array = Any
Run = Callable[[], Any]
Runs = dict[str, Run]

OURS, SWITCHED = "focalcore", "focalcore, use_compiler"
SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
LARGEST = 100_000_000  # for ours alone
SHAPES = ((50_000, 20), (500_000, 20), (20_000, 1_000), (200, 50_000))


class Row(NamedTuple):
    """A piece of work at several sizes; the first of the runs is ours."""

    name: str
    needs: tuple[str, ...]  # modules
    prepare: Callable[[], Callable[[Any], Runs]]  # what is done once, then what is timed at a size
    sizes: tuple[Any, ...] = SIZES
    largest: bool = False  # whether ours is run at the largest size too

    def missing(self) -> str | None:
        """Why it can't be run here."""
        absent = [name for name in self.needs if find_spec(name) is None]
        return f"{', '.join(absent)} not installed" if absent else None


def numbers(n: int, labels: str = "float32") -> tuple[Array, Array]:
    """Logits and labels."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(n, dtype="float32") * np.float32(3)
    return x, (rng.random(n, dtype="float32") < 0.1).astype(labels)


def usual(x: Array, y: Array) -> Array:
    """The formula as the paper has it."""
    p = 1 / (1 + np.exp(-x))
    p_t = p * y + (1 - p) * (1 - y)
    return -(0.25 * y + 0.75 * (1 - y)) * (1 - p_t) ** 2.0 * np.log(p_t)


def with_numexpr() -> Callable[[Array, Array], Array]:
    import numexpr

    def loss(x: Array, y: Array) -> Array:
        arrays = {"x": x, "y": y}
        arrays["p"] = numexpr.evaluate("1 / (1 + exp(-x))", arrays)
        arrays["p_t"] = numexpr.evaluate("p * y + (1 - p) * (1 - y)", arrays)
        weighted = "-(0.25 * y + 0.75 * (1 - y)) * (1 - p_t) ** 2 * log(p_t)"
        return numexpr.evaluate(weighted, arrays)

    return loss


def with_numba() -> Callable[[Array, Array], Array]:
    import numba

    one = np.float32(1)

    @numba.njit(parallel=True)
    def loss(x, y):  # type: ignore[no-untyped-def] # numba's
        out = np.empty_like(x)
        for i in numba.prange(x.size):
            p = one / (one + np.exp(-x[i]))
            p_t = p if y[i] else one - p
            weight = np.float32(0.25) if y[i] else np.float32(0.75)
            out[i] = -weight * (one - p_t) ** 2 * np.log(p_t)
        return out

    return loss


def switched(run: Run) -> Run:
    """The same with the compiler."""

    def compiled() -> Any:
        with focalcore.use_compiler():
            return run()

    return compiled


def on_numpy(labels: str) -> Callable[[int], Runs]:
    """The value of every element."""
    others = {"usual formula": usual, "numexpr": with_numexpr(), "numba": with_numba()}

    def runs(n: int) -> Runs:
        x, y = numbers(n, labels)
        ours = lambda: sigmoid_focal_loss(x, y, alpha=0.25)  # noqa: E731
        theirs = {name: (lambda f=f: f(x, y)) for name, f in others.items()}
        return {OURS: ours, SWITCHED: switched(ours)} | theirs

    return runs


def torch_losses() -> dict[str, Callable[[Array, Array], Array]]:
    return {
        OURS: lambda x, y: sigmoid_focal_loss(x, y, alpha=0.25),
        "torchvision form": TorchvisionForm().loss("sigmoid", 2.0, 0.25),
    }


def backward(loss: Callable[..., Array], x: Array, y: Array) -> Run:
    """Forward, and backward into a fresh gradient."""

    def run() -> Array:
        x.grad = None
        loss(x, y).backward()
        return x.grad

    return run


def on_torch(n: int) -> tuple[Array, Array]:
    import torch

    x, y = numbers(n)
    return torch.from_numpy(x), torch.from_numpy(y)


def torch_value(n: int) -> Runs:
    x, y = on_torch(n)
    runs = {name: (lambda f=f: f(x, y)) for name, f in torch_losses().items()}
    return {OURS: runs[OURS], SWITCHED: switched(runs[OURS])} | runs


def torch_means() -> dict[str, Callable[[Array, Array], Array]]:
    form = TorchvisionForm().loss("sigmoid", 2.0, 0.25)
    return {
        OURS: lambda x, y: sigmoid_focal_loss(x, y, alpha=0.25, reduction="mean"),
        "torchvision form": lambda x, y: form(x, y).mean(),
    }


def torch_training(n: int) -> Runs:
    x, y = on_torch(n)
    x.requires_grad_()
    runs = {name: backward(f, x, y) for name, f in torch_means().items()}
    return {OURS: runs[OURS], SWITCHED: switched(runs[OURS])} | runs


def torch_compiled_value() -> Callable[[int], Runs]:
    import torch

    compiled = {name: torch.compile(f, dynamic=True) for name, f in torch_losses().items()}

    def runs(n: int) -> Runs:
        x, y = on_torch(n)
        return {name: (lambda f=f: f(x, y)) for name, f in compiled.items()}

    return runs


def torch_compiled_training() -> Callable[[int], Runs]:
    import torch

    compiled = {name: torch.compile(f, dynamic=True) for name, f in torch_means().items()}

    def runs(n: int) -> Runs:
        x, y = on_torch(n)
        x.requires_grad_()
        return {name: backward(f, x, y) for name, f in compiled.items()}

    return runs


def softmax_losses() -> dict[str, Callable[[Array, Array], Array]]:
    form = CrossEntropyForm().loss("softmax", 2.0, None)
    return {
        OURS: lambda x, y: softmax_focal_loss(x, y, reduction="mean"),
        "cross-entropy form": lambda x, y: form(x, y).mean(),
    }


def rows_on_torch(shape: tuple[int, int]) -> tuple[Array, Array]:
    import torch

    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.standard_normal(shape, dtype="float32")).requires_grad_()
    return x, torch.from_numpy(rng.integers(0, shape[1], shape[0]))


def softmax_training(shape: tuple[int, int]) -> Runs:
    x, y = rows_on_torch(shape)
    runs = {name: backward(f, x, y) for name, f in softmax_losses().items()}
    return {OURS: runs[OURS], SWITCHED: switched(runs[OURS])} | runs


def softmax_compiled_training() -> Callable[[tuple[int, int]], Runs]:
    import torch

    compiled = {name: torch.compile(f, dynamic=True) for name, f in softmax_losses().items()}

    def runs(shape: tuple[int, int]) -> Runs:
        x, y = rows_on_torch(shape)
        return {name: backward(f, x, y) for name, f in compiled.items()}

    return runs


def jax_losses() -> dict[str, Callable[[Array, Array], Array]]:
    import jax

    def naive(x: Array, y: Array) -> Array:
        p = jax.nn.sigmoid(x)
        p_t = p * y + (1 - p) * (1 - y)
        ce = -y * jax.nn.log_sigmoid(x) - (1 - y) * jax.nn.log_sigmoid(-x)
        return (0.25 * y + 0.75 * (1 - y)) * (1 - p_t) ** 2 * ce

    return {
        OURS: lambda x, y: sigmoid_focal_loss(x, y, alpha=0.25),
        "optax": Optax().loss("sigmoid", 2.0, 0.25),
        "naive form": naive,
    }


def jax_means() -> dict[str, Callable[..., Any]]:
    import jax

    means = {
        name: (lambda x, y, f=f: f(x, y).mean()) for name, f in jax_losses().items() if name != OURS
    }
    ours = {OURS: lambda x, y: sigmoid_focal_loss(x, y, alpha=0.25, reduction="mean")}
    return {name: jax.value_and_grad(f) for name, f in (ours | means).items()}


def on_jax(functions: Callable[[], dict[str, Callable[..., Any]]]) -> Callable[[int], Runs]:
    import jax
    import jax.numpy as jnp

    compiled = {name: jax.jit(f) for name, f in functions().items()}

    def runs(n: int) -> Runs:
        x, y = map(jnp.asarray, numbers(n))
        return {name: (lambda f=f: jax.block_until_ready(f(x, y))) for name, f in compiled.items()}

    return runs


NUMPY, TORCH, JAX = ("numexpr", "numba", "torch"), ("torch",), ("jax", "optax")

ROWS = (
    Row("NumPy value, float32 labels", NUMPY, partial(on_numpy, "float32"), largest=True),
    Row("NumPy value, int64 labels", NUMPY, partial(on_numpy, "int64"), largest=True),
    Row("torch eager, value", TORCH, lambda: torch_value, largest=True),
    Row("torch eager, mean forward and backward", TORCH, lambda: torch_training, largest=True),
    Row("torch compiled, value", TORCH, torch_compiled_value),
    Row("torch compiled, mean forward and backward", TORCH, torch_compiled_training),
    Row("JAX jit, value", JAX, partial(on_jax, jax_losses)),
    Row("JAX jit, value and gradient of the mean", JAX, partial(on_jax, jax_means)),
    Row("softmax, torch eager, mean forward and backward", TORCH, lambda: softmax_training, SHAPES),
    Row(
        "softmax, torch compiled, mean forward and backward",
        TORCH,
        softmax_compiled_training,
        SHAPES,
    ),
)
