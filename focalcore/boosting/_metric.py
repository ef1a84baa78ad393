"""The mean focal loss as a metric, of the raw scores that a booster has with a loss of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import _given

if TYPE_CHECKING:
    from ._objective import FocalObjective

NAME = "focal_loss"


@dataclass(frozen=True)
class FocalMetric:
    """The mean focal loss of raw scores; see `FocalObjective.metric`."""

    objective: FocalObjective

    __name__ = NAME  # by which XGBoost calls the metrics of its estimators

    def __call__(
        self, y_true: Any, y_pred: Any, *of_lightgbm: Any, sample_weight: Any = None
    ) -> Any:
        """Return the mean loss, in the form that the caller expects.

        In training both libraries give (scores, data). Their estimators give labels and scores,
        and weights XGBoost by name, LightGBM by position and the group behind it.
        """
        weight = of_lightgbm[0] if of_lightgbm else sample_weight
        value = self.objective._mean(y_true, y_pred, weight)
        if of_lightgbm or _given.is_data_of_lightgbm(y_pred):
            return NAME, value, False  # lower is better
        return (NAME, value) if _given.is_data(y_pred) else value
