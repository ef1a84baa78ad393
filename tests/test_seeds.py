"""The examples of the four systems that this one absorbs."""

import numpy as np
import pytest

from conformance import exact
from focalcore import FocalLoss, binary_focal_loss, sigmoid_focal_loss

from .helpers import elementwise, rowwise


def test_braintools_example_has_the_exact_loss(place):
    x, y = [2.0, -1.0, 0.5, -2.0], [1.0, 0.0, 1.0, 0.0]
    expected = elementwise(exact.sigmoid_focal, x, y, alpha=0.25)
    loss = place.call(sigmoid_focal_loss, x, y, alpha=0.25, gamma=2.0)
    np.testing.assert_allclose(loss, expected, rtol=1e-14)
    expected = elementwise(exact.sigmoid_focal, x, y)
    loss = place.call(sigmoid_focal_loss, x, y, alpha=None, gamma=2.0)
    np.testing.assert_allclose(loss, expected, rtol=1e-14)


def test_focal_loss_example_prints_what_its_documentation_prints():
    with np.printoptions(precision=3):
        assert str(binary_focal_loss([0, 1, 1], [0.1, 0.7, 0.9], gamma=2)) == "[0.001 0.032 0.001]"


def test_focal_loss_plot_broadcasts_a_scalar_label():
    p = np.linspace(0, 1, 100)
    for gamma in (0, 0.5, 1, 2, 5):
        loss = binary_focal_loss(1, p, gamma=gamma)
        assert loss.shape == (100,)
        assert np.all(np.diff(loss) < 0)


def test_itakurah_binary_example_has_the_exact_mean(place, rng):
    criterion = FocalLoss(gamma=2, alpha=0.25, task_type="binary")
    x, y = rng.normal(size=16), rng.integers(0, 2, 16).astype("float64")
    expected = elementwise(exact.sigmoid_focal, x, y, alpha=0.25).mean()
    assert float(place.call(criterion, x, y)) == pytest.approx(expected, rel=1e-14)


def test_itakurah_multi_class_example_has_the_exact_mean(place, rng):
    criterion = FocalLoss(gamma=2, alpha=[1.0] * 5, task_type="multi-class", num_classes=5)
    x, labels = rng.normal(size=(16, 5)), rng.integers(0, 5, 16)
    expected = rowwise(exact.softmax_focal, x, labels).mean()
    loss = place.call(criterion, x, labels)
    assert float(loss) == pytest.approx(expected, rel=1e-14)


def test_itakurah_multi_label_example_has_the_exact_mean(place, rng):
    criterion = FocalLoss(gamma=2, alpha=0.25, task_type="multi-label")
    x, y = rng.normal(size=(16, 5)), rng.integers(0, 2, (16, 5)).astype("float64")
    expected = elementwise(exact.sigmoid_focal, x, y, alpha=0.25).mean()
    loss = place.call(criterion, x, y)
    assert float(loss) == pytest.approx(expected, rel=1e-14)
