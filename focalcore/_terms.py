"""From the caller's arrays to each element's loss: read the targets, then apply the formula.

A loss is the static part of a call (hashable, so that a compiler can cache by it); its operands are
the arrays. All here is pure and elementwise, or row by row: any cut along the leading axes gives
the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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

    def split(self) -> tuple[dict[str, Array], Operands]:
        """The arrays by name, and the rest: numbers, and nothing in place of the arrays."""
        arrays = {}
        for name, x in zip(self._fields, self, strict=True):
            if x is not None and not isinstance(x, float):
                arrays[name] = x
        return arrays, self._replace(**dict.fromkeys(arrays))


class Terms:
    """What every loss gives: the value of each element or row, and its derivatives.

    The derivatives are with respect to the logits, and have their shape.
    """

    axis: int | None  # of the classes; None: the elements are independent
    indexed: bool  # the targets have no class axis
    ignore_index: int | None = None

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array]:
        """The targets as numbers, and which of them count (None: all)."""
        raise NotImplementedError

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """The formula at the operands, smoothed and masked."""
        raise NotImplementedError

    def value(self, xp: Namespace, operands: Operands) -> Array:
        """The loss of each element or row."""
        return self._of_rows(xp, self.formula(xp, operands).value(), operands)

    def slope(self, xp: Namespace, operands: Operands) -> Array:
        """Its gradient."""
        return self._weighed(xp, self.formula(xp, operands).slope(), operands)

    def curvature(self, xp: Namespace, operands: Operands) -> Array:
        """The diagonal of its Hessian."""
        return self._weighed(xp, self.formula(xp, operands).curvature(), operands)

    def value_and_slope(self, xp: Namespace, operands: Operands) -> tuple[Array, Array]:
        """Both, from one reading of the logits."""
        formula = self.formula(xp, operands)
        slope = self._weighed(xp, formula.slope(), operands)
        return self._of_rows(xp, formula.value(), operands), slope

    def slope_and_curvature(self, xp: Namespace, operands: Operands) -> tuple[Array, Array]:
        """The gradient and the diagonal of the Hessian."""
        formula = self.formula(xp, operands)
        slope = self._weighed(xp, formula.slope(), operands)
        return slope, self._weighed(xp, formula.curvature(), operands)

    def _of_rows(self, xp: Namespace, x: Array, operands: Operands) -> Array:
        weighed = self._weighed(xp, x, operands)
        return weighed if self.axis is None else xp.squeeze(weighed, axis=self.axis)

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
    axis: int | None = field(default=None, init=False)
    indexed: bool = field(default=False, init=False)

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
        shares = focal.Shares.of(y)
        smoothed = shares.smoothed(self.label_smoothing) if self.label_smoothing else shares
        if self.soft_targets == "mixture":
            return sigmoid.mixture(xp, side, smoothed, gamma, balance)
        modulating = shares if self.soft_targets == "hard" else smoothed
        return sigmoid.Expected(xp, side, modulating, smoothed, gamma, balance)


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

    def read(self, xp: Namespace, operands: Operands) -> tuple[Array, Array]:
        """The targets as numbers, and which rows count (None: all)."""
        if self.indexed:
            labels = _wide(xp, operands.targets)
            return labels, _counted(labels, self.ignore_index, operands.mask)
        dtype = arithmetic_dtype(xp, operands.logits.dtype)
        return xp.astype(operands.targets, dtype, copy=False), operands.mask

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """The formula at the operands, smoothed and masked."""
        targets, counted = self.read(xp, operands)
        rows = self._beside(xp, counted)
        dtype = arithmetic_dtype(xp, operands.logits.dtype)
        x = _keep(xp, rows, xp.astype(operands.logits, dtype, copy=False))
        if not self.indexed:
            y = targets if self.trusted else self._nan_unless_distribution(xp, targets)
            return self._of_distribution(xp, x, _keep(xp, rows, y), operands)
        # one-hot by comparison: a bad label chooses no class
        labels = _keep(xp, rows, xp.expand_dims(targets, axis=self.axis))
        chosen = labels == _classes(xp, x, self.axis, labels.dtype, self.device)
        if not self.label_smoothing:
            gamma, alpha = _of_class(xp, operands, chosen, self.axis)
            return softmax.Index(xp, x, chosen, gamma, alpha, self.axis)
        some = xp.any(chosen, axis=self.axis, keepdims=True)
        y = xp.where(some, xp.astype(chosen, x.dtype), xp.nan)
        return self._of_distribution(xp, x, y, operands)

    def _of_distribution(
        self, xp: Namespace, x: Array, y: Array, operands: Operands
    ) -> focal.Formula:
        s, shares = self.label_smoothing, focal.Shares.of(y)
        smoothed = shares.smoothed(s, x.shape[self.axis]) if s else shares
        largest = xp.argmax(x, axis=self.axis, keepdims=True)
        top = largest == _classes(xp, x, self.axis, largest.dtype, self.device)
        row = softmax.row_of(xp, x, top, self.axis)
        if self.soft_targets == "mixture":
            return softmax.Mixture(xp, row, smoothed, operands.gamma, operands.alpha, self.axis)
        modulating = shares if self.soft_targets == "hard" else smoothed
        gamma, alpha = (
            p if _scalar(p) else xp.sum(modulating.own * p, axis=self.axis, keepdims=True)
            for p in (operands.gamma, operands.alpha)
        )
        return softmax.Expected(xp, row, modulating, smoothed, gamma, alpha, self.axis)

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
        return xp.astype(operands.targets, dtype, copy=False), None

    def formula(self, xp: Namespace, operands: Operands) -> focal.Formula:
        """The formula at the operands, smoothed."""
        y, _ = self.read(xp, operands)
        p = xp.astype(operands.logits, y.dtype, copy=False)
        if not self.trusted:
            p, y = _nan_outside(xp, p), _nan_outside(xp, y)
        s, gamma, balance = self.label_smoothing, operands.gamma, _balance(operands)
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
        p = xp.astype(operands.logits, arithmetic_dtype(xp, operands.logits.dtype), copy=False)
        p = p if self.trusted else _nan_outside(xp, p)
        chosen = labels == _classes(xp, p, self.axis, labels.dtype, self.device)
        p_t = softmax.pick(xp, p, chosen, self.axis)
        gamma, alpha = _of_class(xp, operands, chosen, self.axis)
        return probability.Index(xp, p_t, chosen, gamma, self.eps, alpha)


def _wide(xp: Namespace, labels: Array) -> Array:
    """Labels of a type that holds every class and every ignore_index: nothing wraps."""
    is_64_bit = str(labels.dtype).endswith("int64")
    return xp.astype(labels, xp.int64 if is_64_bit else xp.int32, copy=False)


def _classes(xp: Namespace, x: Array, axis: int, dtype: Any, device: Any) -> Array:
    """0 .. C - 1 along the class axis."""
    along = [1] * x.ndim
    along[axis] = -1
    return xp.reshape(xp.arange(x.shape[axis], dtype=dtype, device=device), tuple(along))


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


def _keep(xp: Namespace, counted: Array, x: Array) -> Array:
    """What is left out becomes 0, before the arithmetic: its NaN never enters."""
    return x if counted is None else xp.where(counted, x, xp.zeros_like(x))


def _nan_outside(xp: Namespace, y: Array) -> Array:
    return xp.where((y >= 0) & (y <= 1), y, xp.nan)


def _scalar(parameter: Array) -> bool:
    return parameter is None or isinstance(parameter, float) or parameter.ndim == 0
