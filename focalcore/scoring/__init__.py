"""The losses for evaluation scripts: arguments in scikit-learn's order, probabilities or logits."""

from ._binary import binary_focal_loss
from ._categorical import categorical_focal_loss
from ._sparse_categorical import sparse_categorical_focal_loss

__all__ = ["binary_focal_loss", "categorical_focal_loss", "sparse_categorical_focal_loss"]
