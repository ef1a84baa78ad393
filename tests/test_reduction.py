"""Masks, weights, reductions and what the mean divides by."""

import numpy as np
import pytest

from conformance.places import JAX
from focalcore import sigmoid_focal_loss, softmax_focal_loss
from focalcore._dtypes import dtype_name


@pytest.fixture
def problem(rng):
    x, y = rng.normal(size=(5, 3)) * 3, rng.integers(0, 2, (5, 3))
    mask, weight = rng.random((5, 3)) < 0.6, rng.random((5, 3))
    y[0, 0], mask[0, 0] = 1, True
    return x, y, mask, weight


def each(place, x, y, **options):
    return place.call(sigmoid_focal_loss, x, y, **options)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_reductions_are_those_of_the_elements(place, problem, reduction):
    x, y, _, _ = problem
    expected = getattr(np, reduction)(each(place, x, y))
    assert each(place, x, y, reduction=reduction) == pytest.approx(expected, rel=1e-14)


def test_mask_leaves_out_value_and_count(place, problem):
    x, y, mask, _ = problem
    loss = each(place, x, y)
    masked = place.array(mask)
    np.testing.assert_array_equal(each(place, x, y, mask=masked), np.where(mask, loss, 0))
    mean = each(place, x, y, mask=masked, reduction="mean")
    assert mean == pytest.approx(loss[mask].mean(), rel=1e-14)


@pytest.mark.parametrize("ignored", [-100, -1, 255, 2])
@pytest.mark.parametrize("dtype", ["int64", "int32", "float32"])
def test_ignore_index_leaves_out_value_and_count(place, problem, ignored, dtype):
    x, y, mask, _ = problem
    loss = each(place, x, y)
    y = np.where(mask, y, ignored).astype(dtype)
    options = {"ignore_index": ignored}
    np.testing.assert_array_equal(each(place, x, y, **options), np.where(mask, loss, 0))
    mean = each(place, x, y, reduction="mean", **options)
    assert mean == pytest.approx(loss[mask].mean(), rel=1e-14)


@pytest.mark.parametrize(
    ("dtype", "label", "ignored", "is_left_out"),
    [
        ("uint8", 255, 255, True),
        ("int8", -100, -100, True),
        ("uint8", 156, -100, False),  # which is 156 modulo 256
    ],
)
def test_small_labels_are_compared_without_wrapping(place, rng, dtype, label, ignored, is_left_out):
    labels = np.asarray([1, 2, label], dtype)
    loss = place.call(softmax_focal_loss, rng.normal(size=(3, 200)), labels, ignore_index=ignored)
    np.testing.assert_array_equal(loss == 0, [False, False, is_left_out])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_left_out_may_be_anything(place, problem, bad):
    x, y, mask, _ = problem
    expected = each(place, x, y, mask=place.array(mask), reduction="mean")
    broken = np.where(mask, x, bad)
    found = each(place, broken, y, mask=place.array(mask), reduction="mean")
    assert found == pytest.approx(expected, rel=1e-14)
    y = np.where(mask, y, -100)
    assert each(place, broken, y, ignore_index=-100, reduction="mean") == pytest.approx(expected)


@pytest.mark.parametrize("bad", [7.0, -1.0, np.nan], ids=str)
def test_left_out_targets_may_be_anything_too(place, problem, bad):
    x, y, mask, _ = problem
    m = place.array(mask)
    found = each(place, x, np.where(mask, y, bad), mask=m, reduction="mean")
    assert found == pytest.approx(each(place, x, y, mask=m, reduction="mean"), rel=1e-14)


def test_a_gamma_learns_nothing_from_what_is_left_out(place):
    if not place.differentiates:
        pytest.skip("it does not differentiate")
    x, y = np.asarray([0.5, -1.0, 2.0]), np.asarray([0, np.nan, 1])
    kept = np.asarray([True, False, True])

    def slope(x, y, mask):
        x, y, mask = place.array(x), place.array(y), place.array(mask)

        def loss(gamma):
            return sigmoid_focal_loss(x, y, gamma=gamma, mask=mask, reduction="sum")

        return place.numpy(place.gradient("eager", loss)(place.array(np.asarray([1.5]))))

    np.testing.assert_allclose(slope(x, y, kept), slope(x[kept], y[kept], kept[kept]), rtol=1e-13)


def test_an_ignored_row_may_hold_anything(place, rng):
    x, labels = rng.normal(size=(4, 3)), np.asarray([0, 2, -100, 1])
    expected = place.call(softmax_focal_loss, x[[0, 1, 3]], labels[[0, 1, 3]])
    x[2] = [np.nan, np.inf, 0]
    loss = place.call(softmax_focal_loss, x, labels, ignore_index=-100)
    np.testing.assert_array_equal(loss[2], 0)
    np.testing.assert_allclose(loss[[0, 1, 3]], expected)


def test_a_masked_row_may_hold_anything(place, rng):
    x, y = rng.normal(size=(4, 3)), np.eye(3)[[0, 2, 0, 1]]
    expected = place.call(softmax_focal_loss, x[[0, 1, 3]], y[[0, 1, 3]])
    x[2], y[2] = [np.nan, np.inf, 0], np.nan
    mask = place.array(np.asarray([True, True, False, True]))
    loss = place.call(softmax_focal_loss, x, y, mask=mask)
    np.testing.assert_array_equal(loss[2], 0)
    np.testing.assert_allclose(loss[[0, 1, 3]], expected)


def test_weight_multiplies_and_enters_no_count(place, problem):
    x, y, mask, weight = problem
    loss = each(place, x, y)
    w, m = place.array(weight), place.array(mask)
    np.testing.assert_allclose(each(place, x, y, weight=w), weight * loss, rtol=1e-15)
    mean = each(place, x, y, weight=w, mask=m, reduction="mean")
    assert mean == pytest.approx((weight * loss)[mask].mean(), rel=1e-14)


def test_weight_of_rows_broadcasts(place, problem):
    x, y, mask, weight = problem
    expected = (weight[:, :1] * each(place, x, y))[mask].sum() / (weight[:, :1] * np.ones(3))[
        mask
    ].sum()
    w, m = place.array(weight[:, :1]), place.array(mask)
    mean = each(place, x, y, weight=w, mask=m, reduction="mean", normalizer="weight")
    assert mean == pytest.approx(expected, rel=1e-14)


def test_integer_weights_count_repetitions(place, problem):
    x, y, _, _ = problem
    times = np.arange(15).reshape(5, 3)
    expected = np.average(each(place, x, y), weights=times)
    w = place.array(times)
    mean = each(place, x, y, weight=w, reduction="mean", normalizer="weight")
    assert mean == pytest.approx(expected, rel=1e-14)


def test_normalizer_positives_counts_positive_targets(place, problem):
    x, y, mask, _ = problem
    loss = each(place, x, y)
    mean = each(place, x, y, mask=place.array(mask), reduction="mean", normalizer="positives")
    assert mean == pytest.approx(loss[mask].sum() / y[mask].sum(), rel=1e-14)


def test_normalizer_positives_sums_soft_targets_before_smoothing(place, problem):
    x, _, _, y = problem
    loss = each(place, x, y, label_smoothing=0.2)
    mean = each(place, x, y, label_smoothing=0.2, reduction="mean", normalizer="positives")
    assert mean == pytest.approx(loss.sum() / y.sum(), rel=1e-14)


@pytest.mark.parametrize("normalizer", [7, 7.0, np.float64(7)], ids=repr)
def test_normalizer_may_be_a_number(place, problem, normalizer):
    x, y, _, _ = problem
    mean = each(place, x, y, reduction="mean", normalizer=normalizer)
    assert mean == pytest.approx(each(place, x, y).sum() / 7, rel=1e-14)


def test_normalizer_may_be_a_0d_array(place, problem):
    x, y, _, _ = problem
    for count in (7, 7.0):
        mean = each(place, x, y, reduction="mean", normalizer=place.array(count))
        assert mean == pytest.approx(each(place, x, y).sum() / 7, rel=1e-14)


def test_a_mean_over_nothing_is_zero(place, problem):
    x, y, mask, weight = problem
    nothing = place.array(np.zeros_like(mask))
    assert each(place, x, y, mask=nothing, reduction="mean") == 0
    assert each(place, x, 0 * y - 1, ignore_index=-1, reduction="mean") == 0
    weightless = {"weight": place.array(0 * weight), "normalizer": "weight"}
    assert each(place, x, y, reduction="mean", **weightless) == 0


def test_a_mean_without_positives_is_the_sum(place, problem):
    x, y, _, _ = problem
    mean = each(place, x, 0 * y, reduction="mean", normalizer="positives")
    assert mean == pytest.approx(each(place, x, 0 * y, reduction="sum"))


def test_a_normalizer_of_zero_divides_by_one(place, problem):
    x, y, _, _ = problem
    mean = each(place, x, y, reduction="mean", normalizer=0)
    assert mean == each(place, x, y, reduction="sum")


def test_softmax_mean_is_over_the_rows_that_count(place, rng):
    x, labels = rng.normal(size=(2, 3, 4)), rng.integers(0, 4, (2, 3))
    mask, weight = rng.random((2, 3)) < 0.5, rng.random((2, 3))
    x, y = place.array(x), place.array(labels)
    loss = place.numpy(softmax_focal_loss(x, y))
    options = {"mask": place.array(mask), "weight": place.array(weight), "reduction": "mean"}
    mean = place.numpy(softmax_focal_loss(x, y, **options))
    assert mean == pytest.approx((weight * loss)[mask].mean(), rel=1e-14)
    mean = place.numpy(softmax_focal_loss(x, y, **options, normalizer="weight"))
    assert mean == pytest.approx(np.average(loss[mask], weights=weight[mask]), rel=1e-14)


def test_what_lies_in_rows_broadcasts_over_them(place, rng):
    x, labels = rng.normal(size=(2, 3, 4)), rng.integers(0, 3, (2, 4))
    mask, weight = np.asarray([[True, False, True, True]]), rng.random((2, 1))
    loss = place.call(softmax_focal_loss, x, labels, axis=1)
    found = place.call(
        softmax_focal_loss, x, labels, axis=1, mask=place.array(mask), weight=place.array(weight)
    )
    np.testing.assert_allclose(found, np.where(mask, weight * loss, 0), rtol=1e-14)


def test_half_precision_reduces_in_float32(place):
    for dtype in set(place.dtypes) - {"float32", "float64"}:
        x = place.array(np.zeros(70_000), dtype)
        y = place.array(np.ones(70_000))
        total = sigmoid_focal_loss(x, y, gamma=0, reduction="sum")
        assert dtype_name(total.dtype) == "float32"
        assert float(place.numpy(total)) == pytest.approx(70_000 * np.log(2), rel=1e-5)


@pytest.mark.parametrize(
    ("dtype", "ignored"),
    [
        *(("uint32", 2**32 - 1), ("uint64", 2**63 - 1), ("int32", 2**40), ("uint8", -100)),
        *(("int8", 2**7), ("uint8", 2**8), ("int32", 2**31), ("uint32", 2**32)),
    ],
)
def test_an_ignored_label_never_wraps_to_a_class(place, dtype, ignored):
    kept = np.asarray([0, 2, 1]).astype(dtype)
    fits = 0 <= ignored <= np.iinfo(dtype).max
    labels = np.where([True, True, not fits], kept, np.asarray(ignored if fits else 0, dtype))
    x = place.array(np.asarray([[1.0, 2.0, 3.0]] * 3))
    try:
        y = place.array(labels.astype(dtype))
    except TypeError:  # a type that torch does not have
        y = place.array(labels.astype("int64"))
    found = place.numpy(softmax_focal_loss(x, y, ignore_index=ignored))
    expected = softmax_focal_loss(np.asarray([[1.0, 2.0, 3.0]] * 3), kept.astype(int))
    np.testing.assert_allclose(found, np.where([True, True, not fits], expected, 0.0), rtol=1e-12)


def test_a_mean_counts_past_the_integers_of_float32():
    JAX.require()
    x = JAX.xp.zeros(2**24 + 1)
    mean = sigmoid_focal_loss(x, 0, gamma=0, mask=x == 0, reduction="mean")
    assert float(mean) == pytest.approx(np.log(2), rel=1e-12)


@pytest.mark.parametrize(("dtype", "least"), [("uint8", 0), ("int8", -(2**7)), ("int32", -(2**31))])
def test_the_least_label_of_a_type_can_be_ignored(place, dtype, least):
    x = place.array(np.asarray([[1.0, 2.0, 3.0]] * 2))
    labels = place.array(np.asarray([least, 1]).astype(dtype))
    found = place.numpy(softmax_focal_loss(x, labels, ignore_index=least))
    np.testing.assert_array_equal(found > 0, [False, True])
