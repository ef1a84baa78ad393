"""What positives and negatives weigh."""

from __future__ import annotations

from .._formulas import focal
from .._typing import Parameter
from .operands import Operands


def weights_of(parameters: dict[str, Parameter]) -> dict[str, Parameter]:
    """The weights by name, from alpha and pos_weight; None: both are 1."""
    alpha, pos_weight = parameters.get("alpha"), parameters.get("pos_weight")
    if alpha is None:
        negative = None if pos_weight is None else 1.0
        return {"positive_weight": pos_weight, "negative_weight": negative}
    positive = alpha if pos_weight is None else alpha * pos_weight
    return {"positive_weight": positive, "negative_weight": 1 - alpha}


def balance_of(operands: Operands) -> focal.Balance:
    """The weights, as formulas take them."""
    weight = operands.get("positive_weight")
    return None if weight is None else (weight, operands.get("negative_weight"))
