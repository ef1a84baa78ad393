"""Array libraries on devices: how arrays get there and back, and how functions run there.

Every place is seen in the reports and in the test run. One that cannot run here says why; named in
FOCALCORE_REQUIRE (ids, or the beginnings of ids, separated by commas), it fails instead.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from focalcore import _kernels, settings

from .modes import EAGERLY

Array = Any
Function = Callable[..., Any]

HALVES = ("float16", "bfloat16")
WIDE = ("float32", "float64")


def required() -> list[str]:
    """What FOCALCORE_REQUIRE asks for."""
    return [name for name in os.environ.get("FOCALCORE_REQUIRE", "").split(",") if name]


@dataclass(frozen=True)
class Place:
    """A library on a device."""

    device: str = "cpu"
    can_raise: bool = True  # its values can be looked at, so bad targets raise
    dtypes: tuple[str, ...] = WIDE
    modes: tuple[str, ...] = ("eager",)

    name: ClassVar[str]
    module: ClassVar[str]  # to import
    arithmetic: ClassVar[str]  # whose exp and log it uses on the host
    differentiates: ClassVar[bool] = False
    flushes: ClassVar[bool] = False  # what is denormal may become 0
    is_apart: ClassVar[bool] = False  # it takes seconds to import, and a process of its own

    @property
    def id(self) -> str:
        return f"{self.name}-{self.device}"

    def functions(self, mode: str) -> str:
        """Whose exp and log it uses in a mode."""
        if mode == "kernel":
            return "kernel"
        return "cuda" if self.device == "cuda" else self.arithmetic

    def missing(self) -> str | None:
        """Why this place cannot run here."""
        if importlib.util.find_spec(self.module) is None:
            return f"{self.module} is not installed"
        return self.without_device()

    def without_device(self) -> str | None:
        return None

    def cannot(self, mode: str) -> str | None:
        """Why a mode cannot run here, where the place itself can."""
        return _kernels.why_not() or None if mode == "kernel" else None

    def is_required(self) -> bool:
        return any(self.id.startswith(name) for name in required())

    def require(self) -> None:
        """Skip where this place cannot run, or fail where it was asked for."""
        import pytest

        reason = self.missing()
        if reason and self.is_required():
            pytest.fail(f"{self.id} is required: {reason}")
        if reason:
            pytest.skip(f"{self.id}: {reason}")

    @property
    def xp(self) -> Any:
        raise NotImplementedError

    def array(self, value: Any, dtype: str | None = None) -> Array:
        """An array of this place, of NumPy's dtype or the one named."""
        raise NotImplementedError

    def numpy(self, x: Array) -> Any:
        """The values of an array of this place, in float64 where NumPy has no such type."""
        raise NotImplementedError

    def call(self, f: Function, *arrays: Any, **options: Any) -> Any:
        """What a function gives of arrays of this place, in NumPy's; options go as they are."""
        return self.numpy(f(*map(self.array, arrays), **options))

    def running(self) -> contextlib.AbstractContextManager[Any]:
        """What has to hold while functions run here."""
        return contextlib.nullcontext()

    def run(self, mode: str, f: Function) -> Function:
        """The function as this mode runs it."""
        assert mode in self.modes
        return EAGERLY[mode](f) if mode in EAGERLY and "kernel" in self.modes else f

    def gradient(self, mode: str, f: Function) -> Function:
        """The derivative of a function's sum, by the library's own differentiation."""
        raise NotImplementedError


class Numpy(Place):
    name = module = arithmetic = "numpy"

    @property
    def xp(self) -> Any:
        import array_api_compat.numpy as xp

        return xp

    def array(self, value: Any, dtype: str | None = None) -> Array:
        value = np.asarray(value)
        if dtype == "bfloat16":
            from ml_dtypes import bfloat16 as dtype
        value = value.astype(value.dtype if dtype is None else dtype)
        value.setflags(write=False)  # what the caller gave is never written to
        return value

    def numpy(self, x: Array) -> Any:
        return np.asarray(x)


class Torch(Place):
    name = module = arithmetic = "torch"
    differentiates = flushes = True

    def without_device(self) -> str | None:
        import torch

        has_it = self.device == "cpu" or torch.cuda.is_available()
        return None if has_it else "torch finds no GPU"

    @property
    def xp(self) -> Any:
        import array_api_compat.torch as xp

        return xp

    def array(self, value: Any, dtype: str | None = None) -> Array:
        import torch

        x = torch.asarray(np.array(value))
        return x.to(self.device, None if dtype is None else getattr(torch, dtype))

    def numpy(self, x: Array) -> Any:
        x = x.detach().cpu()
        return (x.double() if str(x.dtype) == "torch.bfloat16" else x).numpy()

    def run(self, mode: str, f: Function) -> Function:
        import torch

        if mode == "compiled":
            torch.compiler.reset()  # functions alike but for a constant share a cache
            return torch.compile(f, fullgraph=True)
        return torch.func.vmap(f) if mode == "vmapped" else super().run(mode, f)

    def gradient(self, mode: str, f: Function) -> Function:
        import torch

        if mode == "vmapped":
            return torch.func.vmap(torch.func.grad(lambda x, *rest: f(x, *rest).sum()))
        loss = self.run(mode, f)

        def backward(x: Array, *rest: Array) -> Array:
            x = x.detach().requires_grad_()
            return torch.autograd.grad(loss(x, *rest).sum(), x)[0]

        return super().run(mode, backward)


class Jax(Place):
    name = module = arithmetic = "jax"
    differentiates = flushes = True

    def without_device(self) -> str | None:
        try:
            self._device()
        except RuntimeError:
            return "jax finds no GPU"
        return None

    def _device(self) -> Any:
        import jax

        jax.config.update("jax_enable_x64", True)
        return jax.devices(self.device)[0]

    @property
    def xp(self) -> Any:
        import jax.numpy as jnp

        self._device()
        return jnp

    def array(self, value: Any, dtype: str | None = None) -> Array:
        import jax

        value = self.xp.asarray(value, dtype=dtype)
        # an array that was put somewhere stays there, and moves what it meets: only where it must
        is_there = value.devices() == {self._device()}
        return value if is_there else jax.device_put(value, self._device())

    def numpy(self, x: Array) -> Any:
        return np.asarray(x)

    def run(self, mode: str, f: Function) -> Function:
        import jax

        return {"compiled": jax.jit, "vmapped": jax.vmap}.get(mode, lambda f: f)(f)

    def gradient(self, mode: str, f: Function) -> Function:
        import jax

        return self.run(mode, jax.grad(lambda x, *rest: f(x, *rest).sum()))


class TensorFlow(Place):
    name = module = arithmetic = "tensorflow"
    differentiates = flushes = is_apart = True

    @property
    def xp(self) -> Any:
        from focalcore._backends.tensorflow import BACKEND

        return BACKEND.xp

    def array(self, value: Any, dtype: str | None = None) -> Array:
        import tensorflow as tf

        value = tf.constant(np.asarray(value))
        return value if dtype is None else tf.cast(value, dtype)

    def numpy(self, x: Array) -> Any:
        import tensorflow as tf

        return (tf.cast(x, "float64") if x.dtype == tf.bfloat16 else x).numpy()

    def run(self, mode: str, f: Function) -> Function:
        """The function; a graph doesn't know the length of its first axis, as in Keras' `fit`."""
        import tensorflow as tf

        if mode == "eager":
            return f
        in_graph = tf.function(f, jit_compile=mode == "compiled", autograph=False)

        def run(*arrays: Array) -> Array:
            if mode == "compiled":
                return in_graph(*arrays)
            specs = [tf.TensorSpec([None, *x.shape[1:]], x.dtype) for x in arrays]
            return in_graph.get_concrete_function(*specs)(*arrays)

        return run

    def gradient(self, mode: str, f: Function) -> Function:
        import tensorflow as tf

        def backward(x: Array, *rest: Array) -> Array:
            with tf.GradientTape() as tape:
                tape.watch(x)
                total = tf.reduce_sum(f(x, *rest))
            return tape.gradient(total, x)

        return self.run(mode, backward)


class Dask(Place):
    name = module = "dask"
    arithmetic = "numpy"

    def functions(self, mode: str) -> str:
        """Whose exp and log it uses: its chunks run kernels, where these are."""
        has_kernels = settings.kernels() and _kernels.are_available()
        return "kernel" if has_kernels else super().functions(mode)

    @property
    def xp(self) -> Any:
        import array_api_compat.dask.array as xp

        return xp

    def array(self, value: Any, dtype: str | None = None) -> Array:
        import dask.array as da

        value = np.asarray(value)
        value = value if dtype is None else value.astype(dtype)
        return da.from_array(value, chunks=tuple(max(1, (n + 1) // 2) for n in value.shape))

    def numpy(self, x: Array) -> Any:
        return np.asarray(x.compute())


class Strict(Place):
    """The array API standard and nothing else."""

    name, module, arithmetic = "array-api-strict", "array_api_strict", "numpy"

    @property
    def xp(self) -> Any:
        import array_api_strict as xp

        return xp

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        flags = self.xp.ArrayAPIStrictFlags(
            api_version="2024.12",
            boolean_indexing=False,
            data_dependent_shapes=False,
            enabled_extensions=(),
        )
        with flags, np.errstate(all="ignore"):  # it warns of infinities in NumPy's name
            yield

    def _device(self) -> Any:
        return self.xp.Device("CPU_DEVICE" if self.device == "cpu" else self.device)

    def array(self, value: Any, dtype: str | None = None) -> Array:
        value = np.asarray(value)
        value = value if dtype is None else value.astype(dtype)
        return self.xp.asarray(value, device=self._device())

    def numpy(self, x: Array) -> Any:
        assert x.device == self._device()
        return np.asarray(x.to_device(self.xp.Device("CPU_DEVICE")))


class Cupy(Place):
    name = module = arithmetic = "cupy"
    flushes = True

    def without_device(self) -> str | None:
        import cupy

        return None if cupy.cuda.is_available() else "cupy finds no GPU"

    @property
    def xp(self) -> Any:
        import array_api_compat.cupy as xp

        return xp

    def array(self, value: Any, dtype: str | None = None) -> Array:
        import cupy

        return cupy.asarray(value, dtype=dtype)

    def numpy(self, x: Array) -> Any:
        import cupy

        return cupy.asnumpy(x)


ALL = (*HALVES, *WIDE)
TRACED = ("eager", "compiled", "vmapped")

NUMPY = Numpy(dtypes=ALL, modes=("kernel", "eager"))
STRICT = Strict(modes=("strict",))
STRICT_DEVICE1 = Strict("device1", can_raise=False, modes=("strict",))
STRICT_NO_FLOAT64 = Strict("no_float64", can_raise=False, dtypes=("float32",), modes=("strict",))
DASK = Dask(can_raise=False, dtypes=("float16", *WIDE), modes=("lazy",))
TORCH = Torch(dtypes=ALL, modes=("kernel", *TRACED))
TORCH_CUDA = Torch("cuda", can_raise=False, dtypes=ALL, modes=("kernel", *TRACED))
JAX = Jax(dtypes=ALL, modes=TRACED)
JAX_CUDA = Jax("cuda", can_raise=False, dtypes=ALL, modes=TRACED)
TENSORFLOW = TensorFlow(dtypes=ALL, modes=("eager", "graph", "compiled"))
CUPY = Cupy("cuda", can_raise=False, dtypes=("float16", *WIDE), modes=("kernel", "eager"))

ON_CPU = (NUMPY, STRICT, STRICT_DEVICE1, STRICT_NO_FLOAT64, DASK, TORCH, JAX, TENSORFLOW)
ON_GPU = (TORCH_CUDA, JAX_CUDA, CUPY)
PLACES = ON_CPU + ON_GPU


@functools.cache
def missing(place: Place) -> str | None:
    """Why a place cannot run here, asked once."""
    return place.missing()
