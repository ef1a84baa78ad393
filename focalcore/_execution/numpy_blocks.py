"""NumPy's way to run: in blocks that the caches hold, over threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from .. import settings
from .._backends.numpy import FORMULAS
from .._losses.operands import Operands, Output
from .._losses.spec import LossSpec
from .._typing import Result
from . import blocks, fallback, plain

# bytes of a block: some ten arrays of it are in use at a time, and the caches hold them; for
# several threads it is larger, so that they seldom wait for the interpreter
BLOCK, LARGE_BLOCK = 2**18, 2**19
LARGE = 2**23  # from so many bytes of logits on, blocks are large and several threads gain


def run(loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]) -> tuple[Result, ...]:
    """Return the outputs, of small arrays by the plain way."""
    found = _compiled(loss, operands, outputs) if settings.compiler() else None
    if found is not None:
        return found
    x = operands.arrays["scores"]
    # an underflow or an infinity on the way is no error; the caller's errstate stays as it is
    with np.errstate(all="ignore"):
        if x.nbytes <= BLOCK:
            return plain.run(FORMULAS, loss, operands, outputs)
        is_large = x.nbytes >= LARGE
        size = (LARGE_BLOCK if is_large else BLOCK) // max(x.itemsize, 4)
        threads = settings.threads() if is_large else 1
        share = blocks.serially if threads == 1 else partial(_over_threads, threads=threads)
        return blocks.run(FORMULAS, loss, operands, outputs, size=size, run_all=share)


def _compiled(
    loss: LossSpec, operands: Operands, outputs: tuple[Output, ...]
) -> tuple[Result, ...] | None:
    """Return the outputs by torch's compiler, or None where it can't be used."""
    try:
        from . import torch_compiler
    except ImportError as error:
        fallback.warn_once(str(error))
        return None
    return torch_compiler.run_numpy(loss, operands, outputs)


def _over_threads(work: Callable[[int], None], n: int, threads: int) -> None:
    def quietly(i: int) -> None:
        with np.errstate(all="ignore"):  # each thread has an errstate of its own
            work(i)

    blocks.over_threads(quietly, n, threads)
