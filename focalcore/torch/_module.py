"""What the modules have in common: options that move and learn, and the mean over workers."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from .. import _calls
from .._backends import is_dtensor
from .._derivatives.torch_workers import mean_over_workers
from .._options import REDUCTIONS, Parameter, choose, parse_parameter

Tensor = Any


class Loss(torch.nn.Module):  # type: ignore[misc] # torch is not a dependency
    """A loss with options: numbers are attributes, arrays are buffers or learned parameters."""

    _options: tuple[str, ...]  # in the order of the constructor

    def _hold(self, name: str, parsed: Parameter) -> None:
        if isinstance(parsed, tuple | np.ndarray):
            parsed = torch.tensor(parsed, dtype=torch.get_default_dtype())
        if isinstance(parsed, torch.Tensor) and not isinstance(parsed, torch.nn.Parameter):
            self.register_buffer(name, parsed)
        else:
            setattr(self, name, parsed)

    def extra_repr(self) -> str:
        """The options, as the constructor takes them."""
        given = ((name, getattr(self, name)) for name in self._options)
        shown = ((n, v.tolist() if isinstance(v, torch.Tensor) else v) for n, v in given)
        return ", ".join(f"{name}={value!r}" for name, value in shown)

    def __prepare_scriptable__(self) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} can't be scripted: TorchScript reads a subset of Python that "
            f"has no autograd Function; use torch.compile"
        )


class WorkersLoss(Loss):
    """A loss whose mean may be that of many workers."""

    def __init__(self, reduction: str, gather_distributed: bool | None, process_group: Any) -> None:
        super().__init__()
        self.reduction = choose("reduction", reduction, (*REDUCTIONS, "mean_positive"))
        if not (gather_distributed is None or isinstance(gather_distributed, bool)):
            raise TypeError(
                f"gather_distributed must be True, False or None; found {gather_distributed!r}"
            )
        self.gather_distributed = gather_distributed
        self.process_group = process_group

    def _positives(self, targets: Tensor) -> Tensor:
        """How much of a positive each target is."""
        raise NotImplementedError

    def _reduction(self, targets: Tensor, weight: Tensor | None) -> dict[str, Any]:
        """The reduction in the words of the functions."""
        if self.reduction == "mean_positive":
            return {"reduction": "mean", "normalizer": _sum(self._positives(targets), weight)}
        if self.reduction == "mean" and weight is not None:
            return {"reduction": "mean", "normalizer": "weight"}
        return {"reduction": self.reduction}

    def _reduced(self, call: _calls.Call) -> Tensor:
        """The value of a call, here or over all workers."""
        if call.reduction == "none" or not self._is_over_workers(call.operands.logits):
            return call.value()
        return mean_over_workers(*call.fraction(), self.process_group)

    def _is_over_workers(self, inputs: Tensor) -> bool:
        """Decided at each call: a process group may come and go."""
        if self.gather_distributed is False or is_dtensor(inputs):  # which is all of it already
            return False
        if not (dist.is_available() and dist.is_initialized()):
            if self.gather_distributed:
                raise RuntimeError(
                    "gather_distributed=True needs a process group, and there is none; call "
                    "torch.distributed.init_process_group, or give None to go without"
                )
            return False
        size: int = dist.get_world_size(self.process_group)
        if size < 1:
            raise ValueError("process_group does not hold this worker; give a group that does")
        return size > 1

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        memo[id(self.process_group)] = self.process_group  # a connection: copies share it
        copied = copy.copy(self)
        copied.__dict__ = copy.deepcopy(self.__dict__, memo)
        return copied


def parse_weight(weight: Tensor | None) -> Tensor | None:
    if weight is None:
        return None
    if not isinstance(weight, torch.Tensor):
        raise TypeError(f"sample_weight must be a tensor; found {type(weight).__name__}")
    return parse_parameter("sample_weight", weight.detach())


def _sum(positives: Tensor, weight: Tensor | None) -> Tensor:
    if weight is not None:
        positives = torch.where(positives != 0, positives * weight, 0)
    is_half = positives.dtype in (torch.float16, torch.bfloat16)
    return (positives.float() if is_half else positives).sum()
