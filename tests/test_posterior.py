"""The probabilities that focal scores stand for, and the scores that probabilities ask for."""

import mpmath as mp
import numpy as np
import pytest

from conformance import exact
from conformance.places import JAX, TORCH
from focalcore import (
    sigmoid_focal_logit,
    sigmoid_focal_loss_value_and_grad,
    sigmoid_focal_posterior,
    softmax_focal_logits,
    softmax_focal_loss_value_and_grad,
    softmax_focal_posterior,
    use_compiler,
)

from .helpers import close, fails

GAMMAS = pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 3.7, 5.0])
ALPHAS = pytest.mark.parametrize("alpha", [None, 0.25, 0.75])
WAYS = pytest.mark.parametrize("by_kernel", [True, False], ids=["kernel", "functions"])
LOGITS = np.linspace(-20, 20, 41)
rng = np.random.default_rng(5)
ROWS = 4 * rng.normal(size=(30, 4))
SHARES = np.exp(ROWS) / np.exp(ROWS).sum(axis=1, keepdims=True)
WEIGHTS = [0.5, 1.0, 3.0, 0.25]
PROBABILITIES = np.concatenate([np.geomspace(1e-30, 0.5, 200), 1 - np.geomspace(1e-7, 0.5, 200)])


class TestPosterior:
    @GAMMAS
    @ALPHAS
    def test_it_is_what_the_slopes_of_both_targets_make_of_it(self, gamma, alpha):
        """The definition, by differences of the paper's loss in many digits."""
        for x in (-30.0, -1.5, 0.0, 0.25, 8.0):
            slopes = [
                exact.derivatives(lambda v, y=y: exact.sigmoid_focal(v, y, gamma, alpha), x)[0]
                for y in (0, 1)
            ]
            expected = slopes[0] / (slopes[0] - slopes[1])
            close(sigmoid_focal_posterior(x, gamma=gamma, alpha=alpha), float(expected))

    @GAMMAS
    @pytest.mark.parametrize("alpha", [None, WEIGHTS], ids=["plain", "weighted"])
    def test_the_expected_slope_of_a_row_is_0(self, gamma, alpha):
        eta = softmax_focal_posterior(ROWS, gamma=gamma, alpha=alpha)
        expected = np.zeros_like(ROWS)
        for c in range(4):
            labels = np.full(30, c)
            _, slope = softmax_focal_loss_value_and_grad(ROWS, labels, gamma=gamma, alpha=alpha)
            expected += eta[:, c : c + 1] * slope
        np.testing.assert_allclose(expected, 0, atol=1e-14)

    @WAYS
    def test_it_grows_with_the_logit(self, by_kernel):
        x = np.linspace(-40, 40, 80_001, dtype="float32")
        with use_compiler(by_kernel):
            for gamma in (0.0, 0.5, 2.0, 3.7):
                assert np.all(np.diff(sigmoid_focal_posterior(x[::8], gamma=gamma)) >= 0)

    def test_without_gamma_it_is_the_sigmoid_or_the_softmax(self):
        close(sigmoid_focal_posterior(LOGITS, gamma=0.0), 1 / (1 + np.exp(-LOGITS)))
        close(softmax_focal_posterior(ROWS, gamma=0.0), SHARES)

    @GAMMAS
    def test_of_two_classes_it_is_the_sigmoid_s(self, gamma):
        pairs = np.stack([np.zeros_like(LOGITS), LOGITS], axis=1)
        found = softmax_focal_posterior(pairs, gamma=gamma)[:, 1]
        close(found, sigmoid_focal_posterior(LOGITS, gamma=gamma))

    def test_weights_of_two_classes_are_alpha_and_the_rest(self):
        pairs = np.stack([LOGITS, np.zeros_like(LOGITS)])
        found = softmax_focal_posterior(pairs, alpha=[0.25, 0.75], axis=0)[0]
        close(found, sigmoid_focal_posterior(LOGITS, alpha=0.25))

    def test_pos_weight_and_alpha_multiply(self):
        found = sigmoid_focal_posterior(LOGITS, alpha=0.25, pos_weight=3.0)
        close(found, sigmoid_focal_posterior(LOGITS, alpha=0.5))

    @GAMMAS
    def test_it_has_its_limits_at_infinite_logits(self, place, gamma):
        x = place.array(np.asarray([-np.inf, -1e30, 1e30, np.inf]))
        with place.running():
            found = place.numpy(sigmoid_focal_posterior(x, gamma=gamma))
        np.testing.assert_array_equal(found, [0, 0, 1, 1])

    def test_classes_ruled_out_have_none(self, place):
        x = place.array(np.asarray([[0.0, -np.inf, 0.0], [np.inf, 0, 1], [-1e9, 0, -np.inf]]))
        with place.running():
            found = place.numpy(softmax_focal_posterior(x))
        np.testing.assert_allclose(found, [[0.5, 0, 0.5], [1, 0, 0], [0, 1, 0]], rtol=1e-14)

    @WAYS
    def test_rows_sum_to_1_however_large_gamma_is(self, by_kernel):
        with use_compiler(by_kernel):
            for gamma in (0.0, 2.0, 100.0, 1e9):
                close(softmax_focal_posterior(ROWS, gamma=gamma).sum(axis=1), 1.0)
                even = softmax_focal_posterior(np.zeros((1, 7)), gamma=gamma)
                np.testing.assert_allclose(even, 1 / 7, rtol=(3 * gamma + 8) * 2.0**-53)

    def test_not_a_number_stays_one(self):
        assert np.isnan(sigmoid_focal_posterior(np.nan))
        assert np.isnan(softmax_focal_posterior([0.0, np.nan, 1.0])).all()


class TestLogit:
    @GAMMAS
    @ALPHAS
    def test_the_expected_slope_there_is_0(self, gamma, alpha):
        eta = np.asarray([1e-6, 0.01, 0.3, 0.5, 0.77, 0.999])
        x = sigmoid_focal_logit(eta, gamma=gamma, alpha=alpha)
        slopes = [
            sigmoid_focal_loss_value_and_grad(x, y, gamma=gamma, alpha=alpha)[1] for y in (0, 1)
        ]
        off = (1 - eta) * slopes[0] + eta * slopes[1]
        np.testing.assert_allclose(off / ((1 - eta) * slopes[0]), 0, atol=1e-13)

    def test_it_is_the_log_odds_without_gamma(self):
        eta = np.asarray([1e-300, 1e-12, 0.2, 0.4999999, 0.5, 0.75, 1 - 1e-15])
        expected = [float(mp.log(mp.mpf(v) / (1 - mp.mpf(v)))) for v in eta]
        np.testing.assert_allclose(sigmoid_focal_logit(eta, gamma=0.0), expected, rtol=4e-16)

    @GAMMAS
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @WAYS
    def test_the_posterior_takes_it_back(self, gamma, dtype, by_kernel):
        """To the digits that a logit has: an ulp of it is as many of the odds as these have ln."""
        eta = PROBABILITIES.astype(dtype)
        with use_compiler(by_kernel):
            found = sigmoid_focal_posterior(sigmoid_focal_logit(eta, gamma=gamma), gamma=gamma)
        wide = eta.astype("float64")
        log_odds = np.abs(np.log(wide) - np.log1p(-wide))
        ulp = np.finfo(dtype).eps
        allowed = (2 * gamma + 4 + 2 * log_odds * (1 - wide)) * ulp
        assert np.all(np.abs(found.astype("float64") / wide - 1) <= allowed)

    @pytest.mark.parametrize("gamma", [0.0, 0.1, 1.0, 5.0, 20.0, 100.0])
    @pytest.mark.parametrize("classes", [1, 2, 3, 10, 1000])
    def test_the_posterior_takes_rows_back(self, gamma, classes):
        spread = np.repeat([0.0, 1.0, 5.0, 40.0], 20)[:, None]
        x = spread * np.random.default_rng(classes).normal(size=(80, classes))
        eta = np.exp(x - x.max(axis=1, keepdims=True))
        eta /= eta.sum(axis=1, keepdims=True)
        found = softmax_focal_posterior(softmax_focal_logits(eta, gamma=gamma), gamma=gamma)
        rtol = (5 * gamma + 10) * (1 - np.log(eta)) * 2.0**-53
        assert np.all(np.abs(found / eta - 1) <= rtol)

    @pytest.mark.parametrize("gamma", [[0.5, 2.0, 1.0, 3.0], 2.0], ids=["per class", "one"])
    def test_it_takes_weights_and_a_gamma_of_each_class(self, gamma):
        x = softmax_focal_logits(SHARES, gamma=gamma, alpha=WEIGHTS)
        found = softmax_focal_posterior(x, gamma=gamma, alpha=WEIGHTS)
        np.testing.assert_allclose(found, SHARES, rtol=1e-12)

    def test_a_gamma_of_each_class_may_be_any(self):
        rng = np.random.default_rng(2)
        gamma = np.geomspace(0.01, 50, 20)[rng.permutation(20)]
        eta = np.concatenate([rng.dirichlet(np.full(20, a), 200) for a in (0.05, 1.0, 20.0)])
        eta = np.maximum(eta, 1e-200)
        found = softmax_focal_posterior(softmax_focal_logits(eta, gamma=gamma), gamma=gamma)
        np.testing.assert_allclose(found, eta, rtol=1e-10)

    def test_the_softmax_of_the_logits_is_their_exponential(self):
        found = softmax_focal_logits(SHARES)
        np.testing.assert_allclose(np.exp(found).sum(axis=1), 1, rtol=1e-13)

    def test_what_is_certain_has_infinite_logits(self, place):
        with place.running():
            found = sigmoid_focal_logit(place.array(np.asarray([0.0, 0.5, 1.0])))
            rows = softmax_focal_logits(place.array(np.asarray([[1.0, 0.0, 0.0], [0.5, 0.0, 0.5]])))
        np.testing.assert_array_equal(place.numpy(found), [-np.inf, 0, np.inf])
        half = np.log(0.5)
        expected = [[0, -np.inf, -np.inf], [half, -np.inf, half]]
        np.testing.assert_allclose(place.numpy(rows), expected, rtol=1e-15)


MAPS = {
    "sigmoid posterior": (sigmoid_focal_posterior, LOGITS.reshape(-1, 1), {"alpha": 0.25}),
    "softmax posterior": (softmax_focal_posterior, ROWS, {"alpha": WEIGHTS}),
    "sigmoid logit": (sigmoid_focal_logit, SHARES, {"gamma": 0.5}),
    "softmax logits": (softmax_focal_logits, SHARES, {"gamma": 0.5}),
}
EVERY = pytest.mark.parametrize("case", MAPS.values(), ids=MAPS)


@EVERY
class TestEveryMap:
    def test_every_library_gives_the_numbers_of_numpy(self, place, case):
        f, x, options = case
        with place.running():
            found = f(place.array(x), **options)
        assert tuple(found.shape) == x.shape
        np.testing.assert_allclose(place.numpy(found), f(x, **options), rtol=2e-13, atol=1e-300)

    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    def test_the_type_is_kept(self, case, dtype):
        f, x, options = case
        found = f(x.astype(dtype), **options)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, f(x, **options), rtol=40 * np.finfo(dtype).eps, atol=1e-7)

    def test_lists_and_numbers_become_numpy(self, case):
        f, x, options = case
        np.testing.assert_array_equal(f(x.tolist(), **options), f(x, **options))

    def test_nothing_in_is_nothing_out(self, case):
        f, x, options = case
        assert f(x[:0], **options).shape == x[:0].shape

    def test_it_sees_no_layout(self, case):
        f, x, options = case
        np.testing.assert_array_equal(f(np.asfortranarray(x), **options), f(x, **options))
        wide = np.repeat(x, 2, axis=0)[::2]
        np.testing.assert_array_equal(f(wide, **options), f(x, **options))

    def test_torch_learns_through_it_to_second_order(self, torch, case):
        f, x, options = case
        some = torch.tensor(x[5:9], requires_grad=True)
        if "logit" in f.__name__:  # along what stays a probability
            assert torch.autograd.gradcheck(lambda v: f(torch.softmax(v, -1), **options), some)
        else:
            assert torch.autograd.gradcheck(lambda v: f(v, **options), some)
            assert torch.autograd.gradgradcheck(lambda v: f(v, **options), some)

    def test_jax_has_the_derivatives_of_torch(self, torch, jax, case):
        f, x, options = case
        share = np.random.default_rng(1).random(x[5:7].shape)

        def total(xp, share):
            def of(v):
                p = xp.exp(v) / xp.exp(v).sum(-1)[..., None] if "logit" in f.__name__ else v
                return (f(p, **options) * share).sum()

            return of

        some = torch.tensor(x[5:7])
        expected = torch.autograd.functional.hessian(total(torch, torch.tensor(share)), some)
        slope = torch.func.grad(total(torch, torch.tensor(share)))(some)
        with JAX.running():
            of = total(jax.numpy, JAX.array(share))
            grad, hessian = jax.jit(lambda v: (jax.grad(of)(v), jax.hessian(of)(v)))(
                JAX.array(x[5:7])
            )
        np.testing.assert_allclose(grad, slope, rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(hessian, expected, rtol=1e-9, atol=1e-12)

    def test_jit_and_vmap_change_nothing(self, jax, case):
        f, x, options = case
        with JAX.running():
            for transform in (jax.jit, jax.vmap):
                found = transform(lambda v: f(v, **options))(JAX.array(x))
                np.testing.assert_allclose(found, f(x, **options), rtol=2e-13, atol=1e-300)

    def test_chunks_stay_lazy(self, dask, case):
        f, x, options = case
        found = f(dask.array.from_array(x, chunks=(7, 2)), **options)
        assert isinstance(found, dask.array.Array)
        np.testing.assert_array_equal(found.compute(), f(x, **options))


@pytest.mark.parametrize("name", ["sigmoid posterior", "sigmoid logit", "softmax posterior"])
def test_torch_compiles_it(torch, name):
    f, x, options = MAPS[name]
    torch.compiler.reset()
    compiled = torch.compile(lambda v: f(v, **options), fullgraph=True)
    np.testing.assert_allclose(compiled(torch.tensor(x)), f(x, **options), rtol=2e-13)


@GAMMAS
@pytest.mark.parametrize("library", [TORCH, JAX], ids=lambda place: place.id)
def test_the_slope_is_that_of_the_definition_at_0_and_where_it_saturates(library, gamma):
    library.require()
    x = np.asarray([-700.0, -30.0, 0.0, 2.0, 30.0, 1000.0, np.inf])
    slope = library.gradient("eager", lambda v: sigmoid_focal_posterior(v, gamma=gamma))
    with library.running():
        found = library.numpy(slope(library.array(x)))
    with mp.workdps(400):
        expected = [
            float(exact.derivatives(lambda v: exact.sigmoid_posterior(v, gamma), v, 900)[0])
            for v in x[:-1]
        ]
    np.testing.assert_allclose(found, [*expected, 0], rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, [0.5, 2.0, 1.0]], ids=str)
def test_slopes_are_finite_where_a_class_is_certain(torch, gamma):
    rows = [[100.0, 0, -100], [90, 0, -90], [np.inf, 0, 1], [-np.inf, 0, 1], [1e4, 0, 0]]
    x = torch.tensor(rows, requires_grad=True)
    (softmax_focal_posterior(x, gamma=gamma) ** 2).sum().backward()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("library", [TORCH, JAX], ids=lambda place: place.id)
def test_weights_may_be_arrays_and_learn(library):
    library.require()
    alpha = np.asarray([0.2, 0.5, 0.7])
    x = np.asarray([[-2.0, 0.5, 3.0]])
    with library.running():
        for f in (sigmoid_focal_posterior, softmax_focal_posterior):
            found = f(library.array(x), alpha=library.array(alpha))
            close(library.numpy(found), f(x, alpha=alpha))
            slope = library.gradient("eager", lambda a, x, f=f: f(x, alpha=a)[..., 0])
            assert library.numpy(slope(*map(library.array, (alpha, x))))[0] != 0


def test_a_weight_of_0_is_nan_where_it_can_t_be_looked_at(jax):
    with JAX.running():
        x, alpha = JAX.array(np.zeros((1, 3))), JAX.array(np.asarray([0.0, 0.5, 0.7]))
        rows = jax.jit(lambda x, a: softmax_focal_posterior(x, alpha=a))(x, alpha)
        each = jax.jit(lambda x, a: sigmoid_focal_posterior(x, alpha=a))(x, alpha)
    assert np.isnan(rows).all()
    assert np.isnan(each).tolist() == [[True, False, False]]


def test_torch_compiles_it_for_any_number_of_classes(torch):
    torch.compiler.reset()
    compiled = torch.compile(softmax_focal_posterior, fullgraph=True, dynamic=True)
    np.testing.assert_allclose(compiled(torch.tensor(ROWS)), softmax_focal_posterior(ROWS))


@pytest.mark.parametrize("posterior", [sigmoid_focal_posterior, softmax_focal_posterior])
def test_the_order_of_bytes_changes_no_bit(posterior):
    x = np.random.default_rng(0).normal(size=(4, 3))
    np.testing.assert_array_equal(posterior(x.astype(">f8")), posterior(x))


def test_a_gamma_that_learns_gets_its_gradient(torch):
    x = torch.tensor([-2.0, 0.5], dtype=torch.float64)
    gamma = torch.tensor(1.7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda g: sigmoid_focal_posterior(x, gamma=g), gamma)
    assert torch.autograd.gradcheck(lambda g: sigmoid_focal_logit(torch.sigmoid(x), gamma=g), gamma)


class TestBadInput:
    @pytest.mark.parametrize("alpha", [0.0, 1.0, [0.5, 0.0]])
    def test_a_class_without_a_loss_has_no_posterior(self, alpha):
        with fails(ValueError, r"alpha must be in \(0, 1\)", "found"):
            sigmoid_focal_posterior([0.0, 1.0], alpha=alpha)
        with fails(ValueError, "pos_weight must be above 0", "found 0.0"):
            sigmoid_focal_logit(0.5, pos_weight=0.0)
        with fails(ValueError, "alpha must be above 0", "found 0.0"):
            softmax_focal_posterior([0.0, 1.0], alpha=[1.0, 0.0])

    def test_what_is_no_probability_is_named(self):
        with fails(ValueError, r"probability must lie in \[0, 1\]", r"found 1.5 at index \(1,\)"):
            sigmoid_focal_logit([0.5, 1.5])
        with fails(ValueError, "probabilities must sum to 1", "found 0.7", "by their sum"):
            softmax_focal_logits([0.5, 0.2])

    def test_what_can_t_be_looked_at_becomes_nan(self, jax):
        with JAX.running():
            found = jax.jit(sigmoid_focal_logit)(JAX.array(np.asarray([0.5, 1.5, -0.1])))
        np.testing.assert_array_equal(np.isnan(found), [False, True, True])

    def test_labels_are_no_logits(self):
        with fails(TypeError, "logits must be real floating", "found int64"):
            sigmoid_focal_posterior(np.asarray([1, 2]))
        with fails(ValueError, "logits must have a class axis"):
            softmax_focal_posterior(1.0)
        with fails(ValueError, "alpha", "one entry for each of the 2 classes"):
            softmax_focal_posterior([0.0, 1.0], alpha=[1.0, 1.0, 1.0])
