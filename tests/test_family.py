"""The losses beside the focal loss: what they have in common with it, and what each is alone."""

import pickle

import numpy as np
import pytest

import focalcore
from conformance.places import JAX
from focalcore import asymmetric_loss, sigmoid_focal_loss, use_compiler

from .helpers import close
from .table import FAMILY

GAMMAS = pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 3.7])
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

        with pytest.raises(TypeError, match="unexpected keyword argument 'gama'"):
            getattr(focalcore.torch, row.module)(gama=2.0)

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
    def test_its_derivatives_take_arrays_by_name(self, row):
        first, second = ("logits", row.labels)
        found = row.value_and_grad(**{second: row.targets, first: row.scores})
        for mine, expected in zip(found, row.value_and_grad(row.scores, row.targets), strict=True):
            np.testing.assert_array_equal(mine, expected)
        with pytest.raises(TypeError, match=f"missing a required argument: '{second}'"):
            row.value_and_grad(row.scores)

    @EVERY
    def test_a_float16_is_never_infinite_where_its_logit_is_not(self, row):
        x = np.where(row.scores > 0, 60000.0, -60000.0).astype("float16")
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

    @pytest.mark.parametrize("by_kernel", [True, False], ids=["kernel", "functions"])
    def test_it_has_its_limits_at_infinite_logits(self, by_kernel):
        with use_compiler(by_kernel):
            value, slope = focalcore.asymmetric_loss_value_and_grad(
                np.asarray([[np.inf, -np.inf]] * 2), HARD
            )
        close(value, [[0, np.inf], [-(0.95**4) * np.log(0.05), 0]])
        np.testing.assert_array_equal(slope, [[0, -1], [0, 0]])
