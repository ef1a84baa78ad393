"""The value against 60-digit arithmetic, over the whole range of logits."""

import functools

import numpy as np
import pytest

from conformance import exact, tolerances
from focalcore import sigmoid_focal_loss, softmax_focal_loss

GAMMAS = (0.0, 0.5, 1.0, 2.0, 5.0)
HARD_PLACES = (0.0, -0.0, 1e-30, -1e-30, 1e-6, -1e-6, 20.0, -20.0, 88.8, -88.8, 100.0, -100.0)
LOGITS = np.concatenate(
    [np.linspace(-1000, 1000, 101), np.linspace(-30, 30, 241), np.asarray(HARD_PLACES)]
)


@functools.cache
def exactly(x, label, gamma):
    return exact.sigmoid_focal(x, label, gamma)


def worst_ulps(target, found, expected, dtype):
    flushes = target.library in ("jax", "torch")
    return max(
        exact.ulps(f, e, dtype, flushes) for f, e in zip(found.ravel(), expected, strict=True)
    )


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("label", [0, 1])
def test_sigmoid_value_is_within_its_bound(target, dtype, gamma, label):
    logits = LOGITS.astype(dtype)
    expected = [exactly(float(x), label, gamma) for x in logits]

    loss = sigmoid_focal_loss(
        target.array(logits), target.array(np.full(logits.shape, label)), gamma=gamma
    )

    assert worst_ulps(target, target.numpy(loss), expected, dtype) <= tolerances.of_sigmoid_value(
        gamma
    )


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_value_of_two_classes_is_within_the_same_bound(target, dtype, gamma):
    logits = np.stack([LOGITS, np.zeros_like(LOGITS)], axis=-1).astype(dtype)
    expected = [exactly(float(x), 1, gamma) for x, _ in logits]

    loss = softmax_focal_loss(
        target.array(logits), target.array(np.zeros(len(logits), dtype="int64")), gamma=gamma
    )

    assert worst_ulps(target, target.numpy(loss), expected, dtype) <= tolerances.of_sigmoid_value(
        gamma
    )


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_value_of_many_classes_is_within_its_bound(target, dtype, gamma, rng):
    scales = np.repeat([1.0, 5.0, 20.0, 100.0, 1000.0], 12)[:, None]
    logits = (scales * rng.normal(size=(60, 7))).astype(dtype)
    labels = np.where(np.arange(60) % 2, np.argmax(logits, axis=1), 0)
    expected = [exact.softmax_focal(x, y, gamma) for x, y in zip(logits, labels, strict=True)]

    loss = softmax_focal_loss(target.array(logits), target.array(labels), gamma=gamma)

    assert worst_ulps(target, target.numpy(loss), expected, dtype) <= tolerances.of_softmax_value(
        gamma
    )


@pytest.mark.parametrize("margin", [20.0, 60.0])
def test_confident_softmax_keeps_its_digits_in_float32(target, margin):
    logits = np.asarray([[margin, 0.0, -1.0]], dtype="float32")
    expected = exact.softmax_focal(logits[0], 0, 1.0)

    loss = softmax_focal_loss(target.array(logits), target.array(np.asarray([0])), gamma=1.0)

    assert float(target.numpy(loss)[0]) == pytest.approx(float(expected), rel=1e-6)


def test_half_precision_is_the_rounded_float32_result(target, rng):
    logits, labels = rng.normal(size=50) * 6, rng.integers(0, 2, 50)
    for dtype in set(target.dtypes) - {"float32", "float64"}:
        x = target.array(logits, dtype)
        y = target.array(labels)
        wide = np.asarray(target.numpy(x), dtype="float64")
        expected = [float(exact.sigmoid_focal(v, t)) for v, t in zip(wide, labels, strict=True)]

        loss = sigmoid_focal_loss(x, y)

        assert loss.dtype == x.dtype
        ulp = {"float16": 2.0**-10, "bfloat16": 2.0**-7}[dtype]
        np.testing.assert_allclose(
            np.asarray(target.numpy(loss), "float64"), expected, rtol=ulp / 2 * 1.01, atol=1e-7
        )


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_infinite_logits_give_the_limit(target, gamma):
    x = target.array(np.asarray([np.inf, np.inf, -np.inf, -np.inf]))
    for y in (np.asarray([1, 0, 1, 0]), np.asarray([1.0, 0.0, 1.0, 0.0])):
        loss = sigmoid_focal_loss(x, target.array(y), gamma=gamma)
        np.testing.assert_array_equal(target.numpy(loss), [0, np.inf, np.inf, 0])


def test_infinite_logits_of_a_row_give_the_limit(target):
    inf = np.inf
    rows = np.asarray(
        [[inf, 0, 1], [-inf, 0, 1], [0, -inf, -inf], [0, -inf, 1], [0, inf, 1]], dtype="float64"
    )
    expected = [0, inf, 0, float(exact.softmax_focal([0, 1], 0)), inf]
    for y in (np.zeros(5, dtype="int64"), np.eye(3)[np.zeros(5, dtype="int64")]):
        loss = softmax_focal_loss(target.array(rows), target.array(y))
        np.testing.assert_allclose(target.numpy(loss), expected, rtol=1e-15)
