"""The matrix products of a classifier: the logits of some rows, and what their slopes give.

Where a processor multiplies no half precision, torch's own products of it take ten to a hundred
times as long as those of float32. There blocks of classes are multiplied in float32, which also
adds up in it, and rounds once.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import linear

from .._backends.torch import is_host_tensor

HALVES = {
    torch.bfloat16: "_is_mkldnn_bf16_supported",
    torch.float16: "_is_mkldnn_fp16_supported",
}
BLOCK = 2**21  # numbers of the weight, in float32 at a time


def logits(hidden: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return ``hidden @ weight.T + bias``."""
    if not _is_slow(hidden):
        return linear(hidden, weight, bias)
    found = hidden.new_empty(len(hidden), len(weight))
    wide = hidden.float()
    for block in _blocks(weight):
        of_block = None if bias is None else bias[block].float()
        found[:, block] = linear(wide, weight[block].float(), of_block)
    return found


def along_hidden(slopes: Tensor, weight: Tensor) -> Tensor:
    """Return the gradient of hidden features, ``slopes @ weight``."""
    if not _is_slow(slopes):
        return slopes @ weight
    found = torch.zeros(len(slopes), weight.shape[1])
    for block in _blocks(weight):
        found.addmm_(slopes[:, block].float(), weight[block].float())
    return found.to(slopes.dtype)


def add_along_weight(total: Tensor, slopes: Tensor, hidden: Tensor) -> None:
    """Add the gradient of the weight, ``slopes.T @ hidden``."""
    if not _is_slow(slopes):
        total.addmm_(slopes.T, hidden)
        return
    wide = hidden.float()
    for block in _blocks(total):
        total[block] = torch.addmm(total[block].float(), slopes[:, block].T.float(), wide)


def _is_slow(x: Tensor) -> bool:
    return x.dtype in HALVES and is_host_tensor(x) and not _multiplies(x.dtype)


@functools.cache
def _multiplies(dtype: torch.dtype) -> bool:
    """Tell whether the processor multiplies matrices of a type of half precision."""
    asked = getattr(torch.ops.mkldnn, HALVES[dtype], None)
    return asked is not None and bool(asked())


def _blocks(weight: Tensor) -> Iterator[slice]:
    step = max(1, BLOCK // max(1, weight.shape[1]))
    return (slice(i, i + step) for i in range(0, len(weight), step))
