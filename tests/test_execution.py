"""How calls are run: by kernels, in blocks, over threads; the numbers are the same."""

import contextlib
import functools
import os
import subprocess
import sys
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import focalcore
from conformance import costs
from conformance.places import JAX, NUMPY, TORCH
from focalcore import (
    _recall,
    binary_focal_loss,
    categorical_focal_loss,
    settings,
    sigmoid_focal_loss,
    sigmoid_focal_loss_grad_and_hess,
    sigmoid_focal_loss_value_and_grad,
    softmax_focal_loss,
    softmax_focal_loss_value_and_grad,
    sparse_categorical_focal_loss,
)
from focalcore._execution import blocks, numpy_host
from focalcore._kernels.host import plan, threads

from . import problems
from .programs import output_of

problem = functools.partial(problems.problem, (7, 3, 5), axis=1, dtype="float32")
SMALL = 2**7  # bytes of a block that even the arrays here have many of


CASES = {
    "value": lambda a: sigmoid_focal_loss(a["x"], a["y"], alpha=0.25),
    "soft": lambda a: sigmoid_focal_loss(a["x"], a["soft"], gamma=0.5),
    "broadcast": lambda a: sigmoid_focal_loss(
        a["x"],
        a["y"][:1, :1],
        weight=a["weight"][:1, :1],
        mask=a["mask"][:, :1, :1],
        alpha=a["p"][:1],
    ),
    "noncontiguous": lambda a: sigmoid_focal_loss(a["x"].T, a["y"].T, ignore_index=0),
    "derivatives": lambda a: np.stack(sigmoid_focal_loss_grad_and_hess(a["x"], a["y"])),
    "gradient of a mean": lambda a: sigmoid_focal_loss_value_and_grad(
        a["x"], a["y"], mask=a["mask"][:, :1, :1], reduction="mean"
    )[1],
    "rows": lambda a: softmax_focal_loss(a["x"], a["labels"], axis=1),
    "rows last": lambda a: softmax_focal_loss(
        np.moveaxis(a["x"], 1, -1), a["labels"], alpha=[1.0, 2.0, 0.5], ignore_index=1
    ),
    "gradients of rows": lambda a: softmax_focal_loss_value_and_grad(
        a["x"], a["labels"], axis=1, reduction="mean"
    )[1],
    "distributions": lambda a: softmax_focal_loss(a["x"], a["distributions"], axis=1),
    "probabilities": lambda a: binary_focal_loss(a["soft"], a["p"]),
    "categorical": lambda a: sparse_categorical_focal_loss(a["labels"], a["p"], axis=1),
    "categorical distributions": lambda a: categorical_focal_loss(
        a["distributions"], a["p"], axis=1
    ),
}
WITH_NUMPY = ("derivatives", "noncontiguous", "rows last")  # their lines use its functions
every_case = pytest.mark.parametrize("case", CASES)


@pytest.fixture
def tiny_blocks(monkeypatch):
    """Without kernels, and even small arrays are large."""
    monkeypatch.setattr(numpy_host, "BLOCK", SMALL)
    with focalcore.use_compiler(False):
        yield


@pytest.fixture
def tiny_turns(monkeypatch):
    """Kernels whose threads share even small arrays."""
    monkeypatch.setattr(plan, "rows_of_block", lambda width, classes: width)  # noqa: ARG005
    monkeypatch.setattr(plan, "WORTH_A_THREAD", 1)
    monkeypatch.setattr(plan, "_PLANS", {})
    monkeypatch.setattr(_recall, "_CALLS", {})


class TestBlocks:
    @given(
        shape=st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple),
        size=st.integers(1, 50),
        data=st.data(),
    )
    def test_every_element_is_in_one_block_and_no_row_is_cut(self, shape, size, data):
        whole = data.draw(st.none() | st.integers(0, len(shape) - 1))
        seen = np.zeros(shape, int)
        for cut in blocks.cuts_of(shape, whole, size):
            assert seen[cut].size <= max(size, 1 if whole is None else shape[whole])
            assert whole is None or seen[cut].shape[whole] == shape[whole]
            seen[cut] += 1
        assert np.all(seen == 1)

    @pytest.mark.usefixtures("tiny_blocks")
    @every_case
    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    def test_blocks_give_the_bits_of_the_whole(self, case, dtype, monkeypatch):
        arrays = problem(dtype=dtype)
        in_blocks = CASES[case](arrays)
        monkeypatch.setattr(numpy_host, "BLOCK", 2**18)
        whole = CASES[case](arrays)
        assert in_blocks.dtype == whole.dtype
        np.testing.assert_array_equal(in_blocks, whole)

    @pytest.mark.usefixtures("tiny_blocks")
    @pytest.mark.parametrize("normalizer", [None, "positives", "weight", 4.0])
    def test_sums_over_blocks_are_those_of_the_whole(self, normalizer, monkeypatch):
        arrays = problem()
        options = {"weight": arrays["weight"][:1, :1], "mask": arrays["mask"][:, :1, :1]}

        def mean():
            return sigmoid_focal_loss(
                arrays["x"], arrays["y"], reduction="mean", normalizer=normalizer, **options
            )

        in_blocks = mean()
        monkeypatch.setattr(numpy_host, "BLOCK", 2**18)
        assert in_blocks.dtype == np.float32
        np.testing.assert_allclose(in_blocks, mean(), rtol=1e-6)

    @pytest.mark.parametrize(
        ("home", "n"),
        [(NUMPY, 1000), (NUMPY, 300_000), (TORCH, 300_000)],
        ids=["one of numpy", "numpy", "torch"],
    )
    def test_a_sum_over_blocks_is_rounded_once(self, home, n):
        """A large loss beside many small ones, of which float32 would lose some on the way."""
        home.require()
        x = np.zeros(n, "float32")
        x[0] = -(2.0**24)
        x = home.array(x)
        losses = home.numpy(sigmoid_focal_loss(x, 1, gamma=0))
        total = home.numpy(sigmoid_focal_loss(x, 1, gamma=0, reduction="sum"))
        assert total == np.float32(np.sum(losses, dtype="float64"))

    @pytest.mark.parametrize("case", [case for case in CASES if case not in WITH_NUMPY])
    @pytest.mark.usefixtures("torch")
    def test_torch_blocks_give_the_bits_of_the_whole(self, case, monkeypatch):
        from focalcore._execution import torch_host

        arrays = {name: TORCH.array(x) for name, x in problem().items()}
        with focalcore.use_compiler(False):
            whole = CASES[case](arrays)
            monkeypatch.setattr(torch_host, "BLOCK", SMALL)
            np.testing.assert_array_equal(CASES[case](arrays), whole)

    def test_a_mean_over_a_file_of_any_size_needs_a_few_megabytes(self, tmp_path):
        n, path = 2**24, tmp_path / "logits.npy"
        np.lib.format.open_memmap(path, mode="w+", dtype="float32", shape=(n,))[::7] = 1.5
        x, y = np.load(path, mmap_mode="r"), np.broadcast_to(np.asarray(False), (n,))
        with focalcore.use_threads(1):
            peak = traced_peak(lambda: sigmoid_focal_loss(x, y, reduction="mean"))
        assert peak < 16e6 < x.nbytes / 4

    def test_an_output_is_all_that_grows_with_the_input(self):
        x = np.zeros(2**22, "float32")
        with focalcore.use_threads(1):
            peak = traced_peak(lambda: sigmoid_focal_loss(x, x > 1, alpha=0.25))
        assert peak < x.nbytes + 12e6

    def test_many_classes_make_no_array_of_the_size_of_the_logits(self):
        x, labels = np.zeros((200, 50_000), "float32"), np.arange(200)
        peak = traced_peak(lambda: softmax_focal_loss(x, labels))
        assert peak < x.nbytes / 4

    @pytest.mark.usefixtures("tiny_blocks")
    @pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
    def test_nothing_at_all_goes_through(self, shape):
        x = np.zeros(shape, "float32")
        assert sigmoid_focal_loss(x, x).shape == shape
        assert sigmoid_focal_loss(x, x, reduction="mean") == 0


def traced_peak(f):
    f()
    tracemalloc.start()
    f()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


class TestThreads:
    @pytest.mark.usefixtures("tiny_turns")
    @every_case
    def test_their_number_is_not_seen_in_a_bit(self, case):
        arrays = problem()
        with focalcore.use_threads(1):
            one = CASES[case](arrays)
        with focalcore.use_threads(3):
            np.testing.assert_array_equal(CASES[case](arrays), one)

    @pytest.mark.usefixtures("tiny_turns")
    def test_their_number_is_not_seen_in_a_sum(self):
        arrays = problems.problem((50, 3, 5), dtype="float32")
        found = set()
        for number in (1, 2, 5):
            with focalcore.use_threads(number):
                found.add(float(sigmoid_focal_loss(arrays["x"], arrays["y"], reduction="sum")))
        assert len(found) == 1

    def test_several_are_at_work(self):
        seen, gate = set(), threading.Barrier(3)

        def work():
            seen.add(threading.get_ident())
            gate.wait(10)

        threads.share(work, 3)
        assert len(seen) == 3

    def test_a_caller_does_not_wait_for_a_helper_that_has_not_begun(self):
        gate = threading.Event()
        busy = threading.Thread(target=threads.share, args=(lambda: gate.wait(10), 9))
        busy.start()  # every helper there is, and some more, are at work elsewhere
        try:
            done = []
            threads.share(lambda: done.append(threading.get_ident()), 2)
            assert threading.get_ident() in done
        finally:
            gate.set()
            busy.join()

    def test_an_error_of_a_helper_is_the_caller_s(self):
        caller, gate = threading.get_ident(), threading.Barrier(2)

        def work():
            gate.wait(10)
            if threading.get_ident() != caller:
                raise MemoryError

        with pytest.raises(MemoryError):
            threads.share(work, 2)

    def test_an_interrupted_caller_leaves_no_helper_behind(self):
        caller, gate, done = threading.get_ident(), threading.Barrier(2), []

        def work():
            gate.wait(10)
            if threading.get_ident() == caller:
                raise KeyboardInterrupt
            threading.Event().wait(0.05)
            done.append(1)

        with pytest.raises(KeyboardInterrupt):
            threads.share(work, 2)
        assert done

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
    @pytest.mark.usefixtures("tiny_turns")
    def test_a_forked_process_has_helpers_of_its_own(self):
        code = """if True:
            import os, numpy as np, focalcore
            x = np.linspace(-3, 3, 10**6, dtype="float32")
            with focalcore.use_threads(2):
                expected = focalcore.sigmoid_focal_loss(x, x > 1)
                child = os.fork()
                found = focalcore.sigmoid_focal_loss(x, x > 1)
                if not child:
                    os._exit(0 if np.array_equal(found, expected) else 1)
                print(os.waitpid(child, 0)[1])
        """
        assert output_of("-W", "ignore", "-c", code).strip() == "0"

    @pytest.mark.usefixtures("tiny_turns")
    def test_two_callers_do_not_disturb_each_other(self):
        arrays, found = problem(), [None, None]

        def call(i):
            found[i] = [CASES[case](arrays) for case in CASES]

        callers = [threading.Thread(target=call, args=(i,)) for i in range(2)]
        [caller.start() for caller in callers], [caller.join() for caller in callers]
        for one, other in zip(*found, strict=True):
            np.testing.assert_array_equal(one, other)

    @pytest.mark.parametrize("kernels", [True, False], ids=["kernels", "blocks"])
    def test_nothing_warns(self, kernels):
        x = np.asarray([np.inf, -np.inf, 1e3, 0.0] * 20, dtype="float32")
        with np.errstate(all="raise"), focalcore.use_compiler(kernels):
            sigmoid_focal_loss_value_and_grad(x, x > 0)


class TestSettings:
    def test_a_setting_ends_with_its_context(self):
        before = settings.threads()
        with focalcore.use_threads(before + 1):
            assert settings.threads() == before + 1
            with focalcore.use_threads(1):
                assert settings.threads() == 1
            assert settings.threads() == before + 1
        assert settings.threads() == before

    def test_nothing_said_is_a_thread_for_each_processor_and_eight_at_most(self, monkeypatch):
        monkeypatch.delenv("FOCALCORE_THREADS", raising=False)
        for processors, expected in ((3, 3), (8, 8), (64, 8)):
            monkeypatch.setattr(os, "sched_getaffinity", lambda _, n=processors: range(n), False)
            with focalcore.use_threads():
                assert settings.threads() == expected

    def test_nothing_said_is_what_the_environment_says(self, monkeypatch):
        monkeypatch.setenv("FOCALCORE_THREADS", "11")
        with focalcore.use_threads():
            assert settings.threads() == 11

    def test_a_setting_stays_where_there_is_no_context(self):
        before = settings.threads()
        try:
            focalcore.use_threads(before + 3)
            assert settings.threads() == before + 3
        finally:
            focalcore.use_threads(before)

    @pytest.mark.parametrize("number", [0, -1, 1.5, True, "2"])
    def test_a_wrong_number_of_threads_is_refused(self, number):
        before = settings.threads()
        with pytest.raises(ValueError, match="at least 1"):
            focalcore.use_threads(number)
        assert settings.threads() == before

    @pytest.mark.parametrize(
        ("name", "value", "expected"),
        [
            ("FOCALCORE_THREADS", "3", "3"),
            ("FOCALCORE_COMPILER", "1", "True True False"),
            ("FOCALCORE_COMPILER", "0", "False False False"),
            ("FOCALCORE_COMPILER", "", "True False False"),
            ("FOCALCORE_CHECK", "1", "True False True"),
            ("FOCALCORE_CHECK", "often", "FOCALCORE_CHECK must be 0 or 1"),
            ("FOCALCORE_THREADS", "many", "FOCALCORE_THREADS must be a number"),
            ("FOCALCORE_THREADS", "0", "at least 1"),
            ("FOCALCORE_COMPILER", "yes", "FOCALCORE_COMPILER must be 0 or 1"),
        ],
    )
    def test_the_environment_is_read_at_the_start(self, name, value, expected):
        asked = "threads(), kernels(), on_every_gpu(), checks()"
        code = f"from focalcore.settings import *; print({asked})"
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {name: value},
            capture_output=True,
            text=True,
            check=False,
        )
        assert expected in done.stdout + done.stderr


class TestTorch:
    def test_a_mean_keeps_its_slope_and_a_loss_of_each_element_nothing(self, torch):
        for dtype, size in ((torch.float32, 4), (torch.float64, 8), (torch.bfloat16, 2)):
            x = torch.randn(300, 7, dtype=dtype).requires_grad_()
            y, labels = torch.rand(300, 7) < 0.1, torch.randint(0, 7, (300,))
            for loss in (
                lambda r, x=x, y=y: sigmoid_focal_loss(x, y, alpha=0.25, reduction=r),
                lambda r, x=x, labels=labels: softmax_focal_loss(x, labels, reduction=r),
            ):
                inputs = (x, y, labels)
                assert costs.kept_by_torch(lambda f=loss: f("mean"), inputs) == size * x.numel()
                assert costs.kept_by_torch(lambda f=loss: f("none"), inputs) == 0

    def test_a_mean_that_does_not_learn_keeps_nothing(self, torch):
        x = torch.randn(300)
        loss = sigmoid_focal_loss(x, x > 1, reduction="mean")
        assert loss.grad_fn is None

    @pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
    def test_a_small_slope_survives_half_precision_until_it_is_scaled(self, torch, dtype):
        x = torch.full((10_000,), -4.0, dtype=getattr(torch, dtype)).requires_grad_()
        loss = sigmoid_focal_loss(x, torch.zeros(10_000, dtype=torch.bool), reduction="mean")
        (loss * 2.0**16).backward()
        expected = sigmoid_focal_loss_value_and_grad([-4.0], [0])[1][0] * 2.0**16 / 10_000
        np.testing.assert_allclose(x.grad.double().numpy(), expected, rtol=2.0**-7)

    def test_a_mean_is_differentiated_twice_and_backward_repeated(self, torch):
        x = torch.linspace(-3, 3, 9, dtype=torch.float64).requires_grad_()
        loss = sigmoid_focal_loss(x, x.detach() > 0, reduction="sum")
        (once,) = torch.autograd.grad(loss, x, retain_graph=True)
        (again,) = torch.autograd.grad(loss, x, create_graph=True)
        np.testing.assert_allclose(once, again.detach(), rtol=1e-13)
        (twice,) = torch.autograd.grad(again.sum(), x)
        hess = sigmoid_focal_loss_grad_and_hess(x.detach().numpy(), (x > 0).numpy())[1]
        np.testing.assert_allclose(twice, hess, rtol=1e-12)

    def test_targets_that_learn_are_soft_even_where_they_are_0_or_1(self, torch):
        x = torch.linspace(-3, 3, 8, dtype=torch.float64)
        y = (x > 0).double().requires_grad_()
        assert torch.autograd.gradcheck(
            lambda y: sigmoid_focal_loss(x, 0.5 + (y - 0.5) * 0.999, reduction="mean"), (y,)
        )
        (grad,) = torch.autograd.grad(sigmoid_focal_loss(x, y).sum(), y)
        step = 1e-6
        up, down = (sigmoid_focal_loss(x, y.detach() * (1 - step) + s) for s in (0.0, step))
        inside = (down - up) / step
        np.testing.assert_allclose(grad, inside, rtol=1e-4)

    def test_targets_that_move_forward_are_soft_too(self, torch):
        import torch.autograd.forward_ad as forward

        x = torch.linspace(-3, 3, 8, dtype=torch.float64)
        y = (x > 0).double()
        (grad,) = torch.autograd.grad(
            sigmoid_focal_loss(x, y.requires_grad_()).sum(), y, retain_graph=True
        )
        with forward.dual_level():
            dual = forward.make_dual(y.detach(), torch.ones_like(x))
            tangent = forward.unpack_dual(sigmoid_focal_loss(x, dual)).tangent
        np.testing.assert_allclose(tangent, grad, rtol=1e-12)

    @pytest.mark.filterwarnings("ignore")  # torch's own, of tracing
    def test_a_trace_holds_no_number_of_the_arrays_it_was_made_with(self, torch, monkeypatch):
        from torch.fx.experimental.proxy_tensor import make_fx

        from focalcore._execution import torch_host

        monkeypatch.setattr(torch_host, "BLOCK", SMALL)
        x, y = torch.linspace(-3, 3, 200), torch.arange(200) % 2

        def mean(x, y):
            return sigmoid_focal_loss(x, y, reduction="mean")

        expected = mean(x + 1, y)
        for trace in (
            lambda: torch.jit.trace(mean, (x, y), check_trace=False),
            lambda: make_fx(mean)(x, y),
            lambda: make_fx(mean, tracing_mode="symbolic")(x, y),
        ):
            torch.testing.assert_close(trace()(x + 1, y), expected)


class TestJax:
    @pytest.mark.usefixtures("jax")
    def test_an_eager_call_is_compiled_once(self):
        x, y = JAX.array(problem()["x"]), JAX.array(problem()["y"])
        others = [x + i for i in range(3)]
        sigmoid_focal_loss(x, y, gamma=1.25)
        with programs_compiled() as compiled:
            for other in others:
                sigmoid_focal_loss(other, y, gamma=1.25)
        assert not compiled

    @pytest.mark.usefixtures("jax")
    def test_another_normalizer_is_not_another_program(self):
        x, y = JAX.array(problem()["x"]), JAX.array(problem()["y"])

        def mean_by(normalizer):
            found = sigmoid_focal_loss(x, y, reduction="mean", normalizer=normalizer)
            expected = sigmoid_focal_loss(
                problem()["x"], problem()["y"], reduction="mean", normalizer=normalizer
            )
            np.testing.assert_allclose(found, expected, rtol=1e-5)

        mean_by(4.0)
        with programs_compiled() as compiled:
            mean_by(5.0)
            mean_by(0.0)
        assert not compiled


@contextlib.contextmanager
def programs_compiled():
    """What XLA compiles meanwhile."""
    import jax

    found, is_over = [], False

    def listen(event, duration, **_):
        if event.endswith("backend_compile_duration") and not is_over:
            found.append(duration)

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield found
    is_over = True
