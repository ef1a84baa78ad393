"""Keras losses on the backend that KERAS_BACKEND names; `test_suites` runs this on each."""

import doctest
import itertools

import keras
import numpy as np
import pytest

import focalcore
from focalcore.keras import BinaryFocalLoss, SparseCategoricalFocalLoss

from .pages import ROOT, programs_of, recipe
from .slices import slice_of

# Keras' own, where it makes NumPy's arrays of torch's
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
BACKEND = keras.backend.backend()
# by XLA, or not; torch's compiler takes minutes for a model
COMPILED = {"torch": ["plain"], "jax": ["compiled"], "tensorflow": ["plain", "compiled"]}[BACKEND]
KINDS = {"binary": BinaryFocalLoss, "sparse": SparseCategoricalFocalLoss}
LOSSES = list(itertools.product(KINDS, ["probabilities", "logits"]))
SOME = slice_of(LOSSES, ("binary", "logits"), ("sparse", "probabilities"))
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

    def test_published_example_gives_the_published_numbers(self):
        each = BinaryFocalLoss(gamma=2, reduction=None)([0, 1, 1], [0.1, 0.7, 0.9])
        np.testing.assert_allclose(numpy(each).round(3), [0.001, 0.032, 0.001], rtol=1e-6)

    def test_gamma_is_2_where_nothing_is_said(self):
        each = BinaryFocalLoss(reduction=None)([0, 1, 1], [0.1, 0.7, 0.9])
        np.testing.assert_allclose(numpy(each).round(3), [0.001, 0.032, 0.001], rtol=1e-6)
        loss = SparseCategoricalFocalLoss()([0], [[0.7, 0.3]])
        assert float(loss) == pytest.approx(-(0.3**2) * np.log(0.7), rel=1e-5)

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


class TestBadInput:
    def test_options_are_checked_at_construction(self):
        with pytest.raises(ValueError, match="gamma must be a finite number >= 0; found -1"):
            BinaryFocalLoss(gamma=-1)
        with pytest.raises(ValueError, match=r"label_smoothing must be a number in \[0, 1\]"):
            BinaryFocalLoss(label_smoothing=2)
        with pytest.raises(ValueError, match=r"alpha must be a number in \[0, 1\]; found 1.5"):
            BinaryFocalLoss(alpha=1.5)
        with pytest.raises(ValueError, match="class_weight must be a finite number >= 0"):
            SparseCategoricalFocalLoss(class_weight=[-1, 1])
        with pytest.raises(TypeError, match="axis must be an integer"):
            SparseCategoricalFocalLoss(axis="last")

    @pytest.mark.parametrize("label", [3, -1, 0.5, np.nan])
    def test_label_that_is_no_class_is_an_error(self, label):
        with pytest.raises(ValueError, match="must be class labels from 0 to 2"):
            SparseCategoricalFocalLoss()([0, label], [[0.2, 0.3, 0.5]] * 2)

    def test_class_labels_are_sent_to_the_loss_for_them(self):
        with pytest.raises(ValueError, match="labels of classes go to SparseCategoricalFocalLoss"):
            BinaryFocalLoss()(np.asarray([0, 2, 1, 0]), np.full((4, 3), 0.5))

    def test_nothing_broadcasts_along_the_samples(self):
        with pytest.raises(ValueError, match=r"y_true of shape .* does not fit y_pred"):
            BinaryFocalLoss()(np.ones((3,)), np.full((4, 3), 0.5))

    def test_one_hot_rows_are_told_to_become_labels(self):
        with pytest.raises(ValueError, match="of one-hot rows take the argmax"):
            SparseCategoricalFocalLoss()(np.eye(3)[:2], np.full((2, 3), 1 / 3))

    def test_a_flag_is_true_or_false(self):
        with pytest.raises(TypeError, match="from_logits must be True or False"):
            BinaryFocalLoss(from_logits="no")

    @pytest.mark.parametrize(("dtype", "most"), [("bfloat16", 2**8), ("float16", 2**11)])
    def test_more_classes_than_the_type_can_number_is_an_error(self, dtype, most):
        loss = SparseCategoricalFocalLoss(dtype=dtype, from_logits=True)
        assert loss([most - 1], np.zeros((1, most), dtype="float32")) > 0
        with pytest.raises(
            ValueError, match=f"labels of {most + 1} classes lose digits in {dtype}"
        ):
            loss([most], np.zeros((1, most + 1), dtype="float32"))


def test_examples_in_docstrings_run():
    results = doctest.testmod(focalcore.keras)
    assert results.attempted > 0
    assert results.failed == 0


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
        ],
        ids=["binary", "array", "sparse"],
    )
    def test_model_is_saved_with_its_loss(self, rng, tmp_path, loss, units):
        saved = model(units, "sigmoid" if units == 2 else "softmax")
        saved.compile(loss=loss)
        features = rng.normal(size=(8, 4))
        targets = rng.integers(0, 2, (8, 2)) if units == 2 else rng.integers(0, 3, 8)
        saved.fit(features, targets, verbose=0)
        saved.save(tmp_path / "model.keras")
        loaded = keras.models.load_model(tmp_path / "model.keras")
        assert type(loaded.loss) is type(loss)
        assert loaded.loss.get_config() == loss.get_config()
        expected = saved.evaluate(features, targets, verbose=0)
        assert loaded.evaluate(features, targets, verbose=0) == pytest.approx(expected, rel=1e-6)

    @pytest.mark.parametrize("kind", [BinaryFocalLoss, SparseCategoricalFocalLoss])
    def test_loss_is_serialised(self, kind):
        loss = kind(1.5, from_logits=True, reduction="sum", name="mine", dtype="float64")
        again = keras.losses.deserialize(keras.losses.serialize(loss))
        assert type(again) is kind
        assert again.get_config() == loss.get_config()
        assert again.dtype == "float64"


class TestPage:
    """What docs/keras.md says."""

    def test_its_programs_run(self):
        for program in programs_of(ROOT / "docs" / "keras.md"):
            program.run()

    def test_labels_of_weight_0_are_left_out(self, rng):
        names = recipe("keras", "Labels to leave out")
        logits = rng.normal(size=(2, 4, 4, 5)).astype("float32")
        labels = rng.integers(0, 5, (2, 4, 4))
        labels[0, :3] = 255
        classes, weights = names.classes_and_weights(labels)
        found = numpy(names.loss(classes, logits, sample_weight=weights))
        expected = focalcore.softmax_focal_loss(logits, labels, ignore_index=255, reduction="mean")
        np.testing.assert_allclose(found, expected, rtol=1e-5)
