"""The kinds of GPU on which the kernels are on by default: a report shows that they agreed there.

The reports are `conformance/reports/gpu.md` and `benchmarks/reports/cuda-*.md`. On other kinds
`use_compiler(True)` turns them on.
"""

# the compute capabilities, for each library
CAPABILITIES: dict[str, frozenset[tuple[int, int]]] = {
    "torch": frozenset({(9, 0)}),
    "cupy": frozenset({(9, 0)}),
}
