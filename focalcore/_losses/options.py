"""The options that losses have in common."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from .._inputs import parse
from .._inputs.options import Options, option, options, parameter
from .._typing import (
    REDUCTIONS,
    SOFT_TARGETS,
    ArrayLike,
    Parameter,
    Reduction,
    SoftTargets,
)


def check_hard(soft_targets: SoftTargets, label_smoothing: float) -> None:
    """Refuse "hard" where nothing is smoothed."""
    if soft_targets == "hard" and label_smoothing == 0:
        raise ValueError(
            "soft_targets='hard' says how label_smoothing enters, and label_smoothing is 0; "
            "give label_smoothing, or use 'expected'"
        )


@options
class FocalOptions(Options):
    """The options of every focal loss."""

    gamma: Parameter = parameter(2.0, most=parse.MOST_GAMMA)
    detach_factor: bool = option(False, parse.flag)


@options
class WeighedOptions(Options):
    """The option that weighs the elements of a loss."""

    weight: ArrayLike | None = option(None)


@options
class ScoringOptions(FocalOptions, WeighedOptions):
    """The options of the losses of evaluation scripts, in which weights are of samples."""

    called: ClassVar[dict[str, str]] = {"weight": "sample_weight"}


@options
class ReducedOptions(WeighedOptions):
    """The options that mask, weigh and reduce the elements of a loss."""

    mask: ArrayLike | None = option(None)
    reduction: Reduction = option("none", parse.one_of(REDUCTIONS))


@options
class MeanOptions(ReducedOptions):
    """The same, and what a mean divides by."""

    normalizer: Parameter | str | None = parameter(
        None, partial(parse.normalizer, names=("weight",))
    )

    def check_together(self) -> None:
        if self.normalizer is None:
            return
        if self.reduction != "mean":
            raise ValueError(
                f"normalizer is for reduction='mean'; found reduction={self.reduction!r}"
            )
        if isinstance(self.normalizer, str) and self.normalizer == "weight" and self.weight is None:
            raise ValueError(
                "normalizer='weight' divides by the sum of the weights, and the call has none; "
                "give weights, or leave normalizer out"
            )


@options
class LogitsOptions(FocalOptions, MeanOptions):
    """The options of the focal losses from logits."""

    label_smoothing: float = option(0.0, parse.at_most(1.0))
    soft_targets: SoftTargets = option("expected", parse.one_of(SOFT_TARGETS))
    ignore_index: int | None = option(None, parse.index)
    poly_epsilon: float | None = option(None, parse.poly_epsilon)

    def check_together(self) -> None:
        check_hard(self.soft_targets, self.label_smoothing)
        super().check_together()
