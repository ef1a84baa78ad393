"""The examples of the four systems that this one absorbs."""

import numpy as np
import pytest

from conformance import exact
from focalcore import FocalLoss, binary_focal_loss, sigmoid_focal_loss


def test_braintools_example(place):
    x, y = [2.0, -1.0, 0.5, -2.0], [1.0, 0.0, 1.0, 0.0]
    expected = [float(exact.sigmoid_focal(*xy, alpha=0.25)) for xy in zip(x, y, strict=True)]
    loss = sigmoid_focal_loss(place.array(x), place.array(y), alpha=0.25, gamma=2.0)
    np.testing.assert_allclose(place.numpy(loss), expected, rtol=1e-14)
    expected = [float(exact.sigmoid_focal(*xy)) for xy in zip(x, y, strict=True)]
    loss = sigmoid_focal_loss(place.array(x), place.array(y), alpha=None, gamma=2.0)
    np.testing.assert_allclose(place.numpy(loss), expected, rtol=1e-14)


def test_focal_loss_example_prints_what_its_documentation_prints():
    with np.printoptions(precision=3):
        assert str(binary_focal_loss([0, 1, 1], [0.1, 0.7, 0.9], gamma=2)) == "[0.001 0.032 0.001]"


def test_focal_loss_plot_broadcasts_a_scalar_label():
    p = np.linspace(0, 1, 100)
    for gamma in (0, 0.5, 1, 2, 5):
        loss = binary_focal_loss(1, p, gamma=gamma)
        assert loss.shape == (100,)
        assert np.all(np.diff(loss) < 0)


def test_itakurah_binary_example(place, rng):
    criterion = FocalLoss(gamma=2, alpha=0.25, task_type="binary")
    x, y = rng.normal(size=16), rng.integers(0, 2, 16).astype("float64")
    expected = np.mean(
        [float(exact.sigmoid_focal(*xy, alpha=0.25)) for xy in zip(x, y, strict=True)]
    )
    assert float(place.numpy(criterion(place.array(x), place.array(y)))) == pytest.approx(
        expected, rel=1e-14
    )


def test_itakurah_multi_class_example(place, rng):
    criterion = FocalLoss(gamma=2, alpha=[1.0] * 5, task_type="multi-class", num_classes=5)
    x, labels = rng.normal(size=(16, 5)), rng.integers(0, 5, 16)
    expected = np.mean(
        [float(exact.softmax_focal(row, t)) for row, t in zip(x, labels, strict=True)]
    )
    loss = criterion(place.array(x), place.array(labels))
    assert float(place.numpy(loss)) == pytest.approx(expected, rel=1e-14)


def test_itakurah_multi_label_example(place, rng):
    criterion = FocalLoss(gamma=2, alpha=0.25, task_type="multi-label")
    x, y = rng.normal(size=(16, 5)), rng.integers(0, 2, (16, 5)).astype("float64")
    expected = np.mean(
        [
            float(exact.sigmoid_focal(*xy, alpha=0.25))
            for xy in zip(x.ravel(), y.ravel(), strict=True)
        ]
    )
    loss = criterion(place.array(x), place.array(y))
    assert float(place.numpy(loss)) == pytest.approx(expected, rel=1e-14)
