"""The sigmoid loss as a torch module."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from .._losses import sigmoid
from .._typing import ArrayLike, SoftTargets, WorkersReduction
from ._module import WorkersLoss, named, without_off


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
        Whether to return each loss, their sum or mean. "mean" divides by the number of elements, or
        by the sum of their weights, "mean_positive" by the sum of their targets, weighted if there
        are weights. 0 divides by 1.
    gather_distributed : bool, optional
        Whether the mean, or the sum, is that of the batches of all workers; see the notes. None:
        where torch.distributed is initialised. True: it must be. False: never.
    pos_weight : float or array that broadcasts to the inputs, optional
        Positives weigh this, >= 0, negatives 1. With `alpha`, both multiply.
    label_smoothing : float, default 0.0
        How far the targets are smoothed, s in [0, 1]: they become (1 - s) y + s / 2.
    soft_targets : {"expected", "mixture", "hard"}, default "expected"
        What a target between 0 and 1 means; see `focalcore.sigmoid_focal_loss`.
    poly_epsilon : float, optional
        That of the term which PolyLoss adds; see the function.
    class_axis : int, optional
        The axis of the classes, where targets are class labels, as detectors have them.
    background : int, optional
        The label that is positive for no class, with `class_axis`. None: the number of classes.
    ignore_index : int, optional
        Targets of this value are left out.
    normalizer : {"positives", "weight"}, number or 0-d tensor, optional
        What "mean" divides by, in place of what is said above.
    detach_factor : bool, default False
        Whether the gradient takes the modulating factor (1 - p_t)^gamma as a constant.
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
    or with 1s in it; with `class_axis` class labels, of that shape without the axis.

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

    recipe = named(sigmoid.RECIPE, for_classes="SoftmaxFocalLoss")

    def __init__(
        self,
        alpha: ArrayLike | None = 0.25,
        gamma: ArrayLike = 2.0,
        reduction: WorkersReduction = "mean",
        gather_distributed: bool | None = None,
        *,
        pos_weight: ArrayLike | None = None,
        label_smoothing: float = 0.0,
        soft_targets: SoftTargets = "expected",
        poly_epsilon: float | None = None,
        class_axis: int | None = None,
        background: int | None = None,
        ignore_index: int | None = None,
        normalizer: str | Tensor | float | None = None,
        detach_factor: bool = False,
        process_group: Any = None,
    ) -> None:
        super().__init__(
            reduction,
            gather_distributed,
            process_group,
            normalizer,
            alpha=without_off(alpha),
            gamma=gamma,
            pos_weight=pos_weight,
            label_smoothing=label_smoothing,
            soft_targets=soft_targets,
            class_axis=class_axis,
            background=background,
            ignore_index=ignore_index,
            poly_epsilon=poly_epsilon,
            detach_factor=detach_factor,
        )
        self._check_together()
