"""The focal loss as a number, by scikit-learn's conventions: a metric, and a scorer."""

from ._focal_loss import focal_loss
from ._report import focal_report
from ._scorer import focal_scorer

__all__ = ["focal_loss", "focal_report", "focal_scorer"]
