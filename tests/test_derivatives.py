"""Slopes and curvatures: exact, the same by every route, and next to nothing kept."""

import numpy as np
import pytest

import focalcore
from conformance import costs, exact
from conformance.places import JAX, NUMPY, TORCH
from focalcore import (
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
from focalcore._dtypes import dtype_name

from .problems import C, N, problem
from .slices import slice_of

GAMMAS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 5.0)
FINITE = np.asarray([0.0, 1e-30, 1e-6, 0.7, 5.0, 20.0, 88.8, 100.0, 750.0, 1000.0])
FINITE = np.concatenate([FINITE, -FINITE])
PER_CLASS = [0.1, 0.2, 0.3, 0.4, 0.5]
GAMMA_PER_CLASS = [0.0, 0.5, 1.0, 2.0, 3.7]
SOFT_RULES = ("expected", "mixture")

# the function, its targets, the arrays among its options, the other options
CASES = {
    "sigmoid": ("sigmoid", "y", {}, {}),
    "sigmoid-gamma0": ("sigmoid", "y", {}, {"gamma": 0.0}),
    "sigmoid-gamma0.5": ("sigmoid", "y", {}, {"gamma": 0.5, "reduction": "sum"}),
    "sigmoid-gamma3.7": ("sigmoid", "y", {}, {"gamma": 3.7}),
    "sigmoid-alpha": ("sigmoid", "y", {}, {"alpha": 0.25, "pos_weight": 3.0, "reduction": "mean"}),
    "sigmoid-per-class": ("sigmoid", "soft", {}, {"alpha": PER_CLASS, "gamma": GAMMA_PER_CLASS}),
    "sigmoid-mixture": ("sigmoid", "soft", {}, {"soft_targets": "mixture", "alpha": 0.3}),
    "sigmoid-hard": ("sigmoid", "y", {}, {"soft_targets": "hard", "label_smoothing": 0.1}),
    "sigmoid-smoothed": ("sigmoid", "y", {}, {"label_smoothing": 0.1, "gamma": 1.5}),
    "sigmoid-weighted": (
        "sigmoid",
        "soft",
        {"weight": "weight", "mask": "mask"},
        {"reduction": "mean", "normalizer": "weight"},
    ),
    "sigmoid-positives": (
        "sigmoid",
        "y",
        {"mask": "mask"},
        {"reduction": "mean", "normalizer": "positives"},
    ),
    "sigmoid-ignored": ("sigmoid", "y", {}, {"ignore_index": 0, "reduction": "mean"}),
    "sigmoid-labels": ("sigmoid", "labels", {}, {"class_axis": -1, "background": 2}),
    "sigmoid-labels-positives": (
        "sigmoid",
        "labels",
        {"mask": "row_mask", "weight": "row_weight"},
        {"class_axis": -1, "alpha": PER_CLASS, "reduction": "mean", "normalizer": "positives"},
    ),
    "softmax": ("softmax", "labels", {}, {}),
    "softmax-gamma0": ("softmax", "labels", {}, {"gamma": 0.0}),
    "softmax-gamma0.5": ("softmax", "labels", {}, {"gamma": 0.5, "reduction": "mean"}),
    "softmax-per-class": ("softmax", "labels", {}, {"alpha": PER_CLASS, "gamma": GAMMA_PER_CLASS}),
    "softmax-ignored": ("softmax", "labels", {}, {"ignore_index": 2, "reduction": "mean"}),
    "softmax-smoothed": ("softmax", "labels", {}, {"label_smoothing": 0.1, "alpha": PER_CLASS}),
    "softmax-hard": ("softmax", "labels", {}, {"label_smoothing": 0.1, "soft_targets": "hard"}),
    "softmax-expected": ("softmax", "distributions", {}, {"gamma": 1.5}),
    "softmax-mixture": (
        "softmax",
        "distributions",
        {},
        {"soft_targets": "mixture", "alpha": PER_CLASS},
    ),
    "softmax-weighted": (
        "softmax",
        "labels",
        {"weight": "row_weight", "mask": "row_mask"},
        {"reduction": "mean", "normalizer": "weight"},
    ),
    "softmax-number": ("softmax", "labels", {}, {"reduction": "mean", "normalizer": 3}),
    "softmax-gamma-per-row": ("softmax", "labels", {"gamma": "row_gamma"}, {"alpha": PER_CLASS}),
    "softmax-gamma-per-row-soft": ("softmax", "distributions", {"gamma": "row_gamma"}, {}),
    "softmax-positives": (
        "softmax",
        "labels",
        {},
        {"background": 1, "reduction": "mean", "normalizer": "positives"},
    ),
    "softmax-alpha": (
        "softmax",
        "labels",
        {"mask": "row_mask"},
        {"alpha": PER_CLASS, "reduction": "mean", "normalizer": "alpha"},
    ),
}
# every option and rule, and gammas of 0, 0.5, 2 and any other
COMPILED = (
    *("sigmoid-gamma0.5", "sigmoid-gamma3.7", "sigmoid-alpha", "sigmoid-per-class"),
    *("sigmoid-mixture", "sigmoid-hard", "sigmoid-weighted", "sigmoid-positives"),
    *("softmax-gamma0", "softmax-per-class", "softmax-ignored", "softmax-smoothed"),
    *("softmax-mixture", "softmax-weighted", "softmax-number"),
    *("sigmoid-labels-positives", "softmax-gamma-per-row", "softmax-alpha"),
)
every_case = pytest.mark.parametrize("case", CASES)


def loss_call(place, case, suffix=""):
    """The function of a case with everything but the logits given, and the logits."""
    place.require()
    family, targets, arrays, options = CASES[case]
    function, values = getattr(focalcore, f"{family}_focal_loss{suffix}"), problem()
    options = options | {name: place.array(values[key]) for name, key in arrays.items()}
    y = place.array(values[targets])
    return lambda x: function(x, y, **options), place.array(values["x"])


def total(loss):
    return lambda x: loss(x).sum()


def close(found, expected, rtol=1e-12):
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-15)


class TestExactness:
    @pytest.mark.parametrize("gamma", GAMMAS)
    def test_derivatives_have_their_limits_at_infinity(self, place, gamma):
        x = place.array(np.asarray([np.inf, np.inf, -np.inf, -np.inf]))
        for y in (np.asarray([0, 1, 0, 1]), np.asarray([0.0, 1.0, 0.0, 1.0])):
            grad, hess = sigmoid_focal_loss_grad_and_hess(x, place.array(y), gamma=gamma)
            np.testing.assert_array_equal(place.numpy(grad), [1, 0, 0, -1])
            np.testing.assert_array_equal(place.numpy(hess), 0)

    @pytest.mark.slow
    @pytest.mark.parametrize("gamma", GAMMAS)
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_softmax_gradients_are_right_at_every_margin(self, place, dtype, gamma):
        margins = FINITE.astype(dtype)
        x = np.stack([margins, np.zeros_like(margins), np.full_like(margins, -np.inf)], axis=-1)
        labels = np.zeros(len(margins), dtype="int64")
        for y in (labels, np.eye(3)[labels]):
            grad, hess = softmax_focal_loss_grad_and_hess(
                place.array(x), place.array(y), gamma=gamma
            )
            grad, hess = place.numpy(grad), place.numpy(hess)
            assert np.all(np.isfinite(hess))
            np.testing.assert_array_equal(grad[:, 2], 0)
            np.testing.assert_allclose(grad[:, 0], -grad[:, 1], rtol=8 * np.finfo(dtype).eps)

    def test_a_row_that_allows_one_class_has_no_gradient(self, place):
        x = place.array(np.asarray([[3.0, -np.inf, -np.inf], [-np.inf, -np.inf, 0.0]]))
        value, grad = softmax_focal_loss_value_and_grad(x, place.array(np.asarray([0, 2])))
        np.testing.assert_array_equal(place.numpy(value), 0)
        np.testing.assert_array_equal(place.numpy(grad), 0)

    @pytest.mark.slow
    @every_case
    def test_every_library_gives_numpy_s_numbers(self, place, case):
        for suffix in ("_value_and_grad", "_grad_and_hess"):
            found, expected = [], []
            for t, results in ((place, found), (NUMPY, expected)):
                function, x = loss_call(t, case, suffix)
                results += [t.numpy(part) for part in function(x)]
            for a, b in zip(found, expected, strict=True):
                close(a, b)


class TestPlainArrays:
    @every_case
    def test_gradient_is_that_of_the_value(self, case):
        value_and_grad, x = loss_call(NUMPY, case, "_value_and_grad")
        value, grad = value_and_grad(x)
        loss, _ = loss_call(NUMPY, case)
        np.testing.assert_array_equal(value, loss(x))
        numerical, curvature = np.zeros_like(x), np.zeros_like(x)
        for spot in np.ndindex(x.shape):
            step = np.zeros_like(x)
            step[spot] = 1e-5
            high, low = total(loss)(x + step), total(loss)(x - step)
            numerical[spot] = (high - low) / 2e-5
            step[spot] = 1e-3
            high, low = total(loss)(x + step), total(loss)(x - step)
            curvature[spot] = (high - 2 * np.sum(loss(x)) + low) / 1e-6
        np.testing.assert_allclose(grad, numerical, rtol=1e-6, atol=1e-9)
        _, hess = loss_call(NUMPY, case, "_grad_and_hess")[0](x)
        np.testing.assert_allclose(hess, curvature, rtol=1e-4, atol=1e-6)

    def test_what_is_left_out_has_no_gradient(self, place):
        x = np.asarray([[np.nan, np.inf, 1.0], [0.5, 1.0, -1.0]])
        y = place.array(np.asarray([[1, 0, -1], [1, 0, 1]]))
        mask = place.array(np.asarray([[False, False, True], [True, True, True]]))
        options = {"mask": mask, "ignore_index": -1, "reduction": "mean"}
        value, grad = sigmoid_focal_loss_value_and_grad(place.array(x), y, **options)
        assert np.isfinite(place.numpy(value))
        np.testing.assert_array_equal(place.numpy(grad)[0], 0)
        assert np.all(place.numpy(grad)[1] != 0)

    def test_nothing_counted_has_no_gradient(self, place):
        x, nothing = place.array(np.ones((2, 3))), place.array(np.zeros((2, 3), dtype=bool))
        value, grad = sigmoid_focal_loss_value_and_grad(x, 1, mask=nothing, reduction="mean")
        assert place.numpy(value) == 0
        np.testing.assert_array_equal(place.numpy(grad), 0)

    def test_half_precision_gradients_keep_the_dtype(self, place):
        for dtype in set(place.dtypes) - {"float32", "float64"}:
            x = place.array(np.asarray([0.5, -2.0]), dtype)
            value, grad = sigmoid_focal_loss_value_and_grad(x, 1, reduction="mean")
            assert grad.dtype == x.dtype
            assert dtype_name(value.dtype) == "float32"

    def test_half_precision_curvatures_keep_the_dtype(self, place):
        for dtype in set(place.dtypes) - {"float32", "float64"}:
            x, labels = place.array(np.asarray([[0.5, -2.0]]), dtype), place.array(np.asarray([1]))
            for loss, y in (
                (sigmoid_focal_loss_grad_and_hess, 1),
                (softmax_focal_loss_grad_and_hess, labels),
            ):
                for part in loss(x, y):
                    assert part.dtype == x.dtype

    def test_dask_gradients_stay_lazy_where_lengths_are_unknown(self, dask):
        values = problem()
        keep = dask.array.from_array(np.ones(N, dtype=bool), chunks=3)
        x, labels = (dask.array.from_array(values[k], chunks=3)[keep] for k in ("x", "labels"))
        value, grad = softmax_focal_loss_value_and_grad(x, labels, reduction="mean")
        expected = softmax_focal_loss_value_and_grad(
            values["x"], values["labels"], reduction="mean"
        )
        close(value.compute(), expected[0])
        close(grad.compute(), expected[1])

    def test_inputs_are_never_changed(self, place):
        values = problem()
        x, y = place.array(values["x"]), place.array(values["y"])
        sigmoid_focal_loss_value_and_grad(x, y, reduction="mean")
        softmax_focal_loss_grad_and_hess(x, place.array(values["labels"]))
        np.testing.assert_array_equal(place.numpy(x), values["x"])
        np.testing.assert_array_equal(place.numpy(y), values["y"])


def compiled_gradient_is_the_eager_one(case, dynamic):
    loss, x = loss_call(TORCH, case)
    import torch

    torch._dynamo.reset()
    f = torch.compile(total(loss), fullgraph=True, dynamic=dynamic, backend="aot_eager")
    compiled, eager = x.clone().requires_grad_(), x.clone().requires_grad_()
    f(compiled).backward()
    total(loss)(eager).backward()
    close(compiled.grad, eager.grad)


class TestTorch:
    @pytest.mark.parametrize("reduction", ["sum", "mean"])
    def test_a_batch_of_upstream_gradients_is_pulled_back_at_once(self, torch, reduction):
        x = torch.linspace(-3, 3, 10, dtype=torch.float64).requires_grad_()
        loss = sigmoid_focal_loss(x, x.detach() > 0, reduction=reduction)
        each = torch.tensor([1.0, 2.0, -3.0], dtype=torch.float64)
        (once,) = torch.autograd.grad(loss, x, retain_graph=True)
        loss = sigmoid_focal_loss(x, x.detach() > 0, reduction=reduction)
        (batch,) = torch.autograd.grad(loss, x, each, is_grads_batched=True)
        torch.testing.assert_close(batch, each[:, None] * once)

    @every_case
    def test_autograd_gives_the_closed_form(self, case):
        loss, x = loss_call(TORCH, case)
        x.requires_grad_()
        total(loss)(x).backward()
        value_and_grad, _ = loss_call(TORCH, case, "_value_and_grad")
        close(x.grad, value_and_grad(x.detach())[1].detach())

    @pytest.mark.slow
    @every_case
    def test_gradcheck_to_second_order_in_both_modes(self, torch, case):
        loss, x = loss_call(TORCH, case)
        x.requires_grad_()
        assert torch.autograd.gradcheck(loss, x, check_forward_ad=True)
        assert torch.autograd.gradgradcheck(loss, x)

    @every_case
    def test_functorch_agrees_with_autograd(self, torch, case):
        loss, x = loss_call(TORCH, case)
        f = total(loss)
        grad = torch.func.grad(f)(x)
        close(grad, torch.autograd.functional.jacobian(f, x))
        # along equal steps, the slopes of a softmax add up to 0
        direction = torch.linspace(-1, 1, N * C, dtype=torch.float64).reshape(N, C)
        close(torch.func.jvp(f, (x,), (direction,))[1], (grad * direction).sum())
        hessian = torch.func.hessian(f)(x)
        close(hessian, torch.func.jacrev(torch.func.jacrev(f))(x))
        diagonal = hessian.reshape(x.numel(), x.numel()).diagonal().reshape(x.shape)
        close(diagonal, loss_call(TORCH, case, "_grad_and_hess")[0](x)[1], rtol=1e-9)

    @pytest.mark.slow
    @pytest.mark.parametrize("case", slice_of(CASES, *COMPILED))
    def test_compiled_gradient_is_the_eager_one(self, case):
        compiled_gradient_is_the_eager_one(case, dynamic=False)

    # `test_transformations` has the gradients of other cases so
    @pytest.mark.slow
    @pytest.mark.parametrize(
        "case",
        slice_of(CASES, "sigmoid-alpha", "softmax-hard"),
    )
    def test_compiled_gradient_of_any_shape_is_the_eager_one(self, case):
        compiled_gradient_is_the_eager_one(case, dynamic=True)

    @pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
    @pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
    def test_nothing_is_kept_but_the_inputs_and_of_a_sum_the_slope(self, torch, reduction, dtype):
        n, options = 1000, {"alpha": 0.25, "reduction": reduction}
        most = 0 if reduction == "none" else 4 * n * 4
        x = torch.randn(n, 4, dtype=getattr(torch, dtype), requires_grad=True)
        y, labels = torch.randint(0, 2, (n, 4)), torch.randint(0, 4, (n,))
        mask, weight = torch.rand(n, 4) < 0.5, torch.rand(n, 4)
        losses = (
            lambda: sigmoid_focal_loss(x, y, **options),
            lambda: sigmoid_focal_loss(x, y, mask=mask, weight=weight, ignore_index=9, **options),
            lambda: softmax_focal_loss(x, labels, ignore_index=3, **options),
            lambda: softmax_focal_loss(x, labels, label_smoothing=0.1, **options),
        )
        for loss in losses:
            kept = costs.kept_by_torch(loss, (x, y, labels, mask, weight))
            assert kept <= most + 8  # and a count of rows

    def test_an_arbitrary_upstream_gradient_is_honoured_twice(self, torch):
        loss, x = loss_call(TORCH, "sigmoid")
        x.requires_grad_()
        value, upstream = loss(x), torch.randn(N, C, dtype=torch.float64)
        before, given = x.detach().clone(), upstream.clone()
        (first,) = torch.autograd.grad(value, x, upstream, retain_graph=True)
        (second,) = torch.autograd.grad(value, x, upstream)
        slope = loss_call(TORCH, "sigmoid", "_value_and_grad")[0](x.detach())[1]
        close(first, upstream * slope)
        assert torch.equal(first, second)
        assert torch.equal(x.detach(), before)
        assert torch.equal(upstream, given)

    @every_case
    def test_checkpoints_under_autocast_change_nothing(self, torch, case):
        loss, x = loss_call(TORCH, case)
        from torch.utils.checkpoint import checkpoint

        direct, other = x.clone().requires_grad_(), x.clone().requires_grad_()
        total(loss)(direct).backward()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            checkpoint(total(loss), other, use_reentrant=False).backward()
        close(other.grad, direct.grad)

    def test_autocast_logits_train_in_half(self, torch):
        head, x = torch.nn.Linear(3, 2), torch.randn(8, 3)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = head(x)
            loss = softmax_focal_loss(logits, torch.zeros(8, dtype=torch.int64), reduction="mean")
        assert logits.dtype == torch.bfloat16
        assert loss.dtype == torch.float32
        loss.backward()
        assert torch.all(torch.isfinite(head.weight.grad))

    def test_parameters_targets_and_weights_learn(self, torch):
        values = {k: torch.asarray(v) for k, v in problem().items()}
        x, alpha = values["x"], torch.tensor(0.3, dtype=torch.float64)
        gamma = torch.tensor(1.3, dtype=torch.float64)
        arguments = (x, values["soft"], gamma, alpha, values["weight"])
        arguments = tuple(a.clone().requires_grad_() for a in arguments)

        def sigmoid(x, y, gamma, alpha, weight):
            return sigmoid_focal_loss(x, y, gamma=gamma, alpha=alpha, weight=weight)

        assert torch.autograd.gradcheck(sigmoid, arguments, check_forward_ad=True)
        assert torch.autograd.gradgradcheck(sigmoid, arguments)
        tangents = tuple(torch.ones_like(a) for a in arguments)
        _, forward = torch.func.jvp(
            lambda *a: sigmoid(*a).sum(), tuple(a.detach() for a in arguments), tangents
        )
        backward = torch.autograd.grad(sigmoid(*arguments).sum(), arguments)
        close(forward, sum(g.sum() for g in backward))

    @pytest.mark.parametrize("reduction", ["sum", "mean"])
    def test_forward_mode_of_a_reduced_half_is_float32_as_the_value_is(self, reduction):
        TORCH.require()
        import torch
        import torch.autograd.forward_ad as forward

        n = 100_000  # more than float16 can count
        x = torch.full((n,), -8.0, dtype=torch.float16)
        with forward.dual_level():
            dual = forward.make_dual(x, torch.ones_like(x))
            loss = sigmoid_focal_loss(dual, 1, gamma=0, reduction=reduction)
            value, tangent = forward.unpack_dual(loss)
        assert tangent.dtype == value.dtype == torch.float32
        slope = -1 / (1 + np.exp(-8.0))
        assert tangent.item() == pytest.approx(slope * (n if reduction == "sum" else 1), rel=1e-5)

    def test_a_normalizer_learns_beside_the_logits(self):
        TORCH.require()
        import torch

        x = torch.linspace(-3, 3, 8, dtype=torch.float64).requires_grad_()
        count = torch.tensor(5.0, dtype=torch.float64).requires_grad_()
        mean = sigmoid_focal_loss(x, 1, reduction="mean", normalizer=count)
        along_logits, along_count = torch.autograd.grad(mean, (x, count))
        close(along_count, -mean.detach() / 5)
        close(along_logits, sigmoid_focal_loss_value_and_grad(x.detach(), 1)[1] / 5)

    def test_what_stands_still_moves_nothing_where_its_slope_is_infinite(self, torch):
        import torch.autograd.forward_ad as forward

        p = torch.tensor([0.0, 0.5], dtype=torch.float64)
        with forward.dual_level():
            dual = forward.make_dual(p, torch.tensor([0.0, 1.0], dtype=torch.float64))
            loss = binary_focal_loss(torch.ones(2, dtype=torch.int64), dual, gamma=0.0, eps=0)
            close(forward.unpack_dual(loss).tangent, [0, -2])

    @pytest.mark.parametrize("beside", ["targets", "weight"])
    def test_what_stands_still_beside_a_moving_logit_changes_no_tangent(self, torch, beside):
        import torch.autograd.forward_ad as forward

        x = torch.tensor([-np.inf, np.inf, 1.0], dtype=torch.float64)
        y, ones = torch.tensor([1, 0, 1]), torch.ones(3, dtype=torch.float64)
        options = {"weight": ones} if beside == "weight" else {}
        targets = y.double() if beside == "targets" else y
        with forward.dual_level():
            loss = sigmoid_focal_loss(forward.make_dual(x, ones), targets, **options)
            tangent = forward.unpack_dual(loss).tangent
        close(tangent, sigmoid_focal_loss_value_and_grad(x, y)[1])

    @pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
    def test_forward_mode_keeps_half_precision(self, torch, dtype):
        import torch.autograd.forward_ad as forward

        x = torch.linspace(-3, 3, 8).to(getattr(torch, dtype))
        y, ones = torch.arange(8) % 2, torch.ones_like(x)
        with forward.dual_level():
            dual = forward.make_dual(x, ones)
            value, tangent = forward.unpack_dual(sigmoid_focal_loss(dual, y))
        assert {value.dtype, tangent.dtype} == {x.dtype}
        for found in (
            tangent,
            torch.func.jvp(lambda x: sigmoid_focal_loss(x, y), (x,), (ones,))[1],
        ):
            assert found.dtype == x.dtype
            _, slope = sigmoid_focal_loss_value_and_grad(x.double(), y)
            np.testing.assert_allclose(found.double(), slope, rtol=2.0**-8)

    def test_gradient_is_the_limit_where_autodiff_gives_nan(self, torch):
        places = [0.0, 1000.0, -1000.0, np.inf, -np.inf]
        x = torch.tensor(places, dtype=torch.float64, requires_grad=True)
        sigmoid_focal_loss(x, 1, gamma=0.5, reduction="sum").backward()
        slope = float(exact.derivatives(lambda v: exact.sigmoid_focal(v, 1, 0.5), 0.0)[0])
        close(x.grad, [slope, 0, -1, 0, -1])

    def test_a_probability_of_zero_keeps_its_signal(self, torch):
        p = torch.tensor([0.0, 0.3, 0.9], dtype=torch.float64, requires_grad=True)
        binary_focal_loss(torch.ones(3), p, gamma=0.0).sum().backward()
        close(p.grad, [-1 / np.finfo("float64").eps, -1 / 0.3, -1 / 0.9])

    @pytest.mark.parametrize(("gamma", "slope"), [(0.0, 1.0), (0.5, 0.0), (1.0, 0.0), (2.0, 0.0)])
    def test_a_subnormal_probability_has_the_slope_at_zero(self, torch, gamma, slope):
        """R divides by u, which is p: 1 / u is infinite there, beside a cross-entropy of p."""
        p = torch.tensor([0.0, 5e-324, 1e-310], dtype=torch.float64, requires_grad=True)
        binary_focal_loss(torch.zeros(3), p, gamma).sum().backward()
        np.testing.assert_allclose(p.grad, slope, atol=1e-150)

    def test_probabilities_have_gradients(self, torch):
        y = torch.tensor([0.0, 0.4, 1.0], dtype=torch.float64)
        p = torch.tensor([0.2, 0.3, 0.9], dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(lambda p: binary_focal_loss(y, p, 1.5), p)
        assert torch.autograd.gradcheck(
            lambda p: binary_focal_loss(y, p, 1.5, label_smoothing=0.1), p
        )

    def test_rows_of_probabilities_have_gradients(self, torch):
        rows = torch.tensor([[0.2, 0.8], [0.5, 0.4]], dtype=torch.float64, requires_grad=True)
        labels = torch.tensor([0, 1])
        assert torch.autograd.gradcheck(
            lambda p: sparse_categorical_focal_loss(labels, p, 0.5), rows
        )

    @pytest.mark.parametrize("rule", ["expected", "mixture"])
    def test_rows_of_probabilities_have_gradients_against_distributions(self, torch, rule):
        rows = torch.tensor([[0.2, 0.7], [0.5, 0.4]], dtype=torch.float64, requires_grad=True)
        y = torch.tensor([[0.3, 0.7], [0.8, 0.2]], dtype=torch.float64, requires_grad=True)
        options = {"alpha": [1.0, 3.0], "gamma": [0.5, 2.0], "soft_targets": rule}
        assert torch.autograd.gradcheck(
            lambda y, p: categorical_focal_loss(y / y.sum(1, keepdim=True), p, **options), (y, rows)
        )


class TestJax:
    @pytest.mark.slow
    @every_case
    def test_grad_gives_the_closed_form(self, jax, case):
        loss, x = loss_call(JAX, case)
        value_and_grad, _ = loss_call(JAX, case, "_value_and_grad")
        value, expected = value_and_grad(x)

        @jax.jit
        def compiled(x):
            return jax.value_and_grad(total(loss))(x), jax.grad(jax.checkpoint(total(loss)))(x)

        pair, again = compiled(x)
        close(again, expected)
        for found, grad in (pair, jax.value_and_grad(total(loss))(x)):
            close(found, value.sum())
            close(grad, expected)

    # of every case, `test_hessian_has_the_closed_form_on_its_diagonal` says that it's the right one
    @pytest.mark.slow
    @pytest.mark.parametrize(
        "case",
        slice_of(
            CASES,
            *("sigmoid-per-class", "sigmoid-weighted", "softmax-mixture", "softmax-weighted"),
        ),
    )
    def test_check_grads_to_second_order(self, jax, case):
        loss, x = loss_call(JAX, case)
        from jax.test_util import check_grads

        check_grads(lambda x: loss(jax.numpy.asarray(x)), (x,), order=2)

    @pytest.mark.slow
    @every_case
    def test_hessian_has_the_closed_form_on_its_diagonal(self, jax, case):
        loss, x = loss_call(JAX, case)
        direction = jax.numpy.linspace(-1, 1, N * C).reshape(N, C)

        @jax.jit  # one program compiles sooner than its operations
        def derivatives(x):
            _, along = jax.jvp(total(loss), (x,), (direction,))
            return jax.hessian(total(loss))(x), along, jax.grad(total(loss))(x)

        hessian, along, grad = derivatives(x)
        _, hess = loss_call(JAX, case, "_grad_and_hess")[0](x)
        close(np.diagonal(hessian.reshape(N * C, N * C)).reshape(N, C), hess, rtol=1e-9)
        close(along, np.sum(direction * grad))

    def test_vmapped_gradients_are_those_of_the_rows(self, jax):
        values = problem()
        x, labels = JAX.array(values["x"]), JAX.array(values["labels"])
        each = jax.vmap(jax.grad(softmax_focal_loss))(x, labels)
        close(each, softmax_focal_loss_value_and_grad(x, labels)[1])

    @pytest.mark.parametrize(
        "options", [{}, {"ignore_index": 1}, {"label_smoothing": 0.1}], ids=str
    )
    def test_one_array_at_the_most_is_kept(self, jax, options):
        x, y = jax.numpy.linspace(-3, 3, 1000, dtype="float32"), jax.numpy.ones(1000, dtype="int32")
        _, pullback = jax.vjp(lambda x: sigmoid_focal_loss(x, y, alpha=0.25, **options), x)
        kept = [leaf for leaf in jax.tree_util.tree_leaves(pullback) if leaf.size > 1]
        assert sum(leaf.nbytes for leaf in kept) <= x.nbytes

    @pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
    def test_forward_mode_keeps_half_precision(self, jax, dtype):
        x, y = JAX.array(np.linspace(-3, 3, 8), dtype), JAX.array(np.arange(8) % 2)
        _, tangent = jax.jvp(lambda x: sigmoid_focal_loss(x, y), (x,), (jax.numpy.ones_like(x),))
        assert tangent.dtype == x.dtype
        _, slope = sigmoid_focal_loss_value_and_grad(x.astype("float64"), y)
        np.testing.assert_allclose(tangent.astype("float64"), slope, rtol=2.0**-8)

    @pytest.mark.slow
    def test_parameters_targets_and_weights_learn(self, jax):
        from jax.test_util import check_grads

        values = problem()

        def sigmoid(x, y, gamma, alpha, weight):
            options = {"gamma": gamma, "alpha": alpha, "weight": weight}
            options = {name: jax.numpy.asarray(v) for name, v in options.items()}
            return sigmoid_focal_loss(jax.numpy.asarray(x), jax.numpy.asarray(y), **options)

        arguments = (values["x"], values["soft"], 1.3, 0.3, values["weight"])
        check_grads(sigmoid, arguments, order=2)

    def test_gradient_with_respect_to_a_traced_gamma_is_not_zero(self, jax):
        expected, _ = exact.derivatives(lambda g: exact.sigmoid_focal(1.0, 1, g), 1.7)
        found = jax.jit(jax.grad(lambda g: sigmoid_focal_loss(1.0, 1, gamma=g)))(1.7)
        assert float(found) == pytest.approx(float(expected), rel=1e-12)

    def test_gradient_is_the_limit_where_autodiff_gives_nan(self, jax):
        x = jax.numpy.asarray([0.0, 1000.0, -1000.0, np.inf, -np.inf])
        for transform in (jax.grad, lambda f: jax.jit(jax.grad(f))):
            grad = transform(lambda x: sigmoid_focal_loss(x, 1, gamma=0.5, reduction="sum"))(x)
            slope = float(exact.derivatives(lambda v: exact.sigmoid_focal(v, 1, 0.5), 0.0)[0])
            close(grad, [slope, 0, -1, 0, -1])


@pytest.mark.slow
@pytest.mark.usefixtures("torch", "jax")
def test_training_ends_at_the_same_weights_everywhere(monkeypatch):
    import pathlib

    monkeypatch.syspath_prepend(pathlib.Path(__file__).parent.parent / "examples")
    import logistic_regression as example

    x, y = example.digits()
    expected = example.with_numpy(x, y)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(example.with_torch(x, y), expected, atol=1e-5)
    np.testing.assert_allclose(example.with_jax(x, y), expected, atol=1e-5)
