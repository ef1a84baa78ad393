"""Kernels: every loss is traced, and all libraries get the same bits from one machine code."""

import itertools
import re
import warnings

import numpy as np
import pytest

import focalcore
from conformance.places import DASK, TORCH
from focalcore import (
    _recall,
    binary_focal_loss,
    categorical_focal_loss,
    sigmoid_focal_loss,
    sigmoid_focal_loss_grad_and_hess,
    sigmoid_focal_loss_value_and_grad,
    softmax_focal_loss,
    softmax_focal_loss_grad_and_hess,
    softmax_focal_loss_value_and_grad,
    sparse_categorical_focal_loss,
)
from focalcore._execution import host, numpy_host
from focalcore._kernels import compiler, program
from focalcore._kernels.host import kernel, plan
from focalcore._kernels.sums import BLOCK
from focalcore._kernels.symbols import Over
from focalcore._losses.operands import Operands, Output
from focalcore._losses.sigmoid import Sigmoid
from focalcore._losses.softmax import SoftmaxOfLabels

from . import problems, table
from .helpers import bits

pytest.importorskip("llvmlite", reason="llvmlite is not installed")
LABELS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]


@pytest.fixture
def kernels(monkeypatch):
    """Every kernel that is made, from none on; the plain way is an error."""
    made = {}
    monkeypatch.setattr(kernel, "_KERNELS", made)
    monkeypatch.setattr(plan, "_PLANS", {})
    monkeypatch.setattr(_recall, "_CALLS", {})
    monkeypatch.setattr(numpy_host.blocks, "run", None)
    return made


class TestTracing:
    @pytest.mark.parametrize("row", table.LOSSES, ids=lambda row: row.id)
    def test_every_loss_is_a_kernel_a_new_one_without_a_line_more(self, row, kernels):
        row.loss(row.scores, row.targets)
        for derivatives in (row.value_and_grad, row.grad_and_hess):
            if derivatives is not None:
                derivatives(row.scores, row.targets)
        assert kernels
        assert None not in kernels.values()

    @pytest.mark.parametrize("soft_targets", ["expected", "mixture", "hard"])
    @pytest.mark.parametrize("gamma", [0.3, 2.0, [0.5, 1.0, 2.0]], ids=["odd", "whole", "each"])
    def test_options_are_kernels_too(self, gamma, soft_targets, kernels):
        options = {"gamma": gamma, "alpha": [0.2, 0.5, 1.0], "label_smoothing": 0.1}
        options |= {"soft_targets": soft_targets, "reduction": "mean"}
        weight, mask = np.ones(table.SHAPE), np.ones(table.SHAPE, bool)
        sigmoid_focal_loss_value_and_grad(
            table.LOGITS, table.SOFT, weight=weight, mask=mask, normalizer="positives", **options
        )
        softmax_focal_loss_value_and_grad(
            table.LOGITS, table.LABELS, weight=weight[:, 0], ignore_index=1, **options
        )
        assert None not in kernels.values()

    def test_what_can_t_be_traced_goes_the_plain_way(self):
        class Strange(Sigmoid):
            def compute(self, xp, operands, outputs):
                assert operands.arrays["scores"].sum() > 0  # asks for a value
                return super().compute(xp, operands, outputs)

        x, y = np.asarray([0.5, 2.0]), np.asarray([1, 0])
        operands = Operands.of(scores=x, targets=y, gamma=2.0)
        (found,) = numpy_host.run(Strange(), operands, (Output.VALUE,))
        np.testing.assert_allclose(found, sigmoid_focal_loss(x, y), rtol=1e-14)

    def test_a_kernel_uses_ieee_operations_alone(self):
        """No fast-math flag, no fused multiply-add, no function of a library."""
        arrays = (
            program.Array("scores", "float16", Over.CLASS),
            program.Array("targets", "int64", Over.ROW),
        )
        outputs = Output.VALUE, Output.GRAD
        request = program.Request(SoftmaxOfLabels(axis=1), (("gamma", 2.0),), (), outputs, arrays)
        text = kernel.LOOPS["classes"](program.traced(request)).text()
        called = set(re.findall(r"call .*?@([\w.]+)\(", text))
        brought = {c.split(".")[1] for c in called if c.startswith("llvm.")}
        assert brought <= {"fabs", "sqrt", "maximum", "fmuladd"}
        assert all(
            c.startswith("llvm.") or re.search(rf"^define .*@{c}\(", text, re.M) for c in called
        )
        assert not re.search(r"\b(fast|contract|reassoc|nnan|ninf|nsz|arcp|afn)\b", text)

    def test_a_plan_that_is_forgotten_at_once_is_found(self, monkeypatch):
        """As where another thread clears what is known."""

        class Forgetful(dict):
            def __setitem__(self, key, value):
                pass

        monkeypatch.setattr(plan, "_PLANS", Forgetful())
        x = np.linspace(-2, 2, 11)
        assert sigmoid_focal_loss(x, x > 0).shape == (11,)

    def test_another_size_or_alpha_is_the_same_kernel(self, kernels):
        for n, alpha in ((3, 0.25), (700, 0.5), (17, 1e-40)):
            x = np.linspace(-2, 2, n)
            sigmoid_focal_loss(x, x > 0, alpha=alpha)
        assert len(kernels) == 1

    def test_a_machine_that_forbids_to_compile_is_told_of_once(self, monkeypatch):
        def fails(*_):
            raise MemoryError("no executable memory")

        monkeypatch.setattr(kernel, "_KERNELS", {})
        monkeypatch.setattr(plan, "_PLANS", {})
        monkeypatch.setattr(_recall, "_CALLS", {})
        monkeypatch.setattr(compiler, "_REFUSED", [])
        monkeypatch.setattr(compiler, "compiled", fails)
        x, y = np.asarray([0.5, 2.0]), np.asarray([1, 0])
        with pytest.warns(RuntimeWarning, match="goes on without.*no executable memory"):
            found = sigmoid_focal_loss(x, y, gamma=1.25)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            np.testing.assert_array_equal(sigmoid_focal_loss(x, y, gamma=1.25), found)
        assert "no executable memory" in compiler.why_not()


PROBLEM = problems.problem((37, 5, 6), axis=1, dtype="float32", seed=3)
WORK = {
    "value": lambda a: sigmoid_focal_loss(a["x"], a["y"], alpha=0.25),
    "soft value": lambda a: sigmoid_focal_loss(a["x"], a["soft"], gamma=0.3),
    "sum": lambda a: sigmoid_focal_loss(a["x"], a["y"], reduction="sum"),
    "masked mean": lambda a: sigmoid_focal_loss(
        a["x"], a["y"], mask=a["mask"], weight=a["weight"], reduction="mean"
    ),
    "rows": lambda a: softmax_focal_loss(a["x"], a["labels"], axis=1),
    "sum of rows": lambda a: softmax_focal_loss(a["x"], a["labels"], axis=1, reduction="sum"),
    "distributions": lambda a: softmax_focal_loss(a["x"], a["distributions"], axis=1),
    "mixture": lambda a: softmax_focal_loss(
        a["x"], a["distributions"], axis=1, soft_targets="mixture"
    ),
    "probabilities": lambda a: binary_focal_loss(a["soft"], a["p"]),
    "categorical": lambda a: sparse_categorical_focal_loss(a["labels"], a["p"], axis=1),
    "categorical distributions": lambda a: categorical_focal_loss(
        a["distributions"], a["p"], label_smoothing=0.1, axis=1
    ),
    "categorical mixture": lambda a: categorical_focal_loss(
        a["distributions"], a["p"], soft_targets="mixture", axis=1
    ),
}
PAIRS = {
    "slope": lambda a: sigmoid_focal_loss_value_and_grad(a["x"], a["y"], reduction="mean"),
    "curvature": lambda a: sigmoid_focal_loss_grad_and_hess(a["x"], a["soft"]),
    "slope of rows": lambda a: softmax_focal_loss_value_and_grad(a["x"], a["labels"], axis=1),
    "curvature of rows": lambda a: softmax_focal_loss_grad_and_hess(
        a["x"], a["distributions"], axis=1
    ),
}
EACH = WORK | {name: (lambda a, f=f: f(a)[1]) for name, f in PAIRS.items()}
every_work = pytest.mark.parametrize("work", EACH)


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of a vector each."""
    monkeypatch.setattr(plan, "rows_of_block", lambda width, classes: width)  # noqa: ARG005
    monkeypatch.setattr(plan, "_PLANS", {})
    monkeypatch.setattr(_recall, "_CALLS", {})


class TestBits:
    """What is equal is equal to the last bit."""

    @every_work
    @pytest.mark.usefixtures("torch")
    def test_torch_gives_those_of_numpy(self, work):
        tensors = {name: TORCH.array(x) for name, x in PROBLEM.items()}
        assert bits(TORCH.numpy(EACH[work](tensors))) == bits(EACH[work](PROBLEM))

    @every_work
    @pytest.mark.usefixtures("small_blocks")
    def test_dask_gives_those_of_numpy(self, work):
        DASK.require()
        import dask.array as da

        # a chunk is some whole blocks, of elements as of rows
        chunked = {name: da.from_array(x, chunks=(16, *x.shape[1:])) for name, x in PROBLEM.items()}
        assert bits(np.asarray(EACH[work](chunked))) == bits(EACH[work](PROBLEM))

    @every_work
    @pytest.mark.parametrize("way", problems.LAYOUTS)
    def test_where_an_array_lies_is_not_seen(self, work, way):
        there = {name: problems.LAYOUTS[way](x) for name, x in PROBLEM.items()}
        dense = {name: np.ascontiguousarray(x) for name, x in there.items()}
        assert bits(EACH[work](there)) == bits(EACH[work](dense))

    @pytest.mark.parametrize("n_classes", [1, 2, 15, 16, 17, 40, 70, 100])
    @pytest.mark.parametrize("reduction", ["none", "sum"])
    def test_rows_in_lanes_and_classes_in_lanes_are_the_same(self, n_classes, reduction):
        """Of rows that lie side by side a vector has rows in its lanes, else many classes."""
        rng = np.random.default_rng(n_classes)
        rows = rng.normal(size=(150, n_classes)).astype("float32")
        labels = rng.integers(0, n_classes, 150)
        across = np.ascontiguousarray(rows.T).T
        for one, other in itertools.combinations((rows, across), 2):
            found = softmax_focal_loss_value_and_grad(one, labels, reduction=reduction)
            expected = softmax_focal_loss_value_and_grad(other, labels, reduction=reduction)
            for a, b in zip(found, expected, strict=True):
                assert bits(a) == bits(b)

    @pytest.mark.parametrize("n", [1, 7, 16, 511, 512, 513, 16_384, 40_000])
    def test_an_element_does_not_see_how_many_there_are(self, n):
        x = np.linspace(-30, 30, 50_000, dtype="float32")
        whole = sigmoid_focal_loss(x, x > 1)
        assert bits(sigmoid_focal_loss(x[:n], x[:n] > 1)) == bits(whole[:n])

    def test_a_sum_is_that_of_its_blocks(self):
        x = np.linspace(-5, 5, 3 * BLOCK + 7, dtype="float32")
        total = sigmoid_focal_loss(x, x > 1, reduction="sum")
        parts = (x[i : i + BLOCK] for i in range(0, x.size, BLOCK))
        sums = (sigmoid_focal_loss(part, part > 1, reduction="sum") for part in parts)
        np.testing.assert_allclose(total, sum(map(float, sums)), rtol=1e-7)

    @pytest.mark.parametrize("dtype", LABELS)
    def test_labels_of_every_width_are_the_same(self, dtype):
        y, labels = PROBLEM["y"], PROBLEM["labels"]
        x = PROBLEM["x"]
        assert bits(sigmoid_focal_loss(x, y.astype(dtype))) == bits(sigmoid_focal_loss(x, y))
        found = softmax_focal_loss(x, labels.astype(dtype), axis=1)
        assert bits(found) == bits(softmax_focal_loss(x, labels, axis=1))

    @pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
    def test_every_half_is_read_and_written_exactly(self, dtype):
        half = np.dtype(dtype) if dtype == "float16" else pytest.importorskip("ml_dtypes").bfloat16
        x = np.arange(2**16, dtype="uint16").view(half)
        zeros = np.zeros(x.size, bool)
        with np.errstate(all="ignore"):
            expected = sigmoid_focal_loss(x.astype("float32"), zeros).astype(half)
        found = sigmoid_focal_loss(x, zeros)
        is_number = ~np.isnan(expected.astype("float32"))
        assert bits(found[is_number]) == bits(expected[is_number])
        assert np.all(np.isnan(found[~is_number].astype("float32")))


class TestAgreement:
    """Without kernels the same is computed, with other roundings."""

    @every_work
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_numbers_are_those_of_the_plain_way(self, work, dtype):
        arrays = {n: x.astype(dtype) if x.dtype == "float32" else x for n, x in PROBLEM.items()}
        found = EACH[work](arrays)
        with focalcore.use_compiler(False):
            expected = EACH[work](arrays)
        assert found.dtype == expected.dtype
        rtol = 3e-6 if dtype == "float32" else 1e-13
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * np.abs(expected).max())

    @pytest.mark.parametrize("label", [-1, 5, 2**31, -(2**40)])
    def test_a_label_that_is_no_class_is_found_in_a_kernel(self, label):
        labels = PROBLEM["labels"].copy()
        labels[3, 2] = label
        with pytest.raises(ValueError, match=rf"found {label} at index \(3, 2\)"):
            softmax_focal_loss(PROBLEM["x"], labels, axis=1)

    def test_a_row_that_is_no_distribution_is_found_in_a_kernel(self):
        y = PROBLEM["distributions"].copy()
        y[3, :, 2] *= 1.5
        with pytest.raises(ValueError, match=r"must sum to 1.*at index \(3, 2\)"):
            softmax_focal_loss(PROBLEM["x"], y, axis=1)

    def test_nan_logits_are_no_error_and_no_reason_to_look_in_vain_for_others(self):
        x = PROBLEM["x"].copy()
        x[0, 0, 0] = np.nan
        assert np.isnan(sigmoid_focal_loss(x, PROBLEM["y"])).sum() == 1
        assert np.isnan(sigmoid_focal_loss(x, PROBLEM["y"], reduction="sum"))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_torch_s_own_threads_divide_a_mean_as_one_does(torch, threads):
    """The denominator is a count, an integer, beside numbers that are floats."""
    x = torch.linspace(-3, 3, 50_000)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        found = sigmoid_focal_loss_value_and_grad(x, x > 1, alpha=0.3, reduction="mean")
    finally:
        torch.set_num_threads(before)
    x = x.numpy()
    expected = sigmoid_focal_loss_value_and_grad(x, x > 1, alpha=0.3, reduction="mean")
    for one, other in zip(found, expected, strict=True):
        assert bits(TORCH.numpy(one)) == bits(other)


def test_a_call_that_is_remembered_gives_the_same_type_again():
    x, y = np.asarray([0.5, 1.0, 2.0]), np.full(3, 1 / 3)
    first, second = (softmax_focal_loss_value_and_grad(x, y) for _ in range(2))
    assert [type(v) for v in first] == [type(v) for v in second] == [np.float64, np.ndarray]


@pytest.mark.parametrize("which", ["logits", "targets"])
def test_a_tensor_that_is_stored_negated_is_not_remembered_as_its_opposite(torch, which):
    x, y = torch.linspace(-3, 3, 40), torch.linspace(0, 1, 40)
    sigmoid_focal_loss(x, y)
    if which == "logits":
        found = sigmoid_focal_loss(torch._neg_view(x), y)
        torch.testing.assert_close(found, sigmoid_focal_loss(-x, y))
    else:
        with pytest.raises(ValueError, match="must lie in"):
            sigmoid_focal_loss(x, torch._neg_view(y))


def test_numbers_of_another_byte_order_go_the_plain_way():
    x = PROBLEM["x"].astype(">f4")
    layout = numpy_host.MEMORY.layout("scores", x)
    assert layout is None
    np.testing.assert_allclose(
        sigmoid_focal_loss(x, PROBLEM["y"]), sigmoid_focal_loss(PROBLEM["x"], PROBLEM["y"]), 1e-6
    )


def test_arrays_of_no_elements_have_no_kernel():
    x = np.zeros((0, 3), "float32")
    operands = Operands.of(scores=x, targets=x, gamma=2.0)
    assert host.run(numpy_host.MEMORY, Sigmoid(), operands, (Output.VALUE,)) is None
