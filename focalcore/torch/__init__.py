"""The losses as torch modules, whose mean may be that of the batches of many workers."""

from ._focal import FocalLoss
from ._sigmoid import SigmoidFocalLoss
from ._softmax import SoftmaxFocalLoss

__all__ = ["FocalLoss", "SigmoidFocalLoss", "SoftmaxFocalLoss"]
