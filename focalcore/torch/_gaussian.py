"""The Gaussian focal loss as a torch module."""

from __future__ import annotations

from .._losses import gaussian
from ._module import named
from ._of_options import LossOfOptions


class GaussianFocalLoss(LossOfOptions):
    r"""Focal loss of a heatmap whose peaks are 1 and fall off around, as a module.

    .. math:: GFL = -(1 - p)^\alpha \log p \;\; (y = 1), \qquad
        GFL = -(1 - y)^\gamma p^\alpha \log(1 - p) \;\; (y < 1)

    The inputs are logits of any shape, the targets a heatmap y in [0, 1], of that shape.

    Parameters
    ----------
    alpha : float or array that broadcasts to the inputs, default 2.0
        The focusing parameter, >= 0.
    gamma : float or array that broadcasts to the inputs, default 4.0
        How much less negatives weigh near a peak, >= 0.
        A tensor is a buffer, and so is a list; a `torch.nn.Parameter` is learned.
    normalizer : {"positives", "weight"}, number or 0-d tensor, optional
        What "mean" divides by. None: the number of what counts, or the sum of its weights.
    detach_factor : bool, default False
        Whether the gradient takes the modulating factor as a constant.
    reduction : {"mean", "mean_positive", "sum", "none"}, default "mean"
        Each loss, their sum, or their mean; "mean_positive" divides by the number of peaks.
    gather_distributed, process_group : optional
        Whether the mean, or the sum, is that of many workers, and of which: see `SigmoidFocalLoss`.

    Raises
    ------
    TypeError, ValueError
        An option of the wrong kind or outside its range.

    See Also
    --------
    focalcore.gaussian_focal_loss : The function.

    References
    ----------
    Law and Deng, "CornerNet: detecting objects as paired keypoints", ECCV 2018, equation 1; Zhou et
    al., "Objects as points", 2019, equation 1.

    Examples
    --------
    >>> import torch
    >>> from focalcore.torch import GaussianFocalLoss
    >>> criterion = GaussianFocalLoss(reduction="mean_positive")
    >>> heatmap = torch.tensor([0.0, 0.6, 1.0, 0.6, 0.0])
    >>> loss = criterion(torch.tensor([-4.0, -1.0, 2.0, 0.5, -3.0]), heatmap)
    >>> print(f"{loss.item():.4f}")
    0.0122
    """

    recipe = named(gaussian.RECIPE)
