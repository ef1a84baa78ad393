"""A mean over the workers of a process group, and the gradient of each worker's part of it."""

from __future__ import annotations

from typing import Any

import array_api_compat.torch as xp
import torch
import torch.distributed as dist
from torch import Tensor

from .._backends.torch import is_dtensor
from .._losses.reduction import divided


def mean_over_workers(total: Tensor, count: Tensor | float | None, group: Any) -> Tensor:
    """Return the sum of all totals divided by the sum of all counts, the same on every worker.

    Two numbers travel, once. A count of 0 divides by 1. The gradient is such that the mean of the
    workers' gradients, which is what DistributedDataParallel takes, is that of the whole.
    """
    total = _whole(total)
    count = torch.as_tensor(0 if count is None else _whole(count), device=total.device).double()
    sums = torch.stack([total.detach().double(), count.detach()])
    dist.all_reduce(sums, group=group)
    whole, number = sums.unbind()
    value = divided(xp, whole, number)
    # W / count for W workers: 1 / (count / W) would make 1, and not W, of a count of 0
    share = divided(xp, torch.full_like(number, dist.get_world_size(group)), number)
    along_count = torch.where(number == 0, 0.0, -share * value)
    parts = total, count, value.to(total.dtype), share, along_count
    return _Mean.apply(*parts)  # type: ignore[no-untyped-call] # torch's


class _Mean(torch.autograd.Function):
    """The mean, already computed, with its slopes along this worker's total and count."""

    @staticmethod
    def forward(total: Tensor, count: Tensor, value: Tensor, *slopes: Tensor) -> Tensor:  # noqa: ARG004
        return value.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:
        ctx.dtype = output.dtype
        ctx.save_for_backward(*inputs[3:])

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        share, along_count = ctx.saved_tensors
        return (upstream * share).to(ctx.dtype), upstream * along_count, None, None, None


def _whole(x: Any) -> Any:
    return x.full_tensor() if is_dtensor(x) else x
