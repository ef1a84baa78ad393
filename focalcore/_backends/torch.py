"""The backend of torch, with namespaces for speed and for differentiation."""

from __future__ import annotations

import sys
from typing import Any

import array_api_compat.torch as xp
import torch
from torch import Tensor

from .backend import Backend
from .namespaces import Namespace, autodiff_safe


def is_host_tensor(x: Tensor) -> bool:
    """Tell whether a tensor holds plain numbers on the CPU, and nothing traces the operations."""
    return is_plain_tensor(x) and x.device.type == "cpu"


def is_plain_tensor(x: Tensor) -> bool:
    """Tell whether a tensor holds plain numbers, and nothing traces the operations."""
    return type(x) in (torch.Tensor, torch.nn.Parameter) and not (
        torch.jit.is_tracing()  # type: ignore[attr-defined,no-untyped-call] # torch's
        or torch._C._len_torch_dispatch_stack()
    )


def is_dtensor(x: Any) -> bool:
    """Tell whether a tensor is a DTensor, without importing the module that defines them."""
    tensor = sys.modules.get("torch.distributed.tensor")
    return tensor is not None and isinstance(x, tensor.DTensor)


class Choice:
    """A choice of one class in each row by its label, which reads one entry of each row."""

    def __init__(self, labels: Tensor, axis: int) -> None:
        self.labels, self.axis = labels, axis

    def gather(self, x: Tensor) -> Tensor:
        rows = list(self.labels.shape)
        rows[self.axis] = x.shape[self.axis]
        is_class = (self.labels >= 0) & (self.labels < x.shape[self.axis])
        label = torch.where(is_class, self.labels, 0).long()
        return torch.where(is_class, x.expand(rows).gather(self.axis, label), torch.nan)

    def scatter(self, x: Tensor, by: Tensor | float) -> Tensor:
        along = [1] * x.ndim
        along[self.axis] = -1
        classes = torch.arange(x.shape[self.axis], dtype=self.labels.dtype, device=x.device)
        return torch.where(self.labels == classes.reshape(along), by, x)


def _choice(labels: Tensor, axis: int) -> Choice | None:
    return None if labels.is_nested else Choice(labels, axis)  # jagged tensors can't be gathered


def _maximum(a: Tensor, b: Tensor | float) -> Tensor:
    return torch.maximum(a, b) if isinstance(b, torch.Tensor) else torch.clamp_min(a, b)


def _minimum(a: Tensor, b: Tensor | float) -> Tensor:
    return torch.minimum(a, b) if isinstance(b, torch.Tensor) else torch.clamp_max(a, b)


def _isinf(x: Tensor) -> Tensor:
    return x.abs() == torch.inf  # torch's own is compiled to a loop over single numbers


# for a device, where each operation is a launch
EAGER = Namespace(xp, choice=_choice, maximum=_maximum, minimum=_minimum, clip=torch.clamp)
DIFFERENTIABLE = autodiff_safe(xp, stop_gradient=torch.Tensor.detach, choice=_choice, isinf=_isinf)


def _host_values(x: Tensor) -> Any:
    if torch.compiler.is_compiling() or not is_host_tensor(x):
        return None
    try:
        seen = x.detach().resolve_neg()
        return (seen.float() if seen.dtype == torch.bfloat16 else seen).numpy()
    except RuntimeError:  # inside vmap and other functorch transformations
        return None


def _device_values(x: Tensor) -> Any:
    if not is_plain_tensor(x) or x.device.type != "cuda":
        return None
    return None if torch.cuda.is_current_stream_capturing() else _host_values(x.cpu())


def read_scores(x: Tensor) -> Tensor:
    """Return logits in the type that a loss takes them in, float32 under autocast."""
    is_half = x.dtype in (torch.float16, torch.bfloat16)
    return x.float() if is_half and torch.is_autocast_enabled(x.device.type) else x


def as_factor(x: Tensor) -> Tensor:
    """Return a tensor in the type that a matrix product takes it in, which autocast chooses."""
    kind = x.device.type
    is_cast = x.dtype in (torch.float16, torch.bfloat16, torch.float32)
    if not (is_cast and torch.is_autocast_enabled(kind)):
        return x
    return x.to(torch.get_autocast_dtype(kind))


def _refuses(x: Tensor) -> str | None:
    if x.layout is torch.strided and not x.is_nested:  # the usual case
        return None
    if x.layout is torch.jagged:
        return None
    way = "make it with layout=torch.jagged" if x.is_nested else "give its to_dense()"
    return f"a {'nested' if x.is_nested else x.layout} tensor; {way}"


BACKEND = Backend(
    "torch",
    xp,
    DIFFERENTIABLE,
    host_values=_host_values,
    device_values=_device_values,
    needs_device=True,
    written_cast="{}.to(torch.{})",
    written_from_numpy="torch.as_tensor({0}, device={1}.device)",
    convert_scores=read_scores,
    is_tracing=torch.compiler.is_compiling,
    refuses=_refuses,
    runner="torch_host",
    differentiator="torch_function",
)
