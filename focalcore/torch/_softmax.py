"""The softmax loss as a torch module."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from .._inputs import parse
from .._losses import softmax
from .._typing import ArrayLike, SoftTargets, WorkersReduction
from ._module import WorkersLoss, axis_of, named, without_off


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
        Whether to return each loss, their sum or mean. "mean" divides by the number of rows that
        count, or by the sum of their weights, "mean_positive" by the number, or the weights, of
        those that are not background. 0 divides by 1.
    label_smoothing : float, default 0.0
        How far the target is smoothed over the classes, in [0, 1]. Unless `soft_targets` says
        otherwise that of the cross-entropy alone; p_t and alpha_t stay those of the label.
    ignore_index : int or None, default -100
        Rows of this label are left out, even where their logits are NaN.
    background_class : int or None, default 0
        The class that "mean_positive", and the normalizer "positives", do not count.
    gather_distributed : bool, optional
        Whether the mean, or the sum, is that of many workers; as for `SigmoidFocalLoss`.
    axis, dim : int, default 1
        The class axis, by either name.
    soft_targets : {"expected", "mixture", "hard"}, optional
        What a distribution means; see `focalcore.softmax_focal_loss`. None: "hard" where labels are
        smoothed, else "expected".
    poly_epsilon : float, optional
        That of the term which PolyLoss adds; see the function.
    normalizer : {"positives", "weight", "alpha"}, number or 0-d tensor, optional
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
    focalcore.softmax_focal_loss : The function, with every option.
    SigmoidFocalLoss : Classes that do not exclude each other; its notes say how workers share.

    Notes
    -----
    The inputs are logits of shape (N, C) or (N, C, ...), the targets class labels, integers of the
    shape (N) or (N, ...), or distributions of the shape of the inputs, to which a negative
    `ignore_index` means nothing.

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

    recipe = named(softmax.RECIPE)

    def __init__(
        self,
        alpha: ArrayLike | None = None,
        gamma: ArrayLike = 2.0,
        reduction: WorkersReduction = "mean",
        label_smoothing: float = 0.0,
        ignore_index: int | None = -100,
        background_class: int | None = 0,
        gather_distributed: bool | None = None,
        *,
        axis: int = 1,
        dim: int | None = None,
        soft_targets: SoftTargets | None = None,
        poly_epsilon: float | None = None,
        normalizer: str | Tensor | float | None = None,
        detach_factor: bool = False,
        process_group: Any = None,
    ) -> None:
        smoothed: SoftTargets = "hard" if label_smoothing else "expected"
        super().__init__(
            reduction,
            gather_distributed,
            process_group,
            normalizer,
            alpha=without_off(alpha),
            gamma=gamma,
            axis=axis_of(axis, dim, default=1),
            label_smoothing=label_smoothing,
            soft_targets=smoothed if soft_targets is None else soft_targets,
            ignore_index=ignore_index,
            poly_epsilon=poly_epsilon,
            detach_factor=detach_factor,
        )
        self.background_class = parse.index("background_class", background_class)
        if (
            isinstance(normalizer, str)
            and normalizer == "positives"
            and self.background_class is None
        ):
            raise ValueError(
                "normalizer='positives' counts the labels that are not the background; give "
                "background_class, or leave normalizer out: without a background all are positive"
            )
        self._check_together()
        for name in ("alpha", "gamma"):
            shape = getattr(getattr(self, name), "shape", ())
            if len(shape) > 1:
                raise ValueError(
                    f"{name} must be a number or one entry for each class; found {tuple(shape)}"
                )

    def _counted(self, weight: Tensor | None) -> str | None:
        if self.reduction == "mean_positive" and self.background_class is None:  # all are positive
            return None if weight is None else "weight"
        return super()._counted(weight)

    def _given(self, **at_call: Any) -> dict[str, Any]:
        given = super()._given(**at_call)
        if isinstance(given["normalizer"], str) and given["normalizer"] == "positives":
            given["background"] = self.background_class
        return given
