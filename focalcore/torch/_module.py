"""What the torch modules have in common: options that move and learn, means over workers."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from .. import _call
from .._backends.torch import is_dtensor
from .._derivatives.torch_workers import mean_over_workers
from .._inputs import parse
from .._losses.operands import Output
from .._losses.prepare import LossCall
from .._typing import WORKERS_REDUCTIONS, Parameter, Reduction, WorkersReduction


class Loss(torch.nn.Module):
    """A loss with options: numbers are attributes, arrays are buffers or learned parameters."""

    _options: tuple[str, ...]  # in the order of the constructor

    def __init_subclass__(cls) -> None:
        """Take the options from the constructor."""
        options = list(inspect.signature(cls).parameters.values())
        cls._options = tuple(p.name for p in options if p.kind is p.POSITIONAL_OR_KEYWORD)

    def _hold(self, name: str, parsed: Parameter) -> None:
        """Keep an option: an array as a buffer or a parameter, anything else as an attribute."""
        if isinstance(parsed, tuple | np.ndarray):
            parsed = torch.tensor(parsed, dtype=torch.get_default_dtype())
        if isinstance(parsed, torch.Tensor) and not isinstance(parsed, torch.nn.Parameter):
            self.register_buffer(name, parsed)
        else:
            setattr(self, name, parsed)

    def extra_repr(self) -> str:
        """Return the options, as the constructor takes them."""
        return ", ".join(f"{name}={_shown(getattr(self, name))}" for name in self._options)

    def __prepare_scriptable__(self) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} can't be scripted: TorchScript reads a subset of Python that "
            f"has no autograd Function; use torch.compile"
        )


class WorkersLoss(Loss):
    """A loss whose mean may be taken over the batches of many workers."""

    def __init__(
        self, reduction: WorkersReduction, gather_distributed: bool | None, process_group: Any
    ) -> None:
        super().__init__()
        self.reduction = parse.choose("reduction", reduction, WORKERS_REDUCTIONS)
        if not (gather_distributed is None or isinstance(gather_distributed, bool)):
            raise TypeError(
                f"gather_distributed must be True, False or None; found {gather_distributed!r}"
            )
        self.gather_distributed = gather_distributed
        self.process_group = process_group

    def forward(
        self, inputs: Tensor, targets: Tensor, *, sample_weight: Tensor | None = None
    ) -> Tensor:
        """Return the loss of logits against targets.

        Parameters
        ----------
        inputs : Tensor of float16, bfloat16, float32 or float64
            The logits.
        targets : Tensor
            The targets, of the types and shapes that the class names.
        sample_weight : Tensor, optional
            Multiplies the loss of each element or row, >= 0, of their shape or with 1s in it; no
            gradient flows to it.
        """
        weight = _parse_weight(sample_weight)
        is_over_workers = self._is_over_workers(inputs)
        reduction: Reduction = "mean" if self.reduction == "mean_positive" else self.reduction
        call = self._prepare(inputs, targets, weight=weight, reduction=reduction)
        if reduction == "mean":
            call = call._replace(divide_by=self._divide_by(weight))
        if reduction == "none" or not is_over_workers:
            return _call.value(call)
        return mean_over_workers(*_call.sum_and_denominator(call), self.process_group)

    def _prepare(self, inputs: Tensor, targets: Tensor, **how: Any) -> LossCall:
        raise NotImplementedError

    def _divide_by(self, weight: Tensor | None) -> Output | None:
        """Return what a mean is divided by, or None for the number of those that count."""
        if self.reduction == "mean_positive":
            return Output.POSITIVES if weight is None else Output.POSITIVE_WEIGHT
        return None if weight is None else Output.WEIGHT

    def _is_over_workers(self, inputs: Tensor) -> bool:
        """Tell whether to reduce over workers, at each call, as process groups come and go."""
        if self.gather_distributed is False:
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
        return size > 1 and not (is_dtensor(inputs) and self._is_whole(inputs))

    def _is_whole(self, inputs: Any) -> bool:
        """Tell whether a DTensor is the batch of all workers already, and not only of some."""
        workers = set(dist.get_process_group_ranks(self.process_group))
        shared = workers & set(inputs.device_mesh.mesh.flatten().tolist())
        if shared != workers and len(shared) > 1:
            raise ValueError(
                f"inputs are a DTensor of {len(shared)} of {len(workers)} workers; give as "
                f"process_group the workers that gradients are averaged over, one of each mesh"
            )
        return shared == workers

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        memo[id(self.process_group)] = self.process_group  # a connection: copies share it
        copied = copy.copy(self)
        copied.__dict__ = copy.deepcopy(self.__dict__, memo)
        return copied


def _parse_weight(weight: Tensor | None) -> Tensor | None:
    if weight is None:
        return None
    if not isinstance(weight, torch.Tensor):
        raise TypeError(f"sample_weight must be a tensor; found {type(weight).__name__}")
    weight = weight.detach()
    return parse.parameter(
        "sample_weight", weight if weight.is_floating_point() else weight.float()
    )


def _shown(value: Any) -> str:
    if not isinstance(value, torch.Tensor):
        return repr(value)
    if value.is_meta or value.ndim > 1 or value.numel() > 8:
        return f"<tensor of shape {tuple(value.shape)}>"
    numbers = ", ".join(f"{number:.6g}" for number in value.flatten().tolist())
    return f"[{numbers}]" if value.ndim else numbers
