"""Pictures of losses and predictions, in scikit-learn's manner. They need matplotlib.

A class method makes a display of predictions or of a report and draws it; ``plot`` draws it again,
on other axes. Colours are those of Okabe and Ito, which all eyes tell apart and which are seen on
light ground and on dark; the lines differ too, for who prints in grey.
"""

from ._class_loss import ClassLossDisplay
from ._confidence import ConfidenceDisplay
from ._cumulative_loss import CumulativeLossDisplay
from ._loss_curve import LossCurveDisplay
from ._pictures import svg_pictures, write_pictures

__all__ = [
    "ClassLossDisplay",
    "ConfidenceDisplay",
    "CumulativeLossDisplay",
    "LossCurveDisplay",
    "svg_pictures",
    "write_pictures",
]
