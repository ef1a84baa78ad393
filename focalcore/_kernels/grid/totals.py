"""The grid kernels that add up the sums of teams, in the order of `sums.total`."""

from __future__ import annotations

from ..program import Program
from ..sums import LANES
from ..writer import SIZES
from .loops import Grid, Make

PARAMETERS = [
    *("i64 %teams", "i64 %per_team", "i64 %n"),
    *("ptr %from", "double %denominator", "ptr %to"),
]


class Fold(Grid):
    """A kernel in which each team adds up a block of numbers."""

    def __init__(self, make: Make, width: int = LANES) -> None:
        super().__init__(Program((), (), (), width), (), make)

    def parameters(self) -> list[str]:
        return PARAMETERS

    def team(self, team: str) -> None:
        self.sum = self.partial_sum()
        self.over_all(*self.bounds(team), self._visit)
        self.store(team, self.total_of(self.sum))

    def _visit(self, vectors: list[str], is_used: str | None) -> None:
        lanes, size = self.lanes, SIZES["float64"]
        read = [
            lanes.load("float64", lanes.at("%from", lanes.do("mul", v, self.splat(size))), is_used)
            for v in vectors
        ]
        for number in read:
            self.add_to(self.sum, number, is_used)

    def store(self, team: str, total: str) -> None:
        """Store the sum of a block."""
        there = self.w.at("%to", self.w.mul(team, SIZES["float64"]))
        self.lanes.store_first("float64", total, there)


class Total(Fold):
    """A kernel that adds up the last block, and rounds and divides its sum."""

    def __init__(self, make: Make, dtype: str) -> None:
        super().__init__(make)
        self.dtype = dtype

    def store(self, team: str, total: str) -> None:  # noqa: ARG002 - there is but one team
        """Store the quotient of the sum and the denominator."""
        w, n = self.w, self.lanes.registers
        denominator = self.lanes.each("%denominator", "float64")
        total = w.from_doubles(self.dtype, n, total)
        divisor = w.from_doubles(self.dtype, n, denominator)
        quotient = self.lanes.do("fdiv", total, divisor, self.dtype)
        self.lanes.store_first(self.dtype, quotient, "%to")


def totals(make: Make, width: int) -> list[tuple[str, Fold]]:
    """Return the kernels that add up sums, by their names: of rows, of blocks, and the last."""
    ends = [(f"total_{dtype}", Total(make, dtype)) for dtype in ("float32", "float64")]
    return [("fold_rows", Fold(make, width)), ("fold", Fold(make)), *ends]
