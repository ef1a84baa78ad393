"""The losses that are computed from logits, a file for each."""

from ._sigmoid import sigmoid_focal_loss
from ._softmax import softmax_focal_loss

__all__ = ["sigmoid_focal_loss", "softmax_focal_loss"]
