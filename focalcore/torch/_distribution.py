"""The distribution focal loss as a torch module."""

from __future__ import annotations

from .._losses import distribution_focal
from ._module import named
from ._of_options import LossOfOptions


class DistributionFocalLoss(LossOfOptions):
    r"""Loss of a distribution over numbered bins against a number among them, as a module.

    .. math:: DFL = -(i + 1 - v) \log p_i - (v - i) \log p_{i+1}

    The inputs are logits of the bins, the targets numbers v from 0 to the number of bins less 1, of
    their shape without `axis`.

    Parameters
    ----------
    axis : int, default -1
        The axis of the bins, which are numbered from 0.
    normalizer : "weight", number or 0-d tensor, optional
        What "mean" divides by. None: the number of rows that count, or the sum of their weights.
    reduction : {"mean", "sum", "none"}, default "mean"
        Whether to return the loss of each row, their sum, or their mean.
    gather_distributed, process_group : optional
        Whether the mean, or the sum, is that of many workers, and of which: see `SigmoidFocalLoss`.

    Raises
    ------
    TypeError, ValueError
        An option of the wrong kind or outside its range.

    See Also
    --------
    focalcore.distribution_focal_loss : The function.

    References
    ----------
    Li et al., "Generalized focal loss: learning qualified and distributed bounding boxes for dense
    object detection", NeurIPS 2020, equation 6.

    Examples
    --------
    >>> import torch
    >>> from focalcore.torch import DistributionFocalLoss
    >>> criterion = DistributionFocalLoss()
    >>> loss = criterion(torch.tensor([[0.0, 2.0, 1.0, -1.0]]), torch.tensor([1.25]))
    >>> print(f"{loss.item():.4f}")
    0.6902
    """

    recipe = named(distribution_focal.RECIPE)
