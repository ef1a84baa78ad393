"""The losses beside the focal loss that there are exact values of: a row for each."""

from __future__ import annotations

from typing import NamedTuple


class Member(NamedTuple):
    """A loss of the family."""

    function: str  # of focalcore
    exponents: dict[str, float]  # the options by which bounds go, and their defaults


FAMILY = {
    "asymmetric": Member("asymmetric_loss", {"gamma_pos": 1.0, "gamma_neg": 4.0}),
    "asymmetric_softmax": Member("asymmetric_softmax_loss", {"gamma_pos": 0.0, "gamma_neg": 4.0}),
    "distribution": Member("distribution_focal_loss", {}),
    "gaussian": Member("gaussian_focal_loss", {"alpha": 2.0, "gamma": 4.0}),
    "poly": Member("sigmoid_focal_loss", {"gamma": 2.0}),
    "poly_softmax": Member("softmax_focal_loss", {"gamma": 2.0}),
    "quality": Member("quality_focal_loss", {"beta": 2.0}),
    "varifocal": Member("varifocal_loss", {"gamma": 2.0}),
}
