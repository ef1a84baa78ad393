"""The focal loss for gradient boosting: XGBoost, LightGBM and CatBoost."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._objective import FocalObjective

if TYPE_CHECKING:
    from .lightgbm_classifier import FocalLGBMClassifier
    from .xgboost_classifier import FocalXGBClassifier

__all__ = ["FocalLGBMClassifier", "FocalObjective", "FocalXGBClassifier"]

# the modules of the names that need scikit-learn
_ESTIMATORS = {
    "FocalLGBMClassifier": "lightgbm_classifier",
    "FocalXGBClassifier": "xgboost_classifier",
}


def __getattr__(name: str) -> Any:
    if name not in _ESTIMATORS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f".{_ESTIMATORS[name]}", __name__), name)
    except ImportError as error:
        raise ImportError(f"{name} needs scikit-learn: pip install 'focalcore[sklearn]'") from error
