"""A classifier and its softmax loss in one: the two steps, without the logits of all rows."""

import typing
import weakref

import numpy as np
import pytest

from conformance.places import JAX, TORCH
from focalcore import softmax_focal_loss
from focalcore._losses.linear import LEAST, LinearOptions, rows_at_once
from focalcore._typing import LinearKeywords

from .helpers import close, fails
from .slices import slice_of

N, D, C = 13, 5, 7  # rows, features and classes
CHUNK = 4  # rows: there are three chunks of them, and one of a single row
PER_CLASS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]

# the targets, the arrays among the options, the other options
CASES = {
    "none": ("labels", (), {}),
    "sum": ("labels", (), {"reduction": "sum"}),
    "mean": ("labels", (), {"reduction": "mean", "gamma": 1.5, "alpha": PER_CLASS}),
    "ignored": ("labels", (), {"reduction": "mean", "ignore_index": 2}),
    "masked": ("labels", ("mask",), {"reduction": "mean"}),
    "weighted": (
        "labels",
        ("mask", "sample_weight"),
        {"reduction": "mean", "normalizer": "weight"},
    ),
    "by-alpha": ("labels", (), {"reduction": "mean", "alpha": PER_CLASS, "normalizer": "alpha"}),
    "positives": ("labels", (), {"reduction": "mean", "background": 0, "normalizer": "positives"}),
    "by-a-number": ("labels", (), {"reduction": "mean", "normalizer": 3.0}),
    "smoothed": ("labels", (), {"label_smoothing": 0.1, "soft_targets": "hard"}),
    "held-factor": ("labels", (), {"reduction": "sum", "detach_factor": True}),
    "gamma-of-rows": ("labels", ("gamma",), {"reduction": "mean"}),
    "distributions": ("distributions", ("mask",), {"reduction": "mean"}),
    "mixture": ("distributions", (), {"soft_targets": "mixture", "gamma": PER_CLASS}),
}


class Torch:
    """The calls in torch."""

    place = TORCH

    def array(self, x, dtype=None):
        import torch

        return torch.from_numpy(np.asarray(x)).to(getattr(torch, dtype or str(np.asarray(x).dtype)))

    def one(self, *arrays, **options):
        from focalcore.torch import linear_softmax_focal_loss

        return linear_softmax_focal_loss(*arrays, **options)

    def linear(self, *classifier):
        import torch

        return torch.nn.functional.linear(*classifier)

    def value_and_grads(self, f, arrays, upstream):
        import torch

        leaves = [x.detach().clone().requires_grad_() for x in arrays]
        value = f(*leaves)
        return value, *torch.autograd.grad(value, leaves, upstream.to(value.dtype))

    def numpy(self, x):
        return x.detach().double().numpy()


class Jax:
    """The calls in JAX, compiled."""

    place = JAX

    def array(self, x, dtype=None):
        import jax.numpy as jnp

        return jnp.asarray(x, dtype)

    def one(self, *arrays, **options):
        from focalcore.jax import linear_softmax_focal_loss

        return linear_softmax_focal_loss(*arrays, **options)

    def linear(self, hidden, weight, bias):
        return hidden @ weight.T + bias

    def value_and_grads(self, f, arrays, upstream):
        import jax

        def run(*arrays):
            value, pull = jax.vjp(f, *arrays)
            return value, *pull(upstream.astype(value.dtype))

        return jax.jit(run)(*arrays)

    def numpy(self, x):
        return np.asarray(x, "float64")


WAYS = {"torch": Torch(), "jax": Jax()}


@pytest.fixture(params=WAYS)
def way(request):
    found = WAYS[request.param]
    found.place.require()
    return found


def classifier(rng, *rows):
    """Features, weight and bias."""
    return [rng.normal(size=shape) for shape in ((*rows, D), (C, D), (C,))]


def targets_of(rng, kind, *rows):
    if kind == "labels":
        return rng.integers(0, C, rows)
    y = np.exp(rng.normal(size=(*rows, C)))
    return y / y.sum(-1, keepdims=True)


def arrays_of(rng, names, *rows):
    """Options that are arrays, one entry for each row."""
    every = {
        "mask": rng.random(rows) < 0.7,
        "sample_weight": rng.random(rows),
        "gamma": 3 * rng.random((*rows, 1)),
    }
    return {name: every[name] for name in names}


def both(way, arrays, targets, upstream, dtype=None, chunk_rows=CHUNK, **options):
    """The value and the gradients of the classifier, in one and by two steps."""
    arrays = [way.array(x, dtype) for x in arrays]
    targets = way.array(targets)
    options = {n: way.array(x) if isinstance(x, np.ndarray) else x for n, x in options.items()}
    of_logits = {"weight" if n == "sample_weight" else n: x for n, x in options.items()}

    def one(hidden, weight, bias):
        return way.one(hidden, weight, targets, bias, chunk_rows=chunk_rows, **options)

    def two(*arrays):
        return softmax_focal_loss(way.linear(*arrays), targets, **of_logits)

    upstream = way.array(upstream)
    return [way.value_and_grads(f, arrays, upstream) for f in (one, two)]


def same(way, one, two, rtol=1e-12, atol=1e-15):
    for found, expected in zip(one, two, strict=True):
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(way.numpy(found), way.numpy(expected), rtol=rtol, atol=atol)


def upstream_of(rng, options, *rows):
    return rng.normal(size=rows if options.get("reduction", "none") == "none" else ())


COMPILED = slice_of(CASES, "none", "mean", "weighted", "mixture")  # by JAX


@pytest.mark.parametrize(
    ("way", "case"),
    [
        *(pytest.param("torch", case, id=f"torch-{case}") for case in CASES),
        *(pytest.param("jax", case, id=f"jax-{case}") for case in COMPILED),
    ],
    indirect=["way"],
)
def test_value_and_gradients_are_those_of_the_two_steps(way, rng, case):
    kind, names, options = CASES[case]
    options = options | arrays_of(rng, names, N)
    upstream = upstream_of(rng, options, N)
    same(way, *both(way, classifier(rng, N), targets_of(rng, kind, N), upstream, **options))


@pytest.mark.parametrize("kind", ["labels", "distributions"])
@pytest.mark.parametrize("rows", [(), (1,), (0,), (2, 3, 4)], ids=str)
def test_rows_have_any_shape(way, rng, rows, kind):
    found = both(way, classifier(rng, *rows), targets_of(rng, kind, *rows), rng.normal(size=rows))
    assert found[0][0].shape == rows
    same(way, *found)


def test_options_of_rows_broadcast_over_them(way, rng):
    rows = (2, 13)
    options = {
        "mask": rng.random((1, 13)) < 0.7,
        "sample_weight": rng.random((2, 1)),
        "gamma": 3 * rng.random((2, 1, 1)),
    }
    upstream = rng.normal(size=rows)
    targets = targets_of(rng, "labels", *rows)
    same(way, *both(way, classifier(rng, *rows), targets, upstream, **options))


@pytest.mark.parametrize("chunk_rows", [1, N, 10 * N, "auto"])
def test_the_rows_of_a_chunk_change_nothing(way, rng, chunk_rows):
    targets, upstream = targets_of(rng, "labels", N), np.asarray(0.7)
    options = {"reduction": "mean", "chunk_rows": chunk_rows}
    same(way, *both(way, classifier(rng, N), targets, upstream, **options))


def test_the_mean_of_nothing_is_0(way, rng):
    targets, upstream = targets_of(rng, "labels", 0), np.asarray(1.0)
    value, *grads = both(way, classifier(rng, 0), targets, upstream, reduction="mean")[0]
    assert way.numpy(value) == 0
    assert [x.shape for x in grads] == [(0, D), (C, D), (C,)]
    assert not any(way.numpy(x).any() for x in grads)


class TestOptionsThatLearn:
    """What else learns gets its gradient, as in the two steps."""

    OPTIONS: typing.ClassVar = {
        "gamma": np.full(C, 1.7),
        "alpha": np.asarray(PER_CLASS),
        "sample_weight": np.linspace(0.5, 2, N),
    }

    @pytest.mark.parametrize("reduction", ["none", "mean"])
    def test_options(self, way, rng, reduction):
        arrays, targets = classifier(rng, N), way.array(targets_of(rng, "labels", N))
        names = list(self.OPTIONS)
        fixed = {"reduction": reduction} | ({"normalizer": "weight"} if reduction == "mean" else {})

        def one(hidden, weight, bias, *learned):
            options = dict(zip(names, learned, strict=True)) | fixed
            return way.one(hidden, weight, targets, bias, chunk_rows=CHUNK, **options)

        def two(hidden, weight, bias, gamma, alpha, sample_weight):
            options = {"gamma": gamma, "alpha": alpha, "weight": sample_weight} | fixed
            return softmax_focal_loss(way.linear(hidden, weight, bias), targets, **options)

        learned = [way.array(x) for x in (*arrays, *self.OPTIONS.values())]
        upstream = way.array(upstream_of(rng, fixed, N))
        same(way, *(way.value_and_grads(f, learned, upstream) for f in (one, two)), rtol=1e-10)

    def test_distributions(self, way, rng):
        arrays = [*classifier(rng, N), targets_of(rng, "distributions", N)]

        def one(hidden, weight, bias, y):
            return way.one(hidden, weight, y, bias, chunk_rows=CHUNK, reduction="sum")

        def two(hidden, weight, bias, y):
            return softmax_focal_loss(way.linear(hidden, weight, bias), y, reduction="sum")

        learned, upstream = [way.array(x) for x in arrays], way.array(np.asarray(0.7))
        same(way, *(way.value_and_grads(f, learned, upstream) for f in (one, two)), rtol=1e-10)

    def test_a_normalizer(self, way, rng):
        arrays, targets = classifier(rng, N), way.array(targets_of(rng, "labels", N))

        def one(hidden, weight, bias, by):
            options = {"reduction": "mean", "normalizer": by, "chunk_rows": CHUNK}
            return way.one(hidden, weight, targets, bias, **options)

        def two(hidden, weight, bias, by):
            logits = way.linear(hidden, weight, bias)
            return softmax_focal_loss(logits, targets, reduction="mean", normalizer=by)

        learned = [way.array(x) for x in (*arrays, np.asarray(3.0))]
        upstream = way.array(np.asarray(0.7))
        same(way, *(way.value_and_grads(f, learned, upstream) for f in (one, two)), rtol=1e-10)


class TestHalfPrecision:
    @pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
    @pytest.mark.parametrize("reduction", ["none", "mean"])
    def test_types_are_those_of_the_two_steps(self, way, rng, dtype, reduction):
        targets = targets_of(rng, "labels", N)
        upstream = upstream_of(rng, {"reduction": reduction}, N)
        one, two = both(
            way, classifier(rng, N), targets, upstream, dtype=dtype, reduction=reduction
        )
        for found, expected in zip(one, two, strict=True):
            assert found.dtype == expected.dtype
            most = np.abs(way.numpy(expected)).max()
            close_to = way.numpy(expected)
            np.testing.assert_allclose(way.numpy(found), close_to, rtol=0, atol=0.02 * most)

    @pytest.mark.parametrize("chunk_rows", [16, 128], ids=["8-chunks", "1-chunk"])
    def test_the_gradient_of_the_weight_is_rounded_once_for_each_chunk(self, way, rng, chunk_rows):
        n, half_unit = 128, 2.0**-9  # of bfloat16
        arrays = [np.asarray(way.numpy(way.array(x, "bfloat16"))) for x in classifier(rng, n)]
        targets, upstream = targets_of(rng, "labels", n), np.asarray(1.0)
        options = {"reduction": "sum", "chunk_rows": chunk_rows}
        (found, two), (exact, _) = (
            both(way, arrays, targets, upstream, dtype=dtype, **options)
            for dtype in ("bfloat16", None)
        )
        size = np.abs(way.numpy(exact[2])).max()
        own, theirs = (np.abs(way.numpy(x[2]) - way.numpy(exact[2])).max() for x in (found, two))
        assert own <= theirs + n // chunk_rows * half_unit * size

    def test_float16_keeps_slopes_that_a_scaled_loss_makes_visible(self, way, rng):
        """Divided by the count of rows alone, they are below what float16 has."""
        hidden, weight, bias = classifier(rng, 64)
        targets = np.argmax(hidden @ weight.T, -1)
        scale, options = np.asarray(2.0**16), {"reduction": "mean", "gamma": 0.0}
        arrays = [6 * hidden, weight, 0 * bias]
        one, two = both(way, arrays, targets, scale, dtype="float16", chunk_rows=16, **options)
        _, exact = both(way, arrays, targets, scale, **options)
        for found, expected in ((one[2], exact[2]), (two[2], exact[2])):
            most = np.abs(way.numpy(expected)).max()
            np.testing.assert_allclose(
                way.numpy(found), way.numpy(expected), rtol=0, atol=0.02 * most
            )


class TestOptions:
    def test_type_checkers_see_their_names(self):
        names = {LinearOptions.called.get(name, name) for name in LinearOptions.names}
        assert set(typing.get_type_hints(LinearKeywords)) == names

    def test_auto_takes_half_of_what_the_weight_takes(self):
        classes, features = 128_256, 1_024
        rows = rows_at_once("auto", 10**9, half_weight(classes, features))
        assert 2 * rows * classes <= classes * features / 2 < 2 * (rows + 1) * classes

    def test_auto_takes_no_small_chunks(self):
        rows = rows_at_once("auto", 10**9, half_weight(1_000, 8))
        assert (rows - 1) * 1_000 * 2 < LEAST <= rows * 1_000 * 2

    def test_auto_takes_no_more_rows_than_there_are(self):
        assert rows_at_once("auto", 3, half_weight(10, 4)) == 3


def half_weight(*shape):
    return np.broadcast_to(np.float16(0), shape)


HIDDEN, WEIGHT, LABELS = np.ones((2, 3, D)), np.ones((C, D)), np.ones((2, 3), "int64")
BAD = {
    "chunk_rows 0": ({"chunk_rows": 0}, ValueError, ("chunk_rows", "'auto'", ">= 1", "0")),
    "chunk_rows text": ({"chunk_rows": "all"}, ValueError, ("chunk_rows", "'auto'", "'all'")),
    "chunk_rows of a part": ({"chunk_rows": 2.5}, ValueError, ("chunk_rows", "integer", "2.5")),
    "chunk_rows True": ({"chunk_rows": True}, ValueError, ("chunk_rows", "integer", "True")),
    "axis": ({"axis": 1}, TypeError, ("'axis'", "sample_weight, ", "chunk_rows")),
    "gamma": ({"gamma": -1}, ValueError, ("gamma", "-1")),
    "normalizer": (
        {"reduction": "mean", "normalizer": "weight"},
        ValueError,
        ("sum of the weights, and the call has none",),
    ),
    "sample_weight": (
        {"sample_weight": [1.0] * 5},
        ValueError,
        ("sample_weight", r"\(5,\)", "hidden @ weight.T", r"\(2, 3\)"),
    ),
    "weight of one axis": ({"weight": WEIGHT[0]}, ValueError, ("weight", r"\(C, d\)", r"\(5,\)")),
    "weight transposed": (
        {"weight": WEIGHT.T},
        ValueError,
        ("hidden", r"\(2, 3, 5\)", r"\(C, d\) = \(5, 7\)", "d = 7", "transpose weight"),
    ),
    "hidden": (
        {"hidden": HIDDEN[..., :4]},
        ValueError,
        ("hidden", r"\(2, 3, 4\)", r"\(C, d\) = \(7, 5\)", "d = 5"),
    ),
    "hidden of integers": ({"hidden": LABELS}, TypeError, ("hidden", "floating", "int64")),
    "bias": ({"bias": WEIGHT[0]}, ValueError, ("bias", r"\(5,\)", r"\(C, d\)", r"\(7,\)")),
    "targets": (
        {"targets": LABELS[0]},
        ValueError,
        ("targets", r"\(3,\)", "hidden @ weight.T", r"\(2, 3, 7\)", r"\(2, 3\)"),
    ),
    "no class": (
        {"targets": np.asarray([[0, 1, 2], [3, 4, 7]])},
        ValueError,
        ("targets", "0 to 6", "found 7", r"index \(1, 2\)", "ignore_index="),
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_bad_is_named(way, case):
    given, error, words = BAD[case]
    arrays = {"hidden": HIDDEN, "weight": WEIGHT, "targets": LABELS} | given
    arrays = {n: way.array(x) if isinstance(x, np.ndarray) else x for n, x in arrays.items()}
    hidden, weight, targets = (arrays.pop(name) for name in ("hidden", "weight", "targets"))
    with fails(error, *words):
        way.one(hidden, weight, targets, arrays.pop("bias", None), **arrays)


def test_what_is_no_array_is_named(way):
    with fails(TypeError, "hidden", "list"):
        way.one(HIDDEN.tolist(), way.array(WEIGHT), way.array(LABELS))
    with fails(TypeError, "weight", "NoneType"):
        way.one(way.array(HIDDEN), None, way.array(LABELS))


class TestTorch:
    @pytest.fixture
    def arrays(self, torch, rng):
        return [torch.from_numpy(x).requires_grad_() for x in classifier(rng, N)]

    @pytest.fixture
    def labels(self, torch, rng):
        return torch.from_numpy(targets_of(rng, "labels", N))

    @pytest.fixture
    def one(self, labels):
        def one(hidden, weight, bias=None, targets=labels, **options):
            return WAYS["torch"].one(hidden, weight, targets, bias, **CHUNKS | options)

        return one

    @pytest.fixture
    def two(self, torch, labels):
        def two(hidden, weight, bias=None, targets=labels, **options):
            logits = torch.nn.functional.linear(hidden, weight, bias)
            return softmax_focal_loss(logits, targets, **options)

        return two

    @pytest.mark.parametrize("reduction", ["none", "mean"])
    def test_logits_of_one_chunk_exist_at_a_time(self, one, arrays, monkeypatch, reduction):
        from focalcore._derivatives import torch_products

        made, logits = [], torch_products.logits

        def seen(hidden, weight, bias):
            assert not any(is_there() is not None for is_there in made)
            made.append(weakref.ref(found := logits(hidden, weight, bias)))
            assert len(found) <= CHUNK
            return found

        monkeypatch.setattr(torch_products, "logits", seen)
        one(*arrays, reduction=reduction).sum().backward()
        assert len(made) == (4 if reduction == "mean" else 8)

    @pytest.mark.parametrize("reduction", ["none", "mean"])
    @pytest.mark.parametrize("frozen", [0, 1], ids=["hidden", "weight"])
    def test_only_what_learns_is_multiplied(self, one, arrays, monkeypatch, frozen, reduction):
        from focalcore._derivatives import torch_products

        name = ("along_hidden", "add_along_weight")[frozen]
        monkeypatch.setattr(torch_products, name, None)
        arrays[frozen].requires_grad_(False)
        one(*arrays, reduction=reduction).sum().backward()
        assert [x.grad is None for x in arrays] == [i == frozen for i in range(3)]

    def test_where_nothing_learns_the_value_alone_is_made(self, torch, one, arrays, monkeypatch):
        from focalcore._derivatives import torch_products

        expected = one(*arrays, reduction="mean")
        for name in ("along_hidden", "add_along_weight"):
            monkeypatch.setattr(torch_products, name, None)
        with torch.no_grad():
            found = one(*arrays, reduction="mean")
        torch.testing.assert_close(found, expected)
        assert not found.requires_grad

    def test_a_second_backward_gives_the_same(self, torch, one, arrays):
        value = one(*arrays, reduction="mean")
        first = [x.clone() for x in torch.autograd.grad(value, arrays, retain_graph=True)]
        for x in torch.autograd.grad(value, arrays):
            torch.testing.assert_close(x, first.pop(0))

    @pytest.mark.parametrize("reduction", ["none", "mean"])
    def test_second_derivatives_are_those_of_the_two_steps(
        self, torch, one, two, arrays, reduction
    ):
        def twice(f):
            # hidden features that are made of the weight, which is differentiated once only
            hidden, weight, bias = arrays
            value = f(hidden + weight.sum(0).sin(), weight, bias, reduction=reduction).sum()
            grads = torch.autograd.grad(value, arrays, create_graph=True)
            return torch.autograd.grad(sum((x**2).sum() for x in grads), arrays)

        for found, expected in zip(twice(one), twice(two), strict=True):
            torch.testing.assert_close(found, expected)

    def test_the_transforms_of_func_are_those_of_the_two_steps(self, torch, one, two, arrays):
        arrays = [x.detach() for x in arrays]
        many = torch.stack([arrays[0], 2 * arrays[0]])

        def mean(f):
            return lambda *arrays: f(*arrays, reduction="mean")

        for transformed in (
            lambda f: torch.func.grad(mean(f), (0, 1, 2))(*arrays),
            lambda f: torch.func.jvp(mean(f), tuple(arrays), tuple(arrays)),
            lambda f: torch.func.vmap(mean(f), (0, None, None))(many, *arrays[1:]),
        ):
            torch.testing.assert_close(transformed(one), transformed(two))

    @pytest.mark.parametrize("reduction", ["none", "mean"])
    @pytest.mark.parametrize("half_features", [False, True], ids=["float32", "bfloat16"])
    def test_autocast_is_that_of_linear(self, torch, one, two, arrays, reduction, half_features):
        arrays = [x.detach().float().requires_grad_() for x in arrays]
        found = []
        for f in (one, two):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                hidden = arrays[0].bfloat16() if half_features else arrays[0]
                value = f(hidden, *arrays[1:], reduction=reduction)
            found.append((value, *torch.autograd.grad(value.sum(), arrays)))
        for a, b in zip(*found, strict=True):
            assert a.dtype == b.dtype == torch.float32
            torch.testing.assert_close(a, b, rtol=0, atol=0.02 * b.abs().max().item())

    def test_types_are_not_mixed(self, one, arrays):
        with fails(TypeError, "hidden is float64", "weight is float32", "cast"):
            one(arrays[0], arrays[1].float())
        with fails(TypeError, "hidden is float64", "bias is bfloat16", "cast"):
            one(*arrays[:2], arrays[2].bfloat16())

    def test_devices_are_not_mixed(self, one, arrays):
        with fails(ValueError, "hidden is cpu", "weight is meta"):
            one(arrays[0], arrays[1].to("meta"))

    def test_tensors_of_other_kinds_are_named(self, torch, one, arrays, monkeypatch):
        nested = torch.nested.nested_tensor([arrays[0].detach()], layout=torch.jagged)
        with fails(TypeError, "hidden is a nested tensor", "values()"):
            one(nested, arrays[1])
        monkeypatch.setattr("focalcore.torch._linear.is_dtensor", lambda x: x is arrays[1])
        with fails(TypeError, "weight is a DTensor", "full_tensor()"):
            one(*arrays)

    @pytest.mark.slow
    @pytest.mark.parametrize("reduction", ["none", "mean"])
    def test_compiled_calls_are_eager_ones(self, torch, one, arrays, labels, reduction):
        """One graph for every number of rows."""

        def f(hidden, weight, bias, targets):
            options = {"gamma": 1.3, "reduction": reduction, "ignore_index": 2}
            return one(hidden, weight, bias, targets, **options)

        torch._dynamo.reset()  # or it finds what it compiled for the other reduction
        compiled = torch.compile(f, fullgraph=True, dynamic=True)
        with torch._dynamo.config.patch(error_on_recompile=True):
            for rows in (N, N - 4):
                leaves = arrays[0][:rows].detach().requires_grad_(), *arrays[1:]
                expected, found = (  # eagerly first: then the libraries of all types are known
                    torch.autograd.grad(way(*leaves, labels[:rows].clone()).sum(), leaves)
                    for way in (f, compiled)
                )
                torch.testing.assert_close(found, expected)

    @pytest.mark.slow
    def test_compiled_options_that_learn_get_their_gradients(self, torch, one, arrays):
        gamma = torch.full((C,), 1.7, dtype=torch.float64, requires_grad=True)
        arrays = [*arrays, gamma]

        def f(hidden, weight, bias, gamma):
            return one(hidden, weight, bias, gamma=gamma, reduction="mean")

        found, expected = (
            torch.autograd.grad(way(*arrays), arrays)
            for way in (torch.compile(f, fullgraph=True), f)
        )
        torch.testing.assert_close(found, expected)


CHUNKS = {"chunk_rows": CHUNK}


@pytest.mark.parametrize("multiplies", [False, True], ids=["in-float32", "in-its-type"])
@pytest.mark.parametrize("half", ["bfloat16", "float16"])
class TestProducts:
    """Products of half precision are rounded once, with or without instructions for them."""

    @pytest.fixture
    def products(self, monkeypatch, multiplies):
        from focalcore._derivatives import torch_products

        monkeypatch.setattr(torch_products, "_multiplies", lambda _: multiplies)
        monkeypatch.setattr(torch_products, "BLOCK", 2 * D)  # classes, two at a time
        return torch_products

    @pytest.fixture
    def factors(self, torch, rng, half):
        arrays = *classifier(rng, N), rng.normal(size=(N, C))
        return [torch.from_numpy(x).to(getattr(torch, half)) for x in arrays]

    def test_logits(self, torch, products, factors):
        hidden, weight, bias, _ = factors
        exact = torch.nn.functional.linear(hidden.double(), weight.double(), bias.double())
        is_rounded_once(products.logits(hidden, weight, bias), exact)
        is_rounded_once(products.logits(hidden, weight, None), exact - bias.double())

    def test_the_gradient_of_hidden_features(self, products, factors):
        _, weight, _, slopes = factors
        exact = slopes.double() @ weight.double()
        is_rounded_once(products.along_hidden(slopes, weight), exact)

    def test_the_gradient_of_the_weight(self, products, factors):
        hidden, weight, _, slopes = factors
        exact = weight.double() + slopes.double().T @ hidden.double()
        products.add_along_weight(weight, slopes, hidden)
        is_rounded_once(weight, exact)


def is_rounded_once(found, exact):
    import torch

    unit = torch.finfo(found.dtype).eps
    bound = exact.abs() * unit / 2 + exact.abs().max() * 2.0**-20  # of sums in float32
    assert ((found.double() - exact).abs() <= bound).all()


class TestJax:
    @pytest.fixture
    def labels(self, jax, rng):
        return jax.numpy.asarray(targets_of(rng, "labels", N))

    @pytest.fixture
    def one(self, labels):
        return lambda *arrays, **options: WAYS["jax"].one(*arrays, labels, **CHUNKS | options)

    @pytest.fixture
    def two(self, labels):
        return lambda x, weight, **options: softmax_focal_loss(x @ weight.T, labels, **options)

    @pytest.fixture
    def arrays(self, jax, rng):
        return [jax.numpy.asarray(x) for x in classifier(rng, N)[:2]]

    def test_every_transform_goes_through(self, jax, one, arrays, two):
        def mean(f):
            return lambda *arrays: f(*arrays, reduction="mean")

        many = jax.numpy.stack([arrays[0], 2 * arrays[0]])
        for transformed in (
            lambda f: jax.jvp(mean(f), arrays, arrays),
            lambda f: jax.hessian(mean(f))(*arrays),
            lambda f: jax.vmap(jax.grad(mean(f)), (0, None))(many, arrays[1]),
        ):
            for found, expected in zip(
                jax.tree.leaves(transformed(one)), jax.tree.leaves(transformed(two)), strict=True
            ):
                close(found, expected, rtol=1e-9)

    @pytest.mark.parametrize("reduction", ["none", "mean"])
    def test_a_program_has_no_room_for_the_logits_of_all_rows(self, jax, reduction):
        n, classes = 4_096, 512
        hidden, weight = jax.numpy.zeros((n, 2)), jax.numpy.zeros((classes, 2))
        labels = jax.numpy.zeros(n, "int32")

        def total(hidden, weight):
            options = {"reduction": reduction, "chunk_rows": 64, "mask": labels == 0}
            return WAYS["jax"].one(hidden, weight, labels, **options).sum()

        program = jax.jit(jax.grad(total, (0, 1))).lower(hidden, weight).compile()
        assert program.memory_analysis().temp_size_in_bytes < n * classes * 8 / 4

    def test_numpys_arrays_are_taken(self, one, arrays, labels):
        found = WAYS["jax"].one(*map(np.asarray, (*arrays, labels)), **CHUNKS)
        close(found, one(*arrays))

    def test_a_product_has_the_wider_type(self, one, arrays):
        hidden, weight = arrays
        assert one(hidden.astype("float32"), weight.astype("bfloat16")).dtype == "float32"

    def test_traced_labels_that_are_no_class_give_nan(self, jax, arrays):
        labels = jax.numpy.zeros(N, int).at[-1].set(C)
        found = jax.jit(lambda labels: WAYS["jax"].one(*arrays, labels, **CHUNKS))(labels)
        assert np.isnan(found).tolist() == [False] * (N - 1) + [True]
