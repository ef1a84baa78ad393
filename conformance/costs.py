"""What a library keeps for the backward pass, and how often its compiler gives up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from focalcore import sigmoid_focal_loss, softmax_focal_loss

from .targets import Target

Array = Any

N, C = 500, 8


def bytes_kept(target: Target) -> float | None:
    """Bytes for each logit of a mean loss, beyond the inputs; the largest of the two losses."""
    keep = {"torch": _kept_by_torch, "jax": _kept_by_jax}.get(target.place.name)
    if keep is None or target.mode == "vmapped":
        return None
    return max(keep(target, loss, *_inputs(target)) for loss in _losses()) / (N * C)


def graph_breaks(target: Target) -> int | None:
    """How many graphs more than one torch's compiler makes of a loss."""
    if target.place.name != "torch" or target.mode != "compiled":
        return None
    import torch

    torch.compiler.reset()
    x, y = _inputs(target)
    x.requires_grad_()
    return sum(torch._dynamo.explain(loss)(x, y).graph_break_count for loss in _losses())


def _losses() -> tuple[Callable[..., Array], ...]:
    return (
        lambda x, y: sigmoid_focal_loss(x, y, alpha=0.25, reduction="mean"),
        lambda x, y: softmax_focal_loss(x, y[:, 0], reduction="mean"),
    )


def _inputs(target: Target) -> tuple[Array, Array]:
    rng, place = np.random.default_rng(0), target.place
    return place.array(rng.normal(size=(N, C)), target.dtype), place.array(
        rng.integers(0, 2, (N, C))
    )


def kept_by_torch(loss: Callable[[], Any], inputs: Iterable[Array]) -> int:
    """Bytes that a call saves for backward, or that its graph holds, beyond its inputs."""
    import torch

    kept, known = [], {x.data_ptr() for x in inputs}

    def keep(t: Array) -> Array:
        kept.append(0 if t.data_ptr() in known else t.numel() * t.element_size())
        return t

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        result = loss()
    return sum(kept) + sum(_bytes_of(node) for node in _nodes(result.grad_fn))


def _nodes(node: Any) -> Iterable[Any]:
    """A node of torch's graph, and all behind it."""
    if node is not None:
        yield node
        for behind, _ in node.next_functions:
            yield from _nodes(behind)


def _bytes_of(node: Any) -> int:
    """Of the tensors that are attributes of a Function's context."""
    held = getattr(node, "__dict__", {}).values()
    return sum(t.numel() * t.element_size() for t in held if hasattr(t, "element_size"))


def _kept_by_torch(target: Target, loss: Callable[..., Array], x: Array, y: Array) -> int:
    run = target.place.run(target.mode, loss)
    return kept_by_torch(lambda: run(x.requires_grad_(), y), (x, y))


def _kept_by_jax(target: Target, loss: Callable[..., Array], x: Array, y: Array) -> int:
    import jax

    run = target.place.run(target.mode, lambda x: loss(x, y))
    _, pullback = jax.vjp(run, x)
    return sum(leaf.nbytes for leaf in jax.tree.leaves(pullback) if leaf is not x)
