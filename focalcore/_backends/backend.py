"""What is known of an array library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from .._typing import Library, Namespace


class Backend(NamedTuple):
    """An array library: its namespaces, how its arrays are looked at, and how it runs."""

    name: str
    xp: Library  # its own, by which arguments are arranged
    formula_xp: Namespace  # what formulas see
    # the values as NumPy, or None where looking costs or is impossible
    host_values: Callable[[Any], Any] = lambda _: None
    needs_device: bool = False  # its arrays live on a device that has to be named
    written_cast: str = "{}.astype('{}')"  # how its users write a cast
    # what a loss computes from: under torch's autocast, float32; of a variable, what it holds
    read_scores: Callable[[Any], Any] | None = None
    # whether Python itself is traced, and NumPy with it
    traces_python: Callable[[], bool] = lambda: False
    # why an array can't be taken, None for most
    refuses: Callable[[Any], str | None] | None = None
    # the module of `_execution` that runs it, of `_derivatives` that teaches it the slope, and
    # whether a whole call is compiled as one program
    runner: Literal["plain", "numpy_blocks", "torch_blocks", "dask_chunks"] = "plain"
    differentiator: Literal["none", "torch_function", "jax_custom_jvp"] = "none"
    program: Literal["none", "jax_program"] = "none"
