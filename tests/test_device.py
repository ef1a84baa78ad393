"""The way of arrays on a GPU: when kernels run there, and what is done where they can't.

The GPU isn't there: `simulation` runs its kernels on NumPy's arrays, or on torch's on the CPU.
"""

import contextlib
import functools
import importlib
import sys
import warnings

import numpy as np
import pytest

from focalcore import (
    _recall,
    settings,
    sigmoid_focal_loss,
    sigmoid_focal_loss_value_and_grad,
    use_compiler,
)
from focalcore._backends import NUMPY
from focalcore._execution import device, numpy_host, proven
from focalcore._execution.kinds import AnewError
from focalcore._inputs import checks
from focalcore._losses.operands import Operands, Output
from focalcore._losses.sigmoid import Sigmoid

from . import simulation

pytest.importorskip("llvmlite", reason="llvmlite is not installed")
OUTPUTS = Output.VALUE, Output.GRAD
X, Y = np.linspace(-3, 3, 40, dtype="float32"), np.arange(40) % 3 == 0
BY_KERNEL = sigmoid_focal_loss_value_and_grad(X, Y)


@pytest.fixture(autouse=True)
def nothing_is_given_up(monkeypatch):
    """What is known of this process: nothing is proven, used or given up yet."""
    monkeypatch.setattr(device, "_REFUSED", {})
    monkeypatch.setattr(device, "_USED", set())
    monkeypatch.setitem(proven.CAPABILITIES, "simulation", frozenset())
    monkeypatch.setattr(settings._settings, "compiler", None)


def operands(**more):
    return Operands.of(scores=X, targets=Y, gamma=2.0, **more)


def run(gpu=simulation.GPU, outputs=OUTPUTS, **more):
    return device.run(gpu, Sigmoid(), operands(**more), outputs)


def raises(error):
    def fails(*_):
        raise error

    return fails


# what may go wrong, and where
FAILURES = {
    "a module can't be loaded": {"load": raises(RuntimeError("no PTX"))},
    "a kernel isn't found": {"kernel": raises(KeyError("no PTX"))},
    "a kernel can't be launched": {"launch": raises(OSError("no PTX"))},
    "a stream can't be had": {"stream": raises(ValueError("no PTX"))},
}
every_failure = pytest.mark.parametrize("failure", FAILURES)


class TestSwitch:
    def test_kernels_are_off_where_no_report_proves_the_kind_of_gpu(self):
        assert run() is None
        assert device.used() == set()

    def test_kernels_are_on_where_a_report_does(self, monkeypatch):
        monkeypatch.setitem(proven.CAPABILITIES, "simulation", frozenset({(9, 0)}))
        assert run() is not None
        assert device.used() == {"simulation"}

    def test_a_report_proves_no_other_kind_of_gpu(self, monkeypatch):
        monkeypatch.setitem(proven.CAPABILITIES, "simulation", frozenset({(8, 0), (10, 0)}))
        assert run() is None

    def test_they_are_on_where_they_are_asked_for(self):
        with use_compiler():
            assert run() is not None

    def test_they_are_off_where_they_are_unwanted(self, monkeypatch):
        monkeypatch.setitem(proven.CAPABILITIES, "simulation", frozenset({(9, 0)}))
        with use_compiler(False):
            assert run() is None

    @pytest.mark.parametrize(("value", "is_on"), [("0", False), ("1", True)])
    def test_the_environment_turns_them_on_and_off(self, monkeypatch, value, is_on):
        proved = frozenset() if is_on else frozenset({(9, 0)})
        monkeypatch.setitem(proven.CAPABILITIES, "simulation", proved)
        monkeypatch.setenv("FOCALCORE_COMPILER", value)
        monkeypatch.setattr(settings, "_settings", settings._Settings())
        assert (run() is not None) is is_on

    def test_they_are_off_where_nothing_compiles_them(self, monkeypatch):
        monkeypatch.setattr(device._kernels, "are_available", lambda: False)
        with use_compiler():
            assert run() is None

    @pytest.mark.parametrize("library", ["torch", "cupy"])
    def test_what_is_proven_are_capabilities(self, library):
        assert all(len(c) == 2 and c >= (7, 5) for c in proven.CAPABILITIES[library])


class TestLook:
    """Values on a GPU, which is the simulated one: what is read on the host isn't there."""

    BACKEND = NUMPY._replace(host_values=lambda _: None, device_values=np.asarray)

    def test_nobody_waits_for_a_device(self):
        assert checks.values_of(self.BACKEND, X) is None

    def test_what_is_asked_for_is_waited_for(self, monkeypatch):
        monkeypatch.setattr(settings, "checks", lambda: True)
        assert checks.values_of(self.BACKEND, X) is X

    def test_what_the_host_can_read_is_read_there(self, monkeypatch):
        monkeypatch.setattr(settings, "checks", lambda: True)
        never = NUMPY._replace(device_values=raises(RuntimeError("no device")))
        assert checks.values_of(never, X) is X

    def test_a_call_is_not_remembered_while_results_are_looked_at(self, monkeypatch):
        assert _recall.key_of(sigmoid_focal_loss, {}, (X, Y)) is not None
        monkeypatch.setattr(settings, "checks", lambda: True)
        assert _recall.key_of(sigmoid_focal_loss, {}, (X, Y)) is None


class TestFailure:
    @every_failure
    def test_it_is_told_of_once_by_its_reason(self, failure):
        gpu = simulation.GPU._replace(**FAILURES[failure])
        with use_compiler():
            with pytest.warns(RuntimeWarning, match="goes on without.*simulation.*no PTX"):
                assert run(gpu) is None
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                assert run(gpu) is None

    @every_failure
    def test_the_library_s_own_operations_give_the_result(self, failure):
        gpu = simulation.GPU._replace(**FAILURES[failure])

        with use_compiler(False):
            expected = sigmoid_focal_loss(X, Y)

        def way(loss, operands, outputs):
            with use_compiler():
                found = device.run(gpu, loss, operands, outputs)
            return by_operations(loss, operands, outputs) if found is None else found

        by_operations = numpy_host.run
        with simulation.running(way), use_compiler(False), pytest.warns(RuntimeWarning):
            found = sigmoid_focal_loss(X, Y)
        np.testing.assert_array_equal(found, expected)

    def test_nothing_is_tried_again(self):
        tried = []

        def load(*given):
            tried.append(given)
            raise RuntimeError("no PTX")

        gpu = simulation.GPU._replace(load=load)
        with use_compiler(), pytest.warns(RuntimeWarning):
            assert [run(gpu) for _ in range(3)] == [None] * 3
        assert len(tried) == 1

    def test_a_lack_of_memory_is_the_caller_s_to_know(self):
        gpu = simulation.GPU._replace(empty=raises(MemoryError("no room")))
        with use_compiler(), pytest.raises(MemoryError, match="no room"):
            run(gpu)
        assert device._REFUSED == {}

    def test_another_library_goes_on(self):
        other = simulation.GPU._replace(name="another", load=raises(RuntimeError("no PTX")))
        with use_compiler():
            with pytest.warns(RuntimeWarning):
                assert run(other) is None
            assert run() is not None

    def test_a_library_s_kernels_that_failed_have_not_been_used(self):
        gpu = simulation.GPU._replace(launch=raises(OSError("no PTX")))
        with use_compiler(), pytest.warns(RuntimeWarning):
            run(gpu)
        assert device.used() == set()

    def test_a_remembered_call_that_fails_is_made_anew(self):
        """`_recall` makes a call anew at this error."""
        gpu = simulation.GPU._replace(launch=raises(OSError("no PTX")))
        with use_compiler():
            again = device.again(gpu, Sigmoid(), operands(), OUTPUTS)
            with pytest.warns(RuntimeWarning, match="OSError: no PTX"), pytest.raises(AnewError):
                again([X, Y])
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                with pytest.raises(AnewError):
                    again([X, Y])

    def test_a_call_that_was_made_where_kernels_were_asked_for_is_not_remembered_elsewhere(self):
        given = sigmoid_focal_loss, {}, (X, Y)
        with use_compiler():
            asked = _recall.key_of(*given)
        assert _recall.key_of(*given) != asked

    def test_an_interrupt_is_no_failure(self):
        gpu = simulation.GPU._replace(launch=raises(KeyboardInterrupt()))
        with use_compiler(), pytest.raises(KeyboardInterrupt):
            run(gpu)
        assert device._REFUSED == {}


class TestRun:
    def test_a_remembered_call_gives_the_same_of_other_arrays(self):
        with use_compiler():
            again = device.again(simulation.GPU, Sigmoid(), operands(), OUTPUTS)
            found = again([X[::-1].copy(), Y[::-1].copy()])
        for one, other in zip(found, BY_KERNEL, strict=True):
            np.testing.assert_array_equal(one[::-1], other)

    def test_an_operand_that_lies_elsewhere_is_no_kernel_s(self):
        def layout(like, name, x):  # noqa: ARG001
            return None if name == "targets" else numpy_host._layout(name, x)

        with use_compiler():
            assert run(simulation.GPU._replace(layout=layout)) is None
        assert device._REFUSED == {}

    @pytest.mark.parametrize("denominator", [0.0, 5.0])
    def test_an_array_divides_sums(self, denominator):
        """Where it is 0 the mean of nothing is 0, and no NaN."""
        outputs = (Output.LOSS_SUM, Output.POSITIVES)
        with use_compiler():
            sums = run(outputs=outputs)
            found = run(outputs=outputs, denominator=np.asarray(denominator, "float32"))
        for one, other in zip(found, sums, strict=True):
            np.testing.assert_array_equal(one, other / np.float32(denominator or 1))

    def test_an_array_divides_the_mean_of_a_call(self):
        """A normalizer may be an array of no axes, which nobody waits for."""
        options = {"reduction": "mean", "normalizer": np.asarray(7.0, "float32")}
        with simulation.running():
            found = sigmoid_focal_loss_value_and_grad(X, Y, **options)
        expected = sigmoid_focal_loss_value_and_grad(X, Y, **options)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)

    def test_a_call_that_an_array_divides_is_not_remembered(self):
        given = operands(denominator=np.asarray(3.0, "float32"))
        with use_compiler():
            assert device.again(simulation.GPU, Sigmoid(), given, (Output.LOSS_SUM,)) is None

    def test_a_number_divides_sums_in_their_kernel(self):
        with use_compiler():
            (total,), (mean,) = (
                run(outputs=(Output.LOSS_SUM,), **more) for more in ({}, {"denominator": 7.0})
            )
        assert mean == total / np.float32(7)

    def test_the_gpu_of_the_logits_is_the_current_one(self):
        entered = []

        @contextlib.contextmanager
        def current(x):
            entered.append(x)
            yield

        with use_compiler():
            run(simulation.GPU._replace(current=current))
        assert all(x is X for x in entered)
        assert entered


class TestTorch:
    """What the host can tell of torch's way: its tensors here are on the CPU."""

    @pytest.fixture
    def gpu(self, torch):  # noqa: ARG002
        """Torch's own way, but for what needs a GPU."""
        torch_device = importlib.import_module("focalcore._execution.torch_device")
        names = ("capability", "current", "load", "kernel", "stream", "launch")
        simulated = {name: getattr(simulation.GPU, name) for name in names}
        return torch_device.DEVICE._replace(**simulated)

    @pytest.mark.usefixtures("torch")
    def test_it_is_there_without_a_gpu_and_without_cuda_core(self, monkeypatch):
        for name in [n for n in sys.modules if n == "cuda" or n.startswith("cuda.")]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "cuda", None)  # an import of it fails
        module = importlib.import_module("focalcore._execution.torch_device")
        assert importlib.reload(module).DEVICE.name == "torch"

    @pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
    def test_tensors_give_the_bits_of_arrays(self, torch, gpu, dtype):
        x = torch.from_numpy(X).to(getattr(torch, dtype))
        y = torch.from_numpy(Y)
        given = Operands.of(scores=x, targets=y, gamma=2.0)
        with use_compiler():
            found = device.run(gpu, Sigmoid(), given, OUTPUTS)
        expected = sigmoid_focal_loss_value_and_grad(x, y)
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=0)

    def test_tensors_on_another_device_are_no_kernel_s(self, torch, gpu):
        given = Operands.of(
            scores=torch.from_numpy(X), targets=torch.ones(40, device="meta"), gamma=2.0
        )
        with use_compiler():
            assert device.run(gpu, Sigmoid(), given, OUTPUTS) is None

    @pytest.mark.usefixtures("torch")
    def test_without_cuda_core_nobody_is_told_who_did_not_ask(self, monkeypatch):
        torch_device = importlib.import_module("focalcore._execution.torch_device")
        monkeypatch.setitem(sys.modules, "cuda", None)
        assert not torch_device.is_launcher_installed.__wrapped__()

    def test_without_cuda_core_a_warning_names_it(self, torch, gpu, monkeypatch):
        torch_device = importlib.import_module("focalcore._execution.torch_device")
        for name in [n for n in sys.modules if n == "cuda" or n.startswith("cuda.")]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "cuda", None)
        monkeypatch.setattr(torch_device, "_load", functools.cache(torch_device._load.__wrapped__))
        given = Operands.of(scores=torch.from_numpy(X), targets=torch.from_numpy(Y), gamma=2.0)
        with use_compiler(), pytest.warns(RuntimeWarning, match="torch on the GPU.*cuda"):
            found = device.run(gpu._replace(load=torch_device._load), Sigmoid(), given, OUTPUTS)
        assert found is None


def test_cupy_s_way_is_there_without_a_gpu():
    pytest.importorskip("cupy", reason="cupy is not installed")
    module = importlib.import_module("focalcore._execution.cupy_device")
    assert module.DEVICE.name == "cupy"
