"""The loss of models of classes that exclude each other, against class labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras.src.backend import set_keras_mask  # it has no public name

from .. import _call
from .._inputs import class_axis, parse
from .._inputs.doors import CATEGORICAL
from .._inputs.shapes import same_shape, without_axis
from .._losses import categorical
from .._losses.categorical import CategoricalOptions
from .._typing import ArrayLike
from ._loss import Loss, Tensor

DOOR = CATEGORICAL._replace(
    leave_out=("ignore_class=",), for_one_hot="one-hot rows go to CategoricalFocalLoss"
)
# the integers that a type can tell apart
EXACT_UP_TO = {"bfloat16": 2**8, "float16": 2**11, "float32": 2**24, "float64": 2**53}


@keras.saving.register_keras_serializable(package="focalcore")
class SparseCategoricalFocalLoss(Loss):
    r"""Focal loss of a model of classes that exclude each other, for ``compile(loss=...)``.

    .. math:: FL = -\alpha_t (1 - p_t)^\gamma \log p_t

    with the weight :math:`\alpha_t` of the label's class and the probability :math:`p_t` that the
    model gives it. What a layer has masked, and what `ignore_class` leaves out, has no loss, no
    gradient and no place in the mean, whatever the model gives.

    Parameters
    ----------
    gamma : float or list, default 2.0
        The focusing parameter, >= 0, of all classes or of each. 0 gives the cross-entropy.
    class_weight : float, list or dict, optional
        What samples of each class weigh, >= 0: one number for all, one for each, or a dict by class
        label, in which a class that is not named weighs 1.
    from_logits : bool, default False
        Whether the model gives logits; else it gives rows of probabilities.
    axis : int, default -1
        The class axis of what the model gives.
    ignore_class : int, optional
        Samples of this label are left out, such as -1 or 255 for pixels of no class.
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
        An option of the wrong kind or outside its range; labels that have not the shape of what the
        model gives without its class axis, or with that of length 1; a label that is no class,
        where labels can be looked at; more classes than the type can number, for Keras makes it the
        type of the labels too.

    See Also
    --------
    focalcore.sparse_categorical_focal_loss : The function, with arrays of any library.
    CategoricalFocalLoss : Against one-hot rows and distributions.
    BinaryFocalLoss : Classes that do not exclude each other.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, equation 5.

    Examples
    --------
    >>> from focalcore.keras import SparseCategoricalFocalLoss
    >>> loss = SparseCategoricalFocalLoss(gamma=2, ignore_class=255)
    >>> print(f"{float(loss([0, 1, 255], [[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]])):.4f}")
    0.0414
    """

    options_class = CategoricalOptions
    class_weights = "class_weight"

    def __init__(
        self,
        gamma: ArrayLike = 2.0,
        class_weight: ArrayLike | Mapping[int, float] | None = None,
        from_logits: bool = False,
        axis: int = -1,
        *,
        ignore_class: int | None = None,
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
        self.ignore_class = parse.index("ignore_class", ignore_class)

    def get_config(self) -> dict[str, Any]:
        """Return the options, as the constructor takes them."""
        return super().get_config() | {"ignore_class": self.ignore_class}

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample; that of what is left out is 0, and it is masked."""
        y_true, y_pred = map(keras.ops.convert_to_tensor, (y_true, y_pred))
        shape = tuple(y_pred.shape)
        axis = class_axis.from_the_front(DOOR, self.axis, shape)
        if len(y_true.shape) == len(shape) and y_true.shape[axis] == 1:  # as Keras' labels may be
            y_true = keras.ops.squeeze(y_true, axis=axis)
        labels, counted = self._labels(y_true, shape[axis]), None
        if self.ignore_class is not None and same_shape(labels.shape, without_axis(shape, axis)):
            counted = keras.ops.not_equal(labels, self.ignore_class)
            labels = keras.ops.where(counted, labels, 0)
            y_pred = keras.ops.where(keras.ops.expand_dims(counted, axis), y_pred, 0)
        options = self._options(shape[axis])
        losses = _call.value(categorical.prepare(DOOR, labels, y_pred, options))
        if counted is not None:
            losses = keras.ops.where(counted, losses, 0)
            set_keras_mask(losses, counted)
        return losses

    def _labels(self, y_true: Tensor, classes: int) -> Tensor:
        """Return the class labels as integers again, after Keras has made floats of them."""
        if classes > EXACT_UP_TO[self.dtype]:
            raise ValueError(
                f"labels of {classes} classes lose digits in {self.dtype}, which is exact up to "
                f"{EXACT_UP_TO[self.dtype]}; give the loss dtype='float32' or 'float64'"
            )
        labels = keras.ops.cast(y_true, "int32")
        is_whole = keras.ops.cast(labels, self.dtype) == keras.ops.cast(y_true, self.dtype)
        no_class = -1 if self.ignore_class != -1 else -2
        return keras.ops.where(is_whole, labels, no_class)
