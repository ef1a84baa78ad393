"""The losses as metrics: their mean over all samples that count, of all batches."""

from __future__ import annotations

from typing import Any

import keras

from ._binary import BinaryFocalLoss
from ._categorical import CategoricalFocalLoss
from ._loss import Each, Loss, Tensor, with_rank
from ._sparse_categorical import SparseCategoricalFocalLoss


class Metric(keras.metrics.Mean):  # type: ignore[misc] # keras has no types
    """The mean of a loss over samples, whose options are saved with the model."""

    loss_class: type[Loss]

    def __init__(self, name: str | None, dtype: Any, options: dict[str, Any]) -> None:
        super().__init__(name=name, dtype=dtype)
        self._loss = self.loss_class(**options, reduction=None, dtype=dtype)
        self._direction = "down"  # by which callbacks know that less is better

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add the samples of a batch, without those that are masked."""
        each = self._loss.each(y_true, y_pred)
        super().update_state(each.losses, self._weights(each, sample_weight))

    def _weights(self, each: Each, sample_weight: Any) -> Tensor | None:
        """Return the weights of the samples, 0 where one does not count."""
        if each.counted is None:
            return sample_weight
        counted = keras.ops.cast(each.counted, self.dtype)
        if sample_weight is None:
            return counted
        weight = keras.ops.convert_to_tensor(sample_weight, self.dtype)
        if len(weight.shape) == len(counted.shape) + 1 and weight.shape[-1] == 1:
            weight = keras.ops.squeeze(weight, axis=-1)
        return with_rank(weight, counted) * counted

    def get_config(self) -> dict[str, Any]:
        """Return the options, as the constructor takes them."""
        options = self._loss.get_config()
        del options["reduction"]
        return options | super().get_config()


@keras.saving.register_keras_serializable(package="focalcore")
class BinaryFocalMetric(Metric):
    """Mean focal loss of a binary or multi-label model, for ``compile(metrics=[...])``.

    That of the formula of `BinaryFocalLoss`, over the samples of all batches that no layer has
    masked, weighed by their weights.

    Parameters
    ----------
    name : str, optional
        The name of the metric, under which it is logged.
    dtype : str, optional
        The type to compute in. None: that of ``keras.config.floatx()``.
    **options : dict
        Those of `BinaryFocalLoss`: gamma, pos_weight, from_logits, label_smoothing, alpha.

    Raises
    ------
    TypeError, ValueError
        An option of the wrong kind or outside its range.

    See Also
    --------
    BinaryFocalLoss : The loss.

    Examples
    --------
    >>> from focalcore.keras import BinaryFocalMetric
    >>> metric = BinaryFocalMetric(gamma=2)
    >>> metric.update_state([0, 1], [0.1, 0.7])
    >>> metric.update_state([1], [0.9])
    >>> print(f"{float(metric.result()):.4f}")
    0.0114
    """

    loss_class = BinaryFocalLoss

    def __init__(
        self, name: str | None = "binary_focal_loss", dtype: Any = None, **options: Any
    ) -> None:
        super().__init__(name, dtype, options)


@keras.saving.register_keras_serializable(package="focalcore")
class CategoricalFocalMetric(Metric):
    """Mean focal loss against one-hot rows or distributions, for ``compile(metrics=[...])``.

    That of the formula of `CategoricalFocalLoss`, over the samples of all batches that no layer has
    masked, weighed by their weights.

    Parameters
    ----------
    name : str, optional
        The name of the metric, under which it is logged.
    dtype : str, optional
        The type to compute in. None: that of ``keras.config.floatx()``.
    **options : dict
        Those of `CategoricalFocalLoss`: alpha, gamma, soft_targets, label_smoothing, axis,
        from_logits.

    Raises
    ------
    TypeError, ValueError
        An option of the wrong kind or outside its range.

    See Also
    --------
    CategoricalFocalLoss : The loss.

    Examples
    --------
    >>> from focalcore.keras import CategoricalFocalMetric
    >>> metric = CategoricalFocalMetric()
    >>> metric.update_state([[1, 0], [0, 1]], [[0.9, 0.1], [0.4, 0.6]])
    >>> print(f"{float(metric.result()):.4f}")
    0.0414
    """

    loss_class = CategoricalFocalLoss

    def __init__(
        self, name: str | None = "categorical_focal_loss", dtype: Any = None, **options: Any
    ) -> None:
        super().__init__(name, dtype, options)


@keras.saving.register_keras_serializable(package="focalcore")
class SparseCategoricalFocalMetric(Metric):
    """Mean focal loss against class labels, for ``compile(metrics=[...])``.

    That of the formula of `SparseCategoricalFocalLoss`, over the samples of all batches that no
    layer has masked and whose label is not ignored, weighed by their weights.

    Parameters
    ----------
    name : str, optional
        The name of the metric, under which it is logged.
    dtype : str, optional
        The type to compute in. None: that of ``keras.config.floatx()``.
    **options : dict
        Those of `SparseCategoricalFocalLoss`: gamma, class_weight, from_logits, axis, ignore_class.

    Raises
    ------
    TypeError, ValueError
        An option of the wrong kind or outside its range.

    See Also
    --------
    SparseCategoricalFocalLoss : The loss.

    Examples
    --------
    >>> from focalcore.keras import SparseCategoricalFocalMetric
    >>> metric = SparseCategoricalFocalMetric(ignore_class=-1)
    >>> metric.update_state([0, 1, -1], [[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]])
    >>> print(f"{float(metric.result()):.4f}")
    0.0414
    """

    loss_class = SparseCategoricalFocalLoss

    def __init__(
        self, name: str | None = "sparse_categorical_focal_loss", dtype: Any = None, **options: Any
    ) -> None:
        super().__init__(name, dtype, options)
