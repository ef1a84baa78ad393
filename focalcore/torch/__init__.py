"""The losses as torch modules, whose mean may be that of the batches of many workers."""

from ._losses import FocalLoss, SigmoidFocalLoss, SoftmaxFocalLoss

__all__ = ["FocalLoss", "SigmoidFocalLoss", "SoftmaxFocalLoss"]
