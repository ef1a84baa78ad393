"""The quality focal loss as a torch module."""

from __future__ import annotations

from .._losses import quality
from ._module import named
from ._of_options import LossOfOptions


class QualityFocalLoss(LossOfOptions):
    r"""Quality focal loss of independent logits, as a module.

    .. math:: QFL = |y - p|^\beta \, CE

    The inputs are logits of any shape, the targets their scores y in [0, 1], of that shape.

    Parameters
    ----------
    beta : float or array that broadcasts to the inputs, default 2.0
        How fast the loss falls as p nears the score y, >= 0.
        A tensor is a buffer, and so is a list; a `torch.nn.Parameter` is learned.
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
    focalcore.quality_focal_loss : The function.

    References
    ----------
    Li et al., "Generalized focal loss: learning qualified and distributed bounding boxes for dense
    object detection", NeurIPS 2020, equation 2.

    Examples
    --------
    >>> import torch
    >>> from focalcore.torch import QualityFocalLoss
    >>> criterion = QualityFocalLoss(reduction="sum")
    >>> loss = criterion(torch.tensor([2.0, -1.0, 0.5]), torch.tensor([0.9, 0.0, 0.3]))
    >>> print(f"{loss.item():.4f}")
    0.1085
    """

    recipe = named(quality.RECIPE)
