"""The losses as torch modules, and a classifier and its loss in one.

The mean of a module may be that of the batches of many workers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._asymmetric import AsymmetricLoss
from ._asymmetric_softmax import AsymmetricSoftmaxLoss
from ._distribution import DistributionFocalLoss
from ._focal import FocalLoss
from ._gaussian import GaussianFocalLoss
from ._linear import linear_softmax_focal_loss
from ._quality import QualityFocalLoss
from ._sigmoid import SigmoidFocalLoss
from ._softmax import SoftmaxFocalLoss
from ._varifocal import VarifocalLoss

__all__ = [
    "AsymmetricLoss",
    "AsymmetricSoftmaxLoss",
    "DistributionFocalLoss",
    "FocalLoss",
    "GaussianFocalLoss",
    "QualityFocalLoss",
    "SigmoidFocalLoss",
    "SoftmaxFocalLoss",
    "VarifocalLoss",
    "linear_softmax_focal_loss",
]

if TYPE_CHECKING:
    from ._metric import FocalMetric as FocalMetric


def __getattr__(name: str) -> Any:
    """Return the metric, which needs torchmetrics."""
    if name != "FocalMetric":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from ._metric import FocalMetric
    except ImportError as error:
        raise ImportError("FocalMetric needs torchmetrics: pip install torchmetrics") from error
    return FocalMetric
