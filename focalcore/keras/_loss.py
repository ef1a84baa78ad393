"""The base of the losses: their options, which are saved with the model, and what is masked."""

from __future__ import annotations

from functools import reduce
from typing import Any, NamedTuple

import keras
import numpy as np
from keras.src.backend import get_keras_mask, set_keras_mask  # they have no public names

from .._inputs.options import Options
from .._inputs.shapes import same_shape
from ._class_weights import by_class, in_order

Tensor = Any  # of the backend of Keras, which has no types


class Each(NamedTuple):
    """The loss of each sample, and which samples count (None: all)."""

    losses: Tensor
    counted: Tensor | None


class Loss(keras.losses.Loss):  # type: ignore[misc] # keras has no types
    """A loss whose options are saved with the model, and to which nothing counts that is masked."""

    options_class: type[Options]
    class_weights: str = ""  # the option that may be a dict by class

    def _hold(self, **options: Any) -> None:
        """Check the options and keep them, with tensors as numbers that can be saved."""
        self._held = tuple(options)
        for name, given in options.items():
            value = _constant(given)
            is_by_class = name == self.class_weights and isinstance(value, dict)
            parse = by_class if is_by_class else self.options_class.parse
            setattr(self, name, parse(name, value))
        self._options(None)  # which checks them together

    def _options(self, classes: int | None) -> Any:
        """Return the options, for so many classes (None: without weights that are a dict)."""
        given, name = self._given(), self.class_weights
        if isinstance(weights := given.get(name), dict):
            given[name] = None if classes is None else in_order(name, weights, classes)
        return self.options_class(**given)

    def _given(self) -> dict[str, Any]:
        """Return the options by name."""
        return {name: getattr(self, name) for name in self._held}

    def get_config(self) -> dict[str, Any]:
        """Return the options, as the constructor takes them."""
        config: dict[str, Any] = super().get_config()
        config["dtype"] = self.dtype
        return config | {name: _saved(value) for name, value in self._given().items()}

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        """Return the loss of the samples, reduced as Keras does."""
        return super().__call__(*self._unmasked(y_true, y_pred), sample_weight)

    def each(self, y_true: Any, y_pred: Any) -> Each:
        """Return the loss of each sample, and which of them count."""
        y_true, y_pred = self._unmasked(y_true, y_pred)
        by_layer = get_keras_mask(y_pred)
        losses = self.call(*(keras.ops.convert_to_tensor(x, self.dtype) for x in (y_true, y_pred)))
        by_label = get_keras_mask(losses)
        masks = [with_rank(mask, losses) for mask in (by_layer, by_label) if mask is not None]
        return Each(losses, reduce(keras.ops.logical_and, masks) if masks else None)

    def _unmasked(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """Return both with good values where a layer has masked what the model gives.

        Keras multiplies the loss of what is masked by 0, and 0 times NaN is NaN.
        """
        mask = get_keras_mask(y_pred)
        if mask is None:
            return y_true, y_pred
        y_true, y_pred = (keras.ops.convert_to_tensor(x, self.dtype) for x in (y_true, y_pred))
        is_kept = keras.ops.cast(mask, "bool")
        kept = keras.ops.where(with_rank(is_kept, y_pred), y_pred, 0.0)
        set_keras_mask(kept, mask)
        if same_shape(y_true.shape[: len(mask.shape)], mask.shape):  # elsewhere `call` says so
            good = self._good_target(y_pred)
            y_true = keras.ops.where(with_rank(is_kept, y_true), y_true, good)
        return y_true, kept

    def _good_target(self, y_pred: Tensor) -> float:  # noqa: ARG002
        """Return a number that every target may be."""
        return 0.0


def with_rank(x: Tensor, whole: Tensor) -> Tensor:
    """Return what the first axes of a whole have, with as many axes as that has."""
    for _ in range(len(whole.shape) - len(x.shape)):
        x = keras.ops.expand_dims(x, axis=-1)
    return x


def _saved(value: Any) -> Any:
    """Return an option in a form that JSON can hold."""
    return np.asarray(value).tolist() if isinstance(value, tuple | np.ndarray) else value


def _constant(value: Any) -> Any:
    """Return an option as numbers, which can be saved."""
    return keras.ops.convert_to_numpy(value) if keras.ops.is_tensor(value) else value
