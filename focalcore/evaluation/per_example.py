"""The loss of each example, written as a Parquet file while predictions are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as arrow_parquet

from .block import Block
from .examples import losses_of, names_of
from .predictions import Predictions
from .report import Alpha


class PerExample:
    """A writer of losses: a row for each example, null where it is ignored."""

    def __init__(self, stream: Any, gammas: Sequence[float], alpha: Alpha) -> None:
        self.gammas, self.alpha = gammas, alpha
        columns = [("file", pa.string()), ("example", pa.string())]
        columns += [(f"focal_loss_gamma_{gamma:g}", pa.float64()) for gamma in gammas]
        self.schema = pa.schema(columns)
        self.writer = arrow_parquet.ParquetWriter(stream, self.schema)

    def see(self, predictions: Predictions, first_row: int, block: Block) -> None:
        """Write the losses of a block."""
        n = len(block.scores)
        columns: list[Any] = [
            pa.repeat(pa.scalar(_as_text(predictions.source.name)), n),
            pa.array(names_of(first_row, block), pa.string()),
        ]
        for gamma in self.gammas:
            loss, kept = losses_of(predictions, block, gamma, self.alpha)
            columns.append(pa.array(loss, mask=~kept))
        self.writer.write_table(pa.table(columns, schema=self.schema))

    def close(self) -> None:
        """Write what is left."""
        self.writer.close()


def _as_text(name: str) -> str:
    """Return a name of a file as text; what no encoding can hold is shown by its number."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
