"""The losses as Keras 3 losses, on whichever backend Keras runs."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from . import _call
from ._inputs.doors import BINARY, CATEGORICAL
from ._inputs.options import Options
from ._inputs.shapes import check_shape
from ._losses import binary, categorical
from ._losses.binary import BinaryOptions
from ._losses.categorical import CategoricalOptions
from ._typing import ArrayLike

Tensor = Any  # of the backend of Keras, which has no types

__all__ = ["BinaryFocalLoss", "SparseCategoricalFocalLoss"]


# the integers that a type can tell apart
EXACT_UP_TO = {"bfloat16": 2**8, "float16": 2**11, "float32": 2**24, "float64": 2**53}


class _Loss(keras.losses.Loss):  # type: ignore[misc] # keras has no types
    """A loss whose options are saved with the model."""

    _options_class: type[Options]

    def _hold(self, **options: Any) -> None:
        """Check the options and keep them, with tensors as numbers that can be saved."""
        for name, value in options.items():
            setattr(self, name, self._options_class.parse(name, _constant(value)))

    def _given(self) -> dict[str, Any]:
        """Return the options by name."""
        return {
            name: getattr(self, name) for name in self._options_class.names if hasattr(self, name)
        }

    def get_config(self) -> dict[str, Any]:
        """Return the options, as the constructor takes them."""
        config: dict[str, Any] = super().get_config()
        config["dtype"] = self.dtype
        return config | {name: _saved(value) for name, value in self._given().items()}


@keras.saving.register_keras_serializable(package="focalcore")
class BinaryFocalLoss(_Loss):
    r"""Focal loss of a binary or multi-label model, for ``compile(loss=...)``.

    .. math:: FL = \alpha_t (1 - p_t)^\gamma CE, \qquad p_t = y p + (1 - y)(1 - p)

    with the cross-entropy :math:`CE = -y \log p - (1 - y) \log(1 - p)`, which for a label of 0 or 1
    is the paper's :math:`-\log p_t`.

    The loss of a sample is the mean over the last axis, as that of Keras' own losses; of numbers
    that have no axis but the batch's, each is a sample.

    Parameters
    ----------
    gamma : float or list, default 2.0
        The focusing parameter, >= 0. 0 gives the cross-entropy.
    pos_weight : float or list, optional
        Positives weigh this, >= 0, negatives 1.
    from_logits : bool, default False
        Whether the model gives logits; else it gives probabilities.
    label_smoothing : float, optional
        How far, s in [0, 1]: the targets become (1 - s) y + s / 2, and a soft target y the mixture
        y FL(1) + (1 - y) FL(0).
    alpha : float or list, optional
        The class balance in [0, 1]: positives weigh alpha, negatives 1 - alpha.
    detach_factor : bool, default False
        Whether the gradient takes the modulating factor (1 - p_t)^gamma as a constant.
    reduction : str, optional
        What becomes of the losses of the samples, by Keras: "sum_over_batch_size", "sum", "mean",
        "mean_with_sample_weight", "none".
    name : str, optional
        The name of the loss.
    dtype : str, optional
        The type to compute in. None: that of ``keras.config.floatx()``.

    Raises
    ------
    TypeError, ValueError
        An option of the wrong kind or outside its range.

    See Also
    --------
    focalcore.binary_focal_loss : The function, with targets and predictions of any library.
    SparseCategoricalFocalLoss : Classes that exclude each other.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, equations 4 and 5.

    Examples
    --------
    >>> from focalcore.keras import BinaryFocalLoss
    >>> loss = BinaryFocalLoss(gamma=2)
    >>> print(f"{float(loss([0, 1, 1], [0.1, 0.7, 0.9])):.4f}")
    0.0114
    """

    _options_class = BinaryOptions

    def __init__(
        self,
        gamma: ArrayLike = 2.0,
        *,
        pos_weight: ArrayLike | None = None,
        from_logits: bool = False,
        label_smoothing: float | None = None,
        alpha: ArrayLike | None = None,
        detach_factor: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self._hold(
            gamma=gamma,
            pos_weight=pos_weight,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            alpha=alpha,
            detach_factor=detach_factor,
        )

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        y_true, y_pred = map(keras.ops.convert_to_tensor, (y_true, y_pred))
        if y_pred.ndim == y_true.ndim + 1 and y_pred.shape[-1] == 1:
            y_true = keras.ops.expand_dims(y_true, axis=-1)
        if y_true.ndim == y_pred.ndim + 1 and y_true.shape[-1] == 1:
            y_true = keras.ops.squeeze(y_true, axis=-1)
        # the first axis is that of the samples: nothing broadcasts along it
        check_shape("y_true", y_true, "y_pred", y_pred.shape, lambda: _hint(y_true, y_pred))
        door = BINARY._replace(for_classes="SparseCategoricalFocalLoss")
        options = BinaryOptions(**self._given())
        loss = _call.value(binary.prepare(door, y_true, y_pred, options))
        return loss if loss.ndim < 2 else keras.ops.mean(loss, axis=-1)


@keras.saving.register_keras_serializable(package="focalcore")
class SparseCategoricalFocalLoss(_Loss):
    r"""Focal loss of a model of classes that exclude each other, for ``compile(loss=...)``.

    .. math:: FL = -\alpha_t (1 - p_t)^\gamma \log p_t

    with the weight :math:`\alpha_t` of the label's class and the probability :math:`p_t` that the
    model gives it.

    Parameters
    ----------
    gamma : float or list, default 2.0
        The focusing parameter, >= 0, of all classes or of each. 0 gives the cross-entropy.
    class_weight : list, optional
        What samples of each class weigh, >= 0.
    from_logits : bool, default False
        Whether the model gives logits; else it gives rows of probabilities.
    axis : int, default -1
        The class axis of what the model gives.
    detach_factor : bool, default False
        Whether the gradient takes the modulating factor (1 - p_t)^gamma as a constant.
    reduction : str, optional
        What becomes of the losses of the samples, by Keras: "sum_over_batch_size", "sum", "mean",
        "mean_with_sample_weight", "none".
    name : str, optional
        The name of the loss.
    dtype : str, optional
        The type to compute in. None: that of ``keras.config.floatx()``.

    Raises
    ------
    TypeError, ValueError
        An option of the wrong kind or outside its range; more classes than the type can number,
        for Keras makes it the type of the labels too.

    See Also
    --------
    focalcore.sparse_categorical_focal_loss : The function, with arrays of any library.
    BinaryFocalLoss : Classes that do not exclude each other.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, equation 5.

    Examples
    --------
    >>> from focalcore.keras import SparseCategoricalFocalLoss
    >>> loss = SparseCategoricalFocalLoss(gamma=2)
    >>> print(f"{float(loss([0, 1], [[0.9, 0.1], [0.4, 0.6]])):.4f}")
    0.0414
    """

    _options_class = CategoricalOptions

    def __init__(
        self,
        gamma: ArrayLike = 2.0,
        class_weight: ArrayLike | None = None,
        from_logits: bool = False,
        axis: int = -1,
        *,
        detach_factor: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "sparse_categorical_focal_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self._hold(
            gamma=gamma,
            class_weight=class_weight,
            from_logits=from_logits,
            axis=axis,
            detach_factor=detach_factor,
        )

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        y_true, y_pred = map(keras.ops.convert_to_tensor, (y_true, y_pred))
        # Keras' labels may have the class axis, of length 1
        if y_true.ndim == y_pred.ndim and y_true.shape[self.axis] == 1:
            y_true = keras.ops.squeeze(y_true, axis=self.axis)
        labels = self._labels(y_true, y_pred.shape[self.axis])
        options = CategoricalOptions(**self._given())
        return _call.value(categorical.prepare(CATEGORICAL, labels, y_pred, options))

    def _labels(self, y_true: Tensor, classes: int) -> Tensor:
        """Return the class labels as integers again, after Keras has made floats of them."""
        if classes > EXACT_UP_TO[self.dtype]:
            raise ValueError(
                f"labels of {classes} classes lose digits in {self.dtype}, which is exact up to "
                f"{EXACT_UP_TO[self.dtype]}; give the loss dtype='float32' or 'float64'"
            )
        labels = keras.ops.cast(y_true, "int32")
        is_whole = keras.ops.cast(labels, self.dtype) == keras.ops.cast(y_true, self.dtype)
        return keras.ops.where(is_whole, labels, -1)


def _hint(y_true: Tensor, y_pred: Tensor) -> str:
    is_row = y_true.ndim == y_pred.ndim - 1
    return "labels of classes go to SparseCategoricalFocalLoss" if is_row else ""


def _saved(value: Any) -> Any:
    """Return an option in a form that JSON can hold."""
    return np.asarray(value).tolist() if isinstance(value, tuple | np.ndarray) else value


def _constant(value: Any) -> Any:
    """Return an option as numbers, which can be saved."""
    return keras.ops.convert_to_numpy(value) if keras.ops.is_tensor(value) else value
