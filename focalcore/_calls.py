"""A call of a public loss, from its arguments to its number.

Data comes in at the top and goes down once: the options are parsed, the arrays brought to one home,
shapes and values checked; what is left is a loss and its operands, which `_execution` runs and
`_reduction` sums up.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from . import _checks, _classes, _derivatives, _execution, _reduction
from ._arrays import (
    Given,
    Home,
    check_broadcast,
    check_fits,
    dtype_name,
    full_rank,
    settle,
)
from ._options import (
    INFINITY,
    Parameter,
    parse_alpha,
    parse_gamma,
    parse_loss,
    parse_number,
    parse_optional,
)
from ._terms import Categorical, Operands, Probability, Sigmoid, Softmax, Terms

Array = Any

EPS = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}


class Call(NamedTuple):
    """All that a loss needs to be computed."""

    home: Home
    loss: Terms
    operands: Operands
    reduction: str = "none"
    normalizer: Any = None

    def value(self) -> Array:
        """The loss, reduced as asked; differentiable where the backend differentiates."""
        return self._reduced(_derivatives.value(self.home.backend, self.loss, self.operands))

    def value_and_grad(self) -> tuple[Array, Array]:
        """The loss, and its gradient with respect to the logits."""
        value, slope = _execution.value_and_slope(self.home.backend, self.loss, self.operands)
        return self._reduced(value), self._shared_out(slope)

    def grad_and_hess(self) -> tuple[Array, Array]:
        """The gradient and the diagonal of the Hessian."""
        slope, curvature = _execution.slope_and_curvature(
            self.home.backend, self.loss, self.operands
        )
        return self._shared_out(slope), self._shared_out(curvature)

    def _reduced(self, value: Array) -> Array:
        xp = self.home.xp
        if self.reduction == "sum":
            return xp.sum(value)
        if self.reduction == "mean":
            return _reduction.mean(xp, value, self._divisor(value.shape))
        return xp.astype(value, self.operands.logits.dtype, copy=False)

    def _shared_out(self, slope: Array) -> Array:
        """The derivative of each element's loss, as part of the reduced one."""
        xp, axis, shape = self.home.xp, self.loss.axis, tuple(slope.shape)
        if self.reduction == "mean":
            n_classes = 1 if axis is None else shape[axis]
            rows = shape if axis is None else shape[:axis] + shape[axis + 1 :]
            divisor = self._divisor(rows)
            if divisor is None:
                divisor = _reduction.size_of(xp, slope) / n_classes
            slope = _reduction.divided(xp, slope, divisor)
        return xp.astype(slope, self.operands.logits.dtype, copy=False)

    def _divisor(self, shape: Any) -> Array:
        targets, counted = self.loss.read(self.home.xp, self.operands)
        if self.normalizer is None:
            return _reduction.number_of(self.home.xp, counted, shape)
        if not isinstance(self.normalizer, str):
            return self.normalizer
        summed = targets if self.normalizer == "positives" else self.operands.weight
        return _reduction.total_of(self.home.xp, summed, counted, shape)


def sigmoid(
    logits: Any,
    targets: Any,
    *,
    pos_weight: Parameter | None = None,
    mask: Any = None,
    weight: Any = None,
    **options: Any,
) -> Call:
    """A call of the sigmoid loss."""
    names = ("positives", "weight")
    parsed = parse_loss(alpha_most=1.0, normalizers=names, weighted=weight is not None, **options)
    given = settle(
        "logits",
        logits,
        "targets",
        targets,
        mask=mask,
        weight=weight,
        alpha_most=1.0,
        gamma=parsed.gamma,
        alpha=parsed.alpha,
        pos_weight=parse_optional("pos_weight", pos_weight),
        normalizer=parsed.normalizer,
    )
    shape, parameters = given.logits.shape, given.parameters
    normalizer = parameters.pop("normalizer")
    others = {"targets": given.targets, "mask": given.mask, "weight": given.weight, **parameters}
    for name, array in others.items():
        check_fits(name, array, "logits", shape)

    home, ignored = given.home, parsed.ignore_index
    trusted = _checks.unit_interval(home, "targets", given.targets, ignored, given.mask)
    loss = Sigmoid(parsed.soft_targets, parsed.label_smoothing, ignored, trusted)
    operands = _operands(given, parameters["gamma"], *_balance(parameters))
    return Call(home, loss, operands, parsed.reduction, normalizer)


def softmax(
    logits: Any,
    targets: Any,
    *,
    axis: int = -1,
    mask: Any = None,
    weight: Any = None,
    **options: Any,
) -> Call:
    """A call of the softmax loss."""
    parsed = parse_loss(
        alpha_most=INFINITY, normalizers=("weight",), weighted=weight is not None, **options
    )
    given = settle(
        "logits",
        logits,
        "targets",
        targets,
        mask=mask,
        weight=weight,
        gamma=parsed.gamma,
        alpha=parsed.alpha,
        normalizer=parsed.normalizer,
    )
    home, shape = given.home, tuple(given.logits.shape)
    axis = _classes.class_axis("logits", axis, shape)
    rows = shape[:axis] + shape[axis + 1 :]
    for name, array in (("mask", given.mask), ("weight", given.weight)):
        check_fits(name, array, "rows of logits", rows)
    given = given._replace(
        mask=full_rank(home.xp, given.mask, len(rows)),
        weight=full_rank(home.xp, given.weight, len(rows)),
    )

    indexed = _classes.is_indexed(given, rows, parsed.ignore_index)
    if indexed:
        left_out = (parsed.ignore_index, given.mask)
        trusted = _checks.class_labels(home, "targets", given.targets, shape[axis], *left_out)
    else:
        trusted = _checks.distributions(home, given.targets, axis, given.mask)
    loss = Softmax(
        axis,
        indexed,
        parsed.soft_targets,
        parsed.label_smoothing,
        parsed.ignore_index,
        trusted,
        home.device,
    )
    gamma, alpha = (_classes.per_class(given, name, axis) for name in ("gamma", "alpha"))
    normalizer = given.parameters["normalizer"]
    return Call(home, loss, _operands(given, gamma, alpha), parsed.reduction, normalizer)


def binary(
    y_true: Any,
    y_pred: Any,
    gamma: Parameter,
    *,
    alpha: Parameter | None,
    pos_weight: Parameter | None,
    from_logits: bool,
    label_smoothing: float | None,
    eps: float | None,
) -> Call:
    """A call of the binary loss, from probabilities or logits that broadcast with the targets."""
    given = settle(
        "y_pred",
        y_pred,
        "y_true",
        y_true,
        alpha_most=1.0,
        gamma=parse_gamma(gamma),
        alpha=parse_alpha(alpha, most=1.0),
        pos_weight=parse_optional("pos_weight", pos_weight),
    )
    smoothing = label_smoothing
    if smoothing is not None:
        smoothing = parse_number("label_smoothing", smoothing, most=1.0)
    home, x, y = given.home, given.logits, given.targets
    check_broadcast("y_true", y.shape, "y_pred", x.shape)
    x, y = home.xp.broadcast_arrays(x, y)
    for name, array in given.parameters.items():
        check_fits(name, array, "y_pred", x.shape)

    trusted = _checks.unit_interval(home, "y_true", y)
    operands = _operands(given, given.parameters["gamma"], *_balance(given.parameters))
    operands = operands._replace(logits=x, targets=y)
    floor = _parse_eps(eps, x)
    if from_logits:
        rule = "expected" if smoothing is None else "mixture"
        return Call(home, Sigmoid(rule, smoothing or 0.0, trusted=trusted), operands)
    trusted = _checks.unit_interval(home, "y_pred", x) and trusted
    return Call(home, Probability(floor, smoothing, trusted), operands)


def categorical(
    y_true: Any,
    y_pred: Any,
    gamma: Parameter,
    *,
    class_weight: Parameter | None,
    axis: int,
    eps: float | None,
) -> Call:
    """A call of the categorical loss, from rows of probabilities and class labels."""
    given = settle(
        "y_pred",
        y_pred,
        "y_true",
        y_true,
        gamma=parse_gamma(gamma),
        class_weight=parse_optional("class_weight", class_weight),
    )
    home, shape = given.home, tuple(given.logits.shape)
    axis = _classes.class_axis("y_pred", axis, shape)
    _classes.check_labels(given, "y_true", "y_pred", shape[:axis] + shape[axis + 1 :])
    trusted = _checks.unit_interval(home, "y_pred", given.logits)
    trusted = _checks.class_labels(home, "y_true", given.targets, shape[axis]) and trusted
    loss = Categorical(axis, _parse_eps(eps, given.logits), trusted, home.device)
    gamma, alpha = (_classes.per_class(given, name, axis) for name in ("gamma", "class_weight"))
    return Call(home, loss, _operands(given, gamma, alpha))


def _operands(
    given: Given, gamma: Parameter, alpha: Parameter | None, beta: Parameter | None = None
) -> Operands:
    return Operands(given.logits, given.targets, gamma, alpha, beta, given.mask, given.weight)


def _balance(parameters: dict[str, Parameter]) -> tuple[Parameter | None, Parameter | None]:
    """What positives and negatives weigh."""
    alpha, pos_weight = parameters["alpha"], parameters["pos_weight"]
    if alpha is None:
        return pos_weight, None if pos_weight is None else 1.0
    return alpha if pos_weight is None else alpha * pos_weight, 1 - alpha


def _parse_eps(eps: float | None, p: Array) -> float:
    return EPS[dtype_name(p.dtype)] if eps is None else parse_number("eps", eps, most=0.5)
