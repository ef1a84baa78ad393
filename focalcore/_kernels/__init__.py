"""Kernels: a loss traced once, printed as LLVM IR, compiled, and run on memory.

`trace` runs a loss on symbols, `elementary` makes its functions of IEEE operations alone,
`schedule` finds the passes over the classes that its rows need, `emit` prints operations and
`elementwise`, `rows_in_lanes` and `classes_in_lanes` the loops around them, `compiler` makes
machine code, and `plan` runs it with pointers, over `threads`. Nothing here knows an array library.
"""

from .host.compiler import are_available, version, why_not
from .host.plan import Crew, Lead, Plan, plan_of
from .placement import Call, Layout
from .program import split

__all__ = [
    "Call",
    "Crew",
    "Layout",
    "Lead",
    "Plan",
    "are_available",
    "plan_of",
    "split",
    "version",
    "why_not",
]
