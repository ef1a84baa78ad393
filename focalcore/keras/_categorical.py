"""The loss of models of classes that exclude each other, against one-hot and soft rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from .. import _call
from .._inputs import class_axis
from .._inputs.doors import DISTRIBUTIONS
from .._losses import distributions
from .._losses.distributions import DistributionOptions
from .._typing import ArrayLike, SoftTargets
from ._loss import Loss, Tensor

DOOR = DISTRIBUTIONS._replace(for_classes="SparseCategoricalFocalLoss")


@keras.saving.register_keras_serializable(package="focalcore")
class CategoricalFocalLoss(Loss):
    r"""Focal loss against one-hot rows or distributions, for ``compile(loss=...)``.

    .. math:: FL = \alpha_t (1 - p_t)^\gamma CE, \qquad p_t = \sum_c y_c p_c

    with the cross-entropy :math:`CE = -\sum_c y_c \log p_c`, which for a one-hot row is the
    paper's :math:`-\log p_t`. What a layer has masked has no loss, no gradient and no place in the
    mean, whatever its label and what the model gives.

    Parameters
    ----------
    alpha : float, list or dict, optional
        What samples of each class weigh, >= 0: one number for all, one for each, or a dict by class
        label, in which a class that is not named weighs 1.
    gamma : float or list, default 2.0
        The focusing parameter, >= 0, of all classes or of each. 0 gives the cross-entropy.
    soft_targets : {"expected", "mixture", "hard"}, default "expected"
        What a distribution y means. "expected": the formula above, with alpha_t and gamma_t the
        sums of y_c alpha_c and y_c gamma_c. "mixture": sum y_c FL(c), each class with a modulating
        factor of its own. "hard", with `from_logits`: smoothing enters the cross-entropy alone.
    label_smoothing : float, default 0.0
        How far the targets are smoothed, s in [0, 1]: they become (1 - s) y + s / C.
    axis : int, default -1
        The class axis of targets and predictions.
    from_logits : bool, default False
        Whether the model gives logits; else it gives rows of probabilities.
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
        the model gives; a row that is no distribution, where targets can be looked at.

    See Also
    --------
    focalcore.categorical_focal_loss : The function, with arrays of any library.
    SparseCategoricalFocalLoss : Against class labels.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, equation 5.

    Examples
    --------
    >>> from focalcore.keras import CategoricalFocalLoss
    >>> loss = CategoricalFocalLoss(alpha={1: 2.0})
    >>> print(f"{float(loss([[1, 0], [0, 1]], [[0.9, 0.1], [0.4, 0.6]])):.4f}")
    0.0823
    """

    options_class = DistributionOptions
    class_weights = "alpha"

    def __init__(
        self,
        *,
        alpha: ArrayLike | Mapping[int, float] | None = None,
        gamma: ArrayLike = 2.0,
        soft_targets: SoftTargets = "expected",
        label_smoothing: float = 0.0,
        axis: int = -1,
        from_logits: bool = False,
        detach_factor: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self._hold(
            alpha=alpha,
            gamma=gamma,
            soft_targets=soft_targets,
            label_smoothing=label_smoothing,
            axis=axis,
            from_logits=from_logits,
            detach_factor=detach_factor,
        )

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample."""
        y_true, y_pred = map(keras.ops.convert_to_tensor, (y_true, y_pred))
        options = self._options(self._classes(y_pred))
        return _call.value(distributions.prepare(DOOR, y_true, y_pred, options))

    def _classes(self, y_pred: Tensor) -> int:
        shape = tuple(y_pred.shape)
        classes: int = shape[class_axis.from_the_front(DOOR, self.axis, shape)]
        return classes

    def _good_target(self, y_pred: Tensor) -> float:
        return 1 / self._classes(y_pred)
