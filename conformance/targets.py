"""The array libraries and devices that the tests run on, each seen in the report.

A target that cannot run here is skipped with its reason; named in FOCALCORE_REQUIRE (ids separated
by commas), it fails instead.
"""

import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest


@dataclass(frozen=True)
class Target:
    """One library on one device."""

    id: str
    library: str
    start: Callable[[], tuple[Any, Callable[..., Any], Callable[[Any], Any]]]
    can_raise: bool = True  # its values can be looked at, so bad targets raise
    differentiates: bool = False
    dtypes: tuple[str, ...] = ("float32", "float64")

    def missing(self) -> str | None:
        """Why this target cannot run here."""
        if importlib.util.find_spec(self.library) is None:
            return f"{self.library} is not installed"
        if self.library == "cupy":
            import cupy

            if not cupy.cuda.is_available():
                return "cupy finds no GPU"
        return None

    def require(self) -> None:
        """Skip where this target cannot run, or fail where it was asked for."""
        reason = self.missing()
        if reason and self.id in os.environ.get("FOCALCORE_REQUIRE", "").split(","):
            pytest.fail(f"{self.id} is required: {reason}")
        if reason:
            pytest.skip(f"{self.id}: {reason}")

    @property
    def xp(self) -> Any:
        return self.start()[0]

    def array(self, value: Any, dtype: str | None = None) -> Any:
        """An array of this target, of NumPy's dtype or the one named."""
        return self.start()[1](np.asarray(value), dtype)

    def numpy(self, x: Any) -> Any:
        """The values of an array of this target, in float64 where half precision has no NumPy."""
        return self.start()[2](x)


def _numpy() -> Any:
    import array_api_compat.numpy as xp

    def array(x: Any, dtype: str | None) -> Any:
        if dtype == "bfloat16":
            import ml_dtypes

            return x.astype(ml_dtypes.bfloat16)
        x = x if dtype is None else x.astype(dtype)
        x = x.copy()
        x.setflags(write=False)  # what the caller gave is never written to
        return x

    return xp, array, np.asarray


def _torch() -> Any:
    import array_api_compat.torch as xp
    import torch

    def array(x: Any, dtype: str | None) -> Any:
        return torch.asarray(x.copy()).to(None if dtype is None else getattr(torch, dtype))

    def numpy(x: Any) -> Any:
        x = x.detach().cpu()
        return (x.double() if x.dtype == torch.bfloat16 else x).numpy()

    return xp, array, numpy


def _jax() -> Any:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    return jnp, lambda x, dtype: jnp.asarray(x, dtype=dtype), np.asarray


def _dask() -> Any:
    import array_api_compat.dask.array as xp
    import dask.array as da

    def array(x: Any, dtype: str | None) -> Any:
        x = x if dtype is None else x.astype(dtype)
        return da.from_array(x, chunks=tuple(max(1, (n + 1) // 2) for n in x.shape))

    return xp, array, lambda x: np.asarray(x.compute())


def _strict(device: str) -> Callable[[], Any]:
    def start() -> Any:
        import array_api_strict as xp

        place = xp.Device(device)

        def array(x: Any, dtype: str | None) -> Any:
            return xp.asarray(x if dtype is None else x.astype(dtype), device=place)

        def numpy(x: Any) -> Any:
            assert x.device == place
            return np.asarray(x.to_device(xp.Device("CPU_DEVICE")))

        return xp, array, numpy

    return start


def _cupy() -> Any:
    import array_api_compat.cupy as xp
    import cupy

    return xp, lambda x, dtype: cupy.asarray(x, dtype=dtype), cupy.asnumpy


HALVES = ("float16", "bfloat16")
WIDE = ("float32", "float64")

NUMPY = Target("numpy", "numpy", _numpy, dtypes=(*HALVES, *WIDE))
STRICT = Target("strict", "array_api_strict", _strict("CPU_DEVICE"))
STRICT_DEVICE1 = Target("strict-device1", "array_api_strict", _strict("device1"), can_raise=False)
DASK = Target("dask", "dask", _dask, can_raise=False, dtypes=("float16", *WIDE))
TORCH = Target("torch", "torch", _torch, differentiates=True, dtypes=(*HALVES, *WIDE))
JAX = Target("jax", "jax", _jax, differentiates=True, dtypes=(*HALVES, *WIDE))
CUPY = Target("cupy", "cupy", _cupy, can_raise=False, dtypes=("float16", *WIDE))

TARGETS = (NUMPY, STRICT, STRICT_DEVICE1, DASK, TORCH, JAX, CUPY)
