"""From the caller's arrays to each element's loss: read the targets, then apply the formula.

A loss is the static part of a call (hashable, so that a compiler can cache by it); its operands are
the arrays. All here is pure and elementwise, or row by row: any cut along the leading axes gives
the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ._dtypes import arithmetic_dtype, cast, dtype_name
from ._formulas import focal, probability, sigmoid, softmax
from ._operands import Operands, Part
from ._reduction import divided

Array = Any
Namespace = Any
Shape = tuple[Any, ...]


class Terms:
    """What every loss gives: the parts of each element or row, before they are summed up."""

    axis: int | None  # of the classes; None: the elements are independent
    indexed: bool  # the targets have no class axis
    ignore_index: int | None = None

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array]:
        """The targets as numbers, and which of them count (None: all)."""
        raise NotImplementedError

    def positives(self, xp: Namespace, operands: Operands, targets: Array) -> Array:  # noqa: ARG002
        """How much of a positive each target is, of those that were read."""
        return targets

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """The formula at the operands, smoothed and masked."""
        raise NotImplementedError

    def softened(self) -> Terms:
        """The same for targets that may change: nothing is known of them."""
        return self

    def lies_in_rows(self, name: str) -> bool:
        """Whether an operand has no class axis."""
        return name in ("mask", "weight") or (name == "targets" and self.indexed)

    def rows_of(self, shape: Shape) -> Shape:
        """A shape of logits without the class axis."""
        shape = tuple(shape)
        return shape if self.axis is None else shape[: self.axis] + shape[self.axis + 1 :]

    def parts(
        self, xp: Namespace, operands: Operands, asked: tuple[Part, ...]
    ) -> tuple[Array, ...]:
        """What is asked for, from one reading of the operands."""
        formula = None
        if any(part.name in ("value", "slope", "curvature") for part in asked):
            formula = self.formula(xp, operands)
        return tuple(self._part(xp, operands, formula, part.name) for part in asked)

    def _part(self, xp: Namespace, operands: Operands, formula: Any, name: str) -> Array:
        if name == "value":
            value = self._weighed(xp, formula.value(), operands)
            return value if self.axis is None else xp.squeeze(value, axis=self.axis)
        if name in ("slope", "curvature"):
            derivative = formula.slope() if name == "slope" else formula.curvature()
            return divided(xp, self._weighed(xp, derivative, operands), operands.divisor)
        targets, counted = self.read(xp, operands)
        entering = self._entering(xp, operands, targets, counted, name)
        return xp.broadcast_to(entering, self.rows_of(operands.logits.shape))

    def _entering(
        self, xp: Namespace, operands: Operands, targets: Array, counted: Array, name: str
    ) -> Array:
        """What is added up to divide a mean by."""
        if name == "number":
            return xp.astype(counted, xp.int32)  # a float32 sum of ones may stop at 2^24
        if name == "weight":
            return _keep(xp, counted, operands.weight)
        positives = self.positives(xp, operands, targets)
        if name == "positive weight":
            positives = focal.times(xp, positives, operands.weight)
        return _keep(xp, counted, positives)

    def _weighed(self, xp: Namespace, x: Array, operands: Operands) -> Array:
        # the targets are read again only where they say what counts
        counted = operands.mask if self.ignore_index is None else self.read(xp, operands)[1]
        if operands.weight is not None:
            x = focal.times(xp, self._beside(xp, operands.weight), x)
        return _keep(xp, self._beside(xp, counted), x)

    def _beside(self, xp: Namespace, rows: Array) -> Array:
        """What lies in the rows, laid beside the class axis."""
        return rows if rows is None or self.axis is None else xp.expand_dims(rows, axis=self.axis)


@dataclass(frozen=True)
class Sigmoid(Terms):
    """Independent logits, each against a target in [0, 1]."""

    soft_targets: str = "expected"
    label_smoothing: float = 0.0
    ignore_index: int | None = None
    trusted: bool = True  # the targets were looked at, and are good
    hard: bool = False  # each of them is known to be 0 or 1
    axis: int | None = field(default=None, init=False)
    indexed: bool = field(default=False, init=False)

    def softened(self) -> Sigmoid:
        """The same for targets that may change: nothing is known of them."""
        return replace(self, hard=False)

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array]:
        """The targets as numbers, and which of them count (None: all)."""
        dtype = arithmetic_dtype(xp, operands.logits.dtype)
        y = cast(xp, operands.targets, dtype)
        return y, _counted(y, self.ignore_index, operands.mask)

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """The formula at the operands, smoothed and masked."""
        y, counted = self.read(xp, operands)
        if not self.trusted:
            y = _nan_outside(xp, y)
        y = _keep(xp, counted, y)
        x = _keep(xp, counted, cast(xp, operands.logits, y.dtype))
        gamma, balance, shares = operands.exponent, _balance(operands), focal.Shares.of(y)
        if self.hard and not self.label_smoothing:
            return sigmoid.Certain(xp, x, shares, gamma, balance)
        smoothed = shares.smoothed(self.label_smoothing) if self.label_smoothing else shares
        if self.soft_targets == "mixture":
            return sigmoid.mixture(xp, x, smoothed, gamma, balance)
        modulating = shares if self.soft_targets == "hard" else smoothed
        return sigmoid.Expected(xp, x, modulating, smoothed, gamma, balance)


@dataclass(frozen=True)
class Softmax(Terms):
    """Rows of logits, each against a class label or a distribution over the classes."""

    axis: int
    indexed: bool
    soft_targets: str = "expected"
    label_smoothing: float = 0.0
    ignore_index: int | None = None
    trusted: bool = True
    device: Any = None  # where the class numbers are made
    background: int | None = None  # the class that is no positive

    def positives(self, xp: Namespace, operands: Operands, targets: Array) -> Array:
        """1 for every label but the background's."""
        dtype = arithmetic_dtype(xp, operands.logits.dtype)
        if self.background is None:
            return xp.astype(xp.ones_like(targets), dtype)
        return xp.astype(targets != self.background, dtype)

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array]:
        """The targets as numbers, and which rows count (None: all)."""
        if self.indexed:
            counted = _counted(operands.targets, self.ignore_index, operands.mask)
            return _wide(xp, operands.targets), counted
        dtype = arithmetic_dtype(xp, operands.logits.dtype)
        return cast(xp, operands.targets, dtype), operands.mask

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """The formula at the operands, smoothed and masked."""
        targets, counted = self.read(xp, operands)
        rows = self._beside(xp, counted)
        dtype = arithmetic_dtype(xp, operands.logits.dtype)
        x = _keep(xp, rows, cast(xp, operands.logits, dtype))
        if not self.indexed:
            y = targets if self.trusted else self._nan_unless_distribution(xp, targets)
            return self._of_distribution(xp, x, _keep(xp, rows, y), operands)
        labels = _keep(xp, rows, xp.expand_dims(targets, axis=self.axis))
        choice = _choice(xp, x, labels, self.axis, self.device, self.trusted)
        if not self.label_smoothing:
            return softmax.Index(xp, x, choice, *_of_class(operands, choice))
        nothing = xp.zeros_like(x)  # or NaN, where a label is none of the classes
        y = choice.replaced(nothing + choice.entry(nothing), 1.0)
        return self._of_distribution(xp, x, y, operands)

    def _of_distribution(
        self, xp: Namespace, x: Array, y: Array, operands: Operands
    ) -> focal.Formula:
        s, shares = self.label_smoothing, focal.Shares.of(y)
        smoothed = shares.smoothed(s, x.shape[self.axis]) if s else shares
        largest = xp.argmax(x, axis=self.axis, keepdims=True)
        row = softmax.row_of(xp, x, _one_hot(xp, x, largest, self.axis, self.device))
        if self.soft_targets == "mixture":
            return softmax.Mixture(xp, row, smoothed, operands.exponent, operands.alpha)
        modulating = shares if self.soft_targets == "hard" else smoothed
        gamma, alpha = (
            p if _scalar(p) else xp.sum(modulating.own * p, axis=self.axis, keepdims=True)
            for p in (operands.exponent, operands.alpha)
        )
        return softmax.Expected(xp, row, modulating, smoothed, gamma, alpha)

    def _nan_unless_distribution(self, xp: Namespace, y: Array) -> Array:
        total = xp.sum(y, axis=self.axis, keepdims=True)
        return xp.where(xp.abs(total - 1) <= 0.01, _nan_outside(xp, y), xp.nan)


@dataclass(frozen=True)
class Probability(Terms):
    """Probabilities of the positive class, each against a target in [0, 1]."""

    eps: float
    label_smoothing: float | None = None  # given: a mixture, as where this comes from
    trusted: bool = True
    axis: int | None = field(default=None, init=False)
    indexed: bool = field(default=False, init=False)

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array]:
        """The targets as numbers; all count."""
        dtype = arithmetic_dtype(xp, operands.logits.dtype)
        return cast(xp, operands.targets, dtype), None

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """The formula at the operands, smoothed."""
        y, _ = self.read(xp, operands)
        p = cast(xp, operands.logits, y.dtype)
        if not self.trusted:
            p, y = _nan_outside(xp, p), _nan_outside(xp, y)
        s, gamma, balance = self.label_smoothing, operands.exponent, _balance(operands)
        shares = focal.Shares.of(y)
        if s is None:
            return probability.Expected(xp, p, shares, gamma, self.eps, balance)
        return probability.mixture(xp, p, shares.smoothed(s), gamma, self.eps, balance)


@dataclass(frozen=True)
class Categorical(Terms):
    """Rows of probabilities, each against a class label."""

    axis: int
    eps: float
    trusted: bool = True
    device: Any = None
    indexed: bool = field(default=True, init=False)

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array]:
        """The class labels; all count."""
        return _wide(xp, operands.targets), None

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """The formula of the probability given to the target."""
        labels = xp.expand_dims(self.read(xp, operands)[0], axis=self.axis)
        p = cast(xp, operands.logits, arithmetic_dtype(xp, operands.logits.dtype))
        p = p if self.trusted else _nan_outside(xp, p)
        choice = _choice(xp, p, labels, self.axis, self.device, self.trusted)
        return probability.Index(xp, p, choice, *_of_class(operands, choice), self.eps)


def _wide(xp: Namespace, labels: Array) -> Array:
    """Labels of a type that holds every class; of what counts, nothing wraps to one."""
    is_64_bit = dtype_name(labels.dtype).endswith("int64")
    return cast(xp, labels, xp.int64 if is_64_bit else xp.int32)


def _choice(
    xp: Namespace, x: Array, labels: Array, axis: int, device: Any, trusted: bool
) -> softmax.Choice:
    """The class that each row's label names; a namespace may have a way of its own."""
    own = getattr(xp, "Choice", None) if trusted else None
    if own is not None:
        choice: softmax.Choice = own(labels, axis)
        return choice
    # a bad label is none of the classes, and chooses none
    return _one_hot(xp, x, labels, axis, device)


def _one_hot(xp: Namespace, x: Array, labels: Array, axis: int, device: Any) -> softmax.OneHot:
    along = [1] * x.ndim
    along[axis] = -1
    classes = xp.arange(x.shape[axis], dtype=labels.dtype, device=device)
    return softmax.OneHot(xp, labels == xp.reshape(classes, tuple(along)), axis)


def _of_class(operands: Operands, choice: softmax.Choice) -> tuple[Array, Array]:
    """gamma and alpha of each row's class."""
    gamma, alpha = (
        p if _scalar(p) else choice.entry(p) for p in (operands.exponent, operands.alpha)
    )
    return gamma, alpha


def _counted(targets: Array, ignore_index: int | None, mask: Array) -> Array:
    if ignore_index is None:
        return mask
    kept = targets != ignore_index
    return kept if mask is None else kept & mask


def _balance(operands: Operands) -> focal.Balance:
    return None if operands.alpha is None else (operands.alpha, operands.beta)


def _keep(xp: Namespace, counted: Array, x: Array) -> Array:
    """What is left out becomes 0, before the arithmetic: its NaN never enters."""
    return x if counted is None else xp.where(counted, x, xp.zeros_like(x))


def _nan_outside(xp: Namespace, y: Array) -> Array:
    return xp.where((y >= 0) & (y <= 1), y, xp.nan)


def _scalar(parameter: Array) -> bool:
    return parameter is None or isinstance(parameter, float) or parameter.ndim == 0
