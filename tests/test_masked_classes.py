"""Classes that are ruled out by large or infinite logits: exact, and never NaN, on every route."""

import functools

import numpy as np
import pytest

from conformance import exact
from conformance.places import JAX
from focalcore import (
    softmax_focal_loss,
    softmax_focal_loss_grad_and_hess,
    softmax_focal_loss_value_and_grad,
)

INF = np.inf
LEAST = float(np.finfo("float32").min)

SOFT = [0.7, 0.2, 0.1]
FINITE = {  # float32 logits, a target, options
    "ruled out by -1e9": ([30, -1e9, 0], SOFT, {}),
    "ruled out, smoothed": ([30, -1e9, 0], 0, {"label_smoothing": 0.1}),
    "less confident": ([12, -1e9, 0], SOFT, {}),
    "by the least number": ([0, 0, LEAST], 0, {"label_smoothing": 0.1}),
    "by -1e4, as half precision has it": ([2, -1e4, 1], SOFT, {}),
    "beside shares that are equal": ([1, -1e9, 0.5], [0.45, 0.1, 0.45], {}),
    "beside equal shares of many": ([0.1, 0.3, 0.2, -1e9], [0.3, 0.3, 0.3, 0.1], {}),
    "the target itself": ([1, -1e9, 0], 1, {}),
    "two of them": ([5, -1e9, -1e9, 0], [0.4, 0.3, 0.2, 0.1], {"gamma": 0.5}),
    "each class its own factor": ([30, -1e9, 0], SOFT, {"soft_targets": "mixture"}),
    "smoothed in the entropy alone": (
        [30, -1e9, 0],
        0,
        {"label_smoothing": 0.1, "soft_targets": "hard"},
    ),
    "a gamma for each class": ([3, -1e9, 0], SOFT, {"gamma": [0.5, 1.0, 2.0]}),
    "a gamma of 1": ([30, -1e9, 0], SOFT, {"gamma": 1.0}),
}


@functools.cache
def of_case(case):
    return exactly(*FINITE[case])


def exactly(row, target, options, digits=400):
    """The value and the gradient, of the float32 numbers that are given."""
    row = np.asarray(row, "float32")
    if np.ndim(target):
        target = np.asarray(target, "float32")
    slopes = [slope for slope, _ in exact.derivatives_of_row(row, target, digits, **options)]
    return float(exact.softmax_focal(row, target, **options)), np.asarray(slopes, float)


def ways(place, options):
    """Every way to a gradient of a row at a place, by name."""

    def value_and_grad(x, y):
        return softmax_focal_loss_value_and_grad(x, y, **options)[1]

    def loss(x, y):
        return softmax_focal_loss(x, y, **options)

    yield value_and_grad
    if place.differentiates:  # of JAX the compiler's, which fuses what it finds
        yield place.gradient("compiled" if place.name == "jax" else "eager", loss)


@pytest.mark.slow
@pytest.mark.parametrize("case", FINITE)
def test_gradient_is_exact_beside_a_class_that_is_ruled_out(place, case):
    row, target, options = FINITE[case]
    _, expected = of_case(case)
    x = place.array(np.asarray([row]), "float32")
    y = place.array(np.asarray([target]), "float32" if np.ndim(target) else None)
    for way in ways(place, options):
        (grad,) = place.numpy(way(x, y))
        np.testing.assert_allclose(grad, expected, rtol=2e-6, atol=3e-8)  # an ulp of a share


@pytest.mark.parametrize("case", FINITE)
def test_value_is_exact_beside_a_class_that_is_ruled_out(place, case):
    row, target, options = FINITE[case]
    x = place.array(np.asarray([row]), "float32")
    y = place.array(np.asarray([target]), "float32" if np.ndim(target) else None)
    value = float(place.numpy(softmax_focal_loss(x, y, **options))[0])
    assert value == pytest.approx(of_case(case)[0], rel=2e-6)


def test_shares_of_a_thousand_classes_keep_the_digits_of_their_gradient(place, rng):
    """No class stands out, so differences to the largest one would lose digits."""
    row, target = rng.normal(size=1000).astype("float32"), np.zeros(1000, "float32")
    target[[3, int(np.argmax(row))]] = 0.5
    _, expected = exactly(row[:2], [0.5, 0.5], {})  # the helper itself is right: a sigmoid at 0.5
    p = np.exp(row[:2].astype(float))
    assert expected.sum() == pytest.approx(0, abs=1e-12)
    assert np.sign(expected[0]) == np.sign(p[0] - p[1])

    x64 = row.astype("float64")
    p = np.exp(x64 - x64.max()) / np.exp(x64 - x64.max()).sum()
    y64 = target.astype("float64")
    p_t, ce = p @ y64, -(y64 @ np.log(p))
    u = 1 - p_t
    expected = u**2 * (2 * p * (p_t - y64) / u * ce + p - y64)
    x, y = place.array(row[None], "float32"), place.array(target[None], "float32")
    _, grad = softmax_focal_loss_value_and_grad(x, y)
    np.testing.assert_allclose(place.numpy(grad)[0], expected, rtol=2e-5)


@pytest.mark.parametrize("case", FINITE)
def test_forward_mode_of_torch_is_exact_there_too(torch, case):
    row, target, options = FINITE[case]
    _, expected = of_case(case)
    y = torch.asarray(np.asarray([target], "float32" if np.ndim(target) else None))

    def loss(x):
        return softmax_focal_loss(x[None], y, **options)[0]

    x = torch.asarray(np.asarray(row, "float32"))
    found = torch.func.jacfwd(loss)(x)
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=3e-7)


def limits(row, far=1e5):
    """A row whose infinities are far away, all of them as far."""
    return np.clip(np.asarray(row, "float64"), -far, far)


INFINITE = {
    "two at +inf": [INF, INF, 0],
    "two at +inf, one at -inf": [INF, INF, -INF],
    "all at +inf": [INF, INF, INF],
    "all at -inf": [-INF, -INF, -INF],
    "all but one at -inf": [-INF, 2, -INF],
    "one of each": [INF, -INF, 0],
    "one at +inf, two at -inf": [-INF, INF, -INF],
    "one at -inf": [0, 1, -INF],
}
FORMS = {
    "label": ("label", {}),
    "one-hot": ("one-hot", {}),
    "mixture": ("one-hot", {"soft_targets": "mixture"}),
    "smoothed label": ("label", {"label_smoothing": 0.1}),
    "smoothed one-hot": ("one-hot", {"label_smoothing": 0.1}),
    "smoothed mixture": ("label", {"label_smoothing": 0.1, "soft_targets": "mixture"}),
    "smoothed hard": ("label", {"label_smoothing": 0.1, "soft_targets": "hard"}),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("row", INFINITE)
def test_infinite_logits_are_as_far_as_each_other_in_every_form(place, row, form):
    """Infinities of one sign are equal; a value grows without bound with them, or arrives."""
    kind, options = FORMS[form]
    targets = np.eye(3) if kind == "one-hot" else np.arange(3)
    rows = np.tile(INFINITE[row], (3, 1))
    x, y = place.array(rows), place.array(targets)
    with place.running():
        value, grad = softmax_focal_loss_value_and_grad(x, y, **options)
    near, near_grad = softmax_focal_loss_value_and_grad(limits(rows), targets, **options)
    far, _ = softmax_focal_loss_value_and_grad(limits(rows, 2e5), targets, **options)
    grows = far > 1.5 * np.maximum(near, 1)
    np.testing.assert_array_equal(np.isposinf(place.numpy(value)), grows)
    np.testing.assert_allclose(place.numpy(value)[~grows], near[~grows], rtol=1e-12, atol=1e-300)
    found, is_far = place.numpy(grad), np.abs(near_grad) > 100
    np.testing.assert_array_equal(np.isinf(found), is_far)
    np.testing.assert_array_equal(np.sign(found[is_far]), np.sign(near_grad[is_far]))
    np.testing.assert_allclose(found[~is_far], near_grad[~is_far], rtol=1e-12, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_nan_at_infinite_logits(place, form):
    kind, options = FORMS[form]
    rows = np.asarray(list(INFINITE.values())).repeat(3, axis=0)
    labels = np.tile(np.arange(3), len(INFINITE))
    targets = np.eye(3)[labels] if kind == "one-hot" else labels
    x, y = place.array(rows), place.array(targets)
    for gamma in (0.0, 0.5):  # a power of 0, and a root
        with place.running():
            grad, hess = softmax_focal_loss_grad_and_hess(x, y, gamma=gamma, **options)
        assert not np.isnan(place.numpy(grad)).any()
        assert not np.isnan(place.numpy(hess)).any()


@pytest.mark.parametrize("logit", [INF, -INF, 0.0])
def test_a_class_without_others_is_always_right(place, logit):
    x, y = place.array(np.asarray([[logit]])), place.array(np.asarray([0]))
    with place.running():
        value, grad = softmax_focal_loss_value_and_grad(x, y)
    assert place.numpy(value) == 0
    assert place.numpy(grad) == 0


def test_the_least_number_of_a_type_is_no_infinity(place):
    """Nothing is added to the sum over the others for a class that is as low as a number can be."""
    row = np.asarray([[0.0, LEAST, LEAST]])
    value, grad = softmax_focal_loss_value_and_grad(
        place.array(row, "float32"), place.array(np.asarray([1]))
    )
    assert float(place.numpy(value)[0]) == pytest.approx(-LEAST, rel=1e-6)
    np.testing.assert_array_equal(place.numpy(grad), [[1.0, -1.0, 0.0]])


@pytest.mark.usefixtures("jax")
def test_second_derivatives_are_finite_where_classes_are_ruled_out(torch):
    x, y = np.asarray([[3.0, -1e9, 0.0, -INF]]), np.asarray([[0.5, 0.0, 0.5, 0.0]])
    jax_hessian = JAX.gradient("eager", JAX.gradient("eager", softmax_focal_loss))
    assert np.isfinite(JAX.numpy(jax_hessian(JAX.array(x), JAX.array(y)))).all()
    hessian = torch.autograd.functional.hessian(
        lambda x: softmax_focal_loss(x, torch.asarray(y)).sum(), torch.asarray(x)
    )
    assert torch.isfinite(hessian).all()
