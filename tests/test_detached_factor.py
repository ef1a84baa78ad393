"""The factor that derivatives take as a constant: theirs are those of the cross-entropy, times it.

For one modulating factor that is an identity: with gamma = 0 the loss is the cross-entropy, so what
the factor is, is the loss over that.
"""

import numpy as np
import pytest

import focalcore
from conformance.places import JAX, TORCH
from focalcore import binary_focal_loss, sigmoid_focal_loss, softmax_focal_loss

from .problems import problem
from .slices import slice_of

LOSSES = {
    "sigmoid, hard": ("sigmoid", "y", {}),
    "sigmoid, soft": ("sigmoid", "soft", {}),
    "sigmoid, balanced": ("sigmoid", "soft", {"alpha": 0.25, "pos_weight": 3.0}),
    "sigmoid, smoothed": ("sigmoid", "y", {"label_smoothing": 0.1, "soft_targets": "hard"}),
    "sigmoid, labels": ("sigmoid", "labels", {"class_axis": -1}),
    "softmax, labels": ("softmax", "labels", {"alpha": [0.1, 0.2, 0.3, 0.4, 0.5]}),
    "softmax, soft": ("softmax", "distributions", {}),
    "softmax, smoothed": ("softmax", "labels", {"label_smoothing": 0.1}),
}
EVERY = pytest.mark.parametrize("case", LOSSES.values(), ids=LOSSES)
GAMMAS = pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 3.7])
VALUES = problem()


def computed(case, suffix, place=None, **options):
    """A function of a case, as NumPy's arrays."""
    family, targets, own = case
    function = getattr(focalcore, f"{family}_focal_loss{suffix}")
    arrays = VALUES["x"], VALUES[targets]
    if place is None:
        return function(*arrays, **own, **options)
    found = function(*map(place.array, arrays), **own, **options)
    return [place.numpy(part) for part in found] if suffix else place.numpy(found)


def factor_of(case, gamma):
    factor = computed(case, "", gamma=gamma) / computed(case, "", gamma=0.0)
    return factor[:, None] if case[0] == "softmax" else factor


@EVERY
@GAMMAS
def test_the_value_is_the_same(place, case, gamma):
    detached = computed(case, "", place, gamma=gamma, detach_factor=True)
    np.testing.assert_array_equal(detached, computed(case, "", place, gamma=gamma))


@EVERY
@GAMMAS
def test_derivatives_are_the_factor_times_those_of_the_cross_entropy(place, case, gamma):
    found = computed(case, "_grad_and_hess", place, gamma=gamma, detach_factor=True)
    plain = computed(case, "_grad_and_hess", gamma=0.0)
    for detached, cross_entropy in zip(found, plain, strict=True):
        expected = factor_of(case, gamma) * cross_entropy
        np.testing.assert_allclose(detached, expected, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("family", ["sigmoid", "softmax"])
@GAMMAS
def test_each_factor_of_a_mixture_is_held(family, gamma):
    """Against the same mixture of cross-entropies, each weighed by its own factor."""
    options = {"soft_targets": "mixture", "gamma": gamma}
    if family == "sigmoid":
        x, y = VALUES["x"], VALUES["soft"]
        p = 1 / (1 + np.exp(-x))
        expected = -y * (1 - p) ** gamma * (1 - p) + (1 - y) * p**gamma * p
    else:
        x, y = VALUES["x"], VALUES["distributions"]
        p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
        weight = y * (1 - p) ** gamma
        expected = p * weight.sum(axis=1, keepdims=True) - weight
    function = getattr(focalcore, f"{family}_focal_loss_value_and_grad")
    _, grad = function(x, y, detach_factor=True, **options)
    np.testing.assert_allclose(grad, expected, rtol=1e-10, atol=1e-14)


COMPILED = ("sigmoid, balanced", "sigmoid, labels", "softmax, smoothed")
RUNS = [(name, mode) for name in LOSSES for mode in ("eager", "compiled")]


@pytest.mark.parametrize("library", [TORCH, JAX], ids=lambda place: place.id)
@pytest.mark.parametrize(
    ("name", "mode"),
    slice_of(RUNS, *((n, m) for n, m in RUNS if m == "eager" or n in COMPILED)),
)
@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_automatic_differentiation_gives_the_closed_form(name, library, mode, reduction):
    library.require()
    case = family, targets, own = LOSSES[name]
    options = {**own, "reduction": reduction, "detach_factor": True}
    loss = getattr(focalcore, f"{family}_focal_loss")
    f = library.gradient(mode, lambda x, y: loss(x, y, **options))
    with library.running():
        found = library.numpy(f(*map(library.array, (VALUES["x"], VALUES[targets]))))
    _, expected = computed(case, "_value_and_grad", reduction=reduction, detach_factor=True)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-15)


@EVERY
def test_torch_s_second_derivative_is_the_curvature(torch, case):
    family, targets, own = case
    x = torch.tensor(VALUES["x"], requires_grad=True)
    loss = getattr(focalcore, f"{family}_focal_loss")
    y = torch.tensor(VALUES[targets])

    def total(x):
        return loss(x, y, reduction="sum", detach_factor=True, **own)

    jacobian = torch.func.jacrev(torch.func.grad(total))(x.detach())
    diagonal = jacobian.reshape(x.numel(), -1).diagonal().reshape(x.shape)
    _, expected = computed(case, "_grad_and_hess", detach_factor=True)
    np.testing.assert_allclose(diagonal.numpy(), expected, rtol=1e-9, atol=1e-13)
    (grad,) = torch.autograd.grad(total(x), x, create_graph=True)
    (bent,) = torch.autograd.grad(grad[0, 0], x)
    np.testing.assert_allclose(bent[0, 0].item(), expected[0, 0], rtol=1e-9)


def test_probabilities_have_the_gradient_of_the_logarithm_times_the_factor(torch):
    p = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64, requires_grad=True)
    binary_focal_loss(torch.ones(3), p, gamma=2.0, detach_factor=True).sum().backward()
    np.testing.assert_allclose(p.grad, -((1 - p.detach()) ** 2) / p.detach())


def test_a_gamma_that_learns_has_no_gradient(torch):
    gamma = torch.tensor(2.0, requires_grad=True)
    x = torch.linspace(-3, 3, 5, requires_grad=True)
    sigmoid_focal_loss(x, 1, gamma=gamma, detach_factor=True, reduction="sum").backward()
    assert gamma.grad is None or not gamma.grad


def test_confident_rows_still_have_a_finite_gradient(place):
    x = place.array(np.asarray([[1000.0, 0.0], [-1000.0, 0.0], [np.inf, 0.0]]))
    labels = place.array(np.asarray([0, 0, 1]))
    with place.running():
        _, grad = focalcore.softmax_focal_loss_value_and_grad(
            x, labels, gamma=0.5, detach_factor=True
        )
    np.testing.assert_array_equal(place.numpy(grad), [[0, 0], [-1, 1], [1, -1]])


@pytest.mark.parametrize("value", [1, "yes", None], ids=str)
def test_it_is_true_or_false(value):
    with pytest.raises(TypeError, match="detach_factor must be True or False"):
        softmax_focal_loss([[0.0, 1.0]], [0], detach_factor=value)
