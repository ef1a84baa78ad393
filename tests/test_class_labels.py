"""Class labels for independent logits: what one-hot targets give, without them."""

import numpy as np
import pytest

import focalcore
from conformance.places import JAX, NUMPY, TORCH
from focalcore import sigmoid_focal_loss, sigmoid_focal_loss_value_and_grad

from .helpers import close, fails

SHAPE = (3, 4, 5)
ROWS = SHAPE[:-1]
rng = np.random.default_rng(3)
LOGITS = 3 * rng.normal(size=SHAPE)
LABELS = rng.integers(0, 6, ROWS)  # 5 is the background
LABELS[0, 0] = -1  # which is ignored
KEPT = LABELS != -1
BY_CLASS = {"class_axis": -1, "ignore_index": -1}


def one_hot(labels, n=5, axis=-1):
    """A target for each logit, and which of them count."""
    classes = np.expand_dims(np.arange(n), [i for i in range(labels.ndim + 1) if i != axis % 3])
    y = np.expand_dims(labels, axis) == classes
    return y, np.broadcast_to(np.expand_dims(labels != -1, axis), y.shape)


def both(place, options, **more):
    """The value and gradient from labels, and those from one-hot targets and a mask."""
    y, kept = one_hot(LABELS)
    by_class = sigmoid_focal_loss_value_and_grad(
        *map(place.array, (LOGITS, LABELS)), **BY_CLASS, **options, **more
    )
    expected = sigmoid_focal_loss_value_and_grad(LOGITS, y, mask=kept, **options)
    return [place.numpy(a) for a in by_class], expected


OPTIONS = {
    "plain": {},
    "balanced": {"alpha": 0.25, "pos_weight": 3.0},
    "per class": {"gamma": [0.0, 0.5, 1.0, 2.0, 3.7], "alpha": [0.1, 0.2, 0.3, 0.4, 0.5]},
    "smoothed": {"label_smoothing": 0.1},
    "smoothed mixture": {"label_smoothing": 0.1, "soft_targets": "mixture"},
    "smoothed cross-entropy": {"label_smoothing": 0.1, "soft_targets": "hard"},
    "detached": {"detach_factor": True},
    "sum": {"reduction": "sum"},
    "mean": {"reduction": "mean"},
    "mean of positives": {"reduction": "mean", "normalizer": "positives"},
    "mean by a number": {"reduction": "mean", "normalizer": 7},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_labels_are_one_hot_targets(place, options):
    for found, expected in zip(*both(place, options), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("axis", [0, 1, -3])
def test_the_classes_may_lie_on_any_axis(place, axis):
    x, labels = np.moveaxis(LOGITS, -1, axis), place.array(LABELS)
    options = {"alpha": [0.1, 0.2, 0.3, 0.4, 0.5], "ignore_index": -1}
    found = sigmoid_focal_loss(place.array(x), labels, class_axis=axis, **options)
    expected = sigmoid_focal_loss(LOGITS, LABELS, class_axis=-1, **options)
    close(np.moveaxis(place.numpy(found), axis, -1), expected)


@pytest.mark.parametrize("background", [-1, 0, 2, 5, 255])
def test_the_background_is_positive_for_no_class(place, background):
    labels = np.where(LABELS == 5, background, np.where(background == LABELS, 1, LABELS))
    labels = np.where(KEPT, labels, 1)
    y, _ = one_hot(labels)
    found = sigmoid_focal_loss(
        *map(place.array, (LOGITS, labels)), class_axis=-1, background=background
    )
    expected = sigmoid_focal_loss(LOGITS, y & (labels != background)[..., None])
    close(place.numpy(found), expected)


def test_positives_are_the_labels_that_are_classes(place):
    options = {**BY_CLASS, "reduction": "mean"}
    arrays = [place.array(a) for a in (LOGITS, LABELS)]
    mean = sigmoid_focal_loss(*arrays, normalizer="positives", **options)
    total = sigmoid_focal_loss(*arrays, **{**options, "reduction": "sum"})
    close(place.numpy(mean), place.numpy(total) / np.sum(KEPT & (LABELS != 5)))


def test_a_batch_of_background_alone_divides_by_1(place):
    labels = place.array(np.full(ROWS, 5))
    options = {"class_axis": -1, "reduction": "mean", "normalizer": "positives"}
    mean = sigmoid_focal_loss(place.array(LOGITS), labels, **options)
    close(place.numpy(mean), np.sum(sigmoid_focal_loss(LOGITS, 0)))


@pytest.mark.parametrize("name", ["mask", "weight"])
def test_masks_and_weights_of_labels_are_those_of_their_logits(place, name):
    of_labels = KEPT if name == "mask" else rng.random(ROWS)
    options = {**BY_CLASS, "reduction": "mean"}
    arrays = [place.array(a) for a in (LOGITS, LABELS)]
    found = [
        sigmoid_focal_loss(*arrays, **{name: place.array(given)}, **options)
        for given in (
            of_labels,
            of_labels[..., None],
            np.broadcast_to(of_labels[..., None], SHAPE).copy(),
        )
    ]
    close([place.numpy(f) for f in found], place.numpy(found[0]))


def test_an_ignored_label_leaves_out_its_logits_even_nan(place):
    x = LOGITS.copy()
    x[0, 0] = np.nan
    value, grad = sigmoid_focal_loss_value_and_grad(
        *map(place.array, (x, LABELS)), **BY_CLASS, reduction="sum"
    )
    assert np.isfinite(place.numpy(value))
    np.testing.assert_array_equal(place.numpy(grad)[0, 0], 0)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64"])
def test_labels_of_every_integer_type_are_taken(place, dtype):
    labels = np.where(KEPT, LABELS, 5)
    found = sigmoid_focal_loss(
        place.array(LOGITS), place.array(labels.astype(dtype)), class_axis=-1, background=5
    )
    close(place.numpy(found), sigmoid_focal_loss(LOGITS, labels, class_axis=-1))


def test_no_label_wraps_to_another_class():
    x, labels = np.zeros((1, 300)), np.asarray([255], "uint8")
    loss = sigmoid_focal_loss(x, labels, class_axis=-1, alpha=1.0)
    assert np.flatnonzero(loss).tolist() == [255]


@pytest.mark.parametrize("dtype", ["uint32", "uint64"])
def test_the_largest_unsigned_label_is_no_background_of_minus_1(dtype):
    most = np.iinfo(dtype).max
    with fails(ValueError, f"found {most}"):
        sigmoid_focal_loss(
            np.zeros((1, 3)), np.asarray([most], dtype), class_axis=-1, background=-1
        )


@pytest.mark.parametrize("dtype", ["uint32", "uint64"])
@pytest.mark.parametrize("on", [True, False], ids=["kernel", "functions"])
def test_the_largest_unsigned_label_can_be_ignored(dtype, on):
    most = np.iinfo(dtype).max
    labels = np.asarray([0, most, 1], dtype)
    with focalcore.use_compiler(on):
        loss = sigmoid_focal_loss(np.zeros((3, 2)), labels, class_axis=-1, ignore_index=int(most))
    np.testing.assert_array_equal(loss[1], 0)
    np.testing.assert_allclose(loss[[0, 2]], np.log(2) / 4)


def test_rows_of_dask_need_not_be_counted_yet():
    da = pytest.importorskip("dask.array")
    labels, kept = LABELS[0], np.asarray([True, False, True, True])
    rows, own, weight = (
        da.from_array(x, chunks=2)[da.from_array(kept, chunks=2)]
        for x in (LOGITS[0], labels, np.arange(4.0))
    )
    loss = sigmoid_focal_loss(rows, own, weight=weight, reduction="sum", **BY_CLASS)
    expected = sigmoid_focal_loss(
        LOGITS[0][kept], labels[kept], weight=np.arange(4.0)[kept], reduction="sum", **BY_CLASS
    )
    np.testing.assert_allclose(loss.compute(), expected, rtol=1e-15)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_half_precision_is_rounded_once(dtype):
    x = LOGITS.astype(dtype)
    found = sigmoid_focal_loss(x, LABELS, **BY_CLASS)
    wide = sigmoid_focal_loss(x.astype("float32"), LABELS, **BY_CLASS)
    np.testing.assert_array_equal(found, wide.astype(dtype))


def test_nothing_has_no_loss(place):
    x, labels = place.array(np.zeros((0, 5))), place.array(np.zeros(0, int))
    assert tuple(sigmoid_focal_loss(x, labels, class_axis=-1).shape) == (0, 5)
    assert place.numpy(sigmoid_focal_loss(x, labels, class_axis=-1, reduction="mean")) == 0


def test_one_row_has_one_label(place):
    x = place.array(LOGITS[0, 1])
    found = sigmoid_focal_loss(x, int(LABELS[0, 1]), class_axis=-1)
    close(place.numpy(found), sigmoid_focal_loss(LOGITS, LABELS, **BY_CLASS)[0, 1])


@pytest.mark.parametrize("library", [TORCH, JAX], ids=lambda place: place.id)
def test_a_compiled_program_gives_the_same_gradient(library):
    library.require()
    options = {**BY_CLASS, "reduction": "mean", "normalizer": "positives", "alpha": 0.25}
    _, expected = sigmoid_focal_loss_value_and_grad(LOGITS, LABELS, **options)
    f = library.gradient("compiled", lambda x, y: sigmoid_focal_loss(x, y, **options))
    with library.running():
        found = library.numpy(f(*map(library.array, (LOGITS, LABELS))))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("background", [None, -3, 1])
def test_what_is_neither_class_nor_background_is_named_or_nan(place, background):
    labels = np.where(KEPT, np.minimum(LABELS, 4), 0)
    labels[1, 2] = 9
    x, y = place.array(LOGITS), place.array(labels)
    if place.can_raise:
        words = ("from 0 to 4", f"or {5 if background is None else background}, the background")
        with fails(ValueError, *words, r"found 9 at index \(1, 2\)", "ignore_index= or mask="):
            sigmoid_focal_loss(x, y, class_axis=-1, background=background)
        return
    found = place.numpy(sigmoid_focal_loss(x, y, class_axis=-1, background=background))
    assert np.isnan(found[1, 2]).all()
    assert np.isnan(found).sum() == 5


def test_a_bad_label_that_a_mask_leaves_out_is_none(place):
    labels, mask = np.where(KEPT, LABELS, 77), KEPT
    x, y = place.array(LOGITS), place.array(labels)
    for m in (mask, np.broadcast_to(mask[..., None], SHAPE).copy()):
        loss = sigmoid_focal_loss(x, y, class_axis=-1, mask=place.array(m), reduction="mean")
        assert np.isfinite(place.numpy(loss))


WRONG = {
    "soft labels": (LABELS / 5, {}, TypeError, ("class labels and must be integer", "cast")),
    "one-hot rows": (one_hot(LABELS)[0], {}, ValueError, ("without class_axis",)),
    "labels of other rows": (LABELS.T, {}, ValueError, (r"class labels have the shape \(3, 4\)",)),
    "an axis that is none": (LABELS, {"class_axis": 3}, ValueError, ("class_axis must be one",)),
    "alphas of other classes": (LABELS, {"alpha": [0.5, 0.5]}, ValueError, ("5 classes", "alpha")),
    "a mask of other rows": (
        LABELS,
        {"mask": np.ones((4, 3), bool)},
        ValueError,
        ("mask of shape", r"\(3, 4\)"),
    ),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_refused_with_a_way_out(case):
    labels, options, error, words = case
    with fails(error, *words):
        sigmoid_focal_loss(LOGITS, labels, **{"class_axis": -1} | options)


def test_a_background_needs_a_class_axis():
    with fails(ValueError, "background=5 without class_axis", "give class_axis"):
        sigmoid_focal_loss([0.0], [1], background=5)


def test_labels_without_a_class_axis_are_told_of_it():
    with fails(ValueError, "softmax_focal_loss, or take class_axis=2"):
        sigmoid_focal_loss(LOGITS, np.where(KEPT, LABELS, 0))


def test_nothing_of_the_size_of_the_logits_is_made():
    """But the result and the gradient, that is."""
    import tracemalloc

    n = 2**16
    x, labels = np.zeros((n, 64), "float32"), np.zeros(n, "int64")
    sigmoid_focal_loss(x[:64], labels[:64], class_axis=-1, reduction="sum")
    with NUMPY.running():
        tracemalloc.start()
        sigmoid_focal_loss(x, labels, class_axis=-1, reduction="sum")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < x.nbytes / 4


@pytest.mark.parametrize("options", [{}, {"class_axis": -1}], ids=["softmax", "sigmoid"])
def test_the_object_takes_class_labels_in_either_way(options):
    labels = np.where(KEPT, np.minimum(LABELS, 4), 0)
    task = "multi-label" if options else "multi-class"
    criterion = focalcore.FocalLoss(task_type=task, num_classes=5, reduction="none", **options)
    name = "sigmoid" if options else "softmax"
    function = getattr(focalcore, f"{name}_focal_loss")
    np.testing.assert_array_equal(criterion(LOGITS, labels), function(LOGITS, labels, **options))
