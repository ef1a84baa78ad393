"""Keras losses on the backend that KERAS_BACKEND names; `test_suites` runs this on each."""

import doctest
import importlib
import itertools
import json
import pkgutil

import keras
import numpy as np
import pytest
from keras.src.backend import set_keras_mask

import focalcore.keras
from focalcore.keras import (
    BinaryFocalLoss,
    BinaryFocalMetric,
    CategoricalFocalLoss,
    CategoricalFocalMetric,
    GaussianFocalLoss,
    SparseCategoricalFocalLoss,
    SparseCategoricalFocalMetric,
)

from .pages import ROOT, programs_of, recipe
from .slices import slice_of

# Keras' own, where it makes NumPy's arrays of torch's
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
BACKEND = keras.backend.backend()
# by XLA, or not; torch's compiler takes minutes for a model
COMPILED = {"torch": ["plain"], "jax": ["compiled"], "tensorflow": ["plain", "compiled"]}[BACKEND]
KINDS = {
    "binary": BinaryFocalLoss,
    "categorical": CategoricalFocalLoss,
    "sparse": SparseCategoricalFocalLoss,
}
METRICS = {
    "binary": BinaryFocalMetric,
    "categorical": CategoricalFocalMetric,
    "sparse": SparseCategoricalFocalMetric,
}
each_kind = pytest.mark.parametrize("kind", KINDS)
LOSSES = list(itertools.product(KINDS, ["probabilities", "logits"]))
SOME = slice_of(
    LOSSES, ("binary", "logits"), ("categorical", "probabilities"), ("sparse", "probabilities")
)
FITS = [(way, *loss) for way in COMPILED for loss in (SOME if way == "compiled" else LOSSES)]
BINARY = {
    "probabilities": {"gamma": 2},
    "logits": {"gamma": 0.5, "from_logits": True},
    "smoothed": {"gamma": 2.0, "pos_weight": 3.0, "label_smoothing": 0.1},
    "balanced": {"gamma": [1.0, 2.0, 3.0], "alpha": 0.25},
}
SPARSE = {
    "probabilities": {"gamma": 2},
    "weighted": {"gamma": 2, "class_weight": [1, 2, 3]},
    "logits": {"gamma": [0.5, 1.0, 2.0], "from_logits": True},
}
CATEGORICAL = {
    "probabilities": {"gamma": 2},
    "weighted": {"alpha": [1, 2, 3], "label_smoothing": 0.1},
    "mixture": {"gamma": 0.5, "soft_targets": "mixture"},
    "logits": {"gamma": [0.5, 1.0, 2.0], "from_logits": True},
    "hard": {"soft_targets": "hard", "label_smoothing": 0.1, "from_logits": True},
}
each_categorical = pytest.mark.parametrize("options", CATEGORICAL.values(), ids=CATEGORICAL)
each_binary = pytest.mark.parametrize("options", BINARY.values(), ids=BINARY)
each_sparse = pytest.mark.parametrize("options", SPARSE.values(), ids=SPARSE)


def numpy(x):
    return keras.ops.convert_to_numpy(x)


@pytest.fixture
def rng():
    keras.utils.set_random_seed(0)
    return np.random.default_rng(0)


@pytest.fixture
def targets(rng):
    return rng.integers(0, 2, (8, 3))


@pytest.fixture
def labels(rng):
    return rng.integers(0, 3, 8)


def predictions(options, rng, rows=True):
    """Logits, or probabilities, of the type that Keras computes in."""
    x = rng.normal(size=(8, 3)).astype("float32")
    if options.get("from_logits"):
        return x
    return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True) if rows else 1 / (1 + np.exp(-x))


def targets_of(kind, rng, shape=(8, 3)):
    """Good targets of a kind, for predictions of a shape."""
    if kind == "binary":
        return rng.integers(0, 2, shape).astype("float32")
    labels = rng.integers(0, shape[-1], shape[:-1])
    return labels if kind == "sparse" else np.eye(shape[-1], dtype="float32")[labels]


def masked(x, mask):
    """What a model gives behind a layer that masks."""
    x = keras.ops.convert_to_tensor(x)
    set_keras_mask(x, keras.ops.convert_to_tensor(mask))
    return x


def gradient(loss, y_true, y_pred):
    """The gradient of a loss with respect to what a model gives, as the backend finds it."""
    y_pred = keras.ops.convert_to_tensor(y_pred)
    if BACKEND == "torch":
        y_pred.requires_grad_()
        loss(y_true, y_pred).backward()
        return numpy(y_pred.grad)
    if BACKEND == "jax":
        import jax

        return numpy(jax.jit(jax.grad(lambda p: loss(y_true, p)))(y_pred))
    import tensorflow as tf

    @tf.function
    def of(p):
        with tf.GradientTape() as tape:
            tape.watch(p)
            value = loss(y_true, p)
        return tape.gradient(value, p)

    return numpy(of(y_pred))


class TestValues:
    @each_binary
    def test_binary_is_the_function(self, options, rng, targets):
        y_pred = predictions(options, rng, rows=False)
        loss = BinaryFocalLoss(**options)
        expected = focalcore.binary_focal_loss(targets, y_pred, **options)
        np.testing.assert_allclose(numpy(loss(targets, y_pred)), expected.mean(), rtol=1e-5)
        each = BinaryFocalLoss(**options, reduction=None)(targets, y_pred)
        np.testing.assert_allclose(numpy(each), expected.mean(axis=1), rtol=1e-5)

    @each_sparse
    def test_sparse_is_the_function(self, options, rng, labels):
        y_pred = predictions(options, rng)
        loss = SparseCategoricalFocalLoss(**options)
        expected = focalcore.sparse_categorical_focal_loss(labels, y_pred, **options)
        np.testing.assert_allclose(numpy(loss(labels, y_pred)), expected.mean(), rtol=1e-5)
        each = SparseCategoricalFocalLoss(**options, reduction="none")(labels, y_pred)
        np.testing.assert_allclose(numpy(each), expected, rtol=1e-5)

    @each_categorical
    def test_categorical_is_the_function(self, options, rng):
        y_pred, y_true = predictions(options, rng), rng.dirichlet([1, 1, 1], 8)
        expected = focalcore.categorical_focal_loss(y_true, y_pred, **options)
        found = CategoricalFocalLoss(**options)(y_true, y_pred)
        np.testing.assert_allclose(numpy(found), expected.mean(), rtol=1e-5)
        each = CategoricalFocalLoss(**options, reduction="none")(y_true, y_pred)
        np.testing.assert_allclose(numpy(each), expected, rtol=1e-5)

    def test_one_hot_rows_are_class_labels(self, rng, labels):
        y_pred, weights = predictions({}, rng), [1.0, 2.0, 3.0]
        sparse = SparseCategoricalFocalLoss(class_weight=weights)(labels, y_pred)
        found = CategoricalFocalLoss(alpha=weights)(np.eye(3)[labels], y_pred)
        assert float(found) == pytest.approx(float(sparse), rel=1e-6)

    @pytest.mark.parametrize("options", [{"gamma": 2}, {}], ids=["said", "by default"])
    def test_published_example_has_the_published_numbers_of_a_gamma_of_2(self, options):
        each = BinaryFocalLoss(**options, reduction=None)([0, 1, 1], [0.1, 0.7, 0.9])
        np.testing.assert_allclose(numpy(each).round(3), [0.001, 0.032, 0.001], rtol=1e-6)

    def test_labels_of_hundreds_of_classes_keep_their_numbers(self, rng):
        x, labels = rng.normal(size=(3, 300)).astype("float32"), np.asarray([299, 43, 128])
        found = SparseCategoricalFocalLoss(from_logits=True, reduction=None)(labels, x)
        expected = focalcore.softmax_focal_loss(x, labels)
        np.testing.assert_allclose(numpy(found), expected, rtol=1e-5)

    def test_labels_may_have_an_axis_more(self, rng, targets, labels):
        y_pred = predictions({}, rng)
        loss = SparseCategoricalFocalLoss()
        assert numpy(loss(labels[:, None], y_pred)) == numpy(loss(labels, y_pred))
        loss = BinaryFocalLoss()
        column = numpy(loss(targets[:, :1], y_pred[:, :1]))
        assert numpy(loss(targets[:, 0], y_pred[:, :1])) == column
        assert numpy(loss(targets[:, :1], y_pred[:, 0])) == pytest.approx(column, rel=1e-6)

    def test_integer_labels_may_be_given_to_call(self, rng, labels):
        loss, y_pred = SparseCategoricalFocalLoss(reduction=None), predictions({}, rng)
        np.testing.assert_array_equal(numpy(loss.call(labels, y_pred)), numpy(loss(labels, y_pred)))

    def test_a_sample_may_have_several_rows(self, rng):
        y, p = rng.integers(0, 2, (2, 3, 4)), rng.random((2, 3, 4)).astype("float32")
        each = numpy(BinaryFocalLoss(reduction=None)(y, p))
        expected = focalcore.binary_focal_loss(y, p).mean(axis=-1)
        np.testing.assert_allclose(each, expected, rtol=1e-5)

    def test_labels_may_have_the_class_axis_wherever_it_is(self, rng):
        y, x = rng.integers(0, 3, (2, 1, 4)), rng.normal(size=(2, 3, 4)).astype("float32")
        each = SparseCategoricalFocalLoss(axis=1, from_logits=True, reduction=None)(y, x)
        expected = focalcore.softmax_focal_loss(x, y[:, 0], axis=1)
        np.testing.assert_allclose(numpy(each), expected, rtol=1e-5)

    def test_the_class_axis_may_be_the_first(self, rng, labels):
        y_pred = predictions({}, rng)
        across = SparseCategoricalFocalLoss(axis=0, reduction=None)(labels, y_pred.T)
        along = SparseCategoricalFocalLoss(reduction=None)(labels, y_pred)
        np.testing.assert_allclose(numpy(across), numpy(along), rtol=1e-6)

    @pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
    def test_sample_weights_enter_the_mean_as_keras_has_it(self, rng, labels, reduction):
        y_pred, weight = predictions({}, rng), rng.random(8)
        each = focalcore.sparse_categorical_focal_loss(labels, y_pred)
        divisor = {"sum_over_batch_size": 8, "sum": 1}.get(reduction, weight.sum())
        found = SparseCategoricalFocalLoss(reduction=reduction)(labels, y_pred, weight)
        np.testing.assert_allclose(numpy(found), (each * weight).sum() / divisor, rtol=1e-5)


class TestGradients:
    LOGITS = np.asarray([[0.0], [-0.0], [0.0], [5.0], [20.0], [-20.0], [60.0], [-60.0]], "float32")
    HARD = np.asarray([[1], [1], [0], [1], [1], [1], [0], [0]])

    @pytest.mark.parametrize("gamma", [0, 0.5, 2])
    def test_binary_is_the_closed_form(self, gamma):
        found = gradient(
            BinaryFocalLoss(gamma, from_logits=True, reduction="sum"), self.HARD, self.LOGITS
        )
        expected = focalcore.sigmoid_focal_loss_value_and_grad(self.LOGITS, self.HARD, gamma=gamma)
        np.testing.assert_allclose(found, expected[1], rtol=2e-5, atol=1e-37)

    @pytest.mark.parametrize("gamma", [0, 0.5, 2])
    def test_sparse_is_the_closed_form(self, gamma):
        logits = np.concatenate([self.LOGITS, np.zeros_like(self.LOGITS)], axis=1)
        loss = SparseCategoricalFocalLoss(gamma, from_logits=True, reduction="sum")
        found = gradient(loss, self.HARD[:, 0], logits)
        expected = focalcore.softmax_focal_loss_value_and_grad(logits, self.HARD[:, 0], gamma=gamma)
        np.testing.assert_allclose(found, expected[1], rtol=2e-5, atol=1e-37)

    @pytest.mark.parametrize("p", [0.25, 0.5, 0.9])
    def test_probabilities_have_the_derivative_of_the_formula(self, p):
        found = gradient(BinaryFocalLoss(2), [[1]], np.asarray([[p]], dtype="float32"))
        expected = 2 * (1 - p) * np.log(p) - (1 - p) ** 2 / p
        np.testing.assert_allclose(found, [[expected]], rtol=1e-5)

    @pytest.mark.parametrize("gamma", [0.0, 2.0])
    def test_worst_probability_keeps_its_signal(self, gamma):
        p, eps = np.asarray([[0.0], [1e-8], [1e-6]], dtype="float32"), 2.0**-23
        found = gradient(BinaryFocalLoss(gamma, reduction="sum"), np.ones((3, 1)), p)
        p = p.astype("float64")
        log_p, modulating = np.log(np.maximum(p, eps)), (1 - p) ** gamma
        expected = gamma * (1 - p) ** (gamma - 1) * log_p - modulating / np.maximum(p, eps)
        np.testing.assert_allclose(found, expected, rtol=1e-5)

    def test_a_certain_probability_has_a_finite_gradient(self):
        found = gradient(BinaryFocalLoss(0.5), [[1]], np.asarray([[1.0]], dtype="float32"))
        assert np.isfinite(found).all()


SHAPES = {  # what is said of targets of a shape beside predictions of a shape; None: they fit
    ("binary", (8,), (8, 1)): None,
    ("binary", (8, 1), (8,)): None,
    ("binary", (2, 4, 1), (2, 4)): None,
    ("binary", (2, 4), (2, 4, 1)): None,
    ("binary", (8,), (8, 3)): "labels of classes go to SparseCategoricalFocalLoss",
    ("binary", (3,), (8, 3)): "both must have the same shape",
    ("binary", (8, 1), (8, 3)): "both must have the same shape",
    ("binary", (1, 3), (8, 3)): "both must have the same shape",
    ("binary", (4, 3), (8, 3)): "both must have the same shape",
    ("sparse", (8,), (8, 3)): None,
    ("sparse", (8, 1), (8, 3)): None,
    ("sparse", (2, 4, 1), (2, 4, 3)): None,
    ("sparse", (8, 3), (8, 3)): "one-hot rows go to CategoricalFocalLoss",
    ("sparse", (8, 2), (8, 3)): r"class labels have the shape \(8,\)",
    ("sparse", (8, 1, 1), (8, 3)): r"class labels have the shape \(8,\)",
    ("sparse", (4,), (8, 3)): r"class labels have the shape \(8,\)",
    ("sparse", (), (3,)): None,
    ("categorical", (2, 4, 3), (2, 4, 3)): None,
    ("categorical", (8,), (8, 3)): "class labels go to SparseCategoricalFocalLoss",
    ("categorical", (8, 1), (8, 3)): "class labels go to SparseCategoricalFocalLoss",
    ("categorical", (1, 3), (8, 3)): "one-hot rows and distributions have that shape",
}


class TestBadInput:
    @pytest.mark.parametrize(
        ("loss", "options", "words"),
        [
            (BinaryFocalLoss, {"gamma": -1}, "gamma must be a finite number >= 0; found -1"),
            (BinaryFocalLoss, {"label_smoothing": 2}, "label_smoothing must be a number"),
            (BinaryFocalLoss, {"alpha": 1.5}, r"alpha must be a number in \[0, 1\]; found 1.5"),
            (BinaryFocalLoss, {"from_logits": "no"}, "from_logits must be True or False"),
            (SparseCategoricalFocalLoss, {"class_weight": [-1, 1]}, "class_weight must be"),
            (SparseCategoricalFocalLoss, {"axis": "last"}, "axis must be an integer"),
            (SparseCategoricalFocalLoss, {"ignore_class": "void"}, "ignore_class must be an"),
            (GaussianFocalLoss, {"alpha": -1}, "alpha must be a finite number >= 0; found -1"),
        ],
        ids=str,
    )
    def test_options_are_checked_at_construction(self, loss, options, words):
        with pytest.raises((TypeError, ValueError), match=words):
            loss(**options)

    @pytest.mark.parametrize("label", [3, -1, 0.5, np.nan])
    def test_label_that_is_no_class_is_an_error(self, label):
        with pytest.raises(ValueError, match="must be class labels from 0 to 2"):
            SparseCategoricalFocalLoss()([0, label], [[0.2, 0.3, 0.5]] * 2)

    def test_a_row_that_is_no_distribution_is_an_error(self):
        with pytest.raises(ValueError, match=r"y_true must sum to 1 .*; found 0\.0"):
            CategoricalFocalLoss()(np.zeros((2, 3)), np.full((2, 3), 1 / 3))

    def test_options_are_checked_together_at_construction(self):
        with pytest.raises(ValueError, match="soft_targets='hard' is for logits"):
            CategoricalFocalLoss(alpha={0: 2.0}, soft_targets="hard", label_smoothing=0.1)

    @pytest.mark.parametrize("case", SHAPES, ids=str)
    def test_the_same_shapes_fit_on_every_backend(self, case):
        (kind, *shapes), said = case, SHAPES[case]
        y_pred = np.full(shapes[1], 1 / 3, "float32")
        y_true = np.zeros(shapes[0], "int64")
        if kind == "categorical":
            y_true[..., 0] = 1  # one-hot, where they are rows
        if said is None:
            assert numpy(KINDS[kind](reduction="sum")(y_true, y_pred)) > 0
        else:
            with pytest.raises(ValueError, match=said):
                KINDS[kind]()(y_true, y_pred)

    def test_the_class_axis_has_to_be_there(self):
        for loss in (SparseCategoricalFocalLoss, CategoricalFocalLoss):
            with pytest.raises(ValueError, match="axis must be one of the 2 axes of y_pred"):
                loss(axis=5)(np.zeros(2), np.full((2, 3), 1 / 3))

    @pytest.mark.parametrize(("dtype", "most"), [("bfloat16", 2**8), ("float16", 2**11)])
    def test_more_classes_than_the_type_can_number_is_an_error(self, dtype, most):
        loss = SparseCategoricalFocalLoss(dtype=dtype, from_logits=True)
        assert loss([most - 1], np.zeros((1, most), dtype="float32")) > 0
        with pytest.raises(
            ValueError, match=f"labels of {most + 1} classes lose digits in {dtype}"
        ):
            loss([most], np.zeros((1, most + 1), dtype="float32"))


class TestWeightsOfClasses:
    def test_a_class_that_is_not_named_weighs_1(self, rng, labels):
        y_pred = predictions({}, rng)
        by_class, as_list = {2: 3.0, 0: 0.5}, [0.5, 1.0, 3.0]
        for found, expected in (
            (
                SparseCategoricalFocalLoss(class_weight=by_class)(labels, y_pred),
                SparseCategoricalFocalLoss(class_weight=as_list)(labels, y_pred),
            ),
            (
                CategoricalFocalLoss(alpha=by_class)(np.eye(3)[labels], y_pred),
                CategoricalFocalLoss(alpha=as_list)(np.eye(3)[labels], y_pred),
            ),
        ):
            assert numpy(found) == numpy(expected)

    def test_no_class_need_be_named(self, rng, labels):
        y_pred = predictions({}, rng)
        found = SparseCategoricalFocalLoss(class_weight={})(labels, y_pred)
        assert numpy(found) == numpy(SparseCategoricalFocalLoss()(labels, y_pred))

    @pytest.mark.parametrize(
        ("weights", "error", "words"),
        [
            ({"cat": 1.0}, TypeError, "its keys must be integers >= 0; found 'cat'"),
            ({-1: 1.0}, TypeError, "its keys must be integers >= 0; found -1"),
            ({True: 1.0}, TypeError, "its keys must be integers >= 0; found True"),
            ({1: -2.0}, ValueError, r"class_weight\[1\] must be a finite number >= 0; found -2.0"),
            ({1: "2"}, TypeError, r"class_weight\[1\] must be a finite number >= 0; found str"),
        ],
        ids=str,
    )
    def test_what_is_wrong_is_named_at_construction(self, weights, error, words):
        with pytest.raises(error, match=words):
            SparseCategoricalFocalLoss(class_weight=weights)

    def test_a_class_that_there_is_not_is_named(self, rng, labels):
        loss = SparseCategoricalFocalLoss(class_weight={3: 1.0})
        with pytest.raises(ValueError, match="a weight for class 3, and y_pred has 3 classes"):
            loss(labels, predictions({}, rng))

    def test_they_are_saved_as_json(self):
        loss = CategoricalFocalLoss(alpha={np.int64(1): 2.0})
        config = json.loads(json.dumps(keras.losses.serialize(loss)))
        assert keras.losses.deserialize(config).get_config() == loss.get_config()


class TestIgnoredClass:
    """A label to leave out, whatever the model gives there."""

    LABELS = np.asarray([0, 255, 2, 255, 1, 0, 1, 2])
    COUNTED = LABELS != 255

    @pytest.fixture
    def y_pred(self, rng):
        y_pred = predictions({}, rng)
        y_pred[1] = np.nan
        return y_pred

    def expected(self, y_pred):
        counted = self.COUNTED
        return focalcore.sparse_categorical_focal_loss(self.LABELS[counted], y_pred[counted])

    @pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean", "sum"])
    def test_the_mean_is_that_of_the_others(self, y_pred, reduction):
        found = SparseCategoricalFocalLoss(ignore_class=255, reduction=reduction)
        whole = self.expected(y_pred)
        expected = whole.sum() if reduction == "sum" else whole.mean()
        np.testing.assert_allclose(numpy(found(self.LABELS, y_pred)), expected, rtol=1e-5)

    def test_the_loss_of_each_is_0_where_it_is_left_out(self, y_pred):
        each = numpy(
            SparseCategoricalFocalLoss(ignore_class=255, reduction=None)(self.LABELS, y_pred)
        )
        assert np.all(each[~self.COUNTED] == 0)
        np.testing.assert_allclose(each[self.COUNTED], self.expected(y_pred), rtol=1e-5)

    @pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean_with_sample_weight"])
    def test_the_others_have_their_weights(self, rng, y_pred, reduction):
        weight = rng.random(8)
        loss = SparseCategoricalFocalLoss(ignore_class=255, reduction=reduction)
        own = weight[self.COUNTED]
        divisor = own.sum() if reduction == "mean_with_sample_weight" else own.size
        expected = (own * self.expected(y_pred)).sum() / divisor
        found = numpy(loss(self.LABELS, y_pred, weight))
        np.testing.assert_allclose(found, expected, rtol=1e-5)

    def test_the_gradient_is_0_where_it_is_left_out(self, y_pred):
        loss = SparseCategoricalFocalLoss(ignore_class=255, reduction="sum")
        found = gradient(loss, self.LABELS, y_pred)
        assert np.all(found[~self.COUNTED] == 0)
        alone = gradient(
            SparseCategoricalFocalLoss(reduction="sum"),
            self.LABELS[self.COUNTED],
            y_pred[self.COUNTED],
        )
        np.testing.assert_allclose(found[self.COUNTED], alone, rtol=1e-6)

    def test_nothing_to_count_gives_0(self, y_pred):
        assert numpy(SparseCategoricalFocalLoss(ignore_class=255)(np.full(8, 255), y_pred)) == 0

    def test_it_may_be_a_class(self, rng, labels):
        y_pred = predictions({}, rng)
        found = SparseCategoricalFocalLoss(ignore_class=1)(labels, y_pred)
        kept = labels != 1
        expected = SparseCategoricalFocalLoss()(labels[kept], y_pred[kept])
        np.testing.assert_allclose(numpy(found), numpy(expected), rtol=1e-6)

    @pytest.mark.parametrize("label", [0.5, np.nan, 3], ids=str)
    def test_another_bad_label_is_not_ignored(self, rng, label):
        with pytest.raises(ValueError, match=r"must be class labels .* with ignore_class="):
            SparseCategoricalFocalLoss(ignore_class=-1)([-1, label], predictions({}, rng)[:2])

    def test_pixels_of_no_class_are_left_out_on_any_axis(self, rng):
        x, y = rng.normal(size=(2, 3, 4, 5)).astype("float32"), rng.integers(0, 3, (2, 4, 5))
        y[:, :2] = 255
        loss = SparseCategoricalFocalLoss(axis=1, ignore_class=255, from_logits=True)
        expected = focalcore.softmax_focal_loss(x, y, axis=1, ignore_index=255, reduction="mean")
        np.testing.assert_allclose(numpy(loss(y, x)), expected, rtol=1e-5)


@each_kind
class TestMask:
    """What a layer has masked has no loss and no gradient, whatever is there."""

    MASK = np.asarray([[True, True, False, False], [True, False, False, False]])

    def padded(self, kind, rng):
        """Predictions and targets of two sequences, bad where they are masked; and those alone."""
        y_pred = predictions({"from_logits": True}, rng).reshape(2, 4, 3)
        y_true = targets_of(kind, rng, y_pred.shape)
        alone = y_true[self.MASK], y_pred[self.MASK]
        y_pred[~self.MASK], y_true[~self.MASK] = np.nan, -7
        return y_true, y_pred, alone

    def test_the_mean_is_that_of_the_others(self, kind, rng):
        y_true, y_pred, alone = self.padded(kind, rng)
        loss = KINDS[kind](from_logits=True)
        found = numpy(loss(y_true, masked(y_pred, self.MASK)))
        np.testing.assert_allclose(found, numpy(loss(*alone)), rtol=1e-6)

    def test_the_gradient_is_0_where_it_is_masked(self, kind, rng):
        y_true, y_pred, alone = self.padded(kind, rng)
        loss = KINDS[kind](from_logits=True, reduction="sum")
        found = gradient(lambda y, p: loss(y, masked(p, self.MASK)), y_true, y_pred)
        assert np.all(found[~self.MASK] == 0)
        np.testing.assert_allclose(found[self.MASK], gradient(loss, *alone), rtol=1e-6)

    def test_the_metric_is_that_of_the_others(self, kind, rng):
        y_true, y_pred, alone = self.padded(kind, rng)
        metric = METRICS[kind](from_logits=True)
        metric.update_state(y_true, masked(y_pred, self.MASK))
        expected = numpy(KINDS[kind](from_logits=True)(*alone))
        np.testing.assert_allclose(numpy(metric.result()), expected, rtol=1e-6)

    @pytest.mark.parametrize("layer", ["Embedding", "Masking"])
    def test_a_model_is_trained_without_what_is_masked(self, kind, rng, layer):
        x = rng.integers(1, 9, (8, 4))
        x[:, 2:] = 0
        y_true = targets_of(kind, rng, (8, 4, 3))
        bad = y_true.copy()
        bad[:, 2:] = -7
        first = {
            "Embedding": [keras.layers.Embedding(9, 5, mask_zero=True)],
            "Masking": [keras.layers.Reshape((4, 1)), keras.layers.Masking()],
        }[layer]
        sequence = keras.Sequential([keras.Input((4,)), *first, keras.layers.Dense(3)])
        sequence.compile(loss=KINDS[kind](from_logits=True), optimizer="sgd")
        start = sequence.get_weights()
        histories = []
        for y in (y_true, bad):
            sequence.set_weights(start)
            histories.append(sequence.fit(x, y, epochs=2, shuffle=False, verbose=0).history["loss"])
            assert all(np.isfinite(weight).all() for weight in sequence.get_weights())
        assert histories[0] == histories[1]


OPTIONS_OF_METRICS = {
    "binary": {"gamma": 1.5, "pos_weight": 3.0},
    "categorical": {"gamma": 1.5, "alpha": {0: 2.0}},
    "sparse": {"gamma": 1.5, "class_weight": {0: 2.0}},
}


@each_kind
class TestMetrics:
    def test_the_result_is_the_mean_over_all_batches(self, kind, rng):
        options, y_pred = OPTIONS_OF_METRICS[kind], predictions({}, rng)
        y_true, metric = targets_of(kind, rng), METRICS[kind](**options)
        for batch in (slice(0, 3), slice(3, 8)):
            metric.update_state(y_true[batch], y_pred[batch])
        expected = numpy(KINDS[kind](**options)(y_true, y_pred))
        np.testing.assert_allclose(numpy(metric.result()), expected, rtol=1e-6)
        metric.reset_state()
        assert numpy(metric.result()) == 0

    def test_samples_have_their_weights(self, kind, rng):
        y_pred, y_true, weight = predictions({}, rng), targets_of(kind, rng), rng.random(8)
        metric = METRICS[kind]()
        metric.update_state(y_true, y_pred, sample_weight=weight)
        each = numpy(KINDS[kind](reduction=None)(y_true, y_pred))
        expected = (each * weight).sum() / weight.sum()
        np.testing.assert_allclose(numpy(metric.result()), expected, rtol=1e-6)

    @pytest.mark.parametrize("shape", [(2,), (2, 4), (2, 4, 1)], ids=str)
    def test_weights_of_sequences_go_with_a_mask(self, kind, rng, shape):
        y_pred, mask = predictions({}, rng).reshape(2, 4, 3), TestMask.MASK
        y_true, weight = targets_of(kind, rng, (2, 4, 3)), rng.random(shape)
        metric = METRICS[kind]()
        metric.update_state(y_true, masked(y_pred, mask), sample_weight=weight)
        own = weight.reshape(2, -1)  # that of a sequence is that of its samples
        each = numpy(KINDS[kind](reduction=None)(y_true, y_pred))
        expected = (each * own * mask).sum() / (own * mask).sum()
        np.testing.assert_allclose(numpy(metric.result()), expected, rtol=1e-5)

    def test_it_is_logged_beside_the_loss_and_saved_with_the_model(self, kind, rng, tmp_path):
        options = OPTIONS_OF_METRICS[kind] | {"from_logits": True}
        saved = model(3, None)
        saved.compile(loss=KINDS[kind](**options), metrics=[METRICS[kind](**options)])
        features, y_true = rng.normal(size=(8, 4)), targets_of(kind, rng)
        saved.fit(features, y_true, verbose=0)
        found = saved.evaluate(features, y_true, verbose=0, return_dict=True)
        (name,) = found.keys() - {"loss"}
        assert name.endswith("focal_loss")
        assert found[name] == pytest.approx(found["loss"], rel=1e-6)
        saved.save(tmp_path / "model.keras")
        loaded = keras.models.load_model(tmp_path / "model.keras")
        again = loaded.evaluate(features, y_true, verbose=0, return_dict=True)
        assert again == pytest.approx(found, rel=1e-6)

    def test_it_is_serialised(self, kind):
        metric = METRICS[kind](**OPTIONS_OF_METRICS[kind], name="mine", dtype="float16")
        config = json.loads(json.dumps(keras.metrics.serialize(metric)))
        again = keras.metrics.deserialize(config)
        assert type(again) is METRICS[kind]
        assert again.get_config() == metric.get_config()
        assert again.dtype == "float16"

    def test_options_are_checked_at_construction(self, kind):
        with pytest.raises(ValueError, match="gamma must be a finite number >= 0; found -1"):
            METRICS[kind](gamma=-1)
        with pytest.raises(TypeError, match="gama"):
            METRICS[kind](gama=1)


def test_a_metric_leaves_out_the_ignored_class(rng):
    labels, y_pred = np.asarray([0, 255, 2, 255]), predictions({}, rng)[:4]
    y_pred[1] = np.nan
    metric = SparseCategoricalFocalMetric(ignore_class=255)
    metric.update_state(labels, y_pred)
    expected = focalcore.sparse_categorical_focal_loss(labels[::2], y_pred[::2]).mean()
    np.testing.assert_allclose(numpy(metric.result()), expected, rtol=1e-6)


MODULES = [
    f"focalcore.keras.{module.name}" for module in pkgutil.iter_modules(focalcore.keras.__path__)
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    results = doctest.testmod(importlib.import_module(name))
    assert results.failed == 0
    assert (results.attempted > 0) == (name.split("._")[1] not in ("loss", "class_weights"))


def model(units, activation):
    layers = [keras.Input((4,)), keras.layers.Dense(8, activation="tanh")]
    return keras.Sequential([*layers, keras.layers.Dense(units, activation=activation)])


class TestTraining:
    @pytest.mark.parametrize("fit", FITS, ids="-".join)
    def test_fit_lowers_the_loss(self, rng, fit):
        compiled, kind, given = fit
        from_logits = given == "logits"
        features = rng.normal(size=(200, 4)).astype("float32")
        if kind == "binary":
            units, activation, targets = 1, "sigmoid", features[:, 0] > 1
        else:
            units, activation, targets = 3, "softmax", (features[:, :3]).argmax(axis=1)
        if kind == "categorical":
            targets = 0.9 * np.eye(3)[targets] + 0.1 / 3
        trained = model(units, None if from_logits else activation)
        trained.compile(
            optimizer=keras.optimizers.Adam(0.01),
            loss=KINDS[kind](from_logits=from_logits),
            jit_compile=compiled == "compiled",
        )
        arguments = {"sample_weight": rng.random(200), "epochs": 10, "verbose": 0}
        losses = trained.fit(features, targets, **arguments).history["loss"]
        assert losses[-1] < losses[0] / 1.3

    @pytest.mark.parametrize(
        ("loss", "units"),
        [
            (BinaryFocalLoss(1.5, pos_weight=[1.0, 2.0], label_smoothing=0.1), 2),
            (BinaryFocalLoss(alpha=np.full((1, 2), 0.25)), 2),
            (SparseCategoricalFocalLoss([1, 2, 3], np.asarray([1.0, 2.0, 3.0]), axis=1), 3),
            (SparseCategoricalFocalLoss(class_weight={2: 3.0}, ignore_class=1), 3),
            (CategoricalFocalLoss(alpha={2: 3.0}, soft_targets="mixture"), 3),
        ],
        ids=["binary", "array", "sparse", "by class", "categorical"],
    )
    def test_model_is_saved_with_its_loss(self, rng, tmp_path, loss, units):
        saved = model(units, "sigmoid" if units == 2 else "softmax")
        saved.compile(loss=loss)
        features = rng.normal(size=(8, 4))
        kind = next(kind for kind in KINDS if type(loss) is KINDS[kind])
        targets = targets_of(kind, rng, (8, units))
        saved.fit(features, targets, verbose=0)
        saved.save(tmp_path / "model.keras")
        loaded = keras.models.load_model(tmp_path / "model.keras")
        assert type(loaded.loss) is type(loss)
        assert loaded.loss.get_config() == loss.get_config()
        expected = saved.evaluate(features, targets, verbose=0)
        assert loaded.evaluate(features, targets, verbose=0) == pytest.approx(expected, rel=1e-6)

    @pytest.mark.parametrize("loss", [*KINDS.values(), GaussianFocalLoss])
    def test_loss_is_serialised(self, loss):
        made = loss(gamma=1.5, reduction="sum", name="mine", dtype="float64")
        again = keras.losses.deserialize(keras.losses.serialize(made))
        assert type(again) is loss
        assert again.get_config() == made.get_config()
        assert again.dtype == "float64"


class TestHeatmaps:
    """The loss of heatmaps, which takes logits alone."""

    def test_it_is_the_function_s_mean_over_the_last_axis(self, rng):
        x, y = rng.normal(size=(4, 6, 2)).astype("float32"), rng.random((4, 6, 2)).round(1)
        each = numpy(GaussianFocalLoss(alpha=1.5, reduction=None)(y, x))
        expected = focalcore.gaussian_focal_loss(x, y.astype("float32"), alpha=1.5).mean(axis=-1)
        np.testing.assert_allclose(each, expected, rtol=1e-5)


class TestPage:
    """What docs/how-to/keras.md says."""

    def test_its_programs_run(self):
        for program in programs_of(ROOT / "docs" / "how-to" / "keras.md"):
            program.run()

    def test_pixels_of_no_class_are_left_out(self, rng):
        names = recipe("keras", "Labels to leave out")
        logits = rng.normal(size=(2, 4, 4, 5)).astype("float32")
        labels = rng.integers(0, 5, (2, 4, 4))
        labels[0, :3] = 255
        found = numpy(names.loss(labels, logits))
        expected = focalcore.softmax_focal_loss(logits, labels, ignore_index=255, reduction="mean")
        np.testing.assert_allclose(found, expected, rtol=1e-5)
