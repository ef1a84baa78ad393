"""Lists, buffers, columns and NumPy's scalars: taken where a number or an array is, or refused."""

import array

import numpy as np
import pytest

from conformance.places import DASK, JAX, STRICT, TORCH
from focalcore import (
    FocalLoss,
    binary_focal_loss,
    sigmoid_focal_loss,
    softmax_focal_loss,
    sparse_categorical_focal_loss,
    use_threads,
)
from focalcore._dtypes import dtype_name

from .helpers import fails
from .programs import require


def test_an_empty_list_of_labels_goes_with_empty_logits(place):
    rows = place.array(np.zeros((0, 3)))
    assert tuple(softmax_focal_loss(rows, []).shape) == (0,)
    assert place.numpy(softmax_focal_loss(rows, [], reduction="mean")) == 0
    assert tuple(sparse_categorical_focal_loss([], rows).shape) == (0,)


def test_the_type_of_an_empty_array_says_nothing(place):
    rows, nothing = place.array(np.zeros((0, 3))), place.array(np.zeros(0))
    assert tuple(softmax_focal_loss(rows, nothing).shape) == (0,)
    assert tuple(sigmoid_focal_loss(nothing, nothing, mask=nothing, weight=nothing).shape) == (0,)


def test_an_empty_list_is_a_mask(place):
    nothing = place.array(np.zeros(0))
    assert place.numpy(sigmoid_focal_loss(nothing, [], mask=[], weight=[], reduction="mean")) == 0
    assert sigmoid_focal_loss([], [], mask=[]).shape == (0,)


SCALARS = {
    "gamma": (np.float32(1.5), 1.5),
    "alpha": (np.float16(0.25), 0.25),
    "pos_weight": (np.int64(3), 3),
    "label_smoothing": (np.float32(0.125), 0.125),
    "ignore_index": (np.int32(1), 1),
    "normalizer": (np.int16(4), 4),
}


@pytest.mark.parametrize("option", SCALARS)
@pytest.mark.parametrize("wrapped", [False, True], ids=["scalar", "0-d array"])
def test_a_numpy_scalar_is_a_number(place, option, wrapped):
    scalar, number = SCALARS[option]
    scalar = np.asarray(scalar) if wrapped else scalar
    x, y = np.asarray([2.0, -1.0, 0.5]), np.asarray([1, 0, 1])
    more = {"reduction": "mean"}
    x, y = place.array(x, "float32"), place.array(y)
    loss = sigmoid_focal_loss(x, y, **{option: scalar}, **more)
    assert place.numpy(loss) == place.numpy(sigmoid_focal_loss(x, y, **{option: number}, **more))
    assert dtype_name(loss.dtype) == "float32"


def test_numpy_scalars_are_numbers_elsewhere_too():
    p = np.asarray([0.2, 0.7], "float32")
    given = binary_focal_loss(
        [0, 1], p, eps=np.float32(2**-7), label_smoothing=np.float64(0.1), gamma=np.int8(2)
    )
    np.testing.assert_array_equal(
        given, binary_focal_loss([0, 1], p, eps=2**-7, label_smoothing=0.1)
    )
    rows = np.zeros((2, 3))
    assert softmax_focal_loss(rows, [0, 1], axis=np.int8(1)).shape == (2,)
    criterion = FocalLoss(np.float32(2), task_type="multi-class", num_classes=np.uint8(3))
    assert criterion == FocalLoss(2.0, task_type="multi-class", num_classes=3)
    with use_threads(np.int64(1)):
        assert sigmoid_focal_loss(0.0, 1) > 0


@pytest.mark.parametrize("bad", [np.bool_(True), True, "0.1", 1j, None, [0.1]], ids=repr)
def test_what_is_no_number_is_still_refused(bad):
    with pytest.raises(TypeError, match="label_smoothing must be a number"):
        sigmoid_focal_loss([0.0], [1], label_smoothing=bad)


SEQUENCES = {
    "range": (range(2), [0, 1]),
    "array.array of ints": (array.array("i", [0, 1]), [0, 1]),
    "array.array of floats": (array.array("d", [0.0, 0.5]), [0.0, 0.5]),
    "memoryview": (memoryview(np.asarray([1, 0])), [1, 0]),
    "tuple": ((1, 0), [1, 0]),
    "list of NumPy scalars": ([np.int64(1), np.float32(0.5)], [1, 0.5]),
    "list of NumPy arrays": ([np.asarray(1), np.asarray(0)], [1, 0]),
}


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_python_sequences_are_lists(place, sequence):
    given, plain = SEQUENCES[sequence]
    x = place.array(np.asarray([2.0, -1.0]))
    np.testing.assert_array_equal(
        place.numpy(sigmoid_focal_loss(x, given)), place.numpy(sigmoid_focal_loss(x, plain))
    )
    np.testing.assert_array_equal(
        place.numpy(sigmoid_focal_loss(x, 1, weight=given)),
        place.numpy(sigmoid_focal_loss(x, 1, weight=plain)),
    )


def test_class_labels_and_parameters_may_be_a_range_or_a_buffer(place):
    x = place.array(np.asarray([[2.0, -1.0, 0.5], [0.0, 1.0, 2.0]]))
    plain = place.numpy(softmax_focal_loss(x, [0, 1], gamma=[0, 1, 2], alpha=[1.0, 2.0, 0.5]))
    found = softmax_focal_loss(x, range(2), gamma=range(3), alpha=array.array("d", [1, 2, 0.5]))
    np.testing.assert_array_equal(place.numpy(found), plain)


def test_a_buffer_keeps_its_type():
    assert sigmoid_focal_loss(array.array("f", [1, 2]), [1, 0]).dtype == np.float32
    assert sigmoid_focal_loss(np.float32(2), 1).dtype == np.float32
    assert sigmoid_focal_loss(range(3), [1, 0, 1]).dtype == np.float64


@pytest.mark.parametrize("library", [STRICT, DASK, TORCH, JAX], ids=lambda place: place.id)
def test_a_list_of_another_librarys_arrays_is_refused(library):
    library.require()
    x = [library.array(np.asarray(1.0)), library.array(np.asarray(2.0))]
    with fails(TypeError, "logits is a list of", "arrays", "stack"):
        sigmoid_focal_loss(x, [1, 0])


@pytest.mark.parametrize("library", [STRICT, TORCH, JAX], ids=lambda place: place.id)
def test_a_list_of_arrays_is_refused_in_a_parameter_and_deeper_down_too(library):
    library.require()
    one = library.array(np.asarray(1.0))
    with fails(TypeError, "gamma is a list of arrays", "stack"):
        sigmoid_focal_loss([1.0, 2.0], [1, 0], gamma=[one, 2.0])
    with fails(TypeError, "targets is a list of", "arrays", "stack"):
        sigmoid_focal_loss([[1.0, 2.0]], [[one, one]])


ODD_PARAMETERS = {
    "objects": (np.asarray([1, 2], object), TypeError, "found an array of object"),
    "texts": (np.asarray(["1", "2"]), TypeError, "found an array of <U1"),
    "ragged": ([[1, 2], [3]], ValueError, "must be a rectangular list"),
}


@pytest.mark.parametrize("odd", ODD_PARAMETERS)
def test_parameters_that_are_no_numbers_are_named(odd):
    value, error, words = ODD_PARAMETERS[odd]
    with fails(error, "gamma", words):
        sigmoid_focal_loss([[1.0, 2.0]], 1, gamma=value)


@pytest.mark.parametrize("flag", ["no", 1, None, np.asarray([True])], ids=repr)
def test_a_flag_is_true_or_false(flag):
    with fails(TypeError, "from_logits must be True or False"):
        binary_focal_loss([1], [0.5], from_logits=flag)
    with fails(TypeError, "from_logits must be True or False"):
        sparse_categorical_focal_loss([1], [[0.5, 0.5]], from_logits=flag)
    assert binary_focal_loss([1], [0.5], from_logits=np.bool_(True)) > 0


def test_a_dict_is_named_and_what_is_taken():
    with fails(TypeError, "alpha is a dict", "order of the classes", r"such as \[1, 10\]"):
        softmax_focal_loss([[0.0, 1.0]], [1], alpha={0: 1, 1: 10})
    with fails(TypeError, "alpha is a dict", r"number in \[0, 1\]", "positives weigh alpha"):
        sigmoid_focal_loss([0.0, 1.0], [1, 0], alpha={0: 1, 1: 10})
    with fails(TypeError, "class_weight is a dict", "order of the classes"):
        sparse_categorical_focal_loss([1], [[0.5, 0.5]], class_weight={0: 1, 1: 10})
    with fails(TypeError, "gamma is a dict"):
        FocalLoss(gamma={0: 1, 1: 10})


class TestLazyColumns:
    """What has ``__array__`` but is not in memory is not read without a word."""

    def test_a_column_of_a_dask_dataframe_is_its_dask_array(self, dask, rng):
        require("pandas", "pyarrow")
        import dask.dataframe
        import pandas

        frame = pandas.DataFrame({"x": rng.normal(size=20), "y": rng.integers(0, 2, 20)})
        lazy = dask.dataframe.from_pandas(frame, npartitions=3)
        loss = sigmoid_focal_loss(lazy.x, lazy.y)
        assert isinstance(loss, dask.array.Array)
        np.testing.assert_array_equal(loss.compute(), sigmoid_focal_loss(frame.x, frame.y))
        mean = sigmoid_focal_loss(lazy.x, lazy.y, weight=lazy.y, reduction="mean")
        expected = sigmoid_focal_loss(frame.x, frame.y, weight=frame.y, reduction="mean")
        assert float(mean.compute()) == pytest.approx(expected, rel=1e-14)

    @pytest.mark.usefixtures("dask")
    def test_probabilities_of_a_dask_dataframe_are_its_dask_array(self):
        require("pandas", "pyarrow")
        import dask.dataframe
        import pandas

        frame = pandas.DataFrame({"y": [0, 1, 0, 1], "p": [0.1, 0.2, 0.3, 0.4]})
        lazy = dask.dataframe.from_pandas(frame, npartitions=2)
        np.testing.assert_array_equal(
            binary_focal_loss(lazy.y, lazy.p).compute(), binary_focal_loss(frame.y, frame.p)
        )

    def test_masked_arrays_in_chunks_are_refused_as_whole_ones_are(self, dask):
        masked = dask.array.from_array(np.ma.masked_array([1.0, 2.0], [True, False]), chunks=1)
        with fails(TypeError, "logits", "masked arrays", "mask would be lost"):
            sigmoid_focal_loss(masked, 1)

    @pytest.mark.parametrize("sign", ["chunks", "compute", "execute", "collect"])
    def test_anything_else_that_is_lazy_is_an_error(self, sign):
        class Lazy:
            def __array__(self, dtype=None, copy=None):
                raise AssertionError("it was read")

        setattr(Lazy, sign, None)
        with fails(TypeError, "logits", "Lazy", "may not be in memory", "np.asarray"):
            sigmoid_focal_loss(Lazy(), [1.0])
        with fails(TypeError, "alpha", "Lazy", "may not be in memory"):
            sigmoid_focal_loss([1.0], [1.0], alpha=Lazy())

    def test_columns_in_memory_are_still_read(self):
        require("pandas", "polars", "pyarrow")
        import pandas
        import polars
        import pyarrow

        expected = sigmoid_focal_loss([1.0, -1.0], [1, 0])
        for column in (pandas.Series, polars.Series, lambda v: pyarrow.chunked_array([v])):
            found = sigmoid_focal_loss(column([1.0, -1.0]), column([1, 0]))
            np.testing.assert_array_equal(found, expected)


@pytest.mark.usefixtures("dask")
def test_results_of_dask_pickle_with_plain_pickle(rng):
    import pickle

    x, y = DASK.array(rng.normal(size=(6, 3))), DASK.array(rng.integers(0, 3, 6))
    gamma = DASK.array(np.asarray([1.0, 2.0, 0.5]))
    for loss in (
        softmax_focal_loss(x, y, gamma=gamma),
        softmax_focal_loss(x, y, reduction="mean", ignore_index=1),
        sigmoid_focal_loss(x, x > 0, alpha=[0.1, 0.2, 0.3], reduction="sum"),
    ):
        again = pickle.loads(pickle.dumps(loss))
        np.testing.assert_array_equal(again.compute(), loss.compute())
