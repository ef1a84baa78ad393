"""Rows of torch's independent logits, eager and compiled by the user."""

from __future__ import annotations

from collections.abc import Callable

from conformance.peers import TorchvisionForm
from focalcore import sigmoid_focal_loss

from .row import OURS, SIZES, Loss, Row, Runs, backwards, on_torch, values

Losses = dict[str, Loss]


def of_elements() -> Losses:
    return {
        OURS: lambda x, y: sigmoid_focal_loss(x, y, alpha=0.25),
        "torchvision form": TorchvisionForm().loss("sigmoid", 2.0, 0.25),
    }


def means() -> Losses:
    form = TorchvisionForm().loss("sigmoid", 2.0, 0.25)
    return {
        OURS: lambda x, y: sigmoid_focal_loss(x, y, alpha=0.25, reduction="mean"),
        "torchvision form": lambda x, y: form(x, y).mean(),
    }


def compiled(losses: Losses) -> Losses:
    """The losses as a user compiles them, for arrays of any size."""
    import torch

    return {name: torch.compile(f, dynamic=True) for name, f in losses.items()}


def value(losses: Losses) -> Callable[[int], Runs]:
    return lambda n: values(losses, *on_torch(n))


def training(losses: Losses) -> Callable[[int], Runs]:
    def runs(n: int) -> Runs:
        x, y = on_torch(n)
        return backwards(losses, x.requires_grad_(), y)

    return runs


NEEDS = ("torch",)
LARGE = SIZES[2:]

ROWS = (
    Row("torch eager, value", NEEDS, lambda: value(of_elements()), largest=True),
    Row(
        "torch eager, mean forward and backward",
        NEEDS,
        lambda: training(means()),
        largest=True,
    ),
    Row("torch compiled, value", NEEDS, lambda: value(compiled(of_elements())), LARGE),
    Row(
        "torch compiled, mean forward and backward",
        NEEDS,
        lambda: training(compiled(means())),
        LARGE,
    ),
)
