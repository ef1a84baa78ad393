"""Focal loss, one implementation for every array library."""

from .derivatives import (
    sigmoid_focal_loss_grad_and_hess,
    sigmoid_focal_loss_value_and_grad,
    softmax_focal_loss_grad_and_hess,
    softmax_focal_loss_value_and_grad,
)
from .functional import (
    adaptive_gamma,
    asymmetric_loss,
    asymmetric_loss_grad_and_hess,
    asymmetric_loss_value_and_grad,
    asymmetric_softmax_loss,
    asymmetric_softmax_loss_grad_and_hess,
    asymmetric_softmax_loss_value_and_grad,
    distribution_focal_loss,
    distribution_focal_loss_grad_and_hess,
    distribution_focal_loss_value_and_grad,
    focal_cost,
    gaussian_focal_loss,
    gaussian_focal_loss_grad_and_hess,
    gaussian_focal_loss_value_and_grad,
    quality_focal_loss,
    quality_focal_loss_grad_and_hess,
    quality_focal_loss_value_and_grad,
    sigmoid_focal_loss,
    softmax_focal_loss,
    varifocal_loss,
    varifocal_loss_grad_and_hess,
    varifocal_loss_value_and_grad,
)
from .losses import FocalLoss
from .posterior import (
    sigmoid_focal_logit,
    sigmoid_focal_posterior,
    softmax_focal_logits,
    softmax_focal_posterior,
)
from .scoring import binary_focal_loss, categorical_focal_loss, sparse_categorical_focal_loss
from .settings import use_compiler, use_threads

__version__ = "0.1.0"

__all__ = [
    "FocalLoss",
    "adaptive_gamma",
    "asymmetric_loss",
    "asymmetric_loss_grad_and_hess",
    "asymmetric_loss_value_and_grad",
    "asymmetric_softmax_loss",
    "asymmetric_softmax_loss_grad_and_hess",
    "asymmetric_softmax_loss_value_and_grad",
    "binary_focal_loss",
    "categorical_focal_loss",
    "distribution_focal_loss",
    "distribution_focal_loss_grad_and_hess",
    "distribution_focal_loss_value_and_grad",
    "focal_cost",
    "gaussian_focal_loss",
    "gaussian_focal_loss_grad_and_hess",
    "gaussian_focal_loss_value_and_grad",
    "quality_focal_loss",
    "quality_focal_loss_grad_and_hess",
    "quality_focal_loss_value_and_grad",
    "sigmoid_focal_logit",
    "sigmoid_focal_loss",
    "sigmoid_focal_loss_grad_and_hess",
    "sigmoid_focal_loss_value_and_grad",
    "sigmoid_focal_posterior",
    "softmax_focal_logits",
    "softmax_focal_loss",
    "softmax_focal_loss_grad_and_hess",
    "softmax_focal_loss_value_and_grad",
    "softmax_focal_posterior",
    "sparse_categorical_focal_loss",
    "use_compiler",
    "use_threads",
    "varifocal_loss",
    "varifocal_loss_grad_and_hess",
    "varifocal_loss_value_and_grad",
]
