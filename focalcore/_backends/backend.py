"""The record of what focalcore knows of an array library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from .._typing import Library, Namespace


class Backend(NamedTuple):
    """An array library: its namespaces, how its arrays' values are read, and how it runs a loss."""

    name: str
    xp: Library  # its own namespace, which prepares arguments
    formula_xp: Namespace  # the namespace that formulas use
    # returns the values as NumPy, or None where reading them is costly or impossible
    host_values: Callable[[Any], Any] = lambda _: None
    # the same for an array on a device, for which it waits: only where that is asked for
    device_values: Callable[[Any], Any] = lambda _: None
    needs_device: bool = False  # whether a new array has to be told its device
    is_immutable: bool = False  # whether nobody can change an array
    # makes a constant of a NumPy array of real numbers; None: NumPy's beside its own are an error
    from_numpy: Callable[[Any], Any] | None = None
    # how its users write a cast, and NumPy's array {0} as one beside {1}, for errors
    written_cast: str = "{}.astype('{}')"
    written_from_numpy: str = "xp.asarray({0})"
    # makes of scores what a loss computes from: float32 under autocast, a variable's tensor
    convert_scores: Callable[[Any], Any] | None = None
    # tells whether a compiler traces Python code now, and calls of NumPy with it
    is_tracing: Callable[[], bool] = lambda: False
    # returns why an array can't be used, or None where it can
    refuses: Callable[[Any], str | None] | None = None
    # the module of `_execution` that runs losses, that of `_derivatives` that gives autodiff the
    # gradient, and that of `_execution` that compiles a whole call as one program
    runner: Literal["plain", "numpy_host", "torch_host", "cupy_device", "dask_chunks"] = "plain"
    differentiator: Literal[
        "none", "torch_function", "jax_custom_jvp", "tensorflow_custom_gradient"
    ] = "none"
    program: Literal["none", "jax_program"] = "none"
