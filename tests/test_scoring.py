"""The losses from probabilities, in scikit-learn's order of arguments."""

import numpy as np
import pytest

from conformance import exact
from focalcore import (
    binary_focal_loss,
    categorical_focal_loss,
    sigmoid_focal_loss,
    softmax_focal_loss,
    sparse_categorical_focal_loss,
)

from .helpers import elementwise, fails, rowwise

P = np.asarray([1e-6, 0.05, 0.4, 0.5, 0.93, 1 - 1e-6])


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("y", [0.0, 0.3, 1.0])
def test_probabilities_follow_the_definition(place, gamma, y):
    expected = elementwise(exact.probability_focal, P, y, gamma=gamma)
    loss = binary_focal_loss(place.array(np.full(6, y)), place.array(P), gamma)
    np.testing.assert_allclose(place.numpy(loss), expected, rtol=1e-13)


def test_probabilities_and_logits_agree(place, rng):
    x, y = rng.normal(size=(4, 3)) * 3, place.array(rng.integers(0, 2, (4, 3)))
    options = {"gamma": 1.5, "alpha": 0.3, "pos_weight": 2.0}
    p = place.array(1 / (1 + np.exp(-x)))
    expected = place.numpy(sigmoid_focal_loss(place.array(x), y, **options))
    for y_pred, from_logits in ((p, False), (place.array(x), True)):
        loss = binary_focal_loss(y, y_pred, from_logits=from_logits, **options)
        np.testing.assert_allclose(place.numpy(loss), expected, rtol=1e-12)


ROWS = np.asarray([[0.7, 0.2, 0.1], [1e-6, 0.5, 0.4], [0.05, 0.05, 0.9], [1.0, 0.0, 0.0]])
SHARES = np.asarray([[1.0, 0.0, 0.0], [0.25, 0.25, 0.5], [0.0, 0.9, 0.1], [0.5, 0.5, 0.0]])
OF_ROWS = {
    "expected": {"gamma": 1.5},
    "mixture": {"gamma": 0.5, "soft_targets": "mixture"},
    "smoothed": {"label_smoothing": 0.1},
    "per class": {"gamma": [0.5, 2.0, 3.75], "alpha": [0.25, 1.0, 3.0]},
    "eps": {"eps": 1e-3},
}


@pytest.mark.parametrize("options", OF_ROWS.values(), ids=OF_ROWS)
def test_rows_against_distributions_follow_the_definition(place, options):
    options = {"eps": 2.0**-20} | options
    expected = rowwise(exact.distribution_focal, ROWS, SHARES, **options)
    loss = categorical_focal_loss(place.array(SHARES), place.array(ROWS), **options)
    np.testing.assert_allclose(place.numpy(loss), expected, rtol=1e-13)


@pytest.mark.parametrize("from_logits", [False, True], ids=["probabilities", "logits"])
def test_one_hot_rows_are_class_labels(place, from_logits):
    labels, options = np.asarray([0, 2, 1, 2]), {"gamma": 1.5, "from_logits": from_logits}
    y_pred, weights = place.array(ROWS), [0.5, 1.0, 2.0]
    one_hot = categorical_focal_loss(
        place.array(np.eye(3)[labels]), y_pred, alpha=weights, **options
    )
    expected = sparse_categorical_focal_loss(
        place.array(labels), y_pred, class_weight=weights, **options
    )
    np.testing.assert_allclose(place.numpy(one_hot), place.numpy(expected), rtol=1e-13)


@pytest.mark.parametrize("rule", ["expected", "mixture"])
def test_rows_of_probabilities_and_of_logits_agree_against_distributions(place, rng, rule):
    x = rng.normal(size=(4, 3)) * 3
    p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    options = {"alpha": [0.25, 1.0, 3.0], "label_smoothing": 0.1, "soft_targets": rule}
    expected = place.call(softmax_focal_loss, x, SHARES, **options)
    for y_pred, from_logits in ((p, False), (x, True)):
        loss = categorical_focal_loss(
            place.array(SHARES), place.array(y_pred), from_logits=from_logits, **options
        )
        np.testing.assert_allclose(place.numpy(loss), expected, rtol=1e-12)


def test_classes_of_distributions_may_lie_on_any_axis(place):
    across = categorical_focal_loss(place.array(SHARES.T), place.array(ROWS.T), axis=0)
    along = categorical_focal_loss(place.array(SHARES), place.array(ROWS))
    np.testing.assert_allclose(place.numpy(across), place.numpy(along), rtol=1e-15)


def test_class_labels_are_sent_to_the_loss_for_them():
    with fails(ValueError, "y_true of shape", "class labels go to sparse_categorical_focal_loss"):
        categorical_focal_loss([0, 1], [[0.5, 0.5], [0.2, 0.8]])


def test_smoothing_enters_the_cross_entropy_alone_from_logits_only():
    options = {"soft_targets": "hard", "label_smoothing": 0.1}
    with fails(ValueError, "soft_targets='hard' is for logits", "from_logits=True"):
        categorical_focal_loss([[1, 0]], [[0.5, 0.5]], **options)
    loss = categorical_focal_loss([[1, 0]], [[0.5, -0.5]], from_logits=True, **options)
    assert loss == softmax_focal_loss([[0.5, -0.5]], [[1.0, 0.0]], **options)


def test_label_smoothing_keeps_a_modulating_factor_for_each_class(place):
    y = place.array(np.asarray([0, 1, 0, 1, 0, 1]))
    one = place.call(binary_focal_loss, np.ones(6), P)
    zero = place.call(binary_focal_loss, np.zeros(6), P)
    smoothed = np.where(np.arange(6) % 2, 0.95, 0.05)
    loss = binary_focal_loss(y, place.array(P), label_smoothing=0.1)
    np.testing.assert_allclose(place.numpy(loss), smoothed * one + (1 - smoothed) * zero)
    x = np.log(P / (1 - P))
    logits = binary_focal_loss(y, place.array(x), label_smoothing=0.1, from_logits=True)
    np.testing.assert_allclose(place.numpy(logits), place.numpy(loss), rtol=1e-9)


def test_gamma_is_2_where_nothing_is_said(place):
    y, p = place.array(np.asarray([1.0])), place.array(np.asarray([0.7]))
    rows, labels = place.array(np.asarray([[0.7, 0.3]])), place.array(np.asarray([0]))
    for loss in (binary_focal_loss(y, p), sparse_categorical_focal_loss(labels, rows)):
        np.testing.assert_allclose(place.numpy(loss), -(0.3**2) * np.log(0.7), rtol=1e-14)


@pytest.mark.parametrize("from_logits", [False, True], ids=["probabilities", "logits"])
def test_smoothing_by_nothing_still_gives_each_class_its_factor(place, from_logits):
    """0 is said, and None is not: of a soft target the one is a mixture, the other is not."""
    p = np.asarray([0.2, 0.9])
    given = place.array(np.log(p / (1 - p)) if from_logits else p)

    def loss(y, **options):
        y = place.array(np.full(2, y))
        return place.numpy(binary_focal_loss(y, given, from_logits=from_logits, **options))

    mixture = 0.3 * loss(1.0) + 0.7 * loss(0.0)
    np.testing.assert_allclose(loss(0.3, label_smoothing=0), mixture, rtol=1e-13)
    assert np.all(np.abs(loss(0.3) / mixture - 1) > 0.01)


def test_eps_keeps_the_logarithms_finite_and_clips_nothing_else(place):
    y, p = place.array(np.asarray([1, 0])), place.array(np.asarray([0.0, 1.0]))
    loss = place.numpy(binary_focal_loss(y, p))
    np.testing.assert_allclose(loss, -np.log(np.finfo("float64").eps))
    loss = place.numpy(binary_focal_loss(y, p, eps=1e-7))
    np.testing.assert_allclose(loss, -np.log(1e-7))
    certain = place.numpy(binary_focal_loss(y, place.array(np.asarray([1.0, 0.0])), eps=0.25))
    np.testing.assert_array_equal(certain, [0, 0])
    p = place.array(np.asarray([0.0, 1.0]), "float32")
    np.testing.assert_allclose(
        place.numpy(binary_focal_loss(y, p)), -np.log(np.finfo("float32").eps), rtol=1e-6
    )


DIGITS = {"bfloat16": 7, "float16": 10, "float32": 23, "float64": 52}


def test_the_floor_is_the_epsilon_of_the_type(place):
    y, labels = place.array(np.asarray([1])), place.array(np.asarray([0]))
    for dtype in place.dtypes:
        p, rows = place.array(np.zeros(1), dtype), place.array(np.asarray([[0.0, 1.0]]), dtype)
        for loss in (binary_focal_loss(y, p), sparse_categorical_focal_loss(labels, rows)):
            expected = DIGITS[dtype] * np.log(2)
            rtol = 2.0 ** -DIGITS[dtype]
            np.testing.assert_allclose(place.numpy(loss).astype("float64"), expected, rtol=rtol)


def test_shapes_broadcast_as_those_of_numpy(place):
    y, p = place.array(np.asarray([[0], [1]])), place.array(P)
    assert tuple(binary_focal_loss(y, p).shape) == (2, 6)
    assert tuple(binary_focal_loss(1, p).shape) == (6,)
    assert tuple(binary_focal_loss(y, 0.5).shape) == (2, 1)


def test_rows_of_probabilities_agree_with_logits(place, rng):
    x, labels = rng.normal(size=(6, 4)) * 2, place.array(rng.integers(0, 4, 6))
    rows = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    options = {"gamma": [0.0, 1.0, 2.0, 3.0], "class_weight": [1.0, 2.0, 3.0, 4.0]}
    expected = place.numpy(
        softmax_focal_loss(place.array(x), labels, gamma=options["gamma"], alpha=[1, 2, 3, 4])
    )
    for y_pred, from_logits in ((rows, False), (x, True)):
        loss = sparse_categorical_focal_loss(
            labels, place.array(y_pred), from_logits=from_logits, **options
        )
        np.testing.assert_allclose(place.numpy(loss), expected, rtol=1e-12)


def test_rows_are_not_made_to_sum_to_one(place):
    rows, labels = place.array(np.asarray([[0.5, 0.1]])), place.array(np.asarray([0]))
    loss = place.numpy(sparse_categorical_focal_loss(labels, rows, gamma=1.0))
    assert loss[0] == pytest.approx(-0.5 * np.log(0.5))


def test_the_class_axis_may_be_any(place, rng):
    rows, labels = rng.random((4, 5, 3)), place.array(rng.integers(0, 4, (5, 3)))
    found = sparse_categorical_focal_loss(labels, place.array(rows), axis=0)
    moved = place.array(np.moveaxis(rows, 0, -1))
    expected = place.numpy(sparse_categorical_focal_loss(labels, moved))
    np.testing.assert_array_equal(place.numpy(found), expected)
