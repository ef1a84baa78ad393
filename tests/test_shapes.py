"""Shapes that meet by accident are an error that says what may have been meant."""

import numpy as np
import pytest

from focalcore import (
    FocalLoss,
    binary_focal_loss,
    sigmoid_focal_loss,
    sigmoid_focal_loss_grad_and_hess,
    sigmoid_focal_loss_value_and_grad,
    softmax_focal_loss,
    softmax_focal_loss_grad_and_hess,
    softmax_focal_loss_value_and_grad,
    sparse_categorical_focal_loss,
)

from .helpers import fails

SIGMOID = [
    sigmoid_focal_loss,
    sigmoid_focal_loss_value_and_grad,
    sigmoid_focal_loss_grad_and_hess,
    FocalLoss(reduction="none"),
    FocalLoss(reduction="mean", task_type="multi-label"),
]
SOFTMAX = [
    softmax_focal_loss,
    softmax_focal_loss_value_and_grad,
    softmax_focal_loss_grad_and_hess,
    FocalLoss(reduction="none", task_type="multi-class"),
]


def named(loss):
    return getattr(loss, "__name__", None) or f"FocalLoss {loss.task_type}"


ACCIDENTS = {  # logits, what would broadcast
    "a row of a square": ((4, 4), (4,)),
    "segmentation without the classes": ((2, 2, 4, 5), (2, 4, 5)),
    "a column's worth": ((3, 3, 3), (3, 3)),
}


@pytest.mark.parametrize("accident", ACCIDENTS)
@pytest.mark.parametrize("loss", SIGMOID, ids=named)
@pytest.mark.parametrize("what", ["targets", "mask", "weight"])
def test_fewer_axes_than_the_logits_are_an_error(place, loss, what, accident):
    shape, other = ACCIDENTS[accident]
    given = {"targets": np.zeros(shape), what: np.ones(other, "bool" if what == "mask" else None)}
    given = {name: place.array(value) for name, value in given.items()}
    with fails(ValueError, what, "does not fit logits", "reshape"):
        loss(place.array(np.zeros(shape)), **given)


@pytest.mark.parametrize("loss", SOFTMAX, ids=named)
@pytest.mark.parametrize("what", ["mask", "weight"])
def test_fewer_axes_than_the_rows_are_an_error(place, loss, what):
    x, y = place.array(np.zeros((2, 4, 4, 3))), place.array(np.zeros((2, 4, 4), "int64"))
    beside = place.array(np.ones((4, 4), "bool" if what == "mask" else "float64"))
    with fails(ValueError, what, "rows of logits", r"reshape \w+ to \(1, 4, 4\)"):
        loss(x, y, **{what: beside})


@pytest.mark.parametrize(
    "as_given", [[1, 0, 1, 0], np.asarray([1, 0, 1, 0])], ids=["list", "array"]
)
def test_a_list_is_no_exception(place, as_given):
    targets = as_given if isinstance(as_given, list) else place.array(as_given)
    with fails(ValueError, "targets", "does not fit"):
        sigmoid_focal_loss(place.array(np.zeros((4, 4))), targets)


def test_numbers_and_axes_of_1_still_broadcast(place, rng):
    x, y = rng.normal(size=(3, 4)), rng.integers(0, 2, (3, 1))
    loss = place.call(sigmoid_focal_loss, x, y, weight=2.0, mask=True)
    full = place.call(sigmoid_focal_loss, x, y * np.ones((1, 4)))
    np.testing.assert_allclose(loss, 2 * full, rtol=1e-14)
    zero_dimensional = place.call(sigmoid_focal_loss, x, np.asarray(1.0))
    np.testing.assert_array_equal(
        zero_dimensional, place.numpy(sigmoid_focal_loss(place.array(x), 1))
    )


@pytest.mark.parametrize("loss", SOFTMAX, ids=named)
def test_a_number_lies_beside_every_row(place, rng, loss):
    x, y = place.array(rng.normal(size=(2, 4, 3))), place.array(np.zeros((2, 4), "int64"))
    two, true = (place.array(np.asarray(v)) for v in (2.0, True))
    plain = loss(x, y)
    for beside in ({"weight": 2.0, "mask": True}, {"weight": two, "mask": true}):
        found = loss(x, y, **beside)
        for i in range(len(found) if isinstance(found, tuple) else 1):
            one, other = (r[i] if isinstance(r, tuple) else r for r in (found, plain))
            np.testing.assert_allclose(place.numpy(one), 2 * place.numpy(other), rtol=1e-14)


def test_class_labels_are_sent_to_the_loss_that_takes_them(place):
    x, labels = place.array(np.zeros((4, 3))), place.array(np.asarray([0, 2, 1, 0]))
    with fails(ValueError, "labels of classes", "softmax_focal_loss"):
        sigmoid_focal_loss(x, labels)
    for task in ("binary", "multi-label"):
        with fails(ValueError, "labels of classes", "task_type='multi-class'"):
            FocalLoss(task_type=task)(x, labels)
    with fails(ValueError, "labels of classes", "sparse_categorical_focal_loss"):
        binary_focal_loss(labels, x)


def test_labels_beside_a_single_column_are_told_to_become_one(place):
    x, labels = place.array(np.zeros((4, 1))), place.array(np.asarray([0, 1, 1, 0]))
    with fails(ValueError, r"reshape targets to \(4, 1\)"):
        sigmoid_focal_loss(x, labels)
    with fails(ValueError, "every pair", "reshape one to the shape of the other"):
        binary_focal_loss(labels, x)


@pytest.mark.parametrize(("axis", "shape"), [(1, (2, 3, 4, 5)), (0, (3, 2, 4, 5))], ids=str)
def test_the_axis_that_would_fit_is_named(place, axis, shape):
    x, y = place.array(np.zeros(shape)), place.array(np.zeros((2, 4, 5), "int64"))
    with fails(ValueError, f"axis={axis} would fit"):
        softmax_focal_loss(x, y)
    with fails(ValueError, "y_true", f"axis={axis} would fit"):
        sparse_categorical_focal_loss(y, x)
    with fails(ValueError, f"axis={axis} would fit"):
        FocalLoss(task_type="multi-class")(x, y)


PAIRS = {
    "a row against a column": ((1, 5), (5, 1)),
    "a column against a row": ((5, 1), (1, 5)),
    "flat against a column": ((5,), (5, 1)),
    "a column against one with an axis more": ((5, 1), (5, 1, 1)),
    "a column with an axis more against one": ((5, 1, 1), (5, 1)),
    "a row of a square": ((2,), (2, 2)),
    "a square and its row": ((3, 3), (3,)),
    "without the batch": ((4, 2), (2, 4, 2)),
}


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("from_logits", [False, True], ids=["probabilities", "logits"])
def test_a_length_that_meets_itself_on_another_axis_is_an_error(place, pair, from_logits):
    of_true, of_pred = PAIRS[pair]
    y, p = place.array(np.ones(of_true)), place.array(np.full(of_pred, 0.5))
    with fails(ValueError, "y_true", "y_pred", "every pair", "reshape"):
        binary_focal_loss(y, p, from_logits=from_logits)


@pytest.mark.parametrize(
    ("of_true", "of_pred", "shape"),
    [
        ((), (3,), (3,)),
        ((2, 1), (3,), (2, 3)),
        ((3,), (2, 3), (2, 3)),
        ((2, 1), (2, 2), (2, 2)),
        ((1, 3), (2, 3), (2, 3)),
        ((1,), (3,), (3,)),
    ],
    ids=str,
)
def test_binary_shapes_that_are_clear_broadcast_as_those_of_numpy(place, of_true, of_pred, shape):
    y, p = place.array(np.ones(of_true)), place.array(np.full(of_pred, 0.5))
    assert tuple(binary_focal_loss(y, p).shape) == shape


def test_both_columns_of_predict_proba_are_named(place):
    y, p = np.asarray([0, 1, 1]), np.full((3, 2), 0.5)
    with fails(ValueError, "labels of classes", "sparse_categorical_focal_loss"):
        binary_focal_loss(place.array(y), place.array(p))


@pytest.mark.parametrize("n_labels", [1, 2, 3])
def test_a_list_of_a_forests_probabilities_is_named(n_labels):
    from sklearn.ensemble import RandomForestClassifier

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 2)), rng.integers(0, 2, (20, n_labels))
    forest = RandomForestClassifier(2, random_state=0).fit(x, np.hstack([y, y]))
    predicted = forest.predict_proba(x)[:n_labels]
    with fails(ValueError, "y_pred is a list", "predict_proba", r"np.stack\("):
        binary_focal_loss(y, predicted)
    stacked = np.stack([p[:, 1] for p in predicted], axis=1)
    assert binary_focal_loss(y, stacked).shape == (20, n_labels)


@pytest.mark.parametrize("width", [1, 3])
def test_a_list_of_arrays_that_are_no_pairs_is_the_array_of_them(rng, width):
    p, y = rng.random((2, 4, width)), rng.integers(0, 2, (2, 4, width))
    np.testing.assert_array_equal(binary_focal_loss(y, list(p)), binary_focal_loss(y, p))


@pytest.mark.parametrize("from_logits", [False, True], ids=["probabilities", "logits"])
def test_one_hot_rows_are_no_class_labels(place, from_logits):
    p = place.array(np.full((2, 3), 1 / 3))
    one_hot = place.array(np.eye(3, dtype="int64")[:2])
    with fails(ValueError, "y_true", "y_pred", "argmax"):
        sparse_categorical_focal_loss(one_hot, p, from_logits=from_logits)
