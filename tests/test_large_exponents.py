"""Exponents that nobody needs are still numbers, or an error."""

import numpy as np
import pytest

from focalcore import (
    FocalLoss,
    sigmoid_focal_loss,
    sigmoid_focal_loss_grad_and_hess,
    softmax_focal_loss,
    softmax_focal_loss_grad_and_hess,
)

from .helpers import fails

X = np.asarray([-200.0, -20.0, -1.0, 0.0, 1.0, 20.0, 200.0])


@pytest.mark.parametrize("gamma", [100.0, 1e6, 999_999_937.25, 1e9], ids="{:g}".format)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nothing_is_nan(place, gamma, dtype):
    x, rows = place.array(X, dtype), place.array(np.stack([X, 0 * X, -X], axis=1), dtype)
    labels = place.array(np.zeros(len(X), "int64"))
    with place.running():
        found = [
            sigmoid_focal_loss(x, 1, gamma=gamma),
            *sigmoid_focal_loss_grad_and_hess(x, 1, gamma=gamma),
            softmax_focal_loss(rows, labels, gamma=gamma),
            *softmax_focal_loss_grad_and_hess(rows, labels, gamma=gamma, label_smoothing=0.1),
        ]
    assert not any(np.isnan(place.numpy(f)).any() for f in found)


def test_a_confident_mistake_keeps_its_loss():
    """1 - p_t is 1 to every digit, whatever its power."""
    assert sigmoid_focal_loss(-200.0, 1, gamma=1e9) == pytest.approx(200)


@pytest.mark.parametrize("gamma", [1.1e9, 1e300, 1e308, [2.0, 1e308]], ids=str)
def test_larger_ones_are_refused(gamma):
    for loss in (sigmoid_focal_loss, softmax_focal_loss):
        with fails(ValueError, "gamma", "at most 1e\\+09"):
            loss([[0.0, 1.0]], [[1, 0]], gamma=gamma)
    with fails(ValueError, "gamma", "at most 1e\\+09"):
        FocalLoss(gamma=gamma)
