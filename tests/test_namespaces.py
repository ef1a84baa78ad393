"""What a namespace promises to formulas, whichever library it is of."""

import mpmath as mp
import numpy as np
import pytest

from focalcore._backends import backend_of


def namespaces(place):
    """Every namespace in which formulas run here, by name."""
    yield "the library's", backend_of(place.array([0.5])).formula_xp
    if place.module == "torch":
        from focalcore._backends import torch

        yield "eager", torch.EAGER
    if place.module == "tensorflow":
        from focalcore._backends import tensorflow

        yield "of closed forms", tensorflow.CLOSED_FORMS


def each(place, claim):
    for name, xp in namespaces(place):
        with place.running():
            try:
                claim(xp)
            except AssertionError as error:
                raise AssertionError(f"in the namespace {name} of {place.id}") from error


def test_a_floor_is_the_larger_of_the_two(place):
    x = np.asarray([0.0, 1e-9, 0.3, 1.0])

    def claim(xp):
        found = place.numpy(xp.straight_through_floor(place.array(x), 1e-3))
        np.testing.assert_allclose(found, np.maximum(x, 1e-3), rtol=1e-15)

    each(place, claim)


def test_another_form_is_seen_by_automatic_differentiation_alone(place):
    x = np.asarray([1.0, 2.0])

    def claim(xp):
        array = place.array(x)
        found = place.numpy(xp.with_slope_of(array, lambda: array * 7))
        np.testing.assert_allclose(found, x, rtol=1e-15)

    each(place, claim)


def test_a_shifted_exponential_is_one_for_equal_infinities(place):
    x = np.asarray([[-np.inf, 0.0, 2.5], [np.inf, 1.0, np.inf], [-np.inf] * 3], "float64")
    expected = [[0.0, mp.exp(-2.5), 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0]]

    def claim(xp):
        shift = place.array(x.max(axis=1, keepdims=True))
        found = place.numpy(xp.shifted_exp(place.array(x), shift))
        np.testing.assert_allclose(found, np.asarray(expected, float), rtol=1e-15)

    each(place, claim)


def test_a_total_of_many_small_numbers_loses_none(place):
    x = np.full(2**20 + 1, 0.1, "float32")

    def claim(xp):
        found = float(place.numpy(xp.total(place.array(x))))
        assert found == pytest.approx(x.sum(dtype="float64"), rel=1e-6)

    each(place, claim)


def test_a_total_of_integers_counts_past_those_of_float32(place):
    x = np.full(3, 2**23 + 1, "int32")
    each(place, lambda xp: np.testing.assert_equal(int(xp.total(place.array(x))), x.sum()))
