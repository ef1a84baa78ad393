"""The losses as torch modules, and a classifier and its loss in one.

The mean of a module may be that of the batches of many workers.
"""

from ._focal import FocalLoss
from ._linear import linear_softmax_focal_loss
from ._sigmoid import SigmoidFocalLoss
from ._softmax import SoftmaxFocalLoss

__all__ = ["FocalLoss", "SigmoidFocalLoss", "SoftmaxFocalLoss", "linear_softmax_focal_loss"]
