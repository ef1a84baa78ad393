"""The losses that are computed from logits, a file for each."""

from ._asymmetric import (
    asymmetric_loss,
    asymmetric_loss_grad_and_hess,
    asymmetric_loss_value_and_grad,
)
from ._sigmoid import sigmoid_focal_loss
from ._softmax import softmax_focal_loss

__all__ = [
    "asymmetric_loss",
    "asymmetric_loss_grad_and_hess",
    "asymmetric_loss_value_and_grad",
    "sigmoid_focal_loss",
    "softmax_focal_loss",
]
