"""A mean over the workers of a process group, and the gradient of each worker's part of it."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist

Array = Any


def mean_over_workers(total: Array, count: Array, group: Any) -> Array:
    """The sum of all totals, divided by the sum of all counts: the same on every worker.

    Two numbers travel, once. A count of 0 divides by 1. The gradient is such that the mean of the
    workers' gradients, which is what DistributedDataParallel takes, is that of the whole.
    """
    sums = torch.stack([total.detach().double(), _double(count, total.device)])
    dist.all_reduce(sums, group=group)
    whole, divisor = sums.unbind()
    divisor = torch.where(divisor == 0, 1.0, divisor)
    # divided after the zero is replaced: (0 / W) would count as 1, and not as 1 / W
    share = dist.get_world_size(group) / divisor
    value = whole / divisor
    return _Whole.apply(total, value.to(total.dtype), share.to(total.dtype))


class _Whole(torch.autograd.Function):  # type: ignore[misc] # torch is not a dependency
    """The value of the whole, whose slope along this worker's total is its share."""

    @staticmethod
    def forward(total: Array, value: Array, share: Array) -> Array:  # noqa: ARG004 - torch's
        return value.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Array) -> None:  # noqa: ARG004 - torch's
        ctx.save_for_backward(inputs[2])

    @staticmethod
    def backward(ctx: Any, upstream: Array) -> Any:
        (share,) = ctx.saved_tensors
        return upstream * share, None, None


def _double(count: Array, device: Any) -> Array:
    return torch.as_tensor(0 if count is None else count, device=device).detach().double()
