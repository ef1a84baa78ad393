"""Kernels: a loss traced once, printed as LLVM IR, compiled, and run on memory.

`trace` runs a loss on symbols, `elementary` makes its functions of IEEE operations alone,
`schedule` finds the passes over the classes that its rows need, `emit` prints operations, and
`compiler` makes machine code, or PTX. `host` and `grid` have the loops around the operations, for a
processor and for a GPU, and the plans that say how they are run on arrays; both add up in the order
that `sums` tells. Nothing here knows an array library.
"""

from .compiler import are_available, version, why_not
from .grid.lanes import THREADS
from .grid.modules import ptx_of
from .grid.plan import GridPlan, Launch, Source, grid_plan_of
from .host.plan import Crew, Lead, Plan, plan_of
from .placement import Call, Layout
from .program import split
from .sums import total

__all__ = [
    "THREADS",
    "Call",
    "Crew",
    "GridPlan",
    "Launch",
    "Layout",
    "Lead",
    "Plan",
    "Source",
    "are_available",
    "grid_plan_of",
    "plan_of",
    "ptx_of",
    "split",
    "total",
    "version",
    "why_not",
]
