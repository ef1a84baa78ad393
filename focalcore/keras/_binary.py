"""The loss of binary and multi-label models."""

from __future__ import annotations

from typing import Any

import keras

from .. import _call
from .._inputs.doors import BINARY
from .._inputs.shapes import same_shape
from .._losses import binary
from .._losses.binary import BinaryOptions
from .._typing import ArrayLike
from ._loss import Loss, Tensor

DOOR = BINARY._replace(for_classes="SparseCategoricalFocalLoss")


@keras.saving.register_keras_serializable(package="focalcore")
class BinaryFocalLoss(Loss):
    r"""Focal loss of a binary or multi-label model, for ``compile(loss=...)``.

    .. math:: FL = \alpha_t (1 - p_t)^\gamma CE, \qquad p_t = y p + (1 - y)(1 - p)

    with the cross-entropy :math:`CE = -y \log p - (1 - y) \log(1 - p)`, which for a label of 0 or 1
    is the paper's :math:`-\log p_t`.

    The loss of a sample is the mean over the last axis, as that of Keras' own losses; of numbers
    that have no axis but the batch's, each is a sample. What a layer has masked has no loss, no
    gradient and no place in the mean, whatever its label and what the model gives.

    Parameters
    ----------
    gamma : float or list, default 2.0
        The focusing parameter, >= 0. 0 gives the cross-entropy.
    pos_weight : float or list, optional
        Positives weigh this, >= 0, negatives 1.
    from_logits : bool, default False
        Whether the model gives logits; else it gives probabilities.
    label_smoothing : float, optional
        How far the targets are smoothed, s in [0, 1]: they become (1 - s) y + s / 2, and a soft
        target y the mixture y FL(1) + (1 - y) FL(0).
    alpha : float or list, optional
        The class balance in [0, 1]: positives weigh alpha, negatives 1 - alpha.
    detach_factor : bool, default False
        Whether the gradient takes the modulating factor (1 - p_t)^gamma as a constant.
    reduction : str, optional
        How Keras reduces the losses of the samples: "sum_over_batch_size", "sum", "mean",
        "mean_with_sample_weight", "none".
    name : str, optional
        The name of the loss.
    dtype : str, optional
        The type to compute in. None: that of ``keras.config.floatx()``.

    Raises
    ------
    TypeError, ValueError
        An option of the wrong kind or outside its range; targets that have not the shape of what
        the model gives, but for a last axis of length 1.

    See Also
    --------
    focalcore.binary_focal_loss : The function, with targets and predictions of any library.
    CategoricalFocalLoss, SparseCategoricalFocalLoss : Classes that exclude each other.

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

    options_class = BinaryOptions

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
        y_true = _beside(y_true, y_pred)
        loss = _call.value(binary.prepare(DOOR, y_true, y_pred, self._options(None)))
        return loss if len(loss.shape) < 2 else keras.ops.mean(loss, axis=-1)


def _beside(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Return the targets in the shape of the predictions, from which a last 1 may differ."""
    targets, predictions = tuple(y_true.shape), tuple(y_pred.shape)
    if predictions[-1:] == (1,) and same_shape(targets, predictions[:-1]):
        return keras.ops.expand_dims(y_true, axis=-1)
    if targets[-1:] == (1,) and same_shape(targets[:-1], predictions):
        return keras.ops.squeeze(y_true, axis=-1)
    if same_shape(targets, predictions):
        return y_true
    hint = f"labels of classes go to {DOOR.for_classes}"
    raise ValueError(
        f"y_true of shape {targets} does not fit y_pred of shape {predictions}; "
        + (hint if same_shape(targets, predictions[:-1]) else "both must have the same shape")
    )
