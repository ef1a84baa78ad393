"""The loss of one of three tasks as a torch module."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from .. import losses
from .._losses.prepare import Recipe
from .._typing import ArrayLike, Reduction, SoftTargets, Task
from ._module import Loss, axis_of, named


class FocalLoss(Loss):
    """Focal loss of one of three tasks, as a module.

    The inputs and targets are those of `focalcore.sigmoid_focal_loss`, or where the task is
    "multi-class" of `focalcore.softmax_focal_loss`. Under DistributedDataParallel its mean is that
    of each worker's own batch.

    Parameters
    ----------
    gamma : float or array, default 2.0
        The focusing parameter, >= 0.
    alpha : float or array, optional
        The class balance: in [0, 1] for "binary" and "multi-label", where positives weigh alpha and
        negatives 1 - alpha; per-class weights >= 0 for "multi-class". None: all weigh 1. A tensor
        is a buffer, and so is a list, of torch's default type; a `torch.nn.Parameter` is learned.
    reduction : {"mean", "sum", "none"}, default "mean"
        Whether to return the mean or the sum of the losses, or each: of rows where the task is
        "multi-class", else of elements.
    task_type : {"binary", "multi-class", "multi-label"}, default "binary"
        Independent logits, or classes that exclude each other.
    num_classes : int, optional
        Length of the class axis, checked at each call. None: whatever it is.
    axis, dim : int, default -1
        The class axis of "multi-class", by either name.
    pos_weight, class_axis, background, label_smoothing, soft_targets : optional
        As for the functions; those that the task does not have are errors.
    poly_epsilon, ignore_index : optional
        As for the functions.
    normalizer : {"positives", "weight", "alpha"}, number or 0-d tensor, optional
        What "mean" divides by. None: the number of what counts, or the sum of its weights.
    detach_factor : bool, default False
        Whether the gradient takes the modulating factor (1 - p_t)^gamma as a constant.

    Raises
    ------
    TypeError, ValueError
        An option of the wrong kind or outside its range.

    See Also
    --------
    focalcore.FocalLoss : The same for arrays of any library, immutable.
    SigmoidFocalLoss, SoftmaxFocalLoss : Means over many workers.

    Examples
    --------
    >>> import torch
    >>> from focalcore.torch import FocalLoss
    >>> criterion = FocalLoss(gamma=2, alpha=0.25, task_type="binary")
    >>> loss = criterion(torch.tensor([2.0, -1.0, 0.5, -2.0]), torch.tensor([1, 0, 1, 0]))
    >>> print(f"{loss.item():.5f}")
    0.00892
    """

    task_type: Task

    def __init__(
        self,
        gamma: ArrayLike = 2.0,
        alpha: ArrayLike | None = None,
        reduction: Reduction = "mean",
        task_type: Task = "binary",
        num_classes: int | None = None,
        *,
        axis: int = -1,
        dim: int | None = None,
        pos_weight: ArrayLike | None = None,
        class_axis: int | None = None,
        background: int | None = None,
        label_smoothing: float = 0.0,
        soft_targets: SoftTargets = "expected",
        poly_epsilon: float | None = None,
        ignore_index: int | None = None,
        normalizer: str | Tensor | float | None = None,
        detach_factor: bool = False,
    ) -> None:
        super().__init__()
        arrays: dict[str, Any] = {"gamma": gamma, "alpha": alpha, "pos_weight": pos_weight}
        checked = losses.FocalLoss(
            reduction=reduction,
            task_type=task_type,
            num_classes=num_classes,
            axis=axis_of(axis, dim, default=-1),
            class_axis=class_axis,
            background=background,
            label_smoothing=label_smoothing,
            soft_targets=soft_targets,
            poly_epsilon=poly_epsilon,
            ignore_index=ignore_index,
            normalizer=normalizer,
            detach_factor=detach_factor,
            **arrays,
        )
        for option in fields(checked):
            given = arrays.get(option.name)
            is_tensor = isinstance(given, torch.Tensor)  # a buffer, of its own type
            self._hold(option.name, given if is_tensor else getattr(checked, option.name))

    def _asked(self, inputs: Tensor, **at_call: Any) -> Recipe:
        return losses.asked(self, named(losses.RECIPES[self.task_type]), inputs, **at_call)
