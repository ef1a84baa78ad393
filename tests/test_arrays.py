"""What may be passed, and what comes back."""

import threading

import numpy as np
import pytest

from focalcore import (
    binary_focal_loss,
    sigmoid_focal_loss,
    softmax_focal_loss,
    sparse_categorical_focal_loss,
)

from .helpers import ARGUMENTS
from .programs import output_of

LOGITS, LABELS = [2.0, -1.0, 0.5, -2.0], [1, 0, 1, 0]


def library(x):
    return type(x).__module__.partition(".")[0]


def test_the_result_is_an_array_of_the_library(place):
    x, y = place.array(np.asarray(LOGITS)), place.array(np.asarray(LABELS))
    for loss in (sigmoid_focal_loss(x, y), binary_focal_loss(y, x, from_logits=True)):
        assert library(loss) == library(x)
        assert getattr(loss, "device", None) == getattr(x, "device", None)
        assert loss.shape == (4,)


def test_the_dtype_is_kept(place):
    y = place.array(np.asarray(LABELS))
    for dtype in place.dtypes:
        x = place.array(np.asarray(LOGITS), dtype)
        wide = place.array(
            np.asarray(LOGITS), "float32" if dtype in ("float16", "bfloat16") else dtype
        )
        options = {"gamma": np.float64(1.5), "alpha": np.float64(0.25)}
        assert sigmoid_focal_loss(x, y, **options).dtype == x.dtype
        assert sigmoid_focal_loss(x, y, reduction="mean", **options).dtype == wide.dtype


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int32", "int64", "float32", "float64"])
def test_targets_may_be_of_any_real_dtype(place, dtype):
    x = place.array(np.asarray(LOGITS, dtype="float32"))
    expected = place.numpy(sigmoid_focal_loss(x, place.array(np.asarray(LABELS))))
    loss = sigmoid_focal_loss(x, place.array(np.asarray(LABELS), dtype))
    assert loss.dtype == x.dtype
    np.testing.assert_array_equal(place.numpy(loss), expected)


def test_targets_may_be_of_every_floating_dtype_of_the_library(place):
    x = place.array(np.asarray(LOGITS, dtype="float32"))
    soft = np.asarray([0.25, 0.0, 1.0, 0.5])  # which halves have too
    expected = place.numpy(sigmoid_focal_loss(x, place.array(soft)))
    for dtype in place.dtypes:
        loss = sigmoid_focal_loss(x, place.array(soft, dtype))
        assert loss.dtype == x.dtype
        np.testing.assert_array_equal(place.numpy(loss), expected)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int32", "int64"])
def test_class_labels_may_be_of_any_integer_dtype(place, dtype, rng):
    x = place.array(rng.normal(size=(3, 300)))
    labels = np.asarray([0, 1, 1])
    expected = place.numpy(softmax_focal_loss(x, place.array(labels)))
    loss = softmax_focal_loss(x, place.array(labels, dtype))
    np.testing.assert_array_equal(place.numpy(loss), expected)


@pytest.fixture
def float32(place):
    return tuple(place.array(np.asarray(values), "float32") for values in (LOGITS, LABELS))


def test_a_list_follows_the_other_argument(place, float32):
    x, y = float32
    for loss in (sigmoid_focal_loss(x, LABELS), sigmoid_focal_loss(LOGITS, y)):
        assert library(loss) == library(x)
        assert loss.dtype == x.dtype
        np.testing.assert_array_equal(place.numpy(loss), place.numpy(sigmoid_focal_loss(x, y)))


# each argument as the only one of its library; nothing is differentiated by a mask
WAYS_OF_GUESTS = [
    (way, only)
    for way in ("eager", "jit", "grad")
    for only in ARGUMENTS
    if (way, only) != ("grad", "mask")
]


class TestGuests:
    """NumPy arrays beside JAX's are constants; `tensorflow_suite` claims it of TensorFlow."""

    @pytest.fixture
    def x64_off(self, jax):
        jax.config.update("jax_enable_x64", False)
        yield jax.numpy
        jax.config.update("jax_enable_x64", True)

    @pytest.mark.parametrize(("way", "only"), WAYS_OF_GUESTS)
    def test_any_argument_may_be_the_only_one_of_jax(self, jax, only, way):
        def mean(x):
            return sigmoid_focal_loss(**ARGUMENTS | {only: x}, reduction="mean")

        run = {"eager": lambda f: f, "jit": jax.jit, "grad": lambda f: jax.jit(jax.grad(f))}[way]
        own = {name: jax.numpy.asarray(x) for name, x in ARGUMENTS.items()}
        found = run(mean)(own[only])
        expected = run(lambda x: sigmoid_focal_loss(**own | {only: x}, reduction="mean"))(own[only])
        assert library(found) == library(own[only])
        np.testing.assert_allclose(found, expected, rtol=1e-14)

    @pytest.mark.parametrize("only", ["logits", "targets"])
    def test_class_labels_and_rows_may_be_guests(self, jax, only):
        rows, labels = ARGUMENTS["logits"], np.asarray([0, 2])
        own = {"logits": rows, "targets": labels}
        own[only] = jax.numpy.asarray(own[only])
        found = softmax_focal_loss(**own)
        assert library(found) == library(own[only])
        np.testing.assert_allclose(found, softmax_focal_loss(rows, labels), rtol=1e-14)

    @pytest.mark.parametrize("dtype", ["float16", "float32", ">f8", "bool", "uint8", ">i4"])
    def test_a_guest_may_be_of_any_real_dtype(self, jax, dtype):
        x, y = jax.numpy.asarray(LOGITS), np.asarray(LABELS)
        expected = sigmoid_focal_loss(LOGITS, LABELS)
        np.testing.assert_allclose(sigmoid_focal_loss(x, y.astype(dtype)), expected, rtol=1e-14)

    def test_a_wide_guest_is_rounded_as_jax_does(self, x64_off):
        x, y = x64_off.asarray(LOGITS), np.asarray([0.1, 1.0, 0.0, 0.5])
        for loss in (
            sigmoid_focal_loss(x, y),
            sigmoid_focal_loss(np.asarray(LOGITS), x64_off.asarray(y)),
        ):
            assert loss.dtype == x.dtype == np.float32
        with np.errstate(all="raise"):
            assert sigmoid_focal_loss(x, y, weight=np.asarray([1e-300] * 4))[0] == 0

    @pytest.mark.parametrize("label", [2**32 + 1, -(2**32) + 1, 2**63 + 1])
    def test_a_wide_label_does_not_wrap_to_a_class(self, x64_off, label):
        with pytest.raises(ValueError, match="must be class labels from 0 to 3"):
            softmax_focal_loss(x64_off.asarray([LOGITS]), np.asarray([label]))

    @pytest.mark.parametrize("bad", [["a"], [1j], [None]], ids=["text", "complex", "objects"])
    def test_a_guest_without_real_numbers_is_an_error(self, jax, bad):
        with pytest.raises(TypeError, match="targets must hold real numbers"):
            sigmoid_focal_loss(jax.numpy.zeros(1), np.asarray(bad))

    def test_a_column_beside_jax_is_a_guest_too(self, jax):
        pandas = pytest.importorskip("pandas", reason="pandas is not installed")
        found = sigmoid_focal_loss(jax.numpy.asarray(LOGITS), pandas.Series(LABELS))
        np.testing.assert_allclose(found, sigmoid_focal_loss(LOGITS, LABELS), rtol=1e-14)


def test_a_number_is_the_target_of_every_logit(place, float32):
    x, _ = float32
    ones = place.array(np.ones(4))
    found, expected = (place.numpy(sigmoid_focal_loss(x, y)) for y in (1, ones))
    np.testing.assert_array_equal(found, expected)


def test_mask_and_weight_may_be_lists(place, float32):
    loss = sigmoid_focal_loss(*float32, mask=[True, False, True, False], weight=[1, 2, 3, 4])
    expected = place.numpy(sigmoid_focal_loss(*float32)) * [1, 0, 3, 0]
    np.testing.assert_allclose(place.numpy(loss), expected, rtol=1e-6)


def test_lists_alone_become_numpy():
    loss = sigmoid_focal_loss([1, -1], [1, 0])
    assert isinstance(loss, np.ndarray)
    assert loss.dtype == np.float64
    assert sigmoid_focal_loss(2.0, 1).shape == ()
    assert softmax_focal_loss([[1.0, 2.0]], [1]).shape == (1,)


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (2, 3, 4, 5), (2, 1, 3)], ids=str)
def test_logits_may_be_of_any_rank(place, rng, shape):
    x, y = rng.normal(size=shape), rng.integers(0, 2, shape)
    loss = sigmoid_focal_loss(place.array(x), place.array(y))
    flat = place.call(sigmoid_focal_loss, x.ravel(), y.ravel())
    assert tuple(loss.shape) == shape
    np.testing.assert_array_equal(place.numpy(loss).ravel(), flat)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)], ids=str)
def test_empty_arrays_give_empty_losses_and_a_mean_of_zero(place, shape):
    x, y = place.array(np.zeros(shape)), place.array(np.zeros(shape, dtype="int64"))
    assert tuple(sigmoid_focal_loss(x, y).shape) == shape
    for reduction in ("mean", "sum"):
        assert place.numpy(sigmoid_focal_loss(x, y, reduction=reduction)) == 0
    if shape == (0, 3):
        labels = place.array(np.zeros(0, dtype="int64"))
        assert tuple(softmax_focal_loss(x, labels).shape) == (0,)
        assert place.numpy(softmax_focal_loss(x, labels, reduction="mean")) == 0


def test_targets_with_axes_of_1_broadcast_to_the_logits(place, rng):
    x, y = rng.normal(size=(4, 3)), rng.integers(0, 2, (1, 3))
    expected = place.call(sigmoid_focal_loss, x, y * np.ones((4, 1)))
    np.testing.assert_allclose(place.call(sigmoid_focal_loss, x, y), expected)
    mean = place.call(sigmoid_focal_loss, x, y, reduction="mean", normalizer="positives")
    assert mean == pytest.approx(expected.sum() / max(4 * y.sum(), 1))


def test_inputs_are_never_changed(place, rng):
    arrays = {
        "logits": rng.normal(size=(4, 3)) * 100,
        "targets": rng.random((4, 3)),
        "weight": rng.random((4, 3)),
        "mask": rng.random((4, 3)) < 0.5,
    }
    given = {name: place.array(a) for name, a in arrays.items()}
    sigmoid_focal_loss(**given, label_smoothing=0.1, ignore_index=1, reduction="mean")
    for name, a in arrays.items():
        np.testing.assert_array_equal(place.numpy(given[name]), a)


@pytest.mark.parametrize(
    "view",
    [lambda a: a[::2], lambda a: a.T, lambda a: a[:, ::-1], lambda a: a.astype(">f8")],
    ids=["strided", "transposed", "reversed", "big-endian"],
)
def test_numpy_views_of_any_layout_are_read(rng, view):
    x, y = view(rng.normal(size=(6, 6))), view(rng.random((6, 6)))
    expected = sigmoid_focal_loss(np.ascontiguousarray(x, "f8"), np.ascontiguousarray(y, "f8"))
    np.testing.assert_array_equal(sigmoid_focal_loss(x, y), expected)


def test_memory_maps_are_read(tmp_path, rng):
    np.save(tmp_path / "x.npy", rng.normal(size=100))
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    np.testing.assert_array_equal(sigmoid_focal_loss(x, 1), sigmoid_focal_loss(np.array(x), 1))


@pytest.mark.parametrize("frames", ["pandas", "polars", "pyarrow"])
def test_columns_are_read_as_numpy(frames):
    module = pytest.importorskip(frames, reason=f"{frames} is not installed")
    column = {"pandas": "Series", "polars": "Series", "pyarrow": "array"}[frames]
    make = getattr(module, column)
    loss = sigmoid_focal_loss(make(LOGITS), make(LABELS))
    assert isinstance(loss, np.ndarray)
    np.testing.assert_array_equal(loss, sigmoid_focal_loss(LOGITS, LABELS))
    losses = sparse_categorical_focal_loss(make([0, 1]), [[0.8, 0.2], [0.3, 0.7]])
    assert losses.shape == (2,)


class Unknown:
    """An array of a library that nobody has heard of: NumPy behind the standard's door."""

    def __init__(self, array):
        self.array = np.asarray(array)
        self.dtype, self.shape, self.ndim = self.array.dtype, self.array.shape, self.array.ndim
        self.device = "somewhere"

    def __array_namespace__(self, *, api_version=None):
        return UNKNOWN


def _operator(name):
    def method(self, *others):
        others = [o.array if isinstance(o, Unknown) else o for o in others]
        return Unknown(getattr(self.array, name)(*others))

    return method


for operator in "add radd sub rsub mul rmul truediv pow neg and le ge eq ne lt gt".split():  # noqa: SIM905 - a list of words
    setattr(Unknown, f"__{operator}__", _operator(f"__{operator}__"))
Unknown.__rtruediv__ = _operator("__rtruediv__")


class Namespace:
    float32, float64, int32, int64 = np.float32, np.float64, np.int32, np.int64
    inf, nan = np.inf, np.nan

    def __getattr__(self, name):
        import array_api_compat.numpy as xp

        function = getattr(xp, name)

        def call(*args, device=None, **kwargs):  # noqa: ARG001 - there is only one
            args = [a.array if isinstance(a, Unknown) else a for a in args]
            result = function(*args, **kwargs)
            return Unknown(result) if isinstance(result, np.ndarray | np.generic) else result

        return call


UNKNOWN = Namespace()


def test_any_array_of_the_standard_is_dispatched(rng):
    x, y = rng.normal(size=(4, 3)), rng.integers(0, 3, 4)
    found = softmax_focal_loss(Unknown(x), Unknown(y), alpha=[1.0, 2.0, 3.0])
    assert isinstance(found, Unknown)
    expected = softmax_focal_loss(x, y, alpha=[1.0, 2.0, 3.0])
    np.testing.assert_allclose(found.array, expected, rtol=1e-14)
    mean = sigmoid_focal_loss(Unknown(x), Unknown(np.ones((4, 3))), alpha=0.25, reduction="mean")
    expected = sigmoid_focal_loss(x, np.ones((4, 3)), alpha=0.25, reduction="mean")
    np.testing.assert_allclose(mean.array, expected, rtol=1e-14)


def test_two_devices_of_a_library_that_nobody_knows_are_named():
    x, y = Unknown(LOGITS), Unknown(LABELS)
    y.device = "elsewhere"
    with pytest.raises(ValueError, match=r"devices.* logits is somewhere, targets is elsewhere"):
        sigmoid_focal_loss(x, y)


def test_importing_the_package_imports_no_framework():
    code = (
        "import sys, focalcore; "
        "print(sorted({'torch', 'jax', 'cupy', 'dask', 'keras', 'rich'} & set(sys.modules)))"
    )
    assert output_of("-c", code).strip() == "[]"


def test_numpy_errors_set_to_raise_are_not_met_and_not_changed():
    x = np.asarray([0.0, 1000.0, -1000.0, np.inf, -np.inf, 1e-310])
    with np.errstate(all="raise"):
        sigmoid_focal_loss(x, 1)
        softmax_focal_loss(np.stack([x, 0 * np.nan_to_num(x)], axis=-1), np.zeros(6, int))
        assert np.geterr() == dict.fromkeys(("divide", "over", "under", "invalid"), "raise")


def test_threads_share_nothing(rng):
    x, y = rng.normal(size=(20, 5)), rng.integers(0, 5, 20)
    expected = softmax_focal_loss(x, y)
    found = [None] * 8

    def work(i):
        found[i] = all(np.array_equal(softmax_focal_loss(x, y), expected) for _ in range(20))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(found)


def test_torch_parameters_and_subclasses_are_tensors(torch):
    x = torch.nn.Parameter(torch.tensor(LOGITS))
    loss = sigmoid_focal_loss(x, torch.tensor(LABELS), reduction="mean")
    assert loss.requires_grad

    class Tagged(torch.Tensor):
        pass

    tagged = torch.tensor(LOGITS).as_subclass(Tagged)
    np.testing.assert_allclose(
        sigmoid_focal_loss(tagged, torch.tensor(LABELS)).mean().item(), loss.item()
    )


def test_float32_of_a_million_elements_is_exact_to_the_end():
    x = np.tile(np.asarray([3.0, -2.0], dtype="float32"), 500_000)
    loss = sigmoid_focal_loss(x, 1, reduction="mean")
    expected = sigmoid_focal_loss(np.asarray([3.0, -2.0]), 1, reduction="mean")
    assert float(loss) == pytest.approx(float(expected), rel=1e-6)
