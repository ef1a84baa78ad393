"""The asymmetric loss as a torch module."""

from __future__ import annotations

from .._losses import asymmetric
from ._module import named
from ._of_options import LossOfOptions


class AsymmetricLoss(LossOfOptions):
    r"""Asymmetric loss of independent logits, as a module.

    .. math:: ASL = -y (1 - p)^{\gamma_+} \log p - (1 - y) p_m^{\gamma_-} \log(1 - p_m),
        \qquad p_m = \max(p - c, 0)

    The inputs are logits of any shape, the targets their labels y in [0, 1], of that shape.

    Parameters
    ----------
    gamma_pos, gamma_neg : float or array that broadcasts to the inputs, default 1.0 and 4.0
        The focusing parameters of positives and of negatives, >= 0. A tensor is a buffer, and so is
        a list; a `torch.nn.Parameter` is learned.
    clip : float, default 0.05
        The probability c by which that of negatives is shifted. 0: not at all.
    normalizer : {"positives", "weight"}, number or 0-d tensor, optional
        What "mean" divides by. None: the number of what counts, or the sum of its weights.
    detach_factor : bool, default False
        Whether the gradient takes the modulating factors as constants.
    reduction : {"mean", "mean_positive", "sum", "none"}, default "mean"
        Each loss, their sum, or their mean; "mean_positive" divides by the sum of the targets.
    gather_distributed, process_group : optional
        Whether the mean, or the sum, is that of many workers, and of which: see `SigmoidFocalLoss`.

    Raises
    ------
    TypeError, ValueError
        An option of the wrong kind or outside its range.

    See Also
    --------
    focalcore.asymmetric_loss : The function.

    References
    ----------
    Ridnik et al., "Asymmetric loss for multi-label classification", ICCV 2021, equations 2 to 7.

    Examples
    --------
    >>> import torch
    >>> from focalcore.torch import AsymmetricLoss
    >>> criterion = AsymmetricLoss(reduction="sum")
    >>> loss = criterion(torch.tensor([2.0, -1.0, 0.5, -4.0]), torch.tensor([1, 0, 1, 0]))
    >>> print(f"{loss.item():.5f}")
    0.19468
    """

    recipe = named(asymmetric.RECIPE, for_classes="AsymmetricSoftmaxLoss")
