"""The order in which sums are added up: the same on every machine, so that the bits are too.

All is added in float64. The width W of a kernel is the number of lanes of a vector, 32 in float32
and 16 in float64. Lanes are folded by halves: lane l takes in lane l + W/2, then lane l + W/4, and
so on, until the first lane has all.

A sum over rows, or over elements, which are rows of one class here, is made in blocks. A block has
as many rows as make up `BLOCK` logits, rounded down to whole vectors, and a vector of rows at
least. In a block lane l starts from +0.0 and adds the l-th of each W numbers, one after the other;
then the lanes are folded. The sums of the blocks are added up by `total` in the same way, in blocks
of `BLOCK` of them by `LANES` lanes, and so are the sums of these, until one number is left.

A sum over the classes of a row is made in parts of `PART` classes. In a part lane l starts from
+0.0 and adds every W-th class from the l-th on; then the lanes are folded. The sums of the parts
are added to +0.0, one after the other.

A lane that starts from +0.0 is never -0.0, and adding +0.0 does not change it: lanes and numbers
that there are not may be left out, or be taken for +0.0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

BLOCK = 2**10  # logits whose sum has a place of its own; sums of blocks that are added up at once
LANES = 32  # of the vectors that sums of blocks are added up in
PART = 2**11  # classes of a row whose sum is made at once: a whole number of vectors


def rows_of_block(width: int, classes: int) -> int:
    """Return how many rows, or elements, a block has."""
    return max(width, BLOCK // classes // width * width)


def total(sums: Sequence[float]) -> float:
    """Return the sum of the sums of blocks."""
    while len(sums) > 1:
        sums = _sums_of_blocks(sums)
    return sums[0]


def _sums_of_blocks(sums: Sequence[float]) -> list[float]:
    """Return the sum of each block of some numbers."""
    numbers = np.zeros((-(-len(sums) // BLOCK), BLOCK // LANES, LANES))
    numbers.reshape(-1)[: len(sums)] = sums
    lanes = np.zeros((len(numbers), LANES))
    with np.errstate(all="ignore"):  # an infinity is no error, whatever the caller's errstate
        for row in range(BLOCK // LANES):
            lanes += numbers[:, row]
        while (half := lanes.shape[1] // 2) > 0:
            lanes = lanes[:, :half] + lanes[:, half:]
    found: list[float] = lanes[:, 0].tolist()
    return found
