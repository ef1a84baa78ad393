"""What the torch modules have in common: options that move and learn, means over workers."""

from __future__ import annotations

import copy
import inspect
from functools import partial
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
from .._losses.prepare import Recipe
from .._typing import WORKERS_REDUCTIONS, ArrayLike, Parameter, Reduction, WorkersReduction


class Loss(torch.nn.Module):
    """A loss with options: numbers are attributes, arrays are buffers or learned parameters."""

    _options: tuple[str, ...]  # in the order of the constructor
    _defaults: dict[str, Any]
    reduction: str
    normalizer: Any

    def __init_subclass__(cls) -> None:
        """Take the options from the constructor."""
        options = list(inspect.signature(cls).parameters.values())
        cls._options = tuple(p.name for p in options if p.kind is p.POSITIONAL_OR_KEYWORD)
        cls._defaults = {p.name: p.default for p in options if p.kind is p.KEYWORD_ONLY}

    def _asked(self, inputs: Tensor, **at_call: Any) -> Recipe:
        """Return how the loss of a call is prepared, with its options and those of the call."""
        raise NotImplementedError

    def forward(
        self,
        inputs: Tensor,
        targets: Tensor,
        *,
        sample_weight: Tensor | None = None,
        mask: Tensor | None = None,
        normalizer: Tensor | float | None = None,
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
        mask : Tensor of bool, optional
            False is left out, of the elements or rows, even where its logits are NaN.
        normalizer : float or 0-d Tensor, optional
            What the mean divides by, in place of what the module counts: the count of the whole, of
            micro-batches that are added up, or of all workers. Nothing is exchanged with other
            workers then.
        """
        weight = _parse_weight(sample_weight)
        given = self.normalizer if normalizer is None else parse.at_call("normalizer", normalizer)
        divisor = self._counted(weight) if given is None else given
        asked = self._asked(
            inputs, mask=mask, weight=weight, reduction=self._plain_reduction, normalizer=divisor
        )
        return self._value(asked, inputs, targets)

    def _value(self, asked: Recipe, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of a call."""
        return _call.call(_call.value, asked, inputs, targets, asked.options)

    @property
    def _plain_reduction(self) -> Reduction:
        """Return the reduction, as the functions name it."""
        reduction: Any = "mean" if self.reduction == "mean_positive" else self.reduction
        return reduction

    def _counted(self, weight: Tensor | None) -> str | None:
        """Return what a mean divides by where nobody says it; None: the number that counts."""
        if self.reduction == "mean_positive":
            return "positives"
        return "weight" if self.reduction == "mean" and weight is not None else None

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
        shown = [(name, getattr(self, name)) for name in self._options]
        for name, default in self._defaults.items():
            value = getattr(self, name, default)
            if isinstance(value, torch.Tensor) or value != default:
                shown.append((name, value))
        return ", ".join(f"{name}={_shown(value)}" for name, value in shown)

    def __prepare_scriptable__(self) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} can't be scripted: TorchScript reads a subset of Python that "
            f"has no autograd Function; use torch.compile"
        )


class WorkersLoss(Loss):
    """A loss whose mean may be taken over the batches of many workers."""

    recipe: Recipe

    def __init__(
        self,
        reduction: WorkersReduction,
        gather_distributed: bool | None,
        process_group: Any,
        normalizer: Any,
        **options: Any,
    ) -> None:
        super().__init__()
        self.reduction = parse.choose("reduction", reduction, WORKERS_REDUCTIONS)
        if not (gather_distributed is None or isinstance(gather_distributed, bool)):
            raise TypeError(
                f"gather_distributed must be True, False or None; found {gather_distributed!r}"
            )
        self.gather_distributed = gather_distributed
        self.process_group = process_group
        if reduction == "mean_positive" and normalizer is not None:
            raise ValueError(
                f"reduction='mean_positive' divides by the positives; found "
                f"normalizer={normalizer!r}, which goes with reduction='mean'"
            )
        options["normalizer"] = normalizer
        self._names = tuple(options)
        for name, value in options.items():
            self._hold(name, self.recipe.options.parse(name, value))

    def _check_together(self) -> None:
        """Refuse options that contradict each other, but for what comes with a call."""
        self.recipe.options(**self._given(reduction=self._plain_reduction, weight=1.0))

    def _given(self, **at_call: Any) -> dict[str, Any]:
        """Return the options by name, with those of a call."""
        return {name: getattr(self, name) for name in self._names} | at_call

    def _asked(self, inputs: Tensor, **at_call: Any) -> Recipe:  # noqa: ARG002
        options = partial(self.recipe.options, **self._given(**at_call))
        return self.recipe._replace(options=options)

    def _value(self, asked: Recipe, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of a call; a mean or a sum may be that of the batches of all workers."""
        weight, divisor = (asked.options.keywords[name] for name in ("weight", "normalizer"))
        if not (divisor is None or isinstance(divisor, str)):  # nothing is counted, or exchanged
            return super()._value(asked, inputs, targets)
        is_over_workers = self._is_over_workers(inputs)
        is_of_positives = self.reduction == "mean_positive" and divisor == "positives"
        weighs_positives = is_of_positives and weight is not None
        if not (is_over_workers or weighs_positives):
            return super()._value(asked, inputs, targets)
        call = asked.prepare(asked.door, inputs, targets, asked.options())
        if weighs_positives:
            call = call._replace(divide_by=Output.POSITIVE_WEIGHT)
        if not is_over_workers:
            return _call.value(call)
        return mean_over_workers(*_call.sum_and_denominator(call), self.process_group)

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
        if self.reduction == "none":
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


def named(recipe: Recipe, **names: Any) -> Recipe:
    """Return a recipe in which the arguments are called as the modules call them."""
    own = {"scores": "inputs", "labels": "targets", "weight": "sample_weight"} | names
    return recipe._replace(door=recipe.door._replace(**own))


def without_off(alpha: ArrayLike | None) -> ArrayLike | None:
    """Return None for the -1 by which alpha is off in torchvision and imbalanced-losses."""
    return None if isinstance(alpha, int | float) and alpha == -1 else alpha


def axis_of(axis: int, dim: int | None, default: int) -> int:
    """Return the class axis, which torch calls dim."""
    parsed = parse.index("dim", dim)
    if parsed is None:
        return axis
    if axis not in (default, parsed):
        raise ValueError(f"dim is another name of axis; found dim={dim} and axis={axis}, give one")
    return parsed


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
