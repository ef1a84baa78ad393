"""Places where others, and earlier versions of this, went wrong without a word."""

import numpy as np
import pytest

from conformance import exact
from conformance.places import JAX
from focalcore import (
    FocalLoss,
    binary_focal_loss,
    sigmoid_focal_loss,
    sigmoid_focal_loss_grad_and_hess,
    sigmoid_focal_loss_value_and_grad,
    softmax_focal_loss,
    softmax_focal_loss_grad_and_hess,
    softmax_focal_loss_value_and_grad,
    sparse_categorical_focal_loss,
    use_compiler,
)

from .helpers import derivatives

TIED = np.asarray([[0.0, 0.0, 0.0], [0.0, 1.0, 1.0], [1.0, 1.0, 0.0], [2.0, 2.0, 2.0]])
LABELS = np.asarray([0, 0, 1, 2])
DIFFERENTIABLE = np.asarray([[0.2, 0.3, 0.5]] * 4)
RULES = {
    "labels": (LABELS, {}),
    "smoothed": (LABELS, {"label_smoothing": 0.1}),
    "mixture": (DIFFERENTIABLE, {"soft_targets": "mixture"}),
    "expected": (DIFFERENTIABLE, {"gamma": 0.5}),
}


def tied_gradient(rule):
    targets, options = RULES[rule]
    rows = zip(TIED, targets, strict=True)
    return np.asarray([exact.derivatives_of_row(*row, **options) for row in rows], dtype=float)


@pytest.mark.parametrize("rule", RULES)
class TestTies:
    """A head initialised with zeros, or logits in half precision: classes tie."""

    def test_closed_forms_are_exact(self, place, rule):
        targets, options = RULES[rule]
        exactly = tied_gradient(rule)
        grad, hess = softmax_focal_loss_grad_and_hess(
            place.array(TIED), place.array(targets), **options
        )
        np.testing.assert_allclose(place.numpy(grad), exactly[..., 0], atol=1e-14)
        np.testing.assert_allclose(place.numpy(hess), exactly[..., 1], atol=1e-14)

    @pytest.mark.slow
    def test_torch_is_exact_by_every_route(self, torch, rule):
        targets, options = RULES[rule]
        exactly, targets = tied_gradient(rule), torch.asarray(targets)

        def loss(x, **more):
            return softmax_focal_loss(x, targets, **options, **more).sum()

        torch._dynamo.reset()
        learned = torch.ones(3, dtype=torch.float64, requires_grad=True)
        compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
        for route in (loss, compiled, lambda x: loss(x, alpha=learned)):
            x = torch.tensor(TIED, requires_grad=True)
            (grad,) = torch.autograd.grad(route(x), x)
            np.testing.assert_allclose(grad, exactly[..., 0], atol=1e-14)
        x = torch.tensor(TIED)
        for hessian in (
            torch.autograd.functional.hessian(loss, x),
            torch.func.hessian(loss)(x),
            torch.func.jacfwd(torch.func.jacfwd(loss))(x),
        ):
            diagonal = hessian.reshape(12, 12).diagonal().reshape(4, 3)
            np.testing.assert_allclose(diagonal, exactly[..., 1], atol=1e-14)

    @pytest.mark.slow
    def test_jax_is_exact_by_every_route(self, jax, rule):
        targets, options = RULES[rule]
        exactly, targets = tied_gradient(rule), JAX.array(targets)

        def loss(x, alpha=None):
            return softmax_focal_loss(x, targets, alpha=alpha, **options).sum()

        x = JAX.array(TIED)
        np.testing.assert_allclose(jax.jit(jax.grad(loss))(x), exactly[..., 0], atol=1e-14)
        both = jax.jit(jax.grad(loss, argnums=(0, 1)))(x, jax.numpy.ones(3))
        np.testing.assert_allclose(both[0], exactly[..., 0], atol=1e-14)
        diagonal = np.diagonal(jax.jit(jax.hessian(loss))(x).reshape(12, 12)).reshape(4, 3)
        np.testing.assert_allclose(diagonal, exactly[..., 1], atol=1e-14)


PAIRS = {  # the target of a pair, and that of the sigmoid that the pair is
    "label": (0, 1, {}),
    "expected": ([0.3, 0.7], 0.3, {}),
    "mixture": ([0.3, 0.7], 0.3, {"soft_targets": "mixture"}),
}


@pytest.mark.parametrize("case", PAIRS)
def test_a_pair_that_ties_bends_as_a_sigmoid_does(jax, case):
    target, y, options = PAIRS[case]
    targets = JAX.array(np.asarray([target]))

    def loss(x):
        return softmax_focal_loss(x[None, :], targets, **options).sum()

    _, bend = sigmoid_focal_loss_grad_and_hess(0.0, y, **options)
    found = jax.hessian(loss)(JAX.array(np.zeros(2)))
    np.testing.assert_allclose(found, bend * np.asarray([[1, -1], [-1, 1]]), rtol=1e-13)


SIGMOID_RULES = {
    "labels": ([0, 1], {}),
    "smoothed": ([0, 1], {"label_smoothing": 0.1}),
    "mixture": ([0.3, 1.0], {"soft_targets": "mixture"}),
    "expected": ([0.3, 1.0], {"gamma": 0.5}),
}


@pytest.mark.parametrize("rule", SIGMOID_RULES)
class TestLogitZero:
    """A head initialised with zeros: where a logit changes the side that it takes."""

    ZEROS = np.asarray([0.0, 0.0, -0.0, -0.0])  # with the targets twice

    def exactly(self, rule):
        targets, options = SIGMOID_RULES[rule]
        return derivatives(exact.sigmoid_focal, self.ZEROS, 2 * targets, **options)

    @pytest.mark.slow
    def test_torch_is_exact_by_every_route(self, torch, rule):
        targets, options = SIGMOID_RULES[rule]
        (slope, curvature), targets = self.exactly(rule), torch.asarray(2 * targets)
        x = torch.tensor(self.ZEROS)

        def loss(x, **more):
            return sigmoid_focal_loss(x, targets, **options, **more).sum()

        torch._dynamo.reset()
        learned = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
        compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
        forward = torch.func.jacfwd(loss)
        leaf = x.clone().requires_grad_()
        (backward,) = torch.autograd.grad(loss(leaf), leaf)
        (learning,) = torch.autograd.grad(2 * compiled(leaf, alpha=learned), leaf)
        for grad in (backward, learning, forward(x)):
            np.testing.assert_allclose(grad, slope, atol=1e-15)
        hessian = torch.func.jacfwd(forward)(x)
        np.testing.assert_allclose(hessian.diagonal(), curvature, atol=1e-15)

    @pytest.mark.slow
    def test_jax_is_exact_by_every_route(self, jax, rule):
        targets, options = SIGMOID_RULES[rule]
        (slope, curvature), targets = self.exactly(rule), JAX.array(2 * targets)

        def loss(x):
            return sigmoid_focal_loss(x, targets, **options).sum()

        x = JAX.array(self.ZEROS)
        np.testing.assert_allclose(jax.grad(loss)(x), slope, atol=1e-15)
        diagonal = np.diagonal(jax.hessian(loss)(x))
        np.testing.assert_allclose(diagonal, curvature, atol=1e-15)


class TestWorstProbability:
    """Below eps the logarithm stands still, and its slope must not: the signal is largest there."""

    P = np.asarray([0.0, 1e-20, 1e-8, 0.5])

    def exactly(self, gamma):
        floored = np.maximum(self.P, 2.0**-52)
        modulating, rate = (1 - self.P) ** gamma, gamma * (1 - self.P) ** (gamma - 1)
        return rate * np.log(floored) - modulating / floored

    @pytest.mark.slow
    @pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
    def test_torch_is_exact_by_every_route(self, torch, gamma):
        def loss(p):
            return binary_focal_loss(torch.ones_like(p), p, gamma).sum()

        p = torch.tensor(self.P)
        for grad in (torch.func.jacrev(loss)(p), torch.func.jacfwd(loss)(p)):
            np.testing.assert_allclose(grad, self.exactly(gamma), rtol=1e-13)

    def test_the_curvature_of_jax_is_exact(self, jax):
        def loss(p):
            return binary_focal_loss(jax.numpy.ones_like(p), p, 0.0).sum()

        diagonal = np.diagonal(jax.hessian(loss)(JAX.array(self.P)))
        np.testing.assert_allclose(diagonal, 1 / np.maximum(self.P, 2.0**-52) ** 2, rtol=1e-13)

    def test_the_curvature_of_a_negative_is_that_of_its_complement(self, jax):
        """The loss of (p, 0) is that of (1 - p, 1), below the floor too."""

        def loss(p, y):
            return binary_focal_loss(jax.numpy.full_like(p, y), p, 2.0, eps=2.0**-6).sum()

        p = JAX.array(np.asarray([0.0, 2.0**-9, 2.0**-3, 0.5]))
        positive, negative = (
            np.diagonal(jax.hessian(loss)(at, y)) for at, y in ((p, 1.0), (1 - p, 0.0))
        )
        np.testing.assert_allclose(negative, positive, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32"])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_an_ignore_index_that_the_labels_can_not_have_ignores_nothing(dtype, reduction):
    logits, labels = np.asarray([[1.0, 0.0, 2.0]] * 2), np.asarray([0, 2], dtype=dtype)
    found = softmax_focal_loss(logits, labels, ignore_index=-100, reduction=reduction)
    np.testing.assert_array_equal(found, softmax_focal_loss(logits, labels, reduction=reduction))


@pytest.mark.parametrize("name", ["gamma", "alpha", "weight"])
def test_torch_gradients_through_vmap_reach_the_parameters(torch, name):
    x, y = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64), torch.tensor([1, 0, 0])

    def loss(value):
        return sigmoid_focal_loss(x, y, reduction="sum", **{name: value})

    values = torch.tensor([0.3, 0.9], dtype=torch.float64)
    each = torch.stack([torch.func.grad(loss)(v) for v in values])
    through = torch.func.grad(lambda v: torch.func.vmap(loss)(v).sum())(values)
    assert torch.all(each != 0)
    torch.testing.assert_close(through, each)
    ones = torch.ones(2, dtype=torch.float64)
    _, forward = torch.func.jvp(torch.func.vmap(loss), (values,), (ones,))
    torch.testing.assert_close(forward, each)


def test_torch_bends_nothing_where_each_class_has_its_factor_and_one_is_certain(torch):
    x = torch.tensor([[1000.0, 0.0, 1.0]], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([[0.7, 0.2, 0.1]], dtype=torch.float64)
    loss = softmax_focal_loss(x, y, soft_targets="mixture")
    (slope,) = torch.autograd.grad(loss.sum(), x, create_graph=True)
    for direction in torch.eye(3, dtype=torch.float64):
        (bend,) = torch.autograd.grad(slope, x, direction[None, :], retain_graph=True)
        np.testing.assert_array_equal(bend, 0)


def test_torch_forward_mode_nests(torch):
    x = torch.tensor(np.random.default_rng(0).normal(size=(2, 3)))
    loss = lambda x: softmax_focal_loss(x, torch.tensor([0, 2])).sum()  # noqa: E731 - as users do
    _, second = torch.func.jvp(lambda x: torch.func.jvp(loss, (x,), (x,))[1], (x,), (x,))
    hessian = torch.func.hessian(loss)(x).reshape(6, 6)
    slope = torch.func.grad(loss)(x).ravel()
    torch.testing.assert_close(second, x.ravel() @ hessian @ x.ravel() + slope @ x.ravel())


BEYOND = {  # a parameter that is traced, the most that it may be, and what is beyond
    "alpha": (lambda v: sigmoid_focal_loss([2.0, -1.0], [0, 0], alpha=v), 1.0, 1.5),
    "alpha of probabilities": (lambda v: binary_focal_loss([0, 0], [0.9, 0.3], alpha=v), 1.0, 1.5),
    "alpha of classes": (lambda v: softmax_focal_loss([[2.0, -1.0]], [1], alpha=v), 1e300, np.inf),
    "pos_weight": (lambda v: sigmoid_focal_loss([2.0, -1.0], [1, 1], pos_weight=v), 9.0, np.inf),
    "gamma": (lambda v: softmax_focal_loss([[2.0, -1.0]], [1], gamma=v), 1e9, 1.1e9),
}


@pytest.mark.parametrize("case", BEYOND)
def test_parameters_beyond_their_range_are_nan_where_they_cannot_be_seen(jax, case):
    loss, most, beyond = BEYOND[case]
    traced = jax.jit(loss)
    for good in (0.0, most):
        assert not np.any(np.isnan(traced(JAX.array(good))))
    for bad in (beyond, -1.0, np.nan):
        assert np.all(np.isnan(traced(JAX.array(bad))))


def test_a_weight_of_zero_silences_an_infinite_loss(place):
    x, y = place.array(np.asarray([-np.inf, 0.0])), place.array(np.asarray([1, 1]))
    for options in ({"alpha": 0.0}, {"pos_weight": 0.0}, {"weight": [0.0, 0.0]}):
        np.testing.assert_array_equal(place.numpy(sigmoid_focal_loss(x, y, **options)), 0)
    rows, labels = place.array(np.asarray([[-np.inf, 0.0, 1.0]])), place.array(np.asarray([0]))
    loss = softmax_focal_loss(rows, labels, alpha=[0.0, 1.0, 1.0])
    np.testing.assert_array_equal(place.numpy(loss), 0)


def test_a_weight_of_zero_does_not_hide_a_nan(place):
    x, zeros = np.asarray([[np.nan, 1.0], [0.0, 1.0]]), place.array(np.zeros((2, 2)))
    loss = place.numpy(sigmoid_focal_loss(place.array(x), 1, weight=zeros))
    np.testing.assert_array_equal(np.isnan(loss), np.isnan(x))
    rows, labels = place.array(x), place.array(np.asarray([0, 0]))
    loss = place.numpy(softmax_focal_loss(rows, labels, weight=zeros[0, :]))
    np.testing.assert_array_equal(np.isnan(loss), [True, False])


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")  # strict is NumPy underneath
def test_without_a_floor_certainty_costs_nothing_or_everything(place):
    y, p = place.array(np.asarray([1, 0, 1, 0])), place.array(np.asarray([1.0, 0.0, 0.0, 1.0]))
    loss = place.numpy(binary_focal_loss(y, p, eps=0))
    np.testing.assert_array_equal(loss, [0, 0, np.inf, np.inf])
    rows = place.array(np.asarray([[1.0, 0.0], [0.0, 1.0]]))
    labels = place.array(np.asarray([0, 0]))
    loss = place.numpy(sparse_categorical_focal_loss(labels, rows, eps=0))
    np.testing.assert_array_equal(loss, [0, np.inf])


def test_the_number_of_classes_of_lists_is_checked():
    criterion = FocalLoss(task_type="multi-label", num_classes=3)
    with pytest.raises(ValueError, match="3 classes"):
        criterion([[2.0, -1.0]], [[1, 0]])
    with pytest.raises(ValueError, match="alpha must be one number, or 3, one for each"):
        FocalLoss(task_type="multi-class", num_classes=3, alpha=[1.0, 2.0])


def test_gammas_of_rows_are_not_counted_as_classes():
    criterion = FocalLoss(task_type="multi-class", num_classes=3, gamma=[[0.0], [0.0]])
    loss = criterion(np.zeros((2, 3)), [0, 1])
    np.testing.assert_allclose(loss, np.log(3))


def test_a_matrix_of_numpy_is_an_array():
    x, y = np.asarray([[1.0, 2.0], [3.0, -1.0]]), np.asarray([[1, 0], [1, 0]])
    with pytest.warns(PendingDeprecationWarning):
        matrix = np.matrix(x)
    np.testing.assert_array_equal(sigmoid_focal_loss(matrix, y), sigmoid_focal_loss(x, y))


def test_dask_takes_one_number(dask):
    loss = sigmoid_focal_loss(dask.array.ones(3).sum(), 1)
    assert float(loss.compute()) == pytest.approx(float(exact.sigmoid_focal(3.0, 1)))


@pytest.mark.parametrize("alpha", [0.25, "array"], ids=str)
def test_large_parameters_are_not_walked_one_by_one(rng, alpha):
    x, y = rng.normal(size=10_000), rng.integers(0, 2, 10_000)
    each = np.full(10_000, 0.25) if alpha == "array" else alpha
    np.testing.assert_array_equal(
        sigmoid_focal_loss(x, y, alpha=each), sigmoid_focal_loss(x, y, alpha=0.25)
    )
    with pytest.raises(ValueError, match="alpha"):
        sigmoid_focal_loss(x, y, alpha=np.full(10_000, 2.0))


def test_unknown_options_are_refused():
    for options in ({"gama": 2.0}, {"alpha_most": 5.0}, {"normalizers": ("x",)}):
        with pytest.raises(TypeError):
            softmax_focal_loss_value_and_grad([[0.0, 1.0]], [1], **options)


def test_shapes_that_do_not_broadcast_are_named():
    with pytest.raises(ValueError, match=r"y_true of shape \(3,\) and y_pred of shape \(2,\)"):
        binary_focal_loss([0, 1, 1], [0.5, 0.5])
    with pytest.raises(ValueError, match=r"reshape targets to \(4, 1\)"):
        sigmoid_focal_loss(np.zeros((4, 3)), np.zeros(4))


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_what_is_certain_and_right_costs_nothing_where_smoothing_says_infinity(place, gamma):
    """Smoothed in the entropy alone, that is 0.05 |x|, and u^gamma is 0 long before."""
    x, y = np.asarray([np.inf, -np.inf, 1e300, -1e300]), np.asarray([1, 0, 1, 0])
    options = {"gamma": gamma, "label_smoothing": 0.1, "soft_targets": "hard"}
    for targets in (y, y.astype("float64")):
        loss = place.call(sigmoid_focal_loss, x, targets, **options)
        np.testing.assert_array_equal(loss, 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_alpha_that_its_type_makes_zero_silences_an_infinite_loss_or_leaves_it(place, dtype):
    loss = sigmoid_focal_loss(place.array([-np.inf], dtype), place.array([1]), alpha=1e-50)
    assert not np.isnan(place.numpy(loss)).any()


@pytest.mark.parametrize("spot", [0, -1], ids=["first", "last"])
@pytest.mark.parametrize("among", [0.0, 1.0])
def test_one_soft_target_among_many_hard_ones_is_soft(place, among, spot):
    y = np.full(2**17 + 5, among)
    y[spot] = 0.3
    loss = place.numpy(sigmoid_focal_loss(place.array(0 * y + 1.5), place.array(y)))
    assert loss[spot] == pytest.approx(float(exact.sigmoid_focal(1.5, 0.3)), rel=1e-14)
    assert loss[len(y) // 2] == pytest.approx(float(exact.sigmoid_focal(1.5, among)), rel=1e-14)


def test_nothing_to_the_power_of_a_gamma_of_zero_is_one(place):
    """Certain, and smoothed in the entropy alone: the loss is what smoothing adds."""
    x, options = place.array(np.asarray([800.0])), {"soft_targets": "hard", "label_smoothing": 0.1}

    def loss(x):
        return sigmoid_focal_loss(x, 1, gamma=[0.0], **options)

    assert float(place.numpy(loss(x))[0]) == pytest.approx(0.05 * 800, rel=1e-14)
    if place.differentiates:
        assert float(place.numpy(place.gradient("eager", loss)(x))[0]) == pytest.approx(0.05)


@pytest.mark.parametrize("by_kernel", [True, False], ids=["kernel", "functions"])
@pytest.mark.parametrize("gamma", [0.5, 2.0, 3.7, 40.0])
@pytest.mark.parametrize("share", [1e-300, 1e-30, 1e-16, 1e-7])
def test_a_tiny_share_of_what_is_infinitely_unlikely_is_not_nan(share, gamma, by_kernel):
    """There the cross-entropy is infinite, and the modulating factor may have become 0."""
    logits, rows = np.asarray([-np.inf, np.inf]), np.asarray([[0.0, -np.inf]])
    with use_compiler(by_kernel):
        for found in (
            *sigmoid_focal_loss_value_and_grad(logits, [share, 1 - share], gamma=gamma),
            *softmax_focal_loss_value_and_grad(rows, [[1 - share, share]], gamma=gamma),
        ):
            assert not np.isnan(found).any()
