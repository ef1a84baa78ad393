"""From the caller's arrays to each element's loss: read the targets, then apply the formula.

A loss is the static part of a call (hashable, so that a compiler can cache by it); its operands are
the arrays. All here is pure and elementwise, or row by row: any cut along the leading axes gives
the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from ._arrays import arithmetic_dtype
from ._formulas import focal, probability, sigmoid, softmax

Array = Any
Namespace = Any


class Operands(NamedTuple):
    """The arrays of a call, as given, and the parameters."""

    logits: Array  # or probabilities
    targets: Array
    gamma: Array
    alpha: Array = None  # what positives weigh, or each class; None: 1, and negatives too
    beta: Array = None  # what negatives weigh
    mask: Array = None
    weight: Array = None
    classes: Array = None  # 0 .. C - 1 along the class axis


@dataclass(frozen=True)
class Sigmoid:
    """Independent logits, each against a target in [0, 1]."""

    soft_targets: str = "expected"
    label_smoothing: float = 0.0
    ignore_index: int | None = None
    trusted: bool = True  # the targets were looked at, and are good
    axis = None
    indexed = False

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array]:
        """The targets as numbers, and which of them count (None: all)."""
        dtype = arithmetic_dtype(xp, operands.logits.dtype)
        y = xp.astype(operands.targets, dtype, copy=False)
        return y, _counted(y, self.ignore_index, operands.mask)

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """The formula at the operands, smoothed and masked."""
        y, counted = self.read(xp, operands)
        if not self.trusted:
            y = _nan_outside(xp, y)
        y = _keep(xp, counted, y)
        x = _keep(xp, counted, xp.astype(operands.logits, y.dtype, copy=False))
        side, gamma, balance = sigmoid.side_of(xp, x), operands.gamma, _balance(operands)
        s = self.label_smoothing
        smoothed = (1 - s) * y + 0.5 * s if s else y
        if self.soft_targets == "mixture":
            return sigmoid.mixture(xp, side, smoothed, gamma, balance)
        modulating = y if self.soft_targets == "hard" else smoothed
        return sigmoid.Expected(xp, side, modulating, smoothed, gamma, balance)

    def value(self, xp: Namespace, operands: Operands) -> Array:
        """The loss of each element."""
        _, counted = self.read(xp, operands)
        return _keep(xp, counted, _weighted(self.formula(xp, operands).value(), operands))


@dataclass(frozen=True)
class Softmax:
    """Rows of logits, each against a class label or a distribution over the classes."""

    axis: int
    indexed: bool
    soft_targets: str = "expected"
    label_smoothing: float = 0.0
    ignore_index: int | None = None
    trusted: bool = True

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array]:
        """The targets as numbers, and which rows count (None: all)."""
        if self.indexed:
            labels = xp.astype(operands.targets, operands.classes.dtype, copy=False)
            return labels, _counted(labels, self.ignore_index, operands.mask)
        dtype = arithmetic_dtype(xp, operands.logits.dtype)
        return xp.astype(operands.targets, dtype, copy=False), operands.mask

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """The formula at the operands, smoothed and masked."""
        targets, counted = self.read(xp, operands)
        rows = None if counted is None else xp.expand_dims(counted, axis=self.axis)
        dtype = arithmetic_dtype(xp, operands.logits.dtype)
        x = _keep(xp, rows, xp.astype(operands.logits, dtype, copy=False))
        if not self.indexed:
            y = targets if self.trusted else self._nan_unless_distribution(xp, targets)
            return self._of_distribution(xp, x, _keep(xp, rows, y), operands)
        # one-hot by comparison: a bad label chooses no class
        chosen = _keep(xp, rows, xp.expand_dims(targets, axis=self.axis)) == operands.classes
        if not self.label_smoothing:
            gamma, alpha = _of_class(xp, operands, chosen, self.axis)
            return softmax.Index(xp, x, chosen, gamma, alpha, self.axis)
        some = xp.any(chosen, axis=self.axis, keepdims=True)
        y = xp.where(some, xp.astype(chosen, x.dtype), xp.nan)
        return self._of_distribution(xp, x, y, operands)

    def value(self, xp: Namespace, operands: Operands) -> Array:
        """The loss of each row."""
        _, counted = self.read(xp, operands)
        loss = xp.squeeze(self.formula(xp, operands).value(), axis=self.axis)
        return _keep(xp, counted, _weighted(loss, operands))

    def _of_distribution(
        self, xp: Namespace, x: Array, y: Array, operands: Operands
    ) -> focal.Formula:
        s = self.label_smoothing
        smoothed = (1 - s) * y + s / x.shape[self.axis] if s else y
        largest = xp.argmax(x, axis=self.axis, keepdims=True)
        row = softmax.row_of(xp, x, largest == operands.classes, self.axis)
        if self.soft_targets == "mixture":
            return softmax.Mixture(xp, row, smoothed, operands.gamma, operands.alpha, self.axis)
        modulating = y if self.soft_targets == "hard" else smoothed
        gamma, alpha = (
            p if _scalar(p) else xp.sum(modulating * p, axis=self.axis, keepdims=True)
            for p in (operands.gamma, operands.alpha)
        )
        return softmax.Expected(xp, row, modulating, smoothed, gamma, alpha, self.axis)

    def _nan_unless_distribution(self, xp: Namespace, y: Array) -> Array:
        total = xp.sum(y, axis=self.axis, keepdims=True)
        return xp.where(xp.abs(total - 1) <= 0.01, _nan_outside(xp, y), xp.nan)


@dataclass(frozen=True)
class Probability:
    """Probabilities of the positive class, each against a target in [0, 1]."""

    eps: float
    label_smoothing: float | None = None  # given: a mixture, as where this comes from
    trusted: bool = True
    axis = None
    indexed = False

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array]:
        """The targets as numbers; all count."""
        dtype = arithmetic_dtype(xp, operands.logits.dtype)
        return xp.astype(operands.targets, dtype, copy=False), None

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """The formula at the operands, smoothed."""
        y, _ = self.read(xp, operands)
        p = xp.astype(operands.logits, y.dtype, copy=False)
        if not self.trusted:
            p, y = _nan_outside(xp, p), _nan_outside(xp, y)
        s, gamma, balance = self.label_smoothing, operands.gamma, _balance(operands)
        if s is None:
            return probability.Expected(xp, p, y, gamma, self.eps, balance)
        return probability.mixture(xp, p, (1 - s) * y + 0.5 * s, gamma, self.eps, balance)

    def value(self, xp: Namespace, operands: Operands) -> Array:
        """The loss of each element."""
        return self.formula(xp, operands).value()


@dataclass(frozen=True)
class Categorical:
    """Rows of probabilities, each against a class label."""

    axis: int
    eps: float
    trusted: bool = True
    indexed = True

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array]:
        """The class labels; all count."""
        return xp.astype(operands.targets, operands.classes.dtype, copy=False), None

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """The formula of the probability given to the target."""
        labels, _ = self.read(xp, operands)
        chosen = xp.expand_dims(labels, axis=self.axis) == operands.classes
        p = xp.astype(operands.logits, arithmetic_dtype(xp, operands.logits.dtype), copy=False)
        p = p if self.trusted else _nan_outside(xp, p)
        p_t = softmax.pick(xp, p, chosen, self.axis)
        gamma, alpha = _of_class(xp, operands, chosen, self.axis)
        balance = None if alpha is None else (alpha, 1.0)
        return probability.Expected(xp, p_t, xp.ones_like(p_t), gamma, self.eps, balance)

    def value(self, xp: Namespace, operands: Operands) -> Array:
        """The loss of each row."""
        return xp.squeeze(self.formula(xp, operands).value(), axis=self.axis)


Loss = Sigmoid | Softmax | Probability | Categorical


def _of_class(xp: Namespace, operands: Operands, chosen: Array, axis: int) -> tuple[Array, Array]:
    """gamma and alpha of each row's class."""
    gamma, alpha = (
        p if _scalar(p) else softmax.pick(xp, p, chosen, axis)
        for p in (operands.gamma, operands.alpha)
    )
    return gamma, alpha


def _counted(targets: Array, ignore_index: int | None, mask: Array) -> Array:
    if ignore_index is None:
        return mask
    kept = targets != ignore_index
    return kept if mask is None else kept & mask


def _balance(operands: Operands) -> focal.Balance:
    return None if operands.alpha is None else (operands.alpha, operands.beta)


def _weighted(loss: Array, operands: Operands) -> Array:
    return loss if operands.weight is None else loss * operands.weight


def _keep(xp: Namespace, counted: Array, x: Array) -> Array:
    """What is left out becomes 0, before the arithmetic: its NaN never enters."""
    return x if counted is None else xp.where(counted, x, xp.zeros_like(x))


def _nan_outside(xp: Namespace, y: Array) -> Array:
    return xp.where((y >= 0) & (y <= 1), y, xp.nan)


def _scalar(parameter: Array) -> bool:
    return parameter is None or isinstance(parameter, float) or parameter.ndim == 0
