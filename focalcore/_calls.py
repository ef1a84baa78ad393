"""The four ways to make a call, from what the caller gave.

Data comes in at the top and goes down once: the options are parsed, the arrays brought to one home,
shapes and values checked; what is left is a loss and its operands.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from ._call import Call
from ._inputs import checks, labels
from ._inputs.arrays import Given, settle
from ._inputs.doors import Door
from ._inputs.options import (
    INFINITY,
    Parameter,
    parse_alpha,
    parse_eps,
    parse_flag,
    parse_gamma,
    parse_loss,
    parse_optional,
    parse_smoothing,
)
from ._inputs.shapes import (
    check_broadcast,
    check_shape,
    full_rank,
    parameters_that_fit,
    same_shape,
)
from ._losses.categorical import Categorical
from ._losses.operands import (
    POSITIVES,
    WEIGHT,
    Operands,
)
from ._losses.probability import Probability
from ._losses.sigmoid import Sigmoid
from ._losses.softmax import Softmax
from ._losses.spec import LossSpec

Array = Any


def sigmoid(
    door: Door,
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
        door,
        logits,
        targets,
        mask=mask,
        weight=weight,
        alpha_most=1.0,
        gamma=parsed.gamma,
        alpha=parsed.alpha,
        pos_weight=parse_optional("pos_weight", pos_weight),
        normalizer=parsed.normalizer,
    )
    home, shape, parameters = given.home, given.logits.shape, given.parameters
    normalizer = _normalizer(parameters.pop("normalizer"))
    hint = partial(labels.hint_of_classes, given, door)
    check_shape(door.labels, given.targets, door.scores, shape, hint)
    check_shape("mask", given.mask, door.scores, shape)
    check_shape(door.weight, given.weight, door.scores, shape)
    parameters = parameters_that_fit(home.xp, door.scores, shape, parameters)

    seen = checks.targets_in_unit_interval(given, door, parsed.ignore_index)
    loss = Sigmoid(parsed.soft_targets, parsed.label_smoothing, parsed.ignore_index, *seen)
    operands = _operands(given, parameters["gamma"], *_balance(parameters))
    return Call(home, loss, operands, parsed.reduction, normalizer)


def softmax(
    door: Door,
    logits: Any,
    targets: Any,
    *,
    axis: int = -1,
    mask: Any = None,
    weight: Any = None,
    background: int | None = None,
    **options: Any,
) -> Call:
    """A call of the softmax loss; labels but the background's are its positives."""
    parsed = parse_loss(
        alpha_most=INFINITY, normalizers=("weight",), weighted=weight is not None, **options
    )
    given = settle(
        door,
        logits,
        targets,
        mask=mask,
        weight=weight,
        gamma=parsed.gamma,
        alpha=parsed.alpha,
        normalizer=parsed.normalizer,
    )
    home, shape = given.home, tuple(given.logits.shape)
    axis = labels.class_axis(door, axis, shape)
    rows = shape[:axis] + shape[axis + 1 :]
    check_shape("mask", given.mask, f"rows of {door.scores}", rows)
    check_shape(door.weight, given.weight, f"rows of {door.scores}", rows)
    given = given._replace(
        mask=full_rank(home.xp, given.mask, len(rows)),
        weight=full_rank(home.xp, given.weight, len(rows)),
    )

    indexed = labels.is_indexed(given, door, axis, parsed.ignore_index)
    if background is not None and not indexed:
        raise ValueError(
            f"what is not background is counted in class labels; found {door.labels} that are "
            f"distributions over the classes"
        )
    ignored = labels.label_or_none(given, parsed.ignore_index)
    if indexed:
        trusted = checks.class_labels(given, door, axis, ignored)
    else:
        trusted = checks.distributions(given, door, axis)
    loss = Softmax(
        axis,
        indexed,
        parsed.soft_targets,
        parsed.label_smoothing,
        ignored,
        trusted,
        home.device,
        labels.label_or_none(given, background),
    )
    gamma, alpha = (labels.per_class(given, name, axis) for name in ("gamma", "alpha"))
    normalizer = _normalizer(given.parameters["normalizer"])
    return Call(home, loss, _operands(given, gamma, alpha), parsed.reduction, normalizer)


def binary(
    door: Door,
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
    labels.check_no_pairs(door, y_pred)
    given = settle(
        door,
        y_pred,
        y_true,
        alpha_most=1.0,
        gamma=parse_gamma(gamma),
        alpha=parse_alpha(alpha, most=1.0),
        pos_weight=parse_optional("pos_weight", pos_weight),
    )
    smoothing, from_logits = (
        parse_smoothing(label_smoothing),
        parse_flag("from_logits", from_logits),
    )
    home, x, y = given.home, given.logits, given.targets
    hint = partial(labels.hint_of_classes, given, door)
    check_broadcast(door.labels, y.shape, door.scores, x.shape, hint)
    if not same_shape(x.shape, y.shape) or 1 in (*x.shape, *y.shape):
        rank = max(x.ndim, y.ndim)
        x, y = home.xp.broadcast_arrays(full_rank(home.xp, x, rank), full_rank(home.xp, y, rank))
        given = given._replace(logits=x, targets=y)
    parameters = parameters_that_fit(home.xp, door.scores, x.shape, given.parameters)

    seen = checks.targets_in_unit_interval(given, door, None)
    operands = _operands(given, parameters["gamma"], *_balance(parameters))
    floor = parse_eps(eps, x.dtype)
    if from_logits:
        rule = "expected" if smoothing is None else "mixture"
        return Call(home, Sigmoid(rule, smoothing or 0.0, None, *seen), operands)
    trusted = checks.probabilities(given, door) and seen.good
    return Call(home, Probability(floor, smoothing, trusted), operands)


def categorical(
    door: Door,
    y_true: Any,
    y_pred: Any,
    gamma: Parameter,
    *,
    class_weight: Parameter | None,
    from_logits: bool,
    axis: int,
    eps: float | None,
) -> Call:
    """A call of the categorical loss, from rows of probabilities or logits and class labels."""
    given = settle(
        door,
        y_pred,
        y_true,
        gamma=parse_gamma(gamma),
        class_weight=parse_optional("class_weight", class_weight),
    )
    from_logits = parse_flag("from_logits", from_logits)
    axis = labels.class_axis(door, axis, tuple(given.logits.shape))
    labels.check_labels(given, door, axis)
    floor, device = parse_eps(eps, given.logits.dtype), given.home.device
    trusted = from_logits or checks.probabilities(given, door)
    trusted = checks.class_labels(given, door, axis, None) and trusted
    loss: LossSpec = Categorical(axis, floor, trusted, device)
    if from_logits:
        loss = Softmax(axis, indexed=True, trusted=trusted, device=device)
    gamma, alpha = (labels.per_class(given, name, axis) for name in ("gamma", "class_weight"))
    return Call(given.home, loss, _operands(given, gamma, alpha))


def _operands(
    given: Given, gamma: Parameter, alpha: Parameter | None, beta: Parameter | None = None
) -> Operands:
    return Operands(given.logits, given.targets, gamma, alpha, beta, given.mask, given.weight)


def _normalizer(parsed: Any) -> Any:
    return {"positives": POSITIVES, "weight": WEIGHT}[parsed] if isinstance(parsed, str) else parsed


def _balance(parameters: dict[str, Parameter]) -> tuple[Parameter | None, Parameter | None]:
    """What positives and negatives weigh."""
    alpha, pos_weight = parameters["alpha"], parameters["pos_weight"]
    if alpha is None:
        return pos_weight, None if pos_weight is None else 1.0
    return alpha if pos_weight is None else alpha * pos_weight, 1 - alpha
