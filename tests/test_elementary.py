"""exp, log, log1p and pow of the kernels, on arrays: the symbols they are made for print code."""

import mpmath
import numpy as np
import pytest

from focalcore._kernels import elementary, powers

DTYPES = "float32", "float64"
TINY = {"float32": 2.0**-149, "float64": 2.0**-1074}
DIGITS = {"float32": 24, "float64": 53}


class Arrays:
    """The operations of a kernel, on arrays of NumPy."""

    def select(self, condition, a, b):
        return np.where(condition, a, b)

    def bits(self, x):
        return x.view(f"int{8 * x.itemsize}")

    def from_bits(self, i):
        return i.view(f"float{8 * i.itemsize}")

    def plus_exact(self, c, a, b):
        return c + a * b

    def wide(self, x):
        return x.astype("float64")

    def narrow(self, x):
        return x.astype("float32")


def call(name, *arrays):
    """A function of the module; its unused branches may overflow."""
    with np.errstate(all="ignore"):
        return getattr(powers if name == "pow" else elementary, name)(Arrays(), *arrays)


def exactly(name, *arrays):
    """That function to more digits than a float64 number has."""
    f = {"pow": mpmath.power}.get(name) or getattr(mpmath, name)
    with mpmath.workprec(200):
        return [f(*map(mpmath.mpf, row)) for row in zip(*(a.tolist() for a in arrays), strict=True)]


def ulps(found, expected):
    """How far numbers are from finite ones given exactly, in the spacing of floats there."""
    dtype = found.dtype.name
    with mpmath.workprec(200):
        spacings = [
            max(mpmath.ldexp(1, int(mpmath.frexp(e)[1]) - DIGITS[dtype]), TINY[dtype])
            for e in expected
        ]
        rows = zip(found.tolist(), expected, spacings, strict=True)
        return np.asarray([float(abs(mpmath.mpf(f) - e) / s) for f, e, s in rows])


def ulps_of_single(found, expected):
    """The same for many float32 numbers, where float64 is exact enough."""
    exponents = np.frexp(expected)[1]
    spacing = np.ldexp(1.0, np.maximum(exponents - DIGITS["float32"], -149))
    return np.abs(found - expected) / spacing


def patterns(dtype, step, low, high):
    """Numbers from one to another, as evenly spread as their bits."""
    low, high = (np.asarray(v, dtype).view(f"i{np.dtype(dtype).itemsize}") for v in (low, high))
    return np.arange(low, high, step, low.dtype).view(dtype)


SINGLES = {
    "exp": [patterns("float32", 997, 1e-9, 88.7), -patterns("float32", 997, 1e-9, 87.3)],
    "log": [patterns("float32", 4999, TINY["float32"], 3e38), patterns("float32", 97, 0.3, 3.0)],
    "log1p": [
        patterns("float32", 4999, TINY["float32"], 3e38),
        patterns("float32", 97, 0.2, 1.0),
        -patterns("float32", 997, TINY["float32"], 1 - 2**-24),
        -patterns("float32", 97, 0.2, 0.5),
    ],
}


@pytest.mark.parametrize(("name", "bound"), [("exp", 0.7), ("log", 1.0), ("log1p", 1.0)])
def test_a_float32_result_is_within_its_bound(name, bound):
    x = np.concatenate(SINGLES[name])
    assert ulps_of_single(call(name, x), getattr(np, name)(x.astype("float64"))).max() < bound


def near_one(rng, size):
    return 1 + rng.choice([-1, 1], size) * 10.0 ** rng.uniform(-16, -1, size)


def of_any_size(rng, size):
    return rng.integers(1, 0x7FF0000000000000, size).view("float64")


DOUBLES = {
    "exp": lambda rng, n: [rng.uniform(-708, 709.7, n), rng.uniform(-1, 1, n)],
    "log": lambda rng, n: [of_any_size(rng, n), near_one(rng, n), rng.uniform(0.3, 3, n)],
    "log1p": lambda rng, n: [of_any_size(rng, n), near_one(rng, n) - 1, rng.uniform(-0.5, 1, n)],
}


@pytest.mark.parametrize(("name", "bound"), [("exp", 0.7), ("log", 1.0), ("log1p", 1.0)])
def test_a_float64_result_is_within_its_bound(name, bound, rng):
    x = np.concatenate(DOUBLES[name](rng, 1000))
    assert ulps(call(name, x), exactly(name, x)).max() < bound


@pytest.mark.parametrize(
    ("dtype", "low", "high"), [("float32", 87.4, 103.9), ("float64", 709, 745)]
)
def test_a_subnormal_exponential_is_rounded_once(dtype, low, high, rng):
    """And the sum that is rounded had been rounded to all digits: hence more than a half."""
    x = rng.uniform(-high, -low, 1000).astype(dtype)
    assert ulps(call("exp", x), exactly("exp", x)).max() < 0.8


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_subnormal_number_has_its_logarithm(dtype):
    x = np.asarray([TINY[dtype], 3 * TINY[dtype], 12345 * TINY[dtype]], dtype)
    assert ulps(call("log", x), exactly("log", x)).max() < 0.6


@pytest.mark.parametrize("dtype", DTYPES)
def test_log1p_of_a_tiny_number_is_the_number(dtype):
    least = np.asarray([TINY[dtype], np.finfo(dtype).tiny, 1e-30], dtype)
    x = np.concatenate([least, -least])
    np.testing.assert_array_equal(call("log1p", x), x)


SPECIAL = {
    "exp": {0: 1, "-0": 1, "inf": "inf", "-inf": 0, "nan": "nan", 710: "inf", -746: 0, -1e30: 0},
    "log": {
        0: "-inf",
        "-0": "-inf",
        1: 0,
        -1e-40: "nan",
        "inf": "inf",
        "-inf": "nan",
        "nan": "nan",
    },
    "log1p": {0: 0, -1: "-inf", -1.5: "nan", "inf": "inf", "-inf": "nan", "nan": "nan"},
}
SPECIAL_ROWS = [(name, *row) for name in SPECIAL for row in SPECIAL[name].items()]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "x", "y"), SPECIAL_ROWS)
def test_a_special_value_is_exact(name, x, y, dtype):
    found = call(name, np.asarray([x]).astype(dtype))
    np.testing.assert_array_equal(found, np.asarray([y]).astype(dtype))


@pytest.mark.parametrize("bits", [0x7FC00000, 0x7FC001FF, 0x7F800001, 0x7FFFFFFF, -1])
@pytest.mark.parametrize("name", ["exp", "log", "log1p"])
def test_a_nan_of_any_bits_stays_one(name, bits):
    assert np.isnan(call(name, np.asarray([bits], "int32").view("float32"))).all()


@pytest.mark.parametrize(("dtype", "most"), [("float32", 88.72283), ("float64", 709.782712893384)])
def test_exp_is_finite_as_far_as_it_is(dtype, most):
    x = np.asarray([most], dtype)
    beyond = np.nextafter(x, np.asarray(np.inf, dtype))
    assert np.isfinite(call("exp", x))
    assert np.isinf(call("exp", beyond))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["log", "log1p"])
def test_the_greatest_number_has_its_logarithm(name, dtype):
    x = np.asarray([np.finfo(dtype).max], dtype)
    assert ulps(call(name, x), exactly(name, x)).max() < 0.6


def bases_and_exponents(rng, dtype, size, most):
    """Exponents of a class's probability, and those with a result of any size, near 0 too."""
    x = np.concatenate(
        [rng.uniform(0, 1, 3 * size), near_one(rng, size), rng.uniform(1, 50, size)]
    ).astype(dtype)
    y = rng.uniform(0, 5, 5 * size)
    y[size:] = rng.uniform(0, most, 4 * size) / np.maximum(np.abs(np.log(x[size:])), 1e-16)
    return x, y.astype(dtype)


@pytest.mark.parametrize(("dtype", "most", "bound"), [("float32", 88, 0.55), ("float64", 709, 0.8)])
def test_a_power_is_within_its_bound(dtype, most, bound, rng):
    x, y = bases_and_exponents(rng, dtype, 400, most)
    assert ulps(call("pow", x, y), exactly("pow", x, y)).max() < bound


@pytest.mark.parametrize(
    ("dtype", "least", "most"), [("float32", 87, 103.9), ("float64", 708, 745)]
)
def test_a_subnormal_power_is_within_an_ulp(dtype, least, most, rng):
    x = rng.uniform(0, 0.99, 1000).astype(dtype)
    y = (rng.uniform(least, most, 1000) / -np.log(x)).astype(dtype)
    assert ulps(call("pow", x, y), exactly("pow", x, y)).max() < 0.99


def test_a_float32_number_has_powers_by_float64_exponents(rng):
    x, y = rng.uniform(0, 1, 1000).astype("float32"), rng.uniform(0, 9, 1000)
    found = call("pow", x, y)
    assert found.dtype == "float32"
    assert ulps(found, exactly("pow", x, y)).max() < 0.55


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("y", [0.0, 1e-300, 0.5, 1.0, 2.0, 300.0, 1e30, "inf", "nan"])
@pytest.mark.parametrize("x", [0.0, 1e-30, 0.5, 1.0, 1.5, 1e30, "inf", "nan"])
def test_a_special_power_is_as_numpys(x, y, dtype):
    x, y = np.asarray([x], dtype), np.asarray([y], dtype)
    with np.errstate(all="ignore"):
        expected = np.power(x, y)
    np.testing.assert_allclose(call("pow", x, y), expected, rtol=np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("x", [0.0, 1e-40, 0.3, 1.0, "inf", "nan"])
def test_the_power_by_zero_is_1(x, dtype):
    x = np.asarray([x], dtype)
    np.testing.assert_array_equal(call("pow", x, np.zeros_like(x)), 1)


@pytest.mark.parametrize(
    ("name", "low", "high"), [("exp", -5.0, 5.0), ("log", 0.1, 10.0), ("log1p", -0.9, 10.0)]
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_function_does_not_fall_where_its_reduction_changes(name, low, high, dtype):
    x = np.linspace(low, high, 100_001).astype(dtype)
    assert (np.diff(call(name, x)) >= 0).all()
