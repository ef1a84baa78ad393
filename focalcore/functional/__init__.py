"""The losses that are computed from logits, a file for each."""

from ._adaptive_gamma import adaptive_gamma
from ._asymmetric import (
    asymmetric_loss,
    asymmetric_loss_grad_and_hess,
    asymmetric_loss_value_and_grad,
)
from ._asymmetric_softmax import (
    asymmetric_softmax_loss,
    asymmetric_softmax_loss_grad_and_hess,
    asymmetric_softmax_loss_value_and_grad,
)
from ._cost import focal_cost
from ._distribution import (
    distribution_focal_loss,
    distribution_focal_loss_grad_and_hess,
    distribution_focal_loss_value_and_grad,
)
from ._gaussian import (
    gaussian_focal_loss,
    gaussian_focal_loss_grad_and_hess,
    gaussian_focal_loss_value_and_grad,
)
from ._quality import (
    quality_focal_loss,
    quality_focal_loss_grad_and_hess,
    quality_focal_loss_value_and_grad,
)
from ._sigmoid import (
    sigmoid_focal_loss,
    sigmoid_focal_loss_grad_and_hess,
    sigmoid_focal_loss_value_and_grad,
)
from ._softmax import (
    softmax_focal_loss,
    softmax_focal_loss_grad_and_hess,
    softmax_focal_loss_value_and_grad,
)
from ._varifocal import (
    varifocal_loss,
    varifocal_loss_grad_and_hess,
    varifocal_loss_value_and_grad,
)

__all__ = [
    "adaptive_gamma",
    "asymmetric_loss",
    "asymmetric_loss_grad_and_hess",
    "asymmetric_loss_value_and_grad",
    "asymmetric_softmax_loss",
    "asymmetric_softmax_loss_grad_and_hess",
    "asymmetric_softmax_loss_value_and_grad",
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
    "sigmoid_focal_loss",
    "sigmoid_focal_loss_grad_and_hess",
    "sigmoid_focal_loss_value_and_grad",
    "softmax_focal_loss",
    "softmax_focal_loss_grad_and_hess",
    "softmax_focal_loss_value_and_grad",
    "varifocal_loss",
    "varifocal_loss_grad_and_hess",
    "varifocal_loss_value_and_grad",
]
