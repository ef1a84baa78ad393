"""What torch does around a loss: autocast, jagged tensors, numbers that change, its compiler."""

import numpy as np
import pytest

from focalcore import (
    sigmoid_focal_loss,
    sigmoid_focal_loss_value_and_grad,
    softmax_focal_loss,
    softmax_focal_loss_value_and_grad,
)

from .slices import slice_of

torch = pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture
def x():
    return torch.randn(6, 5, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def y(x):
    return (x.sin() > 0).float()


@pytest.fixture
def labels():
    return torch.tensor([0, 4, 2, 1, 3, 0])


class TestAutocast:
    @pytest.mark.parametrize("half", ["float16", "bfloat16"])
    def test_a_loss_is_float32_as_torchs_own_losses_are(self, x, y, labels, half):
        x = x.to(getattr(torch, half))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert sigmoid_focal_loss(x, y).dtype == torch.float32
            assert softmax_focal_loss(x, labels).dtype == torch.float32
            assert softmax_focal_loss(x, y.softmax(-1), soft_targets="mixture").dtype == (
                torch.float32
            )
            value, grad = softmax_focal_loss_value_and_grad(x, labels)
        assert {value.dtype, grad.dtype} == {torch.float32}
        assert sigmoid_focal_loss(x, y).dtype == x.dtype  # outside, as ever

    def test_a_large_sum_is_finite(self):
        x = torch.full((70_000,), 8.0, dtype=torch.float16)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            total = sigmoid_focal_loss(x, torch.zeros(70_000)).sum()
        expected = 70_000 * float(sigmoid_focal_loss(np.float64(8.0), 0))
        assert total.item() == pytest.approx(expected, rel=1e-5)

    def test_the_gradient_comes_back_in_half_precision(self, x, y):
        half = x.bfloat16().requires_grad_()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            sigmoid_focal_loss(half, y).sum().backward()
        assert half.grad.dtype == torch.bfloat16
        _, expected = sigmoid_focal_loss_value_and_grad(half.detach().double(), y)
        np.testing.assert_allclose(half.grad.double(), expected, rtol=2**-8)

    def test_modules_and_double_precision_keep_their_ways(self, x, y):
        from focalcore.torch import SigmoidFocalLoss

        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert SigmoidFocalLoss(reduction="none")(x.bfloat16(), y).dtype == torch.float32
            assert sigmoid_focal_loss(x.double(), y).dtype == torch.float64

    def test_a_compiled_loss_is_float32_too(self, x, y):
        def loss(x):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return sigmoid_focal_loss(x.bfloat16(), y)

        torch.compiler.reset()
        found = torch.compile(loss, fullgraph=True, backend="aot_eager")(x)
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, loss(x))


JAGGED = {
    "plain": {},
    "mask": {"mask": "mask"},
    "ignored": {"ignore_index": 0},
    "weighed": {"weight": "weight", "normalizer": "weight"},
    "positives": {"normalizer": "positives"},
}


class TestJaggedTensors:
    """Rows of several lengths: the count of a mean is how many numbers there are."""

    def jagged(self, flat):
        return torch.nested.nested_tensor_from_jagged(flat, self.offsets)

    def setup_method(self):
        rng = torch.Generator().manual_seed(0)
        self.offsets = torch.tensor([0, 3, 3, 8])
        self.flat = {
            "x": torch.randn(8, generator=rng),
            "y": torch.randint(0, 2, (8,), generator=rng),
            "mask": torch.rand(8, generator=rng) > 0.3,
            "weight": torch.rand(8, generator=rng),
            "rows": torch.randn(8, 4, generator=rng),
            "labels": torch.randint(0, 4, (8,), generator=rng),
        }

    def both(self, loss, x, y, options):
        for make in (lambda t: t, self.jagged):
            leaf = self.flat[x].clone().requires_grad_()
            own = {k: make(self.flat[v]) if v in self.flat else v for k, v in options.items()}
            own["normalizer"] = options.get("normalizer")
            value = loss(make(leaf), make(self.flat[y]), reduction="mean", **own)
            yield value.detach(), torch.autograd.grad(value, leaf)[0]

    @pytest.mark.parametrize("case", JAGGED)
    def test_a_mean_of_the_sigmoid_is_that_of_the_numbers(self, case):
        flat, jagged = self.both(sigmoid_focal_loss, "x", "y", JAGGED[case])
        torch.testing.assert_close(jagged, flat)

    @pytest.mark.parametrize("case", ["plain", "mask", "ignored", "weighed"])
    def test_a_mean_of_the_softmax_is_that_of_the_rows(self, case):
        flat, jagged = self.both(softmax_focal_loss, "rows", "labels", JAGGED[case])
        torch.testing.assert_close(jagged, flat)

    def test_value_and_gradient_are_those_of_the_numbers(self):
        x, y = self.jagged(self.flat["x"]), self.jagged(self.flat["y"])
        value, grad = sigmoid_focal_loss_value_and_grad(x, y, reduction="mean")
        expected = sigmoid_focal_loss_value_and_grad(
            self.flat["x"], self.flat["y"], reduction="mean"
        )
        torch.testing.assert_close((value, grad.values()), expected)

    def test_a_compiled_mean_is_that_of_the_rows(self):
        def mean(rows, labels):
            return softmax_focal_loss(rows, labels, reduction="mean")

        torch.compiler.reset()
        found = torch.compile(mean, fullgraph=True, backend="aot_eager")(
            self.jagged(self.flat["rows"]), self.jagged(self.flat["labels"])
        )
        torch.testing.assert_close(found, mean(self.flat["rows"], self.flat["labels"]))

    def test_rows_of_several_lengths_are_no_classes(self):
        with pytest.raises(ValueError, match="the number of classes must be known, and the same"):
            softmax_focal_loss(self.jagged(self.flat["rows"]), self.flat["labels"], axis=1)


ODD = {
    "strided nested": (
        lambda: torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)]),
        "layout=torch.jagged",
    ),
    "sparse": (lambda: torch.eye(3).to_sparse(), "to_dense"),
    "compressed": (lambda: torch.eye(3).to_sparse_csr(), "to_dense"),
}


@pytest.mark.filterwarnings("ignore:.*nested tensors is in prototype stage")
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")
@pytest.mark.parametrize("odd", ODD)
def test_tensors_of_odd_layouts_are_refused_with_a_way_out(odd):
    make, way_out = ODD[odd]
    with pytest.raises(TypeError, match=f"logits is a .* tensor; .*{way_out}"):
        sigmoid_focal_loss(make(), 1)
    with pytest.raises(TypeError, match=f"weight is a .* tensor; .*{way_out}"):
        sigmoid_focal_loss(torch.eye(3), 1, weight=make())


class TestChangedInPlace:
    """The gradient that a mean keeps is that of its forward; what needs the inputs again and finds
    them changed is torch's own error, never another gradient.
    """

    @pytest.mark.parametrize("what", ["weight", "mask", "alpha", "gamma", "targets"])
    @pytest.mark.parametrize("loss", [sigmoid_focal_loss, softmax_focal_loss])
    def test_a_change_after_forward_is_not_seen_once_and_then_an_error(
        self, x, y, labels, loss, what
    ):
        is_softmax = loss is softmax_focal_loss
        rows = torch.ones(6) if is_softmax else torch.ones(6, 5)
        given = {
            "weight": rows.clone(),
            "mask": rows > 0,
            "alpha": torch.full((5,), 0.5),
            "gamma": torch.full((5,), 1.5),
            "targets": labels.clone() if is_softmax else y.clone(),
        }[what]
        options = {} if what == "targets" else {what: given}
        targets = given if what == "targets" else labels if is_softmax else y
        x.requires_grad_()
        (expected,) = torch.autograd.grad(loss(x, targets, reduction="mean", **options), x)
        value = loss(x, targets, reduction="mean", **options)
        given.fill_(False) if what == "mask" else given.mul_(2)
        (once,) = torch.autograd.grad(value, x, retain_graph=True)
        torch.testing.assert_close(once, expected, rtol=0, atol=0)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            torch.autograd.grad(value, x)

    @pytest.mark.parametrize("loss", [sigmoid_focal_loss, softmax_focal_loss])
    def test_a_normalizer_is_the_one_that_was_given(self, x, y, labels, loss):
        targets, normalizer = labels if loss is softmax_focal_loss else y, torch.tensor(3.0)
        x.requires_grad_()
        value = loss(x, targets, reduction="mean", normalizer=normalizer)
        normalizer.mul_(2)
        (grad,) = torch.autograd.grad(value, x)
        (expected,) = torch.autograd.grad(loss(x, targets, reduction="sum"), x)
        torch.testing.assert_close(grad, expected / 3)


TRANSFORMS = {
    "grad": lambda loss: torch.func.grad(loss),
    "hessian": lambda loss: torch.func.hessian(loss),
    "jvp": lambda loss: lambda x: torch.func.jvp(loss, (x,), (torch.ones_like(x),)),
    "vjp": lambda loss: lambda x: torch.func.vjp(loss, x)[1](torch.ones(())),
    "jacfwd": lambda loss: torch.func.jacfwd(loss),
}


PYTHON = {
    "labels of a list": lambda x: softmax_focal_loss(x, [0, 4, 2, 1, 3, 0]),
    "a number": lambda x: sigmoid_focal_loss(x, 1),
    "a float": lambda x: sigmoid_focal_loss(x, 0.5),
    "a list of floats": lambda x: sigmoid_focal_loss(x, [[0.1, 0.2, 0.3, 0.4, 0.5]]),
    "a mask": lambda x: sigmoid_focal_loss(x, 1, mask=[[True, False, True, True, False]]),
    "weights of a list": lambda x: softmax_focal_loss(x, [0] * 6, weight=[1, 2, 3, 4, 5, 6.5]),
    "a weight of a number": lambda x: sigmoid_focal_loss(x, 1, weight=2),
}  # fmt: skip


@pytest.mark.slow
class TestCompiler:
    """`torch.compile(fullgraph=True)` of what the page says that it takes."""

    def compiled(self, f, *arguments, **options):
        torch.compiler.reset()
        return torch.compile(f, fullgraph=True, backend="aot_eager", **options)(*arguments)

    @pytest.mark.parametrize("loss", [sigmoid_focal_loss, softmax_focal_loss])
    @pytest.mark.parametrize("transform", slice_of(TRANSFORMS, "grad", "hessian", "jvp"))
    def test_a_transform_may_be_inside(self, x, y, labels, loss, transform):
        targets = labels if loss is softmax_focal_loss else y
        f = TRANSFORMS[transform](lambda x: loss(x, targets, reduction="mean"))
        torch.testing.assert_close(self.compiled(f, x), f(x))

    def test_with_a_transform_inside_along_what_scales_logits_that_learn(self, x, y):
        def mean(scale, x):
            return sigmoid_focal_loss(scale * x, y, reduction="mean")

        def slope(x):
            return torch.func.grad(mean)(torch.ones(()), x)

        leaf = x.requires_grad_()
        found, expected = (
            torch.autograd.grad(value, leaf) for value in (self.compiled(slope, leaf), slope(leaf))
        )
        torch.testing.assert_close(found, expected)

    def test_a_map_over_rows_may_be_inside(self, x, labels):
        def f(x):
            return torch.func.vmap(torch.func.grad(softmax_focal_loss))(x, labels)

        torch.testing.assert_close(self.compiled(f, x), f(x))

    @pytest.mark.parametrize("loss", [sigmoid_focal_loss, softmax_focal_loss])
    def test_sizes_may_change(self, x, y, labels, loss):
        targets = labels if loss is softmax_focal_loss else y
        torch.compiler.reset()
        compiled = torch.compile(loss, fullgraph=True, dynamic=True, backend="aot_eager")
        for n in (6, 4, 2):
            torch.testing.assert_close(compiled(x[:n], targets[:n]), loss(x[:n], targets[:n]))

    def test_the_axis_may_change(self, x, labels):
        torch.compiler.reset()
        compiled = torch.compile(
            softmax_focal_loss, fullgraph=True, dynamic=True, backend="aot_eager"
        )
        expected = softmax_focal_loss(x, labels)
        torch.testing.assert_close(compiled(x, labels), expected)
        torch.testing.assert_close(compiled(x, labels, axis=1), expected)
        torch.testing.assert_close(compiled(x.T.contiguous(), labels, axis=0), expected)

    @pytest.mark.parametrize("case", PYTHON)
    def test_numbers_and_lists_follow_the_logits(self, x, case):
        # of float32 a list's type, torch's default, would not show that it follows the logits
        x, f = x.double(), PYTHON[case]
        found = self.compiled(f, x)
        assert found.dtype == x.dtype
        torch.testing.assert_close(found, f(x))
