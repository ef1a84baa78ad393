"""What holds of every loss of the table, on every library."""

import contextlib
import re

import numpy as np
import pytest

from conformance.places import JAX, TORCH

from .table import LOSSES, WITH_DERIVATIVES

EVERY = pytest.mark.parametrize("row", LOSSES, ids=lambda row: row.id)
WITH_GRAD = pytest.mark.parametrize("row", WITH_DERIVATIVES, ids=lambda row: row.id)
STEP = 1e-5  # of a central difference, good to its square


def given(row, place, dtype="float64"):
    return place.array(row.scores, dtype), place.array(row.targets)


def differentiated(f, x):
    """The derivative of a sum over its elements, each moved in turn."""
    slope = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = STEP
        slope[place] = np.sum(f(x + step) - f(x - step)) / (2 * STEP)
    return slope


def on(place, f, *arrays, **options):
    with place.running():
        return f(*arrays, **options)


@EVERY
def test_the_value_has_the_shape_of_the_elements_and_the_dtype_of_the_scores(row, place):
    x, y = given(row, place, "float32")
    value = on(place, row.loss, x, y)
    assert tuple(value.shape) == row.shape
    assert value.dtype == x.dtype


@EVERY
def test_every_library_gives_the_numbers_of_numpy(row, place):
    found = place.numpy(on(place, row.loss, *given(row, place)))
    np.testing.assert_allclose(found, row.loss(row.scores, row.targets), rtol=1e-13, atol=1e-15)


@EVERY
def test_the_loss_is_never_negative(row):
    assert np.all(row.loss(row.scores, row.targets) >= 0)


@EVERY
def test_lists_are_taken_and_become_numpy(row):
    value = row.loss(row.scores.tolist(), row.targets.tolist())
    np.testing.assert_array_equal(value, row.loss(row.scores, row.targets))


@EVERY
def test_nothing_gives_nothing(row, place):
    x, y = (place.array(a[:0]) for a in (row.scores, row.targets))
    assert tuple(on(place, row.loss, x, y).shape) == (0, *row.shape[1:])


@EVERY
def test_more_axes_are_more_of_the_same(row, place):
    x, y = (place.array(a.reshape(2, 2, *a.shape[1:])) for a in (row.scores, row.targets))
    found = place.numpy(on(place, row.loss, x, y))
    whole = row.loss(row.scores, row.targets)
    np.testing.assert_allclose(found.reshape(whole.shape), whole, rtol=1e-13, atol=1e-15)


@EVERY
def test_a_bad_target_is_an_error_with_its_value_and_place_or_nan(row, place):
    bad, at = row.targets.copy(), (1, 0)[: row.targets.ndim]
    bad[at] = row.bad
    x, y = place.array(row.scores), place.array(bad)
    expected = contextlib.nullcontext()
    if place.can_raise:
        where = re.escape(f"found {bad[at]} at index {at}")
        expected = pytest.raises(ValueError, match=where)
    with expected:
        found = place.numpy(on(place, row.loss, x, y))
        element = at[: len(row.shape)]
        assert np.all(np.isnan(found[element]))
        assert np.isnan(found).sum() == np.size(found[element])


@EVERY
def test_half_precision_is_computed_in_float32_and_rounded_once(row):
    x = row.scores.astype("float16")
    wide = row.loss(x.astype("float32"), row.targets, **same_eps(row))
    np.testing.assert_array_equal(row.loss(x, row.targets, **same_eps(row)), wide.astype("float16"))


def same_eps(row):
    """What logarithms are kept at is that of the type, where it is not given."""
    return {"eps": 1e-3} if "eps" in row.options.names else {}


@WITH_GRAD
def test_the_gradient_is_that_of_the_value(row, place):
    value, grad = (place.numpy(a) for a in on(place, row.value_and_grad, *given(row, place)))
    loss = row.loss(row.scores, row.targets)
    np.testing.assert_allclose(value, loss, rtol=1e-13, atol=1e-15)
    expected = differentiated(lambda x: row.loss(x, row.targets), row.scores)
    np.testing.assert_allclose(grad, expected, rtol=1e-7, atol=1e-8)


@WITH_GRAD
def test_the_hessian_is_the_diagonal_of_that_of_the_value(row, place):
    grad, hess = (place.numpy(a) for a in on(place, row.grad_and_hess, *given(row, place)))
    expected = np.zeros_like(row.scores)
    for at in np.ndindex(expected.shape):
        step = np.zeros_like(row.scores)
        step[at] = STEP
        ahead, behind = (
            row.value_and_grad(row.scores + s, row.targets)[1][at] for s in (step, -step)
        )
        expected[at] = (ahead - behind) / (2 * STEP)
    np.testing.assert_allclose(hess, expected, rtol=1e-6, atol=1e-7)
    slope = row.value_and_grad(row.scores, row.targets)[1]
    np.testing.assert_allclose(grad, slope, rtol=1e-13, atol=1e-15)


@WITH_GRAD
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("library", [TORCH, JAX], ids=lambda place: place.id)
def test_a_library_that_differentiates_finds_the_same_gradient(row, library, reduction):
    library.require()
    x, y = given(row, library)
    f = library.gradient("eager", lambda x, y: row.loss(x, y, reduction=reduction))
    _, grad = row.value_and_grad(row.scores, row.targets, reduction=reduction)
    np.testing.assert_allclose(library.numpy(f(x, y)), grad, rtol=1e-12, atol=1e-15)


@WITH_GRAD
def test_sum_and_mean_are_those_of_the_elements(row, place):
    x, y = given(row, place)
    whole = row.loss(row.scores, row.targets)
    for reduction, expected in (("sum", whole.sum()), ("mean", whole.mean())):
        found = place.numpy(on(place, row.loss, x, y, reduction=reduction))
        np.testing.assert_allclose(found, expected, rtol=1e-13)


@WITH_GRAD
def test_what_is_masked_has_no_loss_and_no_gradient_whatever_it_is(row, place):
    x = row.scores.copy()
    x[0] = np.nan
    mask = np.ones(row.shape, bool)
    mask[0] = False
    arrays = place.array(x), place.array(row.targets)
    value, grad = (
        place.numpy(a) for a in on(place, row.value_and_grad, *arrays, mask=place.array(mask))
    )
    whole, slope = row.value_and_grad(row.scores, row.targets)
    assert not np.any(value[0])
    assert not np.any(grad[0])
    np.testing.assert_allclose(value[1:], whole[1:], rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(grad[1:], slope[1:], rtol=1e-13, atol=1e-15)


@WITH_GRAD
def test_a_masked_mean_is_that_of_what_is_left(row, place):
    mask = np.arange(np.prod(row.shape)).reshape(row.shape) % 2 == 0
    x, y = given(row, place)
    found = on(place, row.loss, x, y, mask=place.array(mask), reduction="mean")
    expected = row.loss(row.scores, row.targets)[mask].mean()
    np.testing.assert_allclose(place.numpy(found), expected, rtol=1e-13)


@WITH_GRAD
def test_a_weight_multiplies_loss_and_gradient(row, place):
    weight = np.linspace(0, 2, int(np.prod(row.shape))).reshape(row.shape)
    x, y = given(row, place)
    value, grad = on(place, row.value_and_grad, x, y, weight=place.array(weight))
    whole, slope = row.value_and_grad(row.scores, row.targets)
    beside = weight[:, None] if row.of_rows else weight
    np.testing.assert_allclose(place.numpy(value), weight * whole, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(place.numpy(grad), beside * slope, rtol=1e-13, atol=1e-15)
