"""The varifocal loss as a torch module."""

from __future__ import annotations

from .._losses import varifocal
from ._module import named
from ._of_options import LossOfOptions


class VarifocalLoss(LossOfOptions):
    r"""Varifocal loss of independent logits, as a module.

    .. math:: VFL = y \, CE \;\; (y > 0), \qquad VFL = -\alpha p^\gamma \log(1 - p) \;\; (y = 0)

    The inputs are logits of any shape, the targets their scores y in [0, 1], of that shape.

    Parameters
    ----------
    alpha : float or array that broadcasts to the inputs, default 0.75
        What negatives weigh, >= 0.
    gamma : float or array that broadcasts to the inputs, default 2.0
        The focusing parameter of negatives, >= 0.
        A tensor is a buffer, and so is a list; a `torch.nn.Parameter` is learned.
    weighted : bool, default True
        Whether positives weigh their score. False: they weigh 1.
    normalizer : {"positives", "weight"}, number or 0-d tensor, optional
        What "mean" divides by. None: the number of what counts, or the sum of its weights.
    detach_factor : bool, default False
        Whether the gradient takes the modulating factor as a constant.
    reduction : {"mean", "mean_positive", "sum", "none"}, default "mean"
        Each loss, their sum, or their mean; "mean_positive" divides by the sum of the scores.
    gather_distributed, process_group : optional
        Whether the mean, or the sum, is that of many workers, and of which: see `SigmoidFocalLoss`.

    Raises
    ------
    TypeError, ValueError
        An option of the wrong kind or outside its range.

    See Also
    --------
    focalcore.varifocal_loss : The function.

    References
    ----------
    Zhang et al., "VarifocalNet: an IoU-aware dense object detector", CVPR 2021, equation 2.

    Examples
    --------
    >>> import torch
    >>> from focalcore.torch import VarifocalLoss
    >>> criterion = VarifocalLoss(reduction="sum")
    >>> loss = criterion(torch.tensor([2.0, -1.0, 0.5]), torch.tensor([0.9, 0.0, 0.3]))
    >>> print(f"{loss.item():.4f}")
    0.5585
    """

    recipe = named(varifocal.RECIPE)
