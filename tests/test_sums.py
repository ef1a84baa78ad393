"""Sums: in the order that the house tells, written here once more, to the last bit."""

import subprocess
import sys
from array import array

import numpy as np
import pytest

from focalcore import sigmoid_focal_loss, softmax_focal_loss_value_and_grad, use_threads
from focalcore._execution import numpy_host
from focalcore._kernels import sums
from focalcore._losses.operands import Operands, Output
from focalcore._losses.sigmoid import Sigmoid
from focalcore._losses.softmax import SoftmaxOfLabels

from .helpers import bits

pytest.importorskip("llvmlite", reason="llvmlite is not installed")

from focalcore._kernels.host import totals

every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
WIDTHS = {"float32": 32, "float64": 16}


def in_lanes(numbers, width):
    """The sum of numbers dealt out to lanes, which are folded by halves."""
    rows = np.zeros((-(-len(numbers) // width), width))
    rows.reshape(-1)[: len(numbers)] = numbers
    lanes = np.zeros(width)
    for row in rows:
        lanes = lanes + row
    while len(lanes) > 1:
        half = len(lanes) // 2
        lanes = lanes[:half] + lanes[half:]
    return lanes[0]


def cut(numbers, size):
    return [numbers[i : i + size] for i in range(0, len(numbers), size)]


def total(numbers):
    while len(numbers) > 1:
        numbers = [in_lanes(block, 32) for block in cut(numbers, 1024)]
    return numbers[0]


def over_rows(numbers, classes, width):
    per_block = max(width, 1024 // classes // width * width)
    return total([in_lanes(block, width) for block in cut(numbers, per_block)])


def over_classes(row, width):
    found = 0.0
    for part in cut(row, 2048):
        found += in_lanes(part, width)
    return found


def spread(shape, dtype="float64"):
    """Numbers of many magnitudes, so that another order gives another sum."""
    rng = np.random.default_rng(0)
    return (rng.normal(size=shape) * 10.0 ** rng.integers(-4, 5, size=shape)).astype(dtype)


@pytest.mark.parametrize("n", [1, 2, 17, 31, 32, 33, 1023, 1024, 1025, 3000, 1_100_000])
def test_sums_of_blocks_are_added_up_in_order(n):
    numbers = spread(n).tolist()
    expected = bits(total(numbers))
    assert bits(sums.total(numbers)) == expected
    assert bits(totals.total(array("d", numbers))) == expected


@pytest.mark.parametrize("numbers", [[-0.0], [-0.0, -0.0], [np.inf, 1.0] * 700, [np.inf, -np.inf]])
def test_odd_numbers_are_added_up_as_others(numbers):
    with np.errstate(all="ignore"):
        expected = total(numbers)
    with np.errstate(all="raise"):
        for found in (sums.total(numbers), totals.total(array("d", numbers))):
            np.testing.assert_array_equal(found, expected)
            assert np.isnan(expected) or np.signbit(found) == np.signbit(expected)


@every_dtype
@pytest.mark.parametrize("n", [1, 31, 32, 33, 1023, 1024, 1025, 40_000, 1_100_000])
def test_elements_are_added_up_in_order(n, dtype):
    x = np.linspace(-30, 30, n, dtype=dtype)
    operands = Operands.of(scores=x, targets=x > 1, gamma=2.0)
    (values,) = numpy_host.run(Sigmoid(), operands, (Output.WIDE_VALUE,))
    expected = over_rows(values, 1, WIDTHS[dtype])
    blocks = numpy_host.sums_of_blocks(Sigmoid(), operands, Output.LOSS_SUM)
    assert bits(sums.total(blocks)) == bits(expected)
    found = sigmoid_focal_loss(x, x > 1, reduction="sum")
    assert bits(found) == bits(expected.astype(dtype))


def test_the_order_of_bytes_does_not_change_that_of_sums():
    x = np.linspace(-30, 30, 5_000)
    blocks, swapped = (
        numpy_host.sums_of_blocks(
            Sigmoid(), Operands.of(scores=each, targets=x > 1, gamma=2.0), Output.LOSS_SUM
        )
        for each in (x, x.astype(x.dtype.newbyteorder()))
    )
    assert list(swapped) == list(blocks)


@every_dtype
@pytest.mark.parametrize("shape", [(1, 3), (40, 3), (2000, 3), (3000, 10), (70, 100), (33, 3000)])
def test_rows_are_added_up_in_order(shape, dtype):
    x, labels = spread(shape, dtype), np.arange(shape[0]) % shape[1]
    operands = Operands.of(scores=x, targets=labels, gamma=2.0)
    (values,) = numpy_host.run(SoftmaxOfLabels(axis=1), operands, (Output.WIDE_VALUE,))
    expected = over_rows(values, shape[1], WIDTHS[dtype])
    blocks = numpy_host.sums_of_blocks(SoftmaxOfLabels(axis=1), operands, Output.LOSS_SUM)
    assert bits(sums.total(blocks)) == bits(expected)


class Plainly(SoftmaxOfLabels):
    """The sum of the logits of a row, and the largest of them."""

    def compute(self, xp, operands, outputs):
        x = operands.wide(xp, "scores")
        which = xp.sum if outputs[0] is Output.WIDE_VALUE else xp.max
        return (xp.squeeze(which(x, axis=1, keepdims=True), axis=1),)


def two_layouts(x):
    """Rows of classes side by side, and classes of rows side by side."""
    return x, np.ascontiguousarray(x.T).T


@every_dtype
@pytest.mark.parametrize("n_classes", [1, 2, 10, 15, 17, 33, 65, 100, 2047, 2048, 2049, 5000])
def test_classes_are_added_up_in_order(n_classes, dtype):
    x = spread((70, n_classes), dtype)
    expected = [over_classes(row, WIDTHS[dtype]) for row in x]
    for logits in two_layouts(x):
        operands = Operands.of(scores=logits, targets=np.zeros(70, int))
        (found,) = numpy_host.run(Plainly(axis=1), operands, (Output.WIDE_VALUE,))
        assert bits(found) == bits(np.asarray(expected, dtype))


@every_dtype
@pytest.mark.parametrize("n_classes", [2, 17, 33, 100, 3000])
def test_the_largest_class_is_the_same_in_every_order(n_classes, dtype):
    """A NaN gets through, and +0 is above -0."""
    x = -np.abs(spread((70, n_classes), dtype))
    x[::3, 0], x[::3, -1] = -0.0, 0.0
    x[1::3, n_classes // 2] = np.nan
    expected = np.where(np.arange(70) % 3 == 0, 0.0, x.max(axis=1)).astype(dtype)
    for logits in two_layouts(x):
        operands = Operands.of(scores=logits, targets=np.zeros(70, int))
        (found,) = numpy_host.run(Plainly(axis=1), operands, (Output.VALUE,))
        np.testing.assert_array_equal(found, expected)
        assert not np.any(np.signbit(found[::3]))


@every_dtype
@pytest.mark.parametrize("n_classes", [65, 100, 2048, 2049, 5000])
@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_a_loss_sees_no_layout(n_classes, dtype, reduction):
    x, labels = spread((70, n_classes), dtype), np.arange(70) % n_classes
    one, other = (
        softmax_focal_loss_value_and_grad(logits, labels, reduction=reduction)
        for logits in two_layouts(x)
    )
    assert list(map(bits, one)) == list(map(bits, other))


@every_dtype
def test_a_sum_sees_no_threads(dtype):
    x, labels = spread((9001, 100), dtype), np.arange(9001) % 100
    found = []
    for threads in (1, 2, 3):
        with use_threads(threads):
            each = sigmoid_focal_loss(x, x > 1, reduction="sum")
            rows = softmax_focal_loss_value_and_grad(x, labels, reduction="sum")[0]
            found.append((bits(each), bits(rows)))
    assert len(set(found)) == 1


FIRST_CALLS = """
import sys, threading
import numpy as np
from focalcore import sigmoid_focal_loss

sys.setswitchinterval(1e-6)
x = np.linspace(-3, 3, 5000)
sigmoid_focal_loss(x, x > 0)
ready, found = threading.Barrier(8), set()

def first():
    ready.wait()
    found.update(sigmoid_focal_loss(x, x > 0, reduction="sum") for _ in range(100))

threads = [threading.Thread(target=first) for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
print(len(found))
"""


def test_threads_may_make_their_first_sums_at_once():
    """In a process of its own: what adds up is compiled once in each."""
    done = subprocess.run(
        [sys.executable, "-c", FIRST_CALLS], capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"


@pytest.mark.parametrize("normalizer", ["weight", "positives"])
def test_what_a_recorded_mean_divides_by_has_the_same_bits(torch, normalizer):
    rng = np.random.default_rng(0)
    x, y, weight = rng.normal(size=5000), rng.random(5000), rng.random(5000)
    given = [v.astype("float32") for v in (x, y, weight)]
    options = {"reduction": "mean", "normalizer": normalizer}
    expected = sigmoid_focal_loss(given[0], given[1], weight=given[2], **options)
    logits, targets, weights = map(torch.from_numpy, given)
    found = sigmoid_focal_loss(logits.requires_grad_(), targets, weight=weights, **options)
    assert found.item() == expected
