"""The losses as Keras 3 losses and metrics, on whichever backend Keras runs."""

from ._binary import BinaryFocalLoss
from ._categorical import CategoricalFocalLoss
from ._gaussian import GaussianFocalLoss
from ._metrics import BinaryFocalMetric, CategoricalFocalMetric, SparseCategoricalFocalMetric
from ._sparse_categorical import SparseCategoricalFocalLoss

__all__ = [
    "BinaryFocalLoss",
    "BinaryFocalMetric",
    "CategoricalFocalLoss",
    "CategoricalFocalMetric",
    "GaussianFocalLoss",
    "SparseCategoricalFocalLoss",
    "SparseCategoricalFocalMetric",
]
