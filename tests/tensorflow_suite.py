"""The functions on TensorFlow's tensors; `test_suites` runs this."""

import numpy as np
import pytest
import tensorflow as tf

import focalcore

from .helpers import ARGUMENTS
from .slices import slice_of

LOGITS = np.random.default_rng(0).normal(size=(9, 3)) * 10
LOGITS[0] = [0.0, -0.0, 1000.0]
TARGETS = np.random.default_rng(1).random((9, 3)).round(1)
LABELS = np.random.default_rng(2).integers(0, 3, 9)
OPTIONS = {
    "plain": {},
    "balanced": {"alpha": 0.25, "gamma": 0.5},
    "smoothed": {"label_smoothing": 0.1},
    "mixture": {"label_smoothing": 0.1, "soft_targets": "mixture"},
    "mean": {"reduction": "mean"},
}
WAYS = ("eager", "graph", "xla")
BY_XLA = slice_of(OPTIONS, "balanced", "mixture")
EACH = [(way, name) for way in WAYS for name in (BY_XLA if way == "xla" else OPTIONS)]


def with_gradient(loss, options):
    def f(logits, targets):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = loss(logits, targets, **options)
        return value, tape.gradient(value, logits)

    return f


def run(way, f, logits, targets):
    arrays = tf.constant(logits), tf.constant(targets)
    if way == "eager":
        return f(*arrays)
    if way == "xla":
        return tf.function(f, jit_compile=True, autograph=False)(*arrays)
    # as Keras trains: of a batch whose size is not known
    specs = [tf.TensorSpec([None, *x.shape[1:]], x.dtype) for x in arrays]
    return tf.function(f, input_signature=specs, autograph=False)(*arrays)


MASKED = [  # the numbers are claimed of all libraries by `test_masked_classes`
    ([[30, -1e9, 0]], [[0.7, 0.2, 0.1]], {}),
    ([[30, -1e9, 0]], [0], {"label_smoothing": 0.1}),
    ([[12, -1e9, 0]], [[0.7, 0.2, 0.1]], {"gamma": 0.5}),
]


@pytest.mark.parametrize("way", ["eager", "graph"])
@pytest.mark.parametrize("case", MASKED, ids=["soft", "smoothed", "a root"])
def test_gradient_is_exact_beside_a_class_that_is_ruled_out(way, case):
    x, y, options = case
    f = with_gradient(focalcore.softmax_focal_loss, options)
    found = run(way, f, np.asarray(x, "float32"), np.asarray(y, "float32" if y != [0] else None))
    expected = focalcore.softmax_focal_loss_value_and_grad(np.asarray(x, float), y, **options)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-6, atol=3e-8)


def test_options_and_variables_are_taken_as_arrays():
    x, y = tf.Variable([[1.0, 2.0]]), tf.constant([[1.0, 0.0]])
    expected = float(focalcore.FocalLoss(alpha=[0.5, 0.25])(x, y))
    for alpha in (tf.constant([0.5, 0.25]), tf.Variable([0.5, 0.25])):
        assert float(focalcore.FocalLoss(alpha=alpha)(x, y)) == pytest.approx(expected)
    rows = focalcore.softmax_focal_loss(x, [0], weight=2, mask=True)
    plain = focalcore.softmax_focal_loss(x, [0])
    np.testing.assert_allclose(rows, 2 * plain, rtol=1e-6)
    assert focalcore.sigmoid_focal_loss(tf.constant([], tf.float32), [], mask=[]).shape == (0,)


@pytest.mark.parametrize("only", ARGUMENTS)
@pytest.mark.parametrize("way", ["eager", "graph"])
def test_numpy_arrays_are_constants_beside_the_only_argument_of_tensorflow(way, only):
    def mean(x):
        return focalcore.sigmoid_focal_loss(**ARGUMENTS | {only: x}, reduction="mean")

    run = mean if way == "eager" else tf.function(mean, autograph=False)
    found = run(tf.constant(ARGUMENTS[only]))
    assert tf.is_tensor(found)
    expected = focalcore.sigmoid_focal_loss(**ARGUMENTS, reduction="mean")
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_guests_are_of_any_real_dtype_and_nothing_else():
    x, y = tf.constant(LOGITS), LABELS
    expected = focalcore.softmax_focal_loss(LOGITS, LABELS)
    for dtype in ("uint8", ">i4", "int64"):
        found = focalcore.softmax_focal_loss(x, y.astype(dtype))
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    with pytest.raises(TypeError, match="targets must hold real numbers; found str"):
        focalcore.softmax_focal_loss(x, y.astype(str))


@pytest.mark.parametrize(("way", "name"), EACH)
class TestFunctions:
    def test_sigmoid_has_the_closed_forms(self, way, name):
        options = OPTIONS[name]
        found = run(way, with_gradient(focalcore.sigmoid_focal_loss, options), LOGITS, TARGETS)
        expected = focalcore.sigmoid_focal_loss_value_and_grad(LOGITS, TARGETS, **options)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)

    def test_softmax_has_the_closed_forms(self, way, name):
        options = OPTIONS[name]
        found = run(way, with_gradient(focalcore.softmax_focal_loss, options), LOGITS, LABELS)
        expected = focalcore.softmax_focal_loss_value_and_grad(LOGITS, LABELS, **options)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


BOTH = {
    "sigmoid": (focalcore.sigmoid_focal_loss, focalcore.sigmoid_focal_loss_grad_and_hess, TARGETS),
    "softmax": (focalcore.softmax_focal_loss, focalcore.softmax_focal_loss_grad_and_hess, LABELS),
}
each_loss = pytest.mark.parametrize("loss", BOTH)


@each_loss
class TestDerivatives:
    @pytest.mark.parametrize("way", WAYS)
    def test_the_hessian_is_the_derivative_of_the_closed_form(self, way, loss):
        f, closed, targets = BOTH[loss]

        def hessian(logits, targets):
            with tf.GradientTape() as outer:
                outer.watch(logits)
                _, slope = with_gradient(f, {"gamma": 1.5})(logits, targets)
            return tf.linalg.diag_part(outer.batch_jacobian(slope, logits))

        _, expected = closed(LOGITS, targets, gamma=1.5)
        found = run(way, hessian, LOGITS, targets)
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)

    @pytest.mark.parametrize("way", ["eager", "graph"])
    def test_forward_mode_over_reverse_mode_is_the_hessian_by_a_vector(self, way, loss):
        f, _, targets = BOTH[loss]

        def product(logits, targets):
            with tf.autodiff.ForwardAccumulator(logits, tf.ones_like(logits)) as forward:
                _, slope = with_gradient(f, {"gamma": 1.5})(logits, targets)
            return forward.jvp(slope)

        def slopes(shift):
            _, found = run("eager", with_gradient(f, {"gamma": 1.5}), LOGITS + shift, targets)
            return found.numpy()

        expected = (slopes(1e-6) - slopes(-1e-6)) / 2e-6
        found = run(way, product, LOGITS, targets)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-8)

    @pytest.mark.parametrize("way", WAYS)
    def test_infinite_logits_have_the_limits_as_gradients(self, way, loss):
        f, _, _ = BOTH[loss]
        closed = getattr(focalcore, f"{f.__name__}_value_and_grad")
        logits = np.asarray([[np.inf, 0.0], [-np.inf, 0.0], [0.0, np.inf], [0.0, -np.inf]])
        targets = np.asarray([0, 1, 0, 1]) if loss == "softmax" else np.eye(2)[[0, 1, 0, 1]]
        found = run(way, with_gradient(f, {"gamma": 0.5}), logits, targets)
        for one, other in zip(found, closed(logits, targets, gamma=0.5), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12)

    def test_a_batch_is_differentiated_row_by_row(self, loss):
        f, closed, targets = BOTH[loss]

        def slope(row):
            return with_gradient(f, {})(*row)[1]

        found = tf.vectorized_map(slope, (tf.constant(LOGITS), tf.constant(targets)))
        np.testing.assert_allclose(found, closed(LOGITS, targets)[0], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", [name for name in ARGUMENTS if name != "mask"])
@pytest.mark.parametrize("way", ["eager", "graph", "forward", "outside a graph"])
def test_whatever_learns_has_its_gradient(way, name):
    given = ARGUMENTS | {"targets": 0.1 + 0.8 * ARGUMENTS["targets"]}
    along = tf.constant(np.random.default_rng(3).normal(size=given[name].shape))

    def mean(x):
        return focalcore.sigmoid_focal_loss(**given | {name: x}, reduction="mean")

    def backward(f):
        def slope(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                loss = f(x)
            return tf.reduce_sum(tape.gradient(loss, x) * along)

        return slope

    def forward(x):
        with tf.autodiff.ForwardAccumulator(x, along) as accumulator:
            loss = mean(x)
        return accumulator.jvp(loss)

    slope = {
        "eager": backward(mean),
        "graph": tf.function(backward(mean), autograph=False),
        "outside a graph": backward(tf.function(mean, autograph=False)),
        "forward": forward,
    }[way]
    step = 1e-6 * along.numpy()
    high, low = (mean(given[name] + s) for s in (step, -step))
    found = slope(tf.constant(given[name]))
    np.testing.assert_allclose(found, (high - low) / 2e-6, rtol=1e-6, atol=1e-9)


def test_a_sum_by_xla_loses_no_digits():
    logits = np.full(2**20, 0.7, "float32")

    def total(logits, targets):
        return focalcore.sigmoid_focal_loss(logits, targets, reduction="sum")

    expected = 2**20 * focalcore.sigmoid_focal_loss(np.float64(logits[0]), 1)
    np.testing.assert_allclose(run("xla", total, logits, np.ones(2**20)), expected, rtol=1e-6)


def test_autograph_has_nothing_to_say(caplog):
    logger = tf.get_logger()
    logger.addHandler(caplog.handler)
    try:
        mean = tf.function(lambda x, y: focalcore.FocalLoss()(x, y))
        mean(tf.constant(LOGITS), tf.constant(TARGETS))
    finally:
        logger.removeHandler(caplog.handler)
    assert caplog.messages == []


def test_variables_are_differentiated():
    variable = tf.Variable(LOGITS)
    with tf.GradientTape() as tape:
        loss = focalcore.sigmoid_focal_loss(variable, tf.constant(TARGETS), reduction="mean")
    _, expected = focalcore.sigmoid_focal_loss_value_and_grad(LOGITS, TARGETS, reduction="mean")
    np.testing.assert_allclose(tape.gradient(loss, variable), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float32], ids=lambda d: d.name)
def test_dtype_stays(dtype):
    logits, targets = tf.cast(LOGITS, dtype), tf.constant(TARGETS) > 0.5
    assert focalcore.sigmoid_focal_loss(logits, targets).dtype == dtype
    assert focalcore.sigmoid_focal_loss(logits, targets, reduction="mean").dtype == tf.float32


def test_bad_labels_are_an_error_where_they_can_be_seen():
    with pytest.raises(ValueError, match="targets must be class labels from 0 to 2; found 7"):
        focalcore.softmax_focal_loss(tf.constant(LOGITS), tf.constant([7] * 9))


def test_a_cast_is_written_as_tensorflow_writes_it():
    with pytest.raises(TypeError, match=r"cast with tf.cast\(targets, tf.int64\)"):
        focalcore.softmax_focal_loss(tf.constant(LOGITS), tf.constant([0.0] * 9))


def test_bad_labels_are_nan_where_they_can_not():
    labels = LABELS.copy()
    labels[3] = 2**32
    loss = run("graph", focalcore.softmax_focal_loss, LOGITS, labels)
    assert np.flatnonzero(np.isnan(loss)).tolist() == [3]


@pytest.mark.parametrize("way", WAYS)
def test_what_counts_is_counted_in_unknown_sizes(way):
    def loss(logits, targets):
        return focalcore.sigmoid_focal_loss(
            logits, targets, reduction="mean", normalizer="positives"
        )

    known = focalcore.sigmoid_focal_loss(LOGITS, TARGETS, reduction="mean", normalizer="positives")
    np.testing.assert_allclose(run(way, loss, LOGITS, TARGETS), known, rtol=1e-12)


def test_what_is_broadcast_to_unknown_sizes_is_an_error():
    def loss(logits, weight):
        return focalcore.sigmoid_focal_loss(
            logits, tf.constant(TARGETS), weight=weight, reduction="mean", normalizer="weight"
        )

    with pytest.raises(ValueError, match=r"does not know the shape \(None, 3\) yet"):
        run("graph", loss, LOGITS, np.ones((9, 1)))


def test_mean_of_half_precision_in_unknown_sizes():
    zeros = np.zeros(100_000, dtype="float16")
    expected = focalcore.sigmoid_focal_loss(zeros, zeros > 1, reduction="mean")
    found = run(
        "graph",
        lambda x, y: focalcore.sigmoid_focal_loss(x, y, reduction="mean"),
        zeros,
        zeros > 1,
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_parameters_learn_in_a_graph():
    gamma = tf.Variable(np.float64(1.5))

    @tf.function(autograph=False)
    def slope(logits, targets):
        with tf.GradientTape() as tape:
            loss = focalcore.sigmoid_focal_loss(logits, targets, gamma=gamma, reduction="sum")
        return tape.gradient(loss, gamma)

    logits, targets = tf.constant(LOGITS), tf.constant(TARGETS)

    def at(value):
        return focalcore.sigmoid_focal_loss(LOGITS, TARGETS, gamma=value, reduction="sum")

    expected = (at(1.5 + 1e-6) - at(1.5 - 1e-6)) / 2e-6
    np.testing.assert_allclose(slope(logits, targets), expected, rtol=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_worst_probability_keeps_its_signal(gamma):
    p = np.asarray([0.0, 1e-20, 1e-8, 0.5])

    def slope(p):
        with tf.GradientTape() as tape:
            tape.watch(p)
            loss = tf.reduce_sum(focalcore.binary_focal_loss(tf.ones_like(p), p, gamma))
        return tape.gradient(loss, p)

    floored = np.maximum(p, 2.0**-52)
    modulating, rate = (1 - p) ** gamma, gamma * (1 - p) ** (gamma - 1)
    expected = rate * np.log(floored) - modulating / floored
    np.testing.assert_allclose(slope(tf.constant(p)), expected, rtol=1e-12)


def test_unknown_number_of_classes_is_an_error():
    f = tf.function(
        focalcore.softmax_focal_loss,
        input_signature=[tf.TensorSpec([None, None], tf.float64), tf.TensorSpec([None], tf.int64)],
        autograph=False,
    )
    with pytest.raises(ValueError, match="the number of classes must be known"):
        f(LOGITS, LABELS)
