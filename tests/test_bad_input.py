"""Bad input: one clear line with what was found and what is allowed, never a plausible number."""

import numpy as np
import pytest

from conformance.places import CUPY, DASK, JAX, NUMPY, STRICT, TORCH
from focalcore import (
    FocalLoss,
    binary_focal_loss,
    sigmoid_focal_loss,
    softmax_focal_loss,
    sparse_categorical_focal_loss,
)

from .helpers import fails

X, Y = np.asarray([[2.0, -1.0, 0.5], [1.0, 0.0, -3.0]]), np.asarray([[1, 0, 1], [0, 0, 1]])
LABELS = np.asarray([0, 2])


BAD_OPTIONS = {
    "gamma negative": ({"gamma": -1}, ValueError, ("gamma", "-1", ">= 0")),
    "gamma NaN": ({"gamma": np.nan}, ValueError, ("gamma", "nan", ">= 0")),
    "gamma infinite": ({"gamma": np.inf}, ValueError, ("gamma", "inf", "finite")),
    "gamma negative for a class": ({"gamma": [1.0, -0.5, 1.0]}, ValueError, ("gamma", "-0.5")),
    "gamma text": ({"gamma": "2"}, TypeError, ("gamma", "str", ">= 0")),
    "gamma boolean": ({"gamma": True}, TypeError, ("gamma", "bool")),
    "alpha -1": ({"alpha": -1}, ValueError, ("alpha", "-1", "None")),
    "alpha NaN": ({"alpha": np.nan}, ValueError, ("alpha", "nan")),
    "alpha of the wrong length": ({"alpha": [0.5, 0.5]}, ValueError, ("alpha", "2", "3")),
    "gamma of the wrong length": ({"gamma": [0.5] * 4}, ValueError, ("gamma", "4", "3")),
    "reduction": ({"reduction": "avg"}, ValueError, ("reduction", "'avg'", "'mean'", "'none'")),
    "soft targets": ({"soft_targets": "soft"}, ValueError, ("soft_targets", "'soft'", "'mixture'")),
    "hard without smoothing": ({"soft_targets": "hard"}, ValueError, ("hard", "label_smoothing")),
    "smoothing": ({"label_smoothing": 1.5}, ValueError, ("label_smoothing", "1.5", r"\[0, 1\]")),
    "normalizer alone": ({"normalizer": 3}, ValueError, ("normalizer", "'mean'", "'none'")),
    "normalizer name": (
        {"normalizer": "count", "reduction": "mean"},
        ValueError,
        ("normalizer", "'count'", "'weight'", "number"),
    ),
    "normalizer negative": ({"normalizer": -2, "reduction": "mean"}, ValueError, ("-2",)),
    "normalizer list": ({"normalizer": [1, 2], "reduction": "mean"}, ValueError, ("one number",)),
    "normalizer without weight": (
        {"normalizer": "weight", "reduction": "mean"},
        ValueError,
        ("normalizer", "weight"),
    ),
    "ignore_index": ({"ignore_index": 1.5}, TypeError, ("ignore_index", "1.5", "integer")),
    "mask of numbers": ({"mask": [1, 0]}, TypeError, ("mask", "boolean", "int(32|64)")),
    "mask of the wrong shape": ({"mask": [True] * 5}, ValueError, ("mask", "5")),
    "weight of the wrong shape": ({"weight": [1.0] * 5}, ValueError, ("weight", "5")),
}


@pytest.mark.parametrize("case", BAD_OPTIONS)
@pytest.mark.parametrize("loss", [sigmoid_focal_loss, softmax_focal_loss])
def test_bad_options_are_named(place, loss, case):
    options, error, words = BAD_OPTIONS[case]
    targets = Y if loss is sigmoid_focal_loss else LABELS
    with fails(error, *words):
        loss(place.array(X), place.array(targets), **options)


def test_sigmoid_alpha_is_at_most_one(place):
    for alpha in (1.5, [0.5, 2.0, 0.1]):
        with fails(ValueError, "alpha", r"\[0, 1\]"):
            sigmoid_focal_loss(place.array(X), place.array(Y), alpha=alpha)
    with fails(ValueError, "pos_weight", "-1", ">= 0"):
        sigmoid_focal_loss(place.array(X), place.array(Y), pos_weight=-1.0)


def test_softmax_positives_are_what_is_not_the_background(place):
    with fails(ValueError, "normalizer='positives'", "give background"):
        softmax_focal_loss(
            place.array(X), place.array(LABELS), reduction="mean", normalizer="positives"
        )


@pytest.mark.parametrize("shape", [(2,), (1,), (1, 1)], ids=str)
def test_a_normalizer_is_no_array_of_one_or_several(place, shape):
    for several in (np.ones(shape), place.array(np.ones(shape))):
        with pytest.raises(ValueError, match="normalizer must be one number"):
            sigmoid_focal_loss(place.array(X), place.array(Y), reduction="mean", normalizer=several)


def test_a_normalizer_for_each_element_is_refused_in_one_line(place):
    x, y = place.array(np.zeros((40, 3))), place.array(np.zeros((40, 3)))
    for several in (np.ones((40, 3)), place.array(np.ones((40, 3)))):
        with fails(ValueError, "normalizer must be one number"):
            sigmoid_focal_loss(x, y, reduction="mean", normalizer=several)


def test_options_of_the_library_are_checked_where_they_can_be_seen(place):
    gamma = place.array(np.asarray([1.0, -1.0, 2.0]))
    if place.can_raise:
        with fails(ValueError, "gamma", "-1"):
            sigmoid_focal_loss(place.array(X), place.array(Y), gamma=gamma)
    else:
        loss = place.call(sigmoid_focal_loss, X, Y, gamma=gamma)
        np.testing.assert_array_equal(np.isnan(loss[0]), [False, True, False])


SHAPES = {
    "(N,) against (N, 1)": ((4,), (4, 1), "reshape targets"),
    "(N, 1) against (N,)": ((4, 1), (4,), "reshape targets"),
    "shorter": ((4,), (3,), r"must have the shape \(4,\)"),
    "past the logits": ((1, 3), (2, 3), r"must have the shape \(1, 3\)"),
    "more axes": ((3,), (2, 3), r"must have the shape \(3,\)"),
    "(N, 1) against (N, 1, 1)": ((4, 1, 1), (4, 1), r"reshape targets to \(4, 1, 1\)"),
    "a row of a square": ((4, 4), (4,), r"reshape targets to \(4, 1\) or \(1, 4\)"),
    "without the batch": ((2, 2, 4, 5), (2, 4, 5), r"to \(2, 1, 4, 5\) or \(1, 2, 4, 5\)"),
}


@pytest.mark.parametrize("case", SHAPES)
def test_targets_that_do_not_fit_are_an_error(place, case):
    logits, targets, fix = SHAPES[case]
    with fails(ValueError, "targets", "logits", fix):
        sigmoid_focal_loss(place.array(np.zeros(logits)), place.array(np.zeros(targets)))


@pytest.mark.parametrize("shape", [(2, 1), (3,), (3, 2), (2, 3, 1), ()], ids=str)
def test_softmax_targets_that_do_not_fit_are_an_error(place, shape):
    with fails(ValueError, "targets", "logits"):
        softmax_focal_loss(place.array(X), place.array(np.zeros(shape, dtype="int64")))


def test_pairs_of_everything_are_never_meant(place):
    y, p = place.array(np.ones(4)), place.array(np.full((4, 1), 0.5))
    with fails(ValueError, "y_true", "y_pred", "reshape"):
        binary_focal_loss(y, p)
    with fails(ValueError, "y_true", "y_pred", "reshape"):
        sparse_categorical_focal_loss(place.array(np.asarray([[0], [1]])), place.array(X * 0))


@pytest.mark.parametrize(
    ("dtype", "name"), [("int64", "int64"), ("bool", "bool"), ("complex128", "complex128")]
)
def test_logits_must_be_real_floating(place, dtype, name):
    x = place.array(np.ones((2, 3)), dtype)
    with fails(TypeError, "logits", name, "float32"):
        sigmoid_focal_loss(x, place.array(Y))


def test_complex_and_text_targets_are_refused(place):
    with fails(TypeError, "targets", "complex"):
        sigmoid_focal_loss(place.array(X), place.array(Y, "complex128"))
    for bad in (["a", "b", "c"], [1j, 0, 0]):
        with fails(TypeError, "targets", "real numbers"):
            sigmoid_focal_loss(place.array(X), bad)
    with fails(ValueError, "targets", "rectangular"):
        sigmoid_focal_loss(place.array(X), [[1, 0], [1]])
    with fails(TypeError, "targets", "NoneType"):
        sigmoid_focal_loss(place.array(X), None)


def test_float_class_labels_are_refused(place):
    with fails(TypeError, "class labels", "integer", "float64"):
        softmax_focal_loss(place.array(X), place.array(LABELS * 1.0))


@pytest.mark.parametrize("bad", [2, -1, 255, -100, 0.5 + 1e3, np.nan, np.inf], ids=str)
def test_bad_targets_raise_with_value_and_place_or_give_nan(place, bad):
    y = np.where(np.asarray([[0, 0, 0], [0, 1, 0]]), bad, Y)
    x, y = place.array(X), place.array(y)
    if place.can_raise:
        with fails(ValueError, "targets", r"\[0, 1\]", r"\(1, 1\)", str(bad)):
            sigmoid_focal_loss(x, y)
    else:
        found = np.isnan(place.numpy(sigmoid_focal_loss(x, y)))
        np.testing.assert_array_equal(found, [[0, 0, 0], [0, 1, 0]])
        assert np.isnan(place.numpy(sigmoid_focal_loss(x, y, reduction="mean")))


def test_the_place_of_a_bad_target_is_that_of_the_first_that_counts(place):
    y = place.array(np.asarray([[0.0, 7.0, 1.0]]))
    mask = place.array(np.asarray([[False], [False], [True], [True]]))
    x = place.array(np.zeros((4, 3)))
    if place.can_raise:
        with fails(ValueError, "targets", r"found 7.0 at index \(2, 1\)"):
            sigmoid_focal_loss(x, y, mask=mask)
    else:
        found = np.argwhere(np.isnan(place.numpy(sigmoid_focal_loss(x, y, mask=mask))))
        np.testing.assert_array_equal(found, [[2, 1], [3, 1]])


@pytest.mark.parametrize("bad", [3, -1, 255, -100, 2**31 + 1, 2**32])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_bad_class_labels_raise_with_value_and_place_or_give_nan(place, bad, smoothing):
    x, labels = place.array(X), place.array(np.asarray([0, bad]))
    if place.can_raise:
        with fails(ValueError, "class labels", "0 to 2", str(bad), r"\(1,\)"):
            softmax_focal_loss(x, labels, label_smoothing=smoothing)
    else:
        loss = place.numpy(softmax_focal_loss(x, labels, label_smoothing=smoothing))
        np.testing.assert_array_equal(np.isnan(loss), [False, True])


def test_an_unsigned_label_beyond_all_classes_never_wraps_to_one(place):
    labels = np.asarray([0, 2**32 + 1], "uint64")
    try:
        labels = place.array(labels)
    except TypeError:  # a type that torch does not have
        labels = place.array(labels.astype("int64"))
    if place.can_raise:
        with fails(ValueError, "class labels", "4294967297"):
            softmax_focal_loss(place.array(X), labels)
    else:
        loss = place.numpy(softmax_focal_loss(place.array(X), labels))
        np.testing.assert_array_equal(np.isnan(loss), [False, True])


@pytest.mark.parametrize(
    "bad", [[1, 1, 0], [0, 0, 0], [0.5, 0.6, -0.1], [np.nan, 1, 0], [2, -1, 0]], ids=str
)
def test_rows_that_are_no_distribution_raise_or_give_nan(place, bad):
    x, y = place.array(X), place.array(np.asarray([[0.2, 0.3, 0.5], bad], dtype="float64"))
    if place.can_raise:
        with fails(ValueError, "targets", "1"):
            softmax_focal_loss(x, y)
    else:
        np.testing.assert_array_equal(
            np.isnan(place.numpy(softmax_focal_loss(x, y))), [False, True]
        )


@pytest.mark.parametrize(
    ("total", "is_one"), [(0.98, False), (0.995, True), (1.005, True), (1.02, False)]
)
def test_a_distribution_sums_to_one_within_a_hundredth(place, total, is_one):
    x, y = place.array(X), place.array(np.asarray([[0.2, 0.3, 0.5], [0.2, 0.3, total - 0.5]]))
    if place.can_raise and not is_one:
        with fails(ValueError, "targets must sum to 1", str(total), r"\(1,\)"):
            softmax_focal_loss(x, y)
    else:
        loss = place.numpy(softmax_focal_loss(x, y))
        np.testing.assert_array_equal(np.isnan(loss), [False, not is_one])


@pytest.mark.parametrize("dtype", ["int64", "float32"])
@pytest.mark.parametrize("last", [True, False], ids=["in the last piece", "in the first"])
def test_one_bad_target_among_many_good_ones_is_found(place, dtype, last):
    y = np.zeros(2**17 + 5, dtype)
    spot = len(y) - 1 if last else 0
    y[spot] = 2
    x, y = place.array(np.zeros(len(y), "float32")), place.array(y)
    if place.can_raise:
        with fails(ValueError, "targets", "found 2", rf"\({spot},\)"):
            sigmoid_focal_loss(x, y)
    else:
        (found,) = np.flatnonzero(np.isnan(place.numpy(sigmoid_focal_loss(x, y))))
        assert found == spot


def test_ignore_index_is_not_for_distributions(place):
    x, y = place.array(X), place.array(np.eye(3)[:2])
    with fails(ValueError, "ignore_index", "found 1", "mask="):
        softmax_focal_loss(x, y, ignore_index=1)


def test_a_negative_ignore_index_means_nothing_to_distributions(place):
    x, y = place.array(X), place.array(np.eye(3)[:2])
    found = softmax_focal_loss(x, y, ignore_index=-100)
    np.testing.assert_array_equal(place.numpy(found), place.numpy(softmax_focal_loss(x, y)))


@pytest.mark.parametrize("bad", [1.5, -0.1, np.nan], ids=str)
def test_bad_probabilities_raise_or_give_nan(place, bad):
    y, p = place.array(np.asarray([1, 0])), place.array(np.asarray([0.5, bad]))
    rows = place.array(np.asarray([[0.2, 0.8], [bad, 0.5]]))
    if place.can_raise:
        with fails(ValueError, "y_pred", r"\[0, 1\]", str(bad)):
            binary_focal_loss(y, p)
        with fails(ValueError, "y_pred", r"\[0, 1\]", str(bad)):
            sparse_categorical_focal_loss(y, rows)
    else:
        np.testing.assert_array_equal(np.isnan(place.numpy(binary_focal_loss(y, p))), [False, True])
        np.testing.assert_array_equal(
            np.isnan(place.numpy(sparse_categorical_focal_loss(y, rows))), [False, True]
        )


def test_nan_logits_stay_visible(place):
    x = place.array(np.asarray([[np.nan, 1.0, 2.0], [0.0, 1.0, 2.0]]))
    np.testing.assert_array_equal(
        np.isnan(place.numpy(softmax_focal_loss(x, place.array(LABELS)))), [True, False]
    )
    assert np.isnan(place.numpy(sigmoid_focal_loss(x, place.array(Y), reduction="mean")))


@pytest.mark.parametrize(
    ("axis", "error"), [(2, ValueError), (-3, ValueError), (1.0, TypeError), (None, TypeError)]
)
def test_axis_must_be_one_of_the_logits(place, axis, error):
    with fails(error, "axis", str(axis)):
        softmax_focal_loss(place.array(X), place.array(LABELS), axis=axis)


def test_a_label_of_true_is_not_one_of_a_single_class(place):
    x, labels = place.array(np.zeros((2, 1))), place.array(np.asarray([False, True]))
    if place.can_raise:
        with fails(ValueError, "class labels", "0 to 0", "found True", r"\(1,\)"):
            softmax_focal_loss(x, labels)
    else:
        loss = place.numpy(softmax_focal_loss(x, labels))
        np.testing.assert_array_equal(np.isnan(loss), [False, True])


def test_softmax_needs_classes(place):
    with fails(ValueError, "class axis"):
        softmax_focal_loss(place.array(np.asarray(1.0)), 0)
    with fails(ValueError, "class axis"):
        softmax_focal_loss(place.array(np.zeros((2, 0))), place.array(LABELS))


@pytest.mark.parametrize(
    ("one", "other"),
    [(NUMPY, TORCH), (TORCH, JAX), (DASK, NUMPY), (STRICT, NUMPY)],
    ids=lambda t: t.id,
)
def test_two_libraries_in_one_call_are_named(one, other):
    one.require(), other.require()
    with fails(TypeError, "libraries", "logits", "targets", one.module, other.module):
        sigmoid_focal_loss(one.array(X), other.array(Y))
    with fails(TypeError, "libraries", "logits", "weight"):
        sigmoid_focal_loss(one.array(X), one.array(Y), weight=other.array(X))
    if other is not NUMPY:  # whose parameters are constants, and go with any library
        for name in ("gamma", "alpha", "pos_weight"):
            with fails(TypeError, "libraries", "logits", name, one.module, other.module):
                sigmoid_focal_loss(one.array(X), one.array(Y), **{name: other.array(X * 0)})


WAYS_OUT = {
    TORCH: r"torch.as_tensor\(targets, device=logits.device\)",
    DASK: r"dask.array.from_array\(targets\)",
    STRICT: r"xp.asarray\(targets, device=logits.device\)",
    CUPY: r"cupy.asarray\(targets\)",
}


@pytest.mark.parametrize("host", WAYS_OUT, ids=lambda t: t.id)
def test_numpy_beside_a_library_that_takes_none_is_told_how_to_get_there(host):
    host.require()
    with fails(TypeError, "logits is", "targets is numpy", f"give {WAYS_OUT[host]}"):
        sigmoid_focal_loss(host.array(X), X)
    with fails(TypeError, "logits is numpy", "targets is", r"give .*\(logits"):
        sigmoid_focal_loss(X, host.array(X))


def test_a_third_library_beside_guests_is_named(jax, torch):  # noqa: ARG001 - both are needed
    with fails(TypeError, "libraries", "targets is jax", "weight is torch"):
        sigmoid_focal_loss(X, JAX.array(X), weight=TORCH.array(X))


def test_two_devices_in_one_call_are_named():
    STRICT.require()
    import array_api_strict as xp

    x, y = xp.asarray([1.0]), xp.asarray([1], device=xp.Device("device1"))
    with fails(ValueError, "devices", "logits", "targets", "CPU_DEVICE", "device1"):
        sigmoid_focal_loss(x, y)


def test_two_torch_devices_in_one_call_are_named(torch):
    with fails(ValueError, "devices", "cpu", "meta"):
        sigmoid_focal_loss(torch.zeros(2), torch.zeros(2, device="meta"))


def test_masked_arrays_point_to_mask():
    masked = np.ma.masked_array([1.0, 2.0], mask=[True, False])
    with fails(TypeError, "masked", "mask="):
        sigmoid_focal_loss(masked, [1, 0])


def test_eps_has_a_range(place):
    for eps in (-1e-3, 0.7):
        with fails(ValueError, "eps", r"\[0, 0.5\]"):
            binary_focal_loss(place.array(np.ones(2)), place.array(np.ones(2)), eps=eps)


BAD_CONSTRUCTIONS = {
    "gamma": ({"gamma": -1}, ValueError, ("gamma", "-1")),
    "alpha": ({"alpha": 1.5}, ValueError, ("alpha", "1.5")),
    "alpha of several labels": (
        {"alpha": [0.5, 1.5], "task_type": "multi-label"},
        ValueError,
        ("alpha", "1.5", r"\[0, 1\]"),
    ),
    "alpha -1": ({"alpha": -1}, ValueError, ("alpha", "None")),
    "reduction": ({"reduction": "avg"}, ValueError, ("reduction", "'avg'")),
    "task": ({"task_type": "multi"}, ValueError, ("task_type", "'multi'", "'multi-label'")),
    "classes": ({"num_classes": 0}, ValueError, ("num_classes", "0")),
    "gamma of another length": (
        {"gamma": [1.0, 2.0], "num_classes": 3, "task_type": "multi-class"},
        ValueError,
        ("gamma must be one number, or 3", "found 2"),
    ),
    "classes float": ({"num_classes": 2.5}, TypeError, ("num_classes", "2.5")),
}


@pytest.mark.parametrize("case", BAD_CONSTRUCTIONS)
def test_objects_check_their_options_at_construction(case):
    options, error, words = BAD_CONSTRUCTIONS[case]
    with fails(error, *words):
        FocalLoss(**options)


def test_objects_check_the_number_of_classes(place):
    criterion = FocalLoss(task_type="multi-class", num_classes=5)
    with fails(ValueError, "5 classes", r"\(2, 3\)"):
        criterion(place.array(X), place.array(LABELS))
