"""The losses beside the focal loss: what they have in common with it, and what each is alone."""

import contextlib
import pickle

import numpy as np
import pytest

import focalcore
from conformance.modes import with_kernels
from conformance.places import JAX
from focalcore import (
    _kernels,
    _recall,
    adaptive_gamma,
    asymmetric_loss,
    asymmetric_softmax_loss,
    distribution_focal_loss,
    focal_cost,
    gaussian_focal_loss,
    quality_focal_loss,
    sigmoid_focal_loss,
    softmax_focal_loss,
    use_compiler,
    varifocal_loss,
)
from focalcore._execution import numpy_host

from . import simulation
from .helpers import close, fails
from .table import FAMILY, LOGITS, SHAPE

GAMMAS = pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 3.7])
WAYS = pytest.mark.parametrize("by_kernel", [True, False], ids=["kernel", "functions"])
EVERY = pytest.mark.parametrize("row", FAMILY, ids=lambda row: row.id)
HARD = np.asarray([[1], [0]])
rng = np.random.default_rng(3)
X = rng.normal(size=(40, 3)) * np.asarray([1.0, 10.0, 100.0])
BITS = rng.integers(0, 2, X.shape)


class TestEvery:
    """What holds of each of them, beside the claims of `test_every_loss`."""

    @EVERY
    def test_torch_finds_both_derivatives(self, row, torch):
        x = torch.tensor(row.scores, requires_grad=True)
        y = torch.tensor(row.targets)
        for reduction in ("none", "mean"):
            assert torch.autograd.gradcheck(lambda x, r=reduction: row.loss(x, y, reduction=r), x)
            assert torch.autograd.gradgradcheck(
                lambda x, r=reduction: row.loss(x, y, reduction=r), x
            )

    @EVERY
    def test_what_is_a_number_may_be_learned(self, row, torch):
        x, y = torch.tensor(row.scores), torch.tensor(row.targets)
        for name in row.options.limits.keys() - {"normalizer"}:
            shape = (1, 1) if not row.of_rows else ()
            learned = torch.full(shape, 1.7, dtype=torch.float64, requires_grad=True)
            assert torch.autograd.gradcheck(lambda p, n=name: row.loss(x, y, **{n: p}), learned)

    @EVERY
    @pytest.mark.usefixtures("jax")
    def test_jax_finds_both_derivatives(self, row):
        from jax.test_util import check_grads

        x, y = (JAX.array(a) for a in (row.scores, row.targets))
        check_grads(lambda x: row.loss(x, y), (x,), order=2, modes=("fwd", "rev"))

    @EVERY
    def test_a_module_of_torch_is_the_mean_of_the_function(self, row, torch):
        import focalcore.torch

        module = getattr(focalcore.torch, row.module)()
        x, y = torch.tensor(row.scores, requires_grad=True), torch.tensor(row.targets)
        torch.testing.assert_close(module(x, y), row.loss(x, y, reduction="mean"))
        weight = torch.linspace(0, 2, int(np.prod(row.shape))).reshape(row.shape).double()
        expected = row.loss(x, y, weight=weight, reduction="mean", normalizer="weight")
        torch.testing.assert_close(module(x, y, sample_weight=weight), expected)
        assert repr(pickle.loads(pickle.dumps(module))) == repr(module)

    @EVERY
    def test_a_module_of_torch_refuses_what_it_does_not_know(self, row, torch):
        assert torch
        import focalcore.torch

        module = getattr(focalcore.torch, row.module)
        for unnamed, options, found in (
            ((), {"gama": 2.0}, "unexpected keyword argument 'gama'"),
            ((2.0,), {}, "too many positional arguments"),
        ):
            with fails(TypeError, row.module, found, "by name", "gather_distributed"):
                module(*unnamed, **options)

    @EVERY
    def test_a_module_of_torch_calls_its_arguments_as_they_are_there(self, row, torch):
        import focalcore.torch

        bad = torch.full(row.shape, SHAPE[1] + 1)
        with fails(ValueError, "^targets must"):
            getattr(focalcore.torch, row.module)()(torch.tensor(row.scores), bad)

    @pytest.mark.parametrize("name", ["DistributionFocalLoss", "AsymmetricSoftmaxLoss"])
    @pytest.mark.usefixtures("torch")
    def test_a_module_without_positives_does_not_count_them(self, name):
        import focalcore.torch

        with fails(ValueError, name, "no positives", "normalizer="):
            getattr(focalcore.torch, name)(reduction="mean_positive")

    @EVERY
    @pytest.mark.slow
    def test_torch_compiles_it_whole(self, row, torch):
        x, y = torch.tensor(row.scores, requires_grad=True), torch.tensor(row.targets)
        compiled = torch.compile(lambda x: row.loss(x, y, reduction="mean"), fullgraph=True)
        ours, expected = (
            torch.autograd.grad(f(x), x)[0]
            for f in (compiled, lambda x: row.loss(x, y, reduction="mean"))
        )
        torch.testing.assert_close(ours, expected)

    @EVERY
    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    def test_it_has_a_kernel(self, row, dtype):
        if why := _kernels.why_not():
            pytest.skip(why)
        x = row.scores.astype(dtype)
        for f in (row.loss, row.value_and_grad, row.grad_and_hess):
            assert with_kernels(f)(x, row.targets) is not None

    @EVERY
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_a_gpu_gives_the_bits_of_the_host(self, row, dtype, monkeypatch):
        """A simulated one, whose kernels run on the host."""
        if why := _kernels.why_not():
            pytest.skip(why)
        on_host, seen = numpy_host.run, []

        def on_both(*call):
            found = on_host(*call)
            for host, grid in zip(found, simulation.run(*call), strict=True):
                np.testing.assert_array_equal(host, grid)
            seen.append(call)
            return found

        monkeypatch.setattr(numpy_host, "run", on_both)
        monkeypatch.setattr(_recall, "_CALLS", {})  # a call that was made before runs nothing anew
        x = row.scores.astype(dtype)
        row.value_and_grad(x, row.targets, reduction="mean")
        row.grad_and_hess(x, row.targets)
        assert seen

    @EVERY
    def test_its_derivatives_take_arrays_by_name(self, row):
        first, second = ("logits", row.labels)
        found = row.value_and_grad(**{second: row.targets, first: row.scores})
        for mine, expected in zip(found, row.value_and_grad(row.scores, row.targets), strict=True):
            np.testing.assert_array_equal(mine, expected)
        with pytest.raises(TypeError, match=f"missing a required argument: '{second}'"):
            row.value_and_grad(row.scores)

    @EVERY
    def test_a_float16_is_never_infinite_where_its_logit_is_not(self, row):
        x = np.where(row.scores > 0, 30000.0, -30000.0).astype("float16")
        for found in (*row.value_and_grad(x, row.targets), *row.grad_and_hess(x, row.targets)):
            assert np.isfinite(found).all()


class TestAsymmetric:
    @GAMMAS
    @pytest.mark.parametrize("kind", ["int64", "float64"])
    def test_with_one_gamma_and_no_clip_it_is_the_focal_loss(self, gamma, kind):
        y = BITS.astype(kind)
        found = asymmetric_loss(X, y, gamma_pos=gamma, gamma_neg=gamma, clip=0.0)
        np.testing.assert_array_equal(found, sigmoid_focal_loss(X, y, gamma=gamma))

    def test_a_soft_label_has_its_share_of_either(self):
        y = rng.random(X.shape)
        positive, negative = asymmetric_loss(X, 1), asymmetric_loss(X, 0)
        close(asymmetric_loss(X, y), y * positive + (1 - y) * negative, rtol=1e-14)

    @pytest.mark.parametrize("gamma_neg", [0.0, 0.5, 1.0, 4.0])
    def test_a_negative_below_the_clip_costs_nothing(self, gamma_neg):
        x = np.asarray([-np.inf, -1000.0, -3.0, -2.95])
        for found in focalcore.asymmetric_loss_value_and_grad(x, 0, gamma_neg=gamma_neg):
            assert not found.any()

    @WAYS
    def test_it_has_its_limits_at_infinite_logits(self, by_kernel):
        with use_compiler(by_kernel):
            value, slope = focalcore.asymmetric_loss_value_and_grad(
                np.asarray([[np.inf, -np.inf]] * 2), HARD
            )
        close(value, [[0, np.inf], [-(0.95**4) * np.log(0.05), 0]])
        np.testing.assert_array_equal(slope, [[0, -1], [0, 0]])


class TestQuality:
    @GAMMAS
    def test_of_hard_scores_it_is_the_focal_loss(self, gamma):
        focal = sigmoid_focal_loss(X, BITS, gamma=gamma)
        np.testing.assert_array_equal(quality_focal_loss(X, BITS, beta=gamma), focal)
        # as floats they may be soft, which is another formula
        close(quality_focal_loss(X, BITS.astype("float64"), beta=gamma), focal, rtol=5e-15)

    def test_a_beta_of_0_is_the_cross_entropy(self):
        y = rng.random(X.shape)
        close(quality_focal_loss(X, y, beta=0.0), sigmoid_focal_loss(X, y, gamma=0.0), rtol=1e-15)

    @WAYS
    @pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 1.5, 2.0, 3.7, [0.5, 1.0, 2.0]])
    def test_where_p_is_the_score_nothing_is_nan(self, beta, by_kernel):
        """There |y - p| has no digit left, and below a beta of 2 a derivative is infinite."""
        x = np.asarray([[-20.0, 0.0, 3.0]] * 2)
        y = 1 / (1 + np.exp(-x))
        with use_compiler(by_kernel):
            value, slope = focalcore.quality_focal_loss_value_and_grad(x, y, beta=beta)
            _, bend = focalcore.quality_focal_loss_grad_and_hess(x, y, beta=beta)
        assert np.isfinite([value, slope, bend]).all()

    @WAYS
    @pytest.mark.parametrize("beta", [2.0, np.full((1, 1), 2.0)], ids=["number", "array"])
    def test_where_p_is_just_the_score_it_is_as_flat_as_its_limit(self, beta, by_kernel):
        x, y = np.zeros((1, 1)), np.full((1, 1), 0.5)
        with use_compiler(by_kernel):
            value, slope = focalcore.quality_focal_loss_value_and_grad(x, y, beta=beta)
            _, bend = focalcore.quality_focal_loss_grad_and_hess(x, y, beta=beta)
        assert not value.any()
        assert not slope.any()
        close(bend, 2 / 16 * np.log(2))


class TestVarifocal:
    @GAMMAS
    def test_of_hard_scores_positives_have_the_cross_entropy_and_negatives_the_focal_loss(
        self, gamma
    ):
        y = BITS.astype("float64")
        focal = sigmoid_focal_loss(X, y, gamma=gamma) * np.where(y, 1.0, 0.75)
        expected = np.where(y, sigmoid_focal_loss(X, y, gamma=0.0), focal)
        close(varifocal_loss(X, y, gamma=gamma), expected, rtol=1e-14)

    def test_a_positive_weighs_its_score_or_1(self):
        y = rng.random(X.shape) + 1e-3
        close(varifocal_loss(X, y / 2), y / 2 * varifocal_loss(X, y / 2, weighted=False))
        close(
            varifocal_loss(X, y / 2, weighted=False), sigmoid_focal_loss(X, y / 2, gamma=0.0), 1e-14
        )

    def test_a_held_factor_leaves_p_less_y(self):
        x, y = X, np.zeros(X.shape)
        _, slope = focalcore.varifocal_loss_value_and_grad(x, y, detach_factor=True)
        p = 1 / (1 + np.exp(-x))
        close(slope, 0.75 * p**2 * p)


class TestGaussian:
    @GAMMAS
    def test_of_zeros_and_ones_it_is_the_focal_loss(self, gamma):
        found = gaussian_focal_loss(X, BITS, alpha=gamma)
        np.testing.assert_array_equal(found, sigmoid_focal_loss(X, BITS, gamma=gamma))

    def test_a_negative_weighs_less_the_nearer_to_a_peak_it_is(self):
        y = np.asarray([0.0, 0.5, 0.75])
        found = gaussian_focal_loss(np.ones(3), y) / gaussian_focal_loss(1.0, 0.0)
        close(found, [1, 0.5**4, 0.25**4])

    def test_positives_are_the_peaks_alone(self):
        y = np.asarray([0.0, 0.9, 1.0, 1.0])
        mean = gaussian_focal_loss(np.ones(4), y, reduction="mean", normalizer="positives")
        close(mean, gaussian_focal_loss(np.ones(4), y).sum() / 2)


def test_in_float16_the_copies_are_infinite_and_these_are_not(torch):
    """The published form of a loss, and of its slope, at a logit that float16 holds."""
    x = torch.tensor([12.0, -12.0], dtype=torch.float16)
    p = x.sigmoid()
    copied = -(torch.log(1 - p) * p**4)
    assert torch.isinf(copied).any()
    assert torch.isfinite(asymmetric_loss(x, torch.zeros(2))).all()


class TestPoly:
    """The polynomial term, of both focal losses."""

    EPSILONS = pytest.mark.parametrize("epsilon", [-1.0, -0.3, 1.5])

    @GAMMAS
    @EPSILONS
    @pytest.mark.parametrize("rule", ["expected", "mixture"])
    @pytest.mark.parametrize("kind", ["int64", "float64"])
    def test_it_adds_a_power_of_1_less_p_t(self, gamma, epsilon, rule, kind):
        y, p = BITS.astype(kind), 1 / (1 + np.exp(-X))
        more = np.where(BITS, 0.25 * (1 - p) ** (gamma + 1), 0.75 * p ** (gamma + 1))
        options = {"gamma": gamma, "alpha": 0.25, "soft_targets": rule}
        found = sigmoid_focal_loss(X, y, poly_epsilon=epsilon, **options)
        expected = sigmoid_focal_loss(X, y, **options) + epsilon * more
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)

    @GAMMAS
    @EPSILONS
    @pytest.mark.parametrize("rule", ["expected", "mixture"])
    @pytest.mark.parametrize("is_soft", [False, True], ids=["labels", "distributions"])
    def test_of_two_classes_it_is_the_sigmoid_s(self, gamma, epsilon, rule, is_soft):
        x, y = X.ravel(), BITS.ravel()
        rows, options = np.stack([0 * x, x], axis=1), {"gamma": gamma, "poly_epsilon": epsilon}
        targets = np.eye(2)[y] if is_soft else y
        value, slope = focalcore.softmax_focal_loss_value_and_grad(
            rows, targets, soft_targets=rule, **options
        )
        expected, slopes = focalcore.sigmoid_focal_loss_value_and_grad(x, y, **options)
        np.testing.assert_allclose(value, expected, rtol=1e-11, atol=1e-14)
        np.testing.assert_allclose(slope[:, 1], slopes, rtol=1e-11, atol=1e-14)

    @EPSILONS
    @pytest.mark.parametrize("rule", ["expected", "mixture"])
    @pytest.mark.parametrize("name", ["sigmoid_focal_loss", "softmax_focal_loss"])
    def test_torch_finds_both_derivatives(self, epsilon, rule, name, torch):
        x = torch.tensor(LOGITS, requires_grad=True)
        y = torch.softmax(torch.tensor(LOGITS[::-1].copy()), -1)

        def f(x):
            loss = getattr(focalcore, name)
            return loss(x, y, poly_epsilon=epsilon, soft_targets=rule)

        assert torch.autograd.gradcheck(f, x)
        assert torch.autograd.gradgradcheck(f, x)

    def test_the_classifier_in_one_has_it_too(self, torch):
        from focalcore.torch import linear_softmax_focal_loss

        hidden, weight = (torch.tensor(a) for a in (LOGITS, LOGITS[:3].T.copy() / 2))
        labels = torch.tensor([0, 2, 1, 0])
        found = linear_softmax_focal_loss(hidden, weight, labels, poly_epsilon=1.5)
        expected = focalcore.softmax_focal_loss(hidden @ weight.T, labels, poly_epsilon=1.5)
        torch.testing.assert_close(found, expected)

    @pytest.mark.parametrize("bad", [-1.5, np.inf, np.nan])
    def test_an_epsilon_below_minus_1_is_refused(self, bad):
        with fails(ValueError, "poly_epsilon", ">= -1"):
            sigmoid_focal_loss(X, BITS, poly_epsilon=bad)

    def test_down_to_minus_1_the_loss_is_never_negative(self):
        x = np.linspace(-40, 40, 10_001)
        assert np.all(sigmoid_focal_loss(x, 1, gamma=0.0, poly_epsilon=-1.0) >= 0)


class TestCost:
    LABELS = np.asarray([2, 0, 0, 1])

    @pytest.mark.parametrize("options", [{}, {"alpha": 0.5, "gamma": 3.7}], ids=str)
    def test_it_is_what_a_positive_loses_less_what_a_negative_does(self, place, options):
        x, labels = place.array(LOGITS), place.array(self.LABELS)
        with place.running():
            found = place.numpy(focal_cost(x, labels, **options))
        both = ({"alpha": 0.25} | options, LOGITS[:, self.LABELS])
        positive, negative = (sigmoid_focal_loss(both[1], y, **both[0]) for y in (1, 0))
        np.testing.assert_allclose(found, positive - negative, rtol=1e-12, atol=1e-14)

    def test_images_have_a_leading_axis(self):
        x = np.stack([LOGITS, 2 * LOGITS])
        np.testing.assert_array_equal(focal_cost(x, self.LABELS)[1], focal_cost(x[1], self.LABELS))

    def test_it_goes_to_the_assignment(self):
        assign = pytest.importorskip("scipy.optimize", reason="scipy is not installed")
        queries, boxes = assign.linear_sum_assignment(focal_cost(LOGITS, [0, 1, 2]))
        chosen = focal_cost(LOGITS, [0, 1, 2])[queries, boxes].sum()
        assert chosen <= np.trace(focal_cost(LOGITS, [0, 1, 2]))

    def test_no_box_costs_nothing(self, place):
        with place.running():
            found = focal_cost(place.array(LOGITS), place.array(self.LABELS[:0]))
        assert tuple(found.shape) == (4, 0)

    def test_a_label_that_is_no_class_is_an_error_or_nan(self, place):
        x, labels = place.array(LOGITS), place.array(np.asarray([0, 3]))
        with contextlib.ExitStack() as stack:
            if place.can_raise:
                stack.enter_context(fails(ValueError, "from 0 to 2", "found 3 at index"))
            with place.running():
                found = place.numpy(focal_cost(x, labels))
            np.testing.assert_array_equal(np.isnan(found), [[False, True]] * 4)

    @pytest.mark.parametrize("bad", [[[0, 1]], [0.5]], ids=["two-axes", "floats"])
    def test_labels_are_one_list_of_integers(self, bad):
        with pytest.raises((TypeError, ValueError), match="labels"):
            focal_cost(LOGITS, bad)

    def test_an_infinite_logit_costs_infinitely_much_or_little(self):
        found = focal_cost(np.asarray([[np.inf, -np.inf]]), [0, 1])
        np.testing.assert_array_equal(found, [[-np.inf, np.inf]])


class TestDistribution:
    VALUES = np.asarray([0.0, 0.75, 1.0, 2.0])

    def test_it_is_the_cross_entropy_of_the_two_bins_around_a_number(self):
        below, above = [0, 0, 1, 2], [0, 1, 1, 2]
        nearer = np.asarray([1.0, 0.25, 1.0, 1.0])
        left, right = (softmax_focal_loss(LOGITS, c, gamma=0.0) for c in (below, above))
        found = distribution_focal_loss(LOGITS, self.VALUES)
        close(found, nearer * left + (1 - nearer) * right)

    def test_of_whole_numbers_it_is_that_of_class_labels(self):
        labels = np.asarray([2, 0, 1, 1])
        expected = softmax_focal_loss(LOGITS, labels, gamma=0.0)
        close(distribution_focal_loss(LOGITS, labels), expected)

    def test_bins_may_lie_on_any_axis(self):
        found = distribution_focal_loss(LOGITS.T.copy(), self.VALUES, axis=0)
        close(found, distribution_focal_loss(LOGITS, self.VALUES), rtol=1e-15)

    def test_one_number_is_for_all_rows(self):
        close(distribution_focal_loss(LOGITS, 0.5), distribution_focal_loss(LOGITS, [0.5] * 4))


class TestAdaptiveGamma:
    P = np.asarray([0.0, 0.1999, 0.2, 1.0, np.nan, -0.1, 1.1])

    def test_it_is_5_below_a_fifth_and_3_above(self, place):
        with place.running():
            found = place.numpy(adaptive_gamma(place.array(self.P)))
        np.testing.assert_array_equal(found, [5, 5, 3, 3, np.nan, np.nan, np.nan])

    @pytest.mark.parametrize("dtype", ["float16", "float32"])
    def test_it_keeps_the_type(self, dtype):
        assert adaptive_gamma(self.P.astype(dtype)).dtype == dtype

    def test_it_is_the_gamma_of_each_row(self):
        labels = np.asarray([0, 2, 1, 1])
        p_t = np.exp(-softmax_focal_loss(LOGITS, labels, gamma=0.0))
        found = softmax_focal_loss(LOGITS, labels, gamma=adaptive_gamma(p_t)[:, None])
        of_3, of_5 = (softmax_focal_loss(LOGITS, labels, gamma=g) for g in (3.0, 5.0))
        close(found, np.where(p_t < 0.2, of_5, of_3))


class TestAsymmetricSoftmax:
    ROW_LABELS = np.asarray([2, 0, 1, 1])

    @GAMMAS
    def test_without_smoothing_it_is_the_focal_loss(self, gamma):
        found = asymmetric_softmax_loss(
            LOGITS, self.ROW_LABELS, gamma_pos=gamma, label_smoothing=0.0
        )
        np.testing.assert_array_equal(
            found, softmax_focal_loss(LOGITS, self.ROW_LABELS, gamma=gamma)
        )

    def test_without_gammas_it_is_the_smoothed_cross_entropy(self):
        options = {"gamma_pos": 0.0, "gamma_neg": 0.0, "label_smoothing": 0.2}
        expected = softmax_focal_loss(LOGITS, self.ROW_LABELS, gamma=0.0, label_smoothing=0.2)
        close(asymmetric_softmax_loss(LOGITS, self.ROW_LABELS, **options), expected)

    def test_each_class_may_have_gammas_of_its_own(self):
        one = asymmetric_softmax_loss(LOGITS, self.ROW_LABELS, gamma_pos=0.5, gamma_neg=3.7)
        each = {"gamma_pos": [0.5] * 3, "gamma_neg": np.full(3, 3.7)}
        close(asymmetric_softmax_loss(LOGITS, self.ROW_LABELS, **each), one)

    def test_the_gradient_of_a_row_sums_to_0(self):
        _, slope = focalcore.asymmetric_softmax_loss_value_and_grad(10 * LOGITS, self.ROW_LABELS)
        np.testing.assert_allclose(slope.sum(axis=1), 0, atol=1e-14)

    def test_a_row_that_is_ignored_costs_nothing(self):
        found = asymmetric_softmax_loss(LOGITS, [2, -1, 1, 1], ignore_index=-1)
        assert found[1] == 0
        assert np.all(found[[0, 2, 3]] > 0)
