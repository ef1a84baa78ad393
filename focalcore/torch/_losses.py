"""The losses as torch modules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from .. import _call, losses
from .._inputs import parse
from .._inputs.class_axis import representable_label
from .._inputs.doors import Door
from .._inputs.options import Options
from .._losses import sigmoid, softmax
from .._losses.prepare import LossCall
from .._losses.sigmoid import SigmoidOptions
from .._losses.softmax import SoftmaxOfLabels, SoftmaxOptions
from .._typing import ArrayLike, Reduction, Task, WorkersReduction
from ._module import Loss, WorkersLoss

INPUTS = Door(scores="inputs", weight="sample_weight")


class SigmoidFocalLoss(WorkersLoss):
    r"""Focal loss of independent logits, binary or multi-label, as a module.

    .. math:: FL = \alpha_t (1 - p_t)^\gamma CE, \qquad p_t = y p + (1 - y)(1 - p)

    with the cross-entropy :math:`CE = -y \log p - (1 - y) \log(1 - p)`, which for a label of 0 or 1
    is the paper's :math:`-\log p_t`.

    Parameters
    ----------
    alpha : float or array that broadcasts to the inputs, default 0.25
        The class balance in [0, 1]: positives weigh alpha, negatives 1 - alpha. -1 or None: both
        weigh 1. A tensor is a buffer, and so is a list, of torch's default type; a
        `torch.nn.Parameter` is learned.
    gamma : float or array that broadcasts to the inputs, default 2.0
        The focusing parameter, >= 0.
    reduction : {"mean", "mean_positive", "sum", "none"}, default "mean"
        What becomes of the elements. "mean": divided by their number, or by the sum of their
        weights. "mean_positive": by the sum of their targets, weighted if they are. 0 divides by 1.
    gather_distributed : bool, optional
        Whether the mean, or the sum, is that of the batches of all workers; see the notes. None:
        where torch.distributed is initialised. True: it must be. False: never.
    process_group : torch.distributed.ProcessGroup, optional
        The workers. None: all.

    Raises
    ------
    TypeError, ValueError
        An option of the wrong kind or outside its range.

    See Also
    --------
    focalcore.sigmoid_focal_loss : The function, with every option.
    SoftmaxFocalLoss : Classes that exclude each other.

    Notes
    -----
    The inputs are logits of any shape, the targets of bool, int or float, in [0, 1], of that shape
    or with 1s in it.

    Over many workers the value is that of the whole batch, the same on each of them, and each
    differentiates its part of it so that the mean of the workers' gradients, which
    DistributedDataParallel and FSDP take, is the gradient of the whole batch. The workers exchange
    a sum and a count at each call, forward alone, so each of them has to call; a worker may have
    no rows at all, and weights or none. With reduction "none" each keeps its own rows. DTensors
    over all workers are the whole batch already; over some, `process_group` names the workers
    that they are to be added up over. Decided at each call.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, equations 4 and 5.

    Examples
    --------
    >>> import torch
    >>> from focalcore.torch import SigmoidFocalLoss
    >>> criterion = SigmoidFocalLoss(alpha=0.25, gamma=2.0)
    >>> loss = criterion(torch.tensor([2.0, -1.0, 0.5, -2.0]), torch.tensor([1, 0, 1, 0]))
    >>> print(f"{loss.item():.5f}")
    0.00892
    """

    def __init__(
        self,
        alpha: ArrayLike | None = 0.25,
        gamma: ArrayLike = 2.0,
        reduction: WorkersReduction = "mean",
        gather_distributed: bool | None = None,
        *,
        process_group: Any = None,
    ) -> None:
        super().__init__(reduction, gather_distributed, process_group)
        self._hold("alpha", _parse_alpha(SigmoidOptions, alpha))
        self._hold("gamma", SigmoidOptions.parse("gamma", gamma))

    def _prepare(self, inputs: Tensor, targets: Tensor, **how: Any) -> LossCall:
        door = INPUTS._replace(for_classes="SoftmaxFocalLoss")
        options = SigmoidOptions(alpha=self.alpha, gamma=self.gamma, **how)
        return sigmoid.prepare(door, inputs, targets, options)


class SoftmaxFocalLoss(WorkersLoss):
    r"""Focal loss of logits over classes that exclude each other, as a module.

    .. math:: FL = -\alpha_t (1 - p_t)^\gamma \log p_t, \qquad p = \mathrm{softmax}(x)

    Parameters
    ----------
    alpha : float or array of length C, optional
        What examples of each class weigh, >= 0. -1 or None: all weigh 1. A tensor is a buffer, and
        so is a list, of torch's default type; a `torch.nn.Parameter` is learned.
    gamma : float or array of length C, default 2.0
        The focusing parameter, >= 0.
    reduction : {"mean", "mean_positive", "sum", "none"}, default "mean"
        What becomes of the rows. "mean": divided by the number of those that count, or by the sum
        of their weights. "mean_positive": by the number, or the weights, of those that are not
        background. 0 divides by 1.
    label_smoothing : float, default 0.0
        How far the target of the cross-entropy is smoothed over the classes, in [0, 1]; p_t and
        alpha_t stay those of the label.
    ignore_index : int, default -100
        Rows of this label are left out, even where their logits are NaN.
    background_class : int, default 0
        The class that "mean_positive" does not divide by.
    gather_distributed : bool, optional
        Whether the mean, or the sum, is that of the batches of all workers; see the notes of
        `SigmoidFocalLoss`. None: where torch.distributed is initialised. True: it must be.
        False: never.
    process_group : torch.distributed.ProcessGroup, optional
        The workers. None: all.

    Raises
    ------
    TypeError, ValueError
        An option of the wrong kind or outside its range.

    See Also
    --------
    focalcore.softmax_focal_loss : The function, with every option.
    SigmoidFocalLoss : Classes that do not exclude each other; its notes say how workers share.

    Notes
    -----
    The inputs are logits of shape (N, C) or (N, C, ...), the targets class labels, integers of the
    shape (N) or (N, ...).

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, equations 4 and 5.

    Examples
    --------
    >>> import torch
    >>> from focalcore.torch import SoftmaxFocalLoss
    >>> criterion = SoftmaxFocalLoss(alpha=[1.0, 2.0, 1.0], reduction="sum")
    >>> logits = torch.tensor([[1.0, 0.0, -1.0], [0.5, 0.5, 1.0], [0.0, 0.0, 0.0]])
    >>> loss = criterion(logits, torch.tensor([0, 1, -100]))
    >>> print(f"{loss.item():.4f}")
    1.4099
    """

    def __init__(
        self,
        alpha: ArrayLike | None = None,
        gamma: ArrayLike = 2.0,
        reduction: WorkersReduction = "mean",
        label_smoothing: float = 0.0,
        ignore_index: int = -100,
        background_class: int = 0,
        gather_distributed: bool | None = None,
        *,
        process_group: Any = None,
    ) -> None:
        super().__init__(reduction, gather_distributed, process_group)
        self._hold("alpha", _parse_alpha(SoftmaxOptions, alpha))
        self._hold("gamma", SoftmaxOptions.parse("gamma", gamma))
        for name in ("alpha", "gamma"):
            shape = getattr(getattr(self, name), "shape", ())
            if len(shape) > 1:
                raise ValueError(
                    f"{name} must be a number or one entry for each class; found {tuple(shape)}"
                )
        self.label_smoothing = SoftmaxOptions.parse("label_smoothing", label_smoothing)
        self.ignore_index = SoftmaxOptions.parse("ignore_index", ignore_index)
        self.background_class = parse.index("background_class", background_class)

    def _prepare(self, inputs: Tensor, targets: Tensor, **how: Any) -> LossCall:
        options = SoftmaxOptions(
            axis=1,
            alpha=self.alpha,
            gamma=self.gamma,
            label_smoothing=self.label_smoothing,
            soft_targets="hard" if self.label_smoothing else "expected",
            ignore_index=self.ignore_index,
            **how,
        )
        door = INPUTS._replace(leave_out=("ignore_index=",))
        call = softmax.prepare(door, inputs, targets, options)
        return self._without_background(call) if self.reduction == "mean_positive" else call

    def _without_background(self, call: LossCall) -> LossCall:
        """Return the call with a background class that does not count as positive."""
        if not isinstance(call.loss, SoftmaxOfLabels):
            raise ValueError(
                "what is not background is counted in class labels; found targets that are "
                "distributions over the classes"
            )
        background = representable_label(
            call.operands.arrays["targets"].dtype, self.background_class
        )
        return call._replace(loss=replace(call.loss, background=background))


class FocalLoss(Loss):
    """Focal loss of one of three tasks, as a module.

    Under DistributedDataParallel its mean is that of each worker's own batch.

    Parameters
    ----------
    gamma : float or array, default 2.0
        The focusing parameter, >= 0.
    alpha : float or array, optional
        The class balance: in [0, 1] for "binary" and "multi-label", where positives weigh alpha and
        negatives 1 - alpha; per-class weights >= 0 for "multi-class". None: all weigh 1. A tensor
        is a buffer, and so is a list, of torch's default type; a `torch.nn.Parameter` is learned.
    reduction : {"mean", "sum", "none"}, default "mean"
        What becomes of the elements, or of the rows where the task is "multi-class".
    task_type : {"binary", "multi-class", "multi-label"}, default "binary"
        Independent logits, or classes that exclude each other, which lie on the last axis.
    num_classes : int, optional
        Length of the class axis, checked at each call. None: whatever it is.

    Raises
    ------
    TypeError, ValueError
        An option of the wrong kind or outside its range.

    See Also
    --------
    focalcore.FocalLoss : The same for arrays of any library, immutable.
    SigmoidFocalLoss, SoftmaxFocalLoss : Means over many workers, weights, labels to ignore.

    Examples
    --------
    >>> import torch
    >>> from focalcore.torch import FocalLoss
    >>> criterion = FocalLoss(gamma=2, alpha=0.25, task_type="binary")
    >>> loss = criterion(torch.tensor([2.0, -1.0, 0.5, -2.0]), torch.tensor([1, 0, 1, 0]))
    >>> print(f"{loss.item():.5f}")
    0.00892
    """

    _options = ("gamma", "alpha", "reduction", "task_type", "num_classes")
    task_type: Task

    def __init__(
        self,
        gamma: ArrayLike = 2.0,
        alpha: ArrayLike | None = None,
        reduction: Reduction = "mean",
        task_type: Task = "binary",
        num_classes: int | None = None,
    ) -> None:
        super().__init__()
        given = {"gamma": gamma, "alpha": alpha}
        checked = losses.FocalLoss(gamma, alpha, reduction, task_type, num_classes)
        for name in self._options:
            is_tensor = isinstance(given.get(name), torch.Tensor)  # a buffer, of its own type
            self._hold(name, given[name] if is_tensor else getattr(checked, name))

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of logits against targets, of the shapes that the task has."""
        door = losses.DOORS[self.task_type]._replace(scores="inputs", leave_out=())
        return _call.value(losses.prepare_task(self, door, inputs, targets))


def _parse_alpha(options: type[Options], alpha: ArrayLike | None) -> ArrayLike | None:
    is_off = isinstance(alpha, int | float) and alpha == -1
    return None if is_off else options.parse("alpha", alpha)
