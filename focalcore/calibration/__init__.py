"""Probabilities of models that were trained with the focal loss, in scikit-learn's manner.

The posterior needs no held-out data, and is exact for a model that has learned all there is to
learn; a temperature, fitted together with it, takes out what a model is over- or underconfident.
"""

from ._classifier import FocalCalibratedClassifier
from ._temperature import FocalTemperature

__all__ = ["FocalCalibratedClassifier", "FocalTemperature"]
