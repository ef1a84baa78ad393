"""How often what a model says is so, against how likely it says it is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._typing import HostArray
from ._sums import MARGINS
from .block import for_targets
from .focal_report import FocalReport


class Reliability(NamedTuple):
    """What is said and what is so, in each bin of the probabilities that has rows."""

    confidence: HostArray  # the mean probability
    frequency: HostArray  # how often it is so
    share: HostArray  # of all rows

    @property
    def calibration_error(self) -> float:
        """Return the expected calibration error (Guo et al., ICML 2017, equation 3)."""
        return float(np.sum(self.share * np.abs(self.confidence - self.frequency)))


def reliability(
    confidence: HostArray, is_so: HostArray, weight: HostArray | None, bins: int
) -> Reliability:
    """Return the reliability of probabilities of rows or of targets, in bins of equal width."""
    place = np.minimum((confidence * bins).astype(np.intp), bins - 1)
    weight = np.ones(confidence.shape) if weight is None else for_targets(weight, confidence)
    of_bins, said, so = (
        np.bincount(place.ravel(), (weight * x).ravel(), bins)
        for x in (1.0, confidence.astype(np.float64), is_so)
    )
    filled = of_bins > 0
    of_bins, said, so = of_bins[filled], said[filled], so[filled]
    return Reliability(said / of_bins, so / of_bins, of_bins / of_bins.sum())


def positives_by_logit(report: FocalReport) -> tuple[HostArray, HostArray, HostArray]:
    """Return logits, the share of positives at each, and what its targets weigh."""
    negatives, positives = report.sums()["by_margin"][..., 0]
    weight = negatives[::-1] + positives  # the logit of a negative is minus its margin
    filled = weight > 0
    return MARGINS[filled], positives[filled] / weight[filled], weight[filled]
