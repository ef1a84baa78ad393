"""Grids of threads, simulated on the host: they give the bits of the host's kernels.

A GPU's kernel and its simulation are one text, but for what a lane is (`_kernels/grid/lanes.py`).
What is expected is what the host's kernel gives, to the last bit; NaN is equal to NaN.
"""

import functools
import itertools
import math
import operator
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import ml_dtypes
import numpy as np
import pytest

from focalcore import (
    _recall,
    binary_focal_loss,
    sigmoid_focal_logit,
    sigmoid_focal_loss,
    sigmoid_focal_loss_grad_and_hess,
    sigmoid_focal_loss_value_and_grad,
    sigmoid_focal_posterior,
    softmax_focal_loss,
    softmax_focal_loss_grad_and_hess,
    softmax_focal_loss_value_and_grad,
    softmax_focal_posterior,
    sparse_categorical_focal_loss,
)
from focalcore._execution import device, host, numpy_host
from focalcore._kernels.grid import plan
from focalcore._kernels.grid.lanes import THREADS
from focalcore._kernels.placement import Call, Layout
from focalcore._kernels.sums import BLOCK
from focalcore._losses.operands import Operands, Output
from focalcore._losses.sigmoid import Sigmoid
from focalcore._losses.softmax import SoftmaxOfDistributions, SoftmaxOfLabels

from . import simulation
from .problems import LAYOUTS

pytest.importorskip("llvmlite", reason="llvmlite is not installed")
DTYPES = ["float16", "bfloat16", "float32", "float64"]
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


@pytest.fixture(autouse=True)
def nothing_is_given_up(monkeypatch):
    """What another test made fail is tried again here, and a failure here is an error."""
    monkeypatch.setattr(device, "_REFUSED", {})
    monkeypatch.setattr(_recall, "_CALLS", {})


def same(found, expected):
    """Whether arrays are of the same kind and the same bits, where they aren't both NaN."""
    for one, other in zip(map(np.asarray, found), map(np.asarray, expected), strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        where = np.isnan(other)
        np.testing.assert_array_equal(np.isnan(one), where)
        unsigned = f"u{one.dtype.itemsize}"
        np.testing.assert_array_equal(one[~where].view(unsigned), other[~where].view(unsigned))
    return True


def both_ways(work, arrays):
    """What a grid gives, and what the host's kernel gives."""
    with simulation.running():
        found = work(arrays)
    expected = work(arrays)
    return tuple(x if isinstance(x, tuple) else (x,) for x in (found, expected))


def agree(work, arrays):
    return same(*both_ways(work, arrays))


@functools.cache
def problem(shape, dtype, axis=None):
    """Logits and all that may lie beside them: for each element, or for rows along an axis."""
    rng = np.random.default_rng(0)
    rows = shape if axis is None else tuple(np.delete(shape, axis))
    kind = BFLOAT16 if dtype == "bfloat16" else dtype
    arithmetic = "float64" if dtype == "float64" else "float32"
    shares = rng.random(shape) + 0.01
    classes = 2 if axis is None else shape[axis]
    distributions = shares if axis is None else shares / shares.sum(axis=axis, keepdims=True)
    return {
        "x": (rng.normal(size=shape) * 4).astype(kind),
        "y": rng.random(shape) < 0.2,
        "soft": rng.random(shape).astype(arithmetic),
        "p": rng.random(shape).astype(kind),
        "labels": rng.integers(0, classes, rows),
        "distributions": distributions.astype(arithmetic),
        "mask": rng.random(rows) < 0.7,
        "weight": rng.random(rows).astype(arithmetic),
        "of class": rng.random(classes).astype(arithmetic),
    }


OF_ELEMENTS = {
    "value": lambda a: sigmoid_focal_loss(a["x"], a["y"], alpha=0.25),
    "sum": lambda a: sigmoid_focal_loss(a["x"], a["y"].astype(int), reduction="sum"),
    "value and gradient": lambda a: sigmoid_focal_loss_value_and_grad(a["x"], a["soft"]),
    "mean and gradient": lambda a: sigmoid_focal_loss_value_and_grad(
        a["x"], a["y"], alpha=0.25, reduction="mean"
    ),
    "gradient and curvature": lambda a: sigmoid_focal_loss_grad_and_hess(a["x"], a["y"]),
    "an odd gamma": lambda a: sigmoid_focal_loss_value_and_grad(a["x"], a["soft"], gamma=1.3),
    "masked, weighted, ignoring": lambda a: sigmoid_focal_loss_value_and_grad(
        a["x"],
        np.where(a["mask"], a["y"].astype(int), -1),
        ignore_index=-1,
        mask=a["mask"],
        weight=a["weight"],
        pos_weight=3.0,
        label_smoothing=0.1,
        normalizer="positives",
        reduction="mean",
    ),
    "probabilities": lambda a: binary_focal_loss(a["soft"], a["p"]),
    "posterior": lambda a: sigmoid_focal_posterior(a["x"], alpha=0.25),
    "logit of a probability": lambda a: sigmoid_focal_logit(a["p"], gamma=1.3),
}
OF_ROWS = {
    "labels": lambda a: softmax_focal_loss_value_and_grad(a["x"], a["labels"]),
    "a mean of labels": lambda a: softmax_focal_loss_value_and_grad(
        a["x"], a["labels"], reduction="mean"
    ),
    "a sum of labels": lambda a: softmax_focal_loss(a["x"], a["labels"], reduction="sum"),
    "gradient and curvature": lambda a: softmax_focal_loss_grad_and_hess(a["x"], a["labels"]),
    "distributions, in halves": lambda a: softmax_focal_loss_value_and_grad(
        a["x"], a["distributions"], gamma=0.5
    ),
    "a mixture": lambda a: softmax_focal_loss_value_and_grad(
        a["x"], a["distributions"], soft_targets="mixture", reduction="mean"
    ),
    "smoothed, an odd gamma": lambda a: softmax_focal_loss_value_and_grad(
        a["x"], a["labels"], gamma=1.3, label_smoothing=0.1, reduction="sum"
    ),
    "masked, weighted, ignoring, alpha of each class": lambda a: softmax_focal_loss_value_and_grad(
        a["x"],
        a["labels"],
        alpha=a["of class"],
        ignore_index=0,
        mask=a["mask"],
        weight=a["weight"],
        reduction="mean",
    ),
    "posterior": lambda a: softmax_focal_posterior(a["x"]),
    "posterior, weighted": lambda a: softmax_focal_posterior(
        a["x"], gamma=1.3, alpha=a["of class"] + 0.1
    ),
}


def across(a):
    """The mean of rows whose classes lie on an axis in the middle, and its gradient."""
    return softmax_focal_loss_value_and_grad(a["x"], a["labels"], axis=1, reduction="mean")


SIZES = [1, 31, 32, 33, 127, 128, 129, 1023, 1024, 1025, 5000, 100_003]
# how many rows there are, by their classes: these lie in the registers of one thread, or of 2 and
# more, up to all of a team; or they are too many for that, and a team has them, or several teams
ROWS = {1: 1100, 2: 513, 3: 700, 10: 205, 33: 70, 100: 37, 300: 33, 600: 5}
ROWS |= {1500: 37, 2048: 3, 2049: 3, 5000: 2}
LOOPS = [3, 33, 1500, 2049]  # classes that take a loop each


class TestElements:
    @pytest.mark.parametrize("n", SIZES)
    @pytest.mark.parametrize("work", OF_ELEMENTS)
    def test_a_grid_gives_the_bits_of_the_host(self, work, n):
        agree(OF_ELEMENTS[work], problem((n,), "float32"))

    @pytest.mark.parametrize("n", [1, 129, 5000])
    @pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
    @pytest.mark.parametrize("work", ["value and gradient", "mean and gradient"])
    def test_a_grid_gives_them_in_every_type(self, work, dtype, n):
        agree(OF_ELEMENTS[work], problem((n,), dtype))

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_sums_of_more_blocks_than_a_team_adds_up_are_folded_twice(self, dtype):
        arrays = problem((1_100_000,), dtype)
        agree(OF_ELEMENTS["mean and gradient"], arrays)
        agree(OF_ELEMENTS["sum"], arrays)


class TestRows:
    @pytest.mark.parametrize("n_classes", ROWS)
    def test_a_grid_gives_the_bits_of_the_host(self, n_classes):
        agree(OF_ROWS["a mean of labels"], problem((ROWS[n_classes], n_classes), "float32", axis=1))

    @pytest.mark.parametrize("n_classes", [33, 1500, 2049])
    @pytest.mark.parametrize("work", OF_ROWS)
    def test_a_grid_gives_them_for_all_that_can_be_asked(self, work, n_classes):
        agree(OF_ROWS[work], problem((ROWS[n_classes], n_classes), "float32", axis=1))

    @pytest.mark.parametrize(
        ("dtype", "n_classes"),
        [
            *(("float64", n) for n in LOOPS),
            *(("float16", n) for n in LOOPS[1:]),
            *(("bfloat16", n) for n in LOOPS[::2]),
        ],
    )
    def test_a_grid_gives_them_in_every_type(self, dtype, n_classes):
        agree(OF_ROWS["a mean of labels"], problem((ROWS[n_classes], n_classes), dtype, axis=1))

    @pytest.mark.parametrize("n_classes", [3, 33])
    def test_sums_of_more_blocks_than_a_team_adds_up_are_folded_twice(self, n_classes):
        shape = 1_100_000 // n_classes, n_classes
        agree(OF_ROWS["a mean of labels"], problem(shape, "float32", axis=1))

    def test_sums_of_more_rows_than_there_are_blocks_are_folded_twice(self):
        """Where a team has a row, its sum is that of a row: these are added up first."""
        n = 32 * 1024 + 33
        x = np.broadcast_to(problem((n, 1), "float32", axis=1)["x"], (n, 1500))
        agree(OF_ROWS["a sum of labels"], {"x": x, "labels": np.arange(n) % 1500})

    @pytest.mark.parametrize("n_classes", [1, 10])
    def test_probabilities_of_classes_are_rows_of_threads(self, n_classes):
        a = problem((205, n_classes), "float32", axis=1)
        agree(lambda a: sparse_categorical_focal_loss(a["labels"], a["distributions"]), a)

    @pytest.mark.parametrize(
        ("shape", "loop"),
        [
            ((7, 3), "registers"),
            ((7, 33), "registers"),
            ((7, 600), "registers"),
            ((7, 1500), "teams"),
            ((7, 2048), "teams"),
            ((7, 2049), "parts"),
            ((7, 33, 32), "threads"),
        ],
        ids=str,
    )
    def test_each_number_of_classes_takes_the_loop_it_is_tested_for(self, shape, loop):
        assert plan_of_rows(shape, axis=1).source.loop == loop


class TestLayouts:
    """Where an array lies is not seen."""

    @pytest.mark.parametrize("way", LAYOUTS)
    @pytest.mark.parametrize("work", ["value and gradient", "mean and gradient"])
    def test_of_elements(self, work, way):
        arrays = problem((37, 5, 6), "float32")
        agree(OF_ELEMENTS[work], {n: LAYOUTS[way](x) for n, x in arrays.items()})

    @pytest.mark.parametrize(
        ("way", "n_classes"),
        [
            *itertools.product(["other order", "every other"], LOOPS),
            *itertools.product(["reversed", "broadcast"], LOOPS[1:3]),
        ],
    )
    def test_of_rows(self, way, n_classes):
        arrays = problem((ROWS[n_classes], n_classes), "float32", axis=1)
        for name in ("x", "labels", "distributions"):
            arrays = arrays | {name: LAYOUTS[way](arrays[name])}
        agree(OF_ROWS["labels"], arrays)
        if way == "every other":
            agree(OF_ROWS["distributions, in halves"], arrays)

    @pytest.mark.parametrize("reduction", ["none", "mean"])
    @pytest.mark.parametrize(
        "shape", [(3, 5, 7, 9), (3, 50, 2, 3), (2, 50, 16, 9), (2, 2100, 1, 2)], ids=str
    )
    def test_of_classes_in_the_middle(self, shape, reduction):
        agree(
            lambda a: softmax_focal_loss_value_and_grad(
                a["x"], a["labels"], axis=1, reduction=reduction
            ),
            problem(shape, "float32", axis=1),
        )

    @pytest.mark.parametrize("normalizer", [None, "positives"])
    @pytest.mark.parametrize("axis", [-1, 1])
    def test_of_class_labels(self, axis, normalizer):
        options = {"class_axis": axis, "reduction": "mean", "normalizer": normalizer}
        agree(
            lambda a: sigmoid_focal_loss_value_and_grad(
                a["x"], a["labels"], ignore_index=1, mask=a["mask"], **options
            ),
            problem((37, 5, 6), "float32", axis=axis),
        )

    @pytest.mark.parametrize("n_classes", LOOPS)
    def test_of_a_gamma_for_each_row_and_a_factor_that_is_held(self, n_classes):
        arrays = problem((ROWS[n_classes], n_classes), "float32", axis=1)
        arrays["gamma"] = 3 * arrays["weight"][:, None]
        agree(
            lambda a: softmax_focal_loss_value_and_grad(
                a["x"], a["labels"], axis=1, gamma=a["gamma"], detach_factor=True
            ),
            arrays,
        )

    @pytest.mark.parametrize("name", ["weight", "mask"])
    def test_of_what_is_one_for_many(self, name):
        arrays = problem((37, 5, 6), "float32")
        one = {name: arrays[name][:, :1, :]}
        agree(lambda a: sigmoid_focal_loss(a["x"], a["y"], **one), arrays)


class TestNan:
    """What is no target and no number is NaN in the same places; the host finds out why."""

    @staticmethod
    def agree(loss, outputs=(Output.VALUE, Output.GRAD), **arrays):
        operands = Operands.of(**arrays, gamma=2.0)
        found = simulation.required(loss, operands, outputs)
        run = host.run_of(numpy_host.MEMORY, loss, operands, outputs)
        is_bad, expected = run.results(tuple(arrays.values()))
        assert is_bad
        assert any(np.isnan(x).any() for x in found)
        return same(found, expected)

    @pytest.mark.parametrize("n_classes", LOOPS)
    @pytest.mark.parametrize("label", [-1, "the number of classes", 2**31, -(2**40)], ids=str)
    def test_of_a_label_that_is_no_class(self, label, n_classes):
        a = problem((ROWS[n_classes], n_classes), "float32", axis=1)
        labels = a["labels"].copy()
        labels[1] = n_classes if isinstance(label, str) else label
        self.agree(SoftmaxOfLabels(axis=1), scores=a["x"], targets=labels)

    @pytest.mark.parametrize("n_classes", LOOPS[1:3])
    def test_of_a_row_that_is_no_distribution(self, n_classes):
        a = problem((ROWS[n_classes], n_classes), "float32", axis=1)
        y = a["distributions"].copy()
        y[1] *= 1.5
        self.agree(SoftmaxOfDistributions(axis=1), scores=a["x"], targets=y)

    @pytest.mark.parametrize("outputs", [(Output.VALUE, Output.GRAD), (Output.LOSS_SUM,)], ids=len)
    @pytest.mark.parametrize("n_classes", LOOPS)
    def test_of_logits_of_a_row(self, n_classes, outputs):
        a = problem((ROWS[n_classes], n_classes), "float32", axis=1)
        x = a["x"].copy()
        x[0, n_classes // 2] = np.nan
        self.agree(SoftmaxOfLabels(axis=1), outputs, scores=x, targets=a["labels"])

    @pytest.mark.parametrize("outputs", [(Output.VALUE, Output.GRAD), (Output.LOSS_SUM,)], ids=len)
    @pytest.mark.parametrize("what", ["a logit", "a target"])
    def test_of_elements(self, what, outputs):
        a = problem((1025,), "float32")
        x, y = a["x"].copy(), a["soft"].copy()
        (x if what == "a logit" else y)[1000] = np.nan
        self.agree(Sigmoid(), outputs, scores=x, targets=y)

    @pytest.mark.parametrize("n_classes", LOOPS)
    def test_infinite_logits_are_what_they_are_on_the_host(self, n_classes):
        a = problem((ROWS[n_classes], n_classes), "float32", axis=1)
        x = a["x"].copy()
        x[0, 0], x[1, 1] = np.inf, -np.inf
        agree(OF_ROWS["labels"], a | {"x": x})


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)], ids=str)
def test_arrays_of_no_elements_have_no_kernel(shape):
    x = np.zeros(shape, "float32")
    operands = Operands.of(scores=x, targets=x, gamma=2.0)
    assert simulation.run(Sigmoid(), operands, (Output.VALUE,)) is None


class TestOrder:
    """Nothing depends on which team, or launch, is first."""

    EACH: ClassVar = {
        "elements": (OF_ELEMENTS["mean and gradient"], problem((100_003,), "float32")),
        "registers": (OF_ROWS["a mean of labels"], problem((70, 33), "float32", axis=1)),
        "threads": (across, problem((2, 33, 40), "float32", axis=1)),
        "teams": (OF_ROWS["a mean of labels"], problem((37, 1500), "float32", axis=1)),
        "parts": (OF_ROWS["a mean of labels"], problem((3, 2049), "float32", axis=1)),
    }
    every_loop = pytest.mark.parametrize("loop", EACH)

    @every_loop
    def test_the_same_is_launched_again_with_the_same_bits(self, loop):
        work, arrays = self.EACH[loop]
        with simulation.running():
            same(work(arrays), work(arrays))

    @every_loop
    def test_two_threads_of_the_host_launch_the_same_bits(self, loop):
        work, arrays = self.EACH[loop]
        with simulation.running(), ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda _: work(arrays), range(8)))
        for one in found:
            same(one, work(arrays))

    @every_loop
    def test_the_last_team_may_be_the_first(self, loop, monkeypatch):
        def backwards(kernel, stream, arguments):
            for team in reversed(range(arguments[0])):
                simulation.launch(kernel, stream, arguments, teams=(team, team + 1))

        work, arrays = self.EACH[loop]
        monkeypatch.setattr(simulation, "GPU", simulation.GPU._replace(launch=backwards))
        agree(work, arrays)

    @every_loop
    def test_the_blocks_of_threads_are_those_that_the_teams_need(self, loop, monkeypatch):
        seen = []

        def watched(engine, step):
            seen.append(step)
            return simulation.kernel(engine, step)

        work, arrays = self.EACH[loop]
        monkeypatch.setattr(simulation, "GPU", simulation.GPU._replace(kernel=watched))
        with simulation.running():
            work(arrays)
        assert seen
        for step in seen:
            assert THREADS * (step.blocks - 1) < step.teams * step.width <= THREADS * step.blocks


FAR = 2**31
GUARD = 4096  # bytes
SENTINEL = 0xA5


class End:
    """The end of an array so large that the rest of it isn't there, between two guards."""

    def __init__(self, layout, there):
        """The shape and strides are those of the whole; what is there are the last numbers."""
        self.memory = np.full(2 * GUARD + there.nbytes, SENTINEL, "uint8")
        self.numbers = self.memory[GUARD:-GUARD].view(there.dtype)
        self.numbers[:] = there.reshape(-1)
        end = self.memory.ctypes.data + GUARD + there.nbytes
        self.pointer = end - layout.shape[0] * layout.strides[0]

    def is_untouched(self, until):
        """Whether nothing was written before some number, nor after the last."""
        end = GUARD + until * self.numbers.itemsize
        return bool(
            np.all(self.memory[:end] == SENTINEL) and np.all(self.memory[-GUARD:] == SENTINEL)
        )


def blank(shape, dtype):
    memory = np.full(math.prod(np.atleast_1d(shape)) * np.dtype(dtype).itemsize, SENTINEL, "uint8")
    return memory.view(dtype)


def packed(dtype, shape, name=""):
    """The layout of an array in C order."""
    size = np.dtype(dtype).itemsize
    steps = itertools.accumulate(reversed(shape[1:]), operator.mul, initial=size)
    return Layout(name, dtype, shape, tuple(reversed(list(steps))))


def plan_of_rows(shape, axis, outputs=(Output.VALUE, Output.GRAD)):
    """The plan of rows of logits in float32, against labels."""
    rows = tuple(np.delete(shape, axis).tolist())
    layouts = (
        packed("float32", shape, "scores"),
        packed("int64", rows, "targets"),
    )
    loss = SoftmaxOfLabels(axis=axis).anywhere
    return plan.grid_plan_of(Call(loss, outputs, (("gamma", 2.0),), (), layouts))


def run_the_last_teams(made, ends, number, sums=0):
    """Run only some teams of a plan: the number of them by their launches."""
    parts = np.empty(made.parts, "uint8")  # no page of it is there before it is written to
    given = made.given([end.pointer for end in ends], (), sums, parts.ctypes.data)
    engine = simulation.engine_of(made.source)
    for step in made.launches:
        assert step.blocks < 2**31  # what a grid may have
        teams = step.teams - number(step), step.teams
        kernel = simulation.kernel(engine, step)
        simulation.launch(kernel, None, (*step.arguments, *given), teams)


class TestFarElements:
    """Arrays of 2^31 + 1 elements, of whose kernel only the last teams run."""

    N, TEAMS, THERE = FAR + 1, 3, 5000

    def launched(self, outputs, step=1, sums=0):
        """What the last teams write, of which operands, and how much of it isn't theirs."""
        rng = np.random.default_rng(0)
        layouts = (
            Layout("scores", "float32", (self.N,), (4 * step,)),
            Layout("targets", "bool", (self.N,), (1,)),
        )
        x = np.repeat((rng.normal(size=self.THERE) * 4).astype("float32"), step)
        y = rng.random(self.THERE) < 0.2
        call = Call(Sigmoid().anywhere, outputs, (("gamma", 2.0),), (), layouts)
        made = plan.grid_plan_of(call)
        given = [End(layout, z) for layout, z in zip(layouts, (x, y), strict=True)]
        found = [
            End(packed("float32", shape), blank(self.THERE, "float32"))
            for shape in made.shapes
            if shape is not None
        ]
        run_the_last_teams(made, [*given, *found], lambda _: self.TEAMS, sums)
        (launch,) = made.launches
        first = self.THERE - (self.N - (launch.teams - self.TEAMS) * launch.per_team)
        assert 0 < first < self.THERE
        return found, (x[::step], y), first

    @pytest.mark.parametrize("step", [1, 2], ids=["dense", "every other"])
    def test_the_last_are_right_and_nothing_else_is_written(self, step):
        outputs = Output.VALUE, Output.GRAD
        found, (x, y), first = self.launched(outputs, step)
        expected = numpy_host.run(Sigmoid(), Operands.of(scores=x, targets=y, gamma=2.0), outputs)
        same([end.numbers[first:] for end in found], [z[first:] for z in expected])
        assert all(end.is_untouched(first) for end in found)

    def test_the_last_sums_are_right_and_nothing_else_is_written(self):
        sums = End(packed("float64", (-(-self.N // BLOCK),)), blank(10, "float64"))
        _, (x, y), first = self.launched((Output.LOSS_SUM,), sums=sums.pointer)
        operands = Operands.of(scores=x[first:], targets=y[first:], gamma=2.0)
        expected = numpy_host.sums_of_blocks(Sigmoid(), operands, Output.LOSS_SUM)
        same([sums.numbers[-self.TEAMS :]], [np.asarray(expected)])
        assert sums.is_untouched(10 - self.TEAMS)


class TestFarRows:
    """Logits of more than 2^31 elements, of whose kernels only the teams of the last rows run."""

    SHAPES: ClassVar = {
        "registers": (FAR // 10 + 1, 10),
        "registers of several threads": (FAR // 100 + 1, 100),
        "teams": (FAR // 1500 + 1, 1500),
        "parts": (FAR // 5000 + 1, 5000),
        "threads": (FAR // (33 * 32) + 1, 33, 32),
    }

    @pytest.mark.parametrize("loop", SHAPES)
    def test_the_last_are_right_and_nothing_else_is_written(self, loop):
        rng, outputs, shape = (
            np.random.default_rng(0),
            (Output.VALUE, Output.GRAD),
            self.SHAPES[loop],
        )
        (n, classes, *beside), there = shape, 300 if loop == "registers" else 100
        made = plan_of_rows(shape, 1, outputs)
        assert made.source.loop == loop.partition(" ")[0]
        x = (rng.normal(size=(there, *shape[1:])) * 4).astype("float32")
        labels = rng.integers(0, classes, (there, *beside))
        given = [
            End(packed("float32", shape), x),
            End(packed("int64", (n, *beside)), labels),
        ]
        found = [
            End(packed("float32", whole), blank((there, *whole[1:]), "float32"))
            for whole in made.shapes
        ]
        rows, beside = n * math.prod(beside), math.prod(beside)
        # the teams of the last two rows, or the last two teams, which have some rows each
        run_the_last_teams(made, [*given, *found], lambda step: 2 * max(1, step.teams // rows))
        teams, per_team, _ = made.launches[0].arguments
        first_row = rows - 2 if teams >= rows else (teams - 2) * per_team
        first, inside = divmod(first_row, beside)
        first -= n - there
        assert (first > 0, inside) == (True, 0)
        operands = Operands.of(scores=x, targets=labels, gamma=2.0)
        expected = numpy_host.run(SoftmaxOfLabels(axis=1), operands, outputs)
        for end, z in zip(found, expected, strict=True):
            same([end.numbers.reshape(z.shape)[first:]], [z[first:]])
            assert end.is_untouched(z[:first].size)
