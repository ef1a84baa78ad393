"""Maps of a focal model's scores: to the probabilities that they stand for, and back.

A map has no targets, and so is no loss; but it is the static part of a call on operands as a loss
is, and is run, compiled and differentiated by the same means.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from .._formulas import posterior
from .._inputs import checks, class_axis, parse
from .._inputs.arrays import Inputs, convert_scores
from .._inputs.doors import Door
from .._inputs.options import Options, option, options, parameter
from .._typing import Array, ArrayLike, Namespace, Parameter
from .classes import distributions_or_nan, largest_of
from .operands import Operands, Output
from .prepare import LossCall, fit_parameters
from .sigmoid import balance_of, weights_of
from .spec import LossSpec, nan_outside


@options
class PosteriorOptions(Options):
    """The options that a loss and its posterior have in common."""

    gamma: Parameter = parameter(2.0, most=parse.MOST_GAMMA)


@options
class SigmoidPosteriorOptions(PosteriorOptions):
    """The options of the maps of independent scores."""

    alpha: Parameter | None = parameter(None, parse.balance, most=1.0)
    pos_weight: Parameter | None = parameter(None, parse.balance)


@options
class SoftmaxPosteriorOptions(PosteriorOptions):
    """The options of the maps of rows of scores."""

    alpha: Parameter | None = parameter(None, parse.balance)
    axis: int = option(-1, parse.axis)


class ScoreMap(LossSpec):
    """A map of the scores, of their shape."""

    of_probabilities: ClassVar[bool] = False  # whether the scores are such, and not logits

    def mapped(self, xp: Namespace, operands: Operands) -> Array:
        """Return what the scores are mapped to."""
        raise NotImplementedError

    def compute(
        self, xp: Namespace, operands: Operands, outputs: tuple[Output, ...]
    ) -> tuple[Array, ...]:
        """Return the map, for each of the outputs."""
        return (self.mapped(xp, operands),) * len(outputs)


@dataclass(frozen=True, kw_only=True)
class SigmoidPosterior(ScoreMap):
    """From independent logits to probabilities."""

    def mapped(self, xp: Namespace, operands: Operands) -> Array:
        """Return the probability of the positive class."""
        x, balance = operands.wide(xp, "scores"), balance_of(operands)
        return posterior.sigmoid_posterior(xp, x, operands.exponent(), balance)


@dataclass(frozen=True, kw_only=True)
class SigmoidLogit(ScoreMap):
    """From probabilities to independent logits."""

    of_probabilities: ClassVar[bool] = True

    def mapped(self, xp: Namespace, operands: Operands) -> Array:
        """Return the logit at which the expected loss is least."""
        eta, balance = nan_outside(xp, operands.wide(xp, "scores")), balance_of(operands)
        return posterior.sigmoid_logit(xp, eta, operands.exponent(), balance)


@dataclass(frozen=True, kw_only=True)
class SoftmaxPosterior(ScoreMap):
    """From rows of logits to rows of probabilities."""

    axis: int

    def mapped(self, xp: Namespace, operands: Operands) -> Array:
        """Return the probability of each class."""
        x = operands.wide(xp, "scores")
        top = largest_of(xp, x, self.axis, self.device)
        gamma, alpha = operands.exponent(), operands.get("alpha")
        return posterior.softmax_posterior(xp, x, top, gamma, alpha)


@dataclass(frozen=True, kw_only=True)
class SoftmaxLogits(ScoreMap):
    """From rows of probabilities to rows of logits."""

    of_probabilities: ClassVar[bool] = True
    has_kernel: ClassVar[bool] = False  # each step of Newton's would be two passes over the classes

    axis: int

    def mapped(self, xp: Namespace, operands: Operands) -> Array:
        """Return the logits at which the expected loss is least."""
        eta = nan_outside(xp, distributions_or_nan(xp, operands.wide(xp, "scores"), self.axis))
        gamma, alpha = operands.exponent(), operands.get("alpha")
        lead = posterior.lead(xp, eta, gamma, alpha)
        top = largest_of(xp, lead, self.axis, self.device)
        return posterior.softmax_logits(xp, eta, top, gamma, alpha)


def prepare_sigmoid(
    loss: type[ScoreMap], door: Door, scores: ArrayLike, options: SigmoidPosteriorOptions
) -> LossCall:
    """Return a map of independent scores and its operands, from what the caller gave."""
    inputs = convert_scores(door, scores, options)
    fit_parameters(inputs, door)
    gamma = inputs.parameters["gamma"]
    return _call(inputs, door, loss(), gamma=gamma, **weights_of(inputs.parameters))


def prepare_softmax(
    loss: type[ScoreMap], door: Door, scores: ArrayLike, options: SoftmaxPosteriorOptions
) -> LossCall:
    """Return a map of rows of scores and its operands, from what the caller gave."""
    inputs = convert_scores(door, scores, options)
    axis = class_axis.from_the_front(door, options.axis, tuple(inputs.scores.shape))
    gamma, alpha = (class_axis.per_class(inputs, name, axis) for name in ("gamma", "alpha"))
    made = loss(axis=axis, device=inputs.context.device)
    return _call(inputs, door, made, gamma=gamma, alpha=alpha)


def _call(inputs: Inputs, door: Door, loss: ScoreMap, **parameters: Parameter) -> LossCall:
    operands = Operands.of(scores=inputs.scores, **parameters)
    if loss.of_probabilities:
        operands = replace(operands, look=partial(checks.check_shares, inputs, door, loss.axis))
    return LossCall(inputs.context, loss, operands)
