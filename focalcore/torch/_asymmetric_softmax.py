"""The asymmetric loss of class labels as a torch module."""

from __future__ import annotations

from .._losses import asymmetric_softmax
from ._module import named
from ._of_options import LossOfOptions


class AsymmetricSoftmaxLoss(LossOfOptions):
    r"""Asymmetric loss of logits over classes that exclude each other, as a module.

    .. math:: ASL = -y_t (1 - p_t)^{\gamma_+} \log p_t
        - \sum_{c \ne t} y_c \, p_c^{\gamma_-} \log p_c

    The inputs are logits, the targets class labels t, integers, of their shape without `axis`.

    Parameters
    ----------
    gamma_pos, gamma_neg : float or array of length C, default 0.0 and 4.0
        The focusing parameters of the labelled class and of the others, >= 0. A tensor is a buffer,
        and so is a list; a `torch.nn.Parameter` is learned.
    label_smoothing : float, default 0.1
        How far the label is smoothed, in [0, 1].
    axis : int, default -1
        The class axis.
    ignore_index : int, optional
        Labels of this value are left out.
    normalizer : "weight", number or 0-d tensor, optional
        What "mean" divides by. None: the number of rows that count, or the sum of their weights.
    detach_factor : bool, default False
        Whether the gradient takes the modulating factors as constants.
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
    focalcore.asymmetric_softmax_loss : The function.

    References
    ----------
    Ridnik et al., "Asymmetric loss for multi-label classification", ICCV 2021; the form for single
    labels is that of its published code.

    Examples
    --------
    >>> import torch
    >>> from focalcore.torch import AsymmetricSoftmaxLoss
    >>> criterion = AsymmetricSoftmaxLoss(reduction="sum")
    >>> logits = torch.tensor([[1.0, 0.0, -1.0], [0.5, 0.5, 1.0]])
    >>> print(f"{criterion(logits, torch.tensor([0, 1])).item():.4f}")
    1.5900
    """

    recipe = named(asymmetric_softmax.RECIPE)
