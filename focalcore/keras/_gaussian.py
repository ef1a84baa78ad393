"""The loss of models that give heatmaps."""

from __future__ import annotations

from typing import Any

import keras

from .. import _call
from .._losses import gaussian
from .._losses.gaussian import GaussianOptions
from .._typing import ArrayLike
from ._loss import Loss, Tensor

DOOR = gaussian.RECIPE.door._replace(scores="y_pred", labels="y_true", leave_out=())


@keras.saving.register_keras_serializable(package="focalcore")
class GaussianFocalLoss(Loss):
    r"""Focal loss of a model that gives the logits of a heatmap, for ``compile(loss=...)``.

    .. math:: GFL = -(1 - p)^\alpha \log p \;\; (y = 1), \qquad
        GFL = -(1 - y)^\gamma p^\alpha \log(1 - p) \;\; (y < 1)

    The loss of a sample is the mean over the last axis, as that of Keras' own losses. What a layer
    has masked has no loss, no gradient and no place in the mean, whatever its target and what the
    model gives.

    Parameters
    ----------
    alpha : float or list, default 2.0
        The focusing parameter, >= 0.
    gamma : float or list, default 4.0
        How much less negatives weigh near a peak, >= 0.
    detach_factor : bool, default False
        Whether the gradient takes the modulating factor as a constant.
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
        An option of the wrong kind or outside its range; a heatmap that has not the shape of what
        the model gives.

    See Also
    --------
    focalcore.gaussian_focal_loss : The function, with arrays of any library.
    BinaryFocalLoss : Labels of 0 and 1, from probabilities too.

    References
    ----------
    Law and Deng, "CornerNet: detecting objects as paired keypoints", ECCV 2018, equation 1.

    Examples
    --------
    >>> from focalcore.keras import GaussianFocalLoss
    >>> loss = GaussianFocalLoss()
    >>> print(f"{float(loss([[0.0, 0.6, 1.0]], [[-4.0, -1.0, 2.0]])):.5f}")
    0.00080
    """

    options_class = GaussianOptions

    def __init__(
        self,
        *,
        alpha: ArrayLike = 2.0,
        gamma: ArrayLike = 4.0,
        detach_factor: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "gaussian_focal_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self._hold(alpha=alpha, gamma=gamma, detach_factor=detach_factor)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        y_true, y_pred = map(keras.ops.convert_to_tensor, (y_true, y_pred))
        loss = _call.value(gaussian.prepare(DOOR, y_pred, y_true, self._options(None)))
        return loss if len(loss.shape) < 2 else keras.ops.mean(loss, axis=-1)
