"""Kernels for a grid of threads: the lanes of a vector are threads, which work as a team.

What a kernel computes, and the order of its sums, are those of the host's kernels, and so are its
bits. `lanes` says what a lane is: a thread on a GPU, or on the host a lane of a vector that stands
for it, so that the same loops can be run, and tested, without a GPU.
"""
