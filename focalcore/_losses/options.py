"""The options that the losses from logits have in common."""

from __future__ import annotations

from functools import partial

from .._inputs.options import (
    MOST_GAMMA,
    Options,
    one_of,
    option,
    options,
    parameter,
    parse_fraction,
    parse_index,
    parse_normalizer,
)
from .._typing import (
    REDUCTIONS,
    SOFT_TARGETS,
    ArrayLike,
    Parameter,
    Reduction,
    SoftTargets,
)


@options
class LogitsOptions(Options):
    """What softens, leaves out, weighs and reduces."""

    gamma: Parameter = parameter(2.0, most=MOST_GAMMA)
    label_smoothing: float = option(0.0, parse_fraction)
    soft_targets: SoftTargets = option("expected", one_of(SOFT_TARGETS))
    ignore_index: int | None = option(None, parse_index)
    mask: ArrayLike | None = option(None)
    weight: ArrayLike | None = option(None)
    reduction: Reduction = option("none", one_of(REDUCTIONS))
    normalizer: Parameter | str | None = parameter(
        None, partial(parse_normalizer, names=("weight",))
    )

    def check_together(self) -> None:
        """Refuse options that contradict each other."""
        if self.soft_targets == "hard" and self.label_smoothing == 0:
            raise ValueError(
                "soft_targets='hard' says how label_smoothing enters, and label_smoothing is 0; "
                "give label_smoothing, or use 'expected'"
            )
        if self.normalizer is None:
            return
        if self.reduction != "mean":
            raise ValueError(
                f"normalizer is for reduction='mean'; found reduction={self.reduction!r}"
            )
        if isinstance(self.normalizer, str) and self.normalizer == "weight" and self.weight is None:
            raise ValueError("normalizer='weight' divides by the sum of weight=, which is None")
