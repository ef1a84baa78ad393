"""exp, log and log1p from IEEE operations alone: the same bits on every machine.

Nothing but + - * /, comparisons, choices and integer operations on the bits of a number: no
table, no branch, so a compiler may use as many lanes as it has. A multiply-add is fused only
where the product is exact, and it makes no difference. The operations come as `ops`, which has
`select(condition, a, b)`, `bits(x)` (a float as an integer of its width), `from_bits(i)`,
`wide(x)` (float32 to float64), `narrow(x)` (back), and `plus_exact(c, a, b)`, which is c + a b
where a b is exact.

exp
    x = k log 2 + r with |r| <= (log 2) / 2, and e^r = 1 + r + r^2 q(r). What the sum rounds
    off is added with the small terms. 2^k comes as two factors: a subnormal is rounded once.
log, log1p
    x, or 1 + x, is 2^k (1 + f) with 3/4 <= 1 + f < 3/2. f has no rounding error, not even in
    log1p on [-1/2, 1], and log(1 + f) = f + t: in float32 t is f^2 p(f), and in float64, where
    s = f / (2 + f), it's s (f^2 / 2 + s^2 p(s^2)) - f^2 / 2. To t is added what the sum
    k log 2 + f rounds off.
All polynomials are minimax, with coefficients rounded one after the other.

The worst errors in ulps, of all numbers in float32 and of samples in float64 and for pow:

            exp   where subnormal   log    log1p   pow
    float32 0.70  0.78              0.992  0.992   0.54
    float64 0.65  0.76              0.93   0.94    0.76
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

Value = Any  # an array of floats, or a symbol of one
Bits = Any  # one of integers
Ops = Any

INF = float("inf")
NAN = float("nan")


def exactly(numbers: str) -> tuple[float, ...]:
    """Return numbers that are written in hexadecimal."""
    return tuple(map(float.fromhex, numbers.split()))


class Format(NamedTuple):
    """A floating-point format, and what the functions need in it."""

    digits: int  # of a significand after the point, in binary: where the exponent begins
    bias: int  # of the exponent
    least: float  # e to anything less is 0
    most: float  # e to anything more is infinite
    log2_e: float
    ln2_hi: float  # log 2 in so few digits that its product with an exponent is exact
    ln2_lo: float  # the rest of log 2
    exp: tuple[float, ...]  # q of the module's head, from the constant on
    log: tuple[float, ...]  # p of the module's head

    @property
    def one(self) -> int:
        """Return the bits of 1."""
        return self.bias << self.digits

    @property
    def three_quarters(self) -> int:
        """Return the bits of 3/4."""
        return self.one - (1 << (self.digits - 1))

    @property
    def whole(self) -> float:
        """Return a number so large that what is added to it is rounded to an integer."""
        return 1.5 * 2.0**self.digits

    @property
    def whole_bits(self) -> int:
        """Return the bits of that number: those of its sum with n are n more."""
        return self.one + (self.digits << self.digits) + (1 << (self.digits - 1))


FORMATS = {
    "float32": Format(
        digits=23,
        bias=127,
        least=-104.0,
        most=89.0,
        log2_e=float.fromhex("0x1.715476p+0"),
        ln2_hi=float.fromhex("0x1.62e4p-1"),
        ln2_lo=float.fromhex("0x1.7f7d1cp-20"),
        exp=exactly("0x1.fffffcp-2 0x1.555492p-3 0x1.5558acp-5 0x1.123974p-7 0x1.6a5050p-10"),
        log=exactly(
            "-0x1.000000p-1 0x1.5555a4p-2 -0x1.00004ap-2 0x1.99699ep-3 -0x1.54ed94p-3"
            " 0x1.288074p-3 -0x1.0d990cp-3 0x1.acf59ep-4 -0x1.71e504p-5"
        ),
    ),
    "float64": Format(
        digits=52,
        bias=1023,
        least=-746.0,
        most=710.0,
        log2_e=float.fromhex("0x1.71547652b82fep+0"),
        ln2_hi=float.fromhex("0x1.62e42fefa38p-1"),
        ln2_lo=float.fromhex("0x1.ef35793c7673p-45"),
        exp=exactly(
            "0x1.000000000000ap-1 0x1.555555555550cp-3 0x1.55555555507a3p-5 0x1.11111111247f9p-7"
            " 0x1.6c16c18438c48p-10 0x1.a01a0137aa09fp-13 0x1.a0199a0b30e00p-16"
            " 0x1.71df0dc4ee949p-19 0x1.28ad62d69a8efp-22 0x1.ad9de130f3fa6p-26"
        ),
        log=exactly(
            "0x1.555555555554fp-1 0x1.999999999c17cp-2 0x1.24924921e4113p-2 0x1.c71c748fffb65p-3"
            " 0x1.745c4aca08186p-3 0x1.3b35c36025f5bp-3 0x1.0dcb64aa814cfp-3 0x1.1b83054c0d50fp-3"
        ),
    ),
}


def exp(ops: Ops, x: Value) -> Value:
    """Return e^x, within 0.7 ulp, and 0.8 where that is subnormal."""
    return exp_of_sum(ops, x)


def log(ops: Ops, x: Value) -> Value:
    """Return log x, within 1 ulp."""
    form = form_of(x)
    bits = bits_of_any(ops, form, x)
    k = exponent_of(form, bits, form.three_quarters)
    f = ops.from_bits(bits - (k << form.digits)) - 1.0
    y = _sum(ops, form, number_of(ops, form, k), f, _rest_of_log(form, f))
    return at_the_ends(ops, x, or_nan(ops, x, y))


def log1p(ops: Ops, x: Value) -> Value:
    """Return log(1 + x), within 1 ulp."""
    form = form_of(x)
    u = 1.0 + x
    k = exponent_of(form, ops.bits(u), form.three_quarters)
    scale = ops.from_bits((form.one + (2 << form.digits)) - (k << form.digits))
    f = 0.25 * ops.plus_exact(scale - 4.0, x, scale)  # 4 / 2^k is normal where 1 / 2^k may not be
    return at_the_ends(ops, u, _sum(ops, form, number_of(ops, form, k), f, _rest_of_log(form, f)))


def form_of(x: Value) -> Format:
    return FORMATS[str(x.dtype)]


def polynomial(x: Value, coefficients: Sequence[float]) -> Value:
    """Return a polynomial, the constant coefficient first."""
    constant, *rest = coefficients
    return constant + x * _by_pairs(x, x * x, rest)


def _by_pairs(x: Value, square: Value, coefficients: Sequence[float]) -> Value:
    """Return a polynomial two terms at a time: half as many steps wait for each other."""
    if len(coefficients) == 1:
        return coefficients[0]
    constant, slope, *rest = coefficients
    pair = constant + x * slope
    return pair + square * _by_pairs(x, square, rest) if rest else pair


def exp_of_sum(ops: Ops, x: Value, x_lo: Value | None = None) -> Value:
    """Return e^(x + x_lo), where x_lo is as small as a rounding error of x."""
    near, rest, _, factors = _parts_of_exp(ops, x, x_lo)
    return (near + rest) * factors[0] * factors[1]


def exp_and_lost(ops: Ops, x: Value) -> tuple[Value, Value]:
    """Return e^x, and the part of it that its last rounding lost."""
    near, rest, r, factors = _parts_of_exp(ops, x, None)
    sum_ = near + rest
    # the reciprocal of the sum, e^-r, is within a sixteenth of 1 - r
    return sum_ * factors[0] * factors[1], ((near - sum_) + rest) * (1.0 - r)


def _parts_of_exp(
    ops: Ops, x: Value, x_lo: Value | None
) -> tuple[Value, Value, Value, list[Value]]:
    """Return two numbers whose sum is e^r, r, and the two factors that make 2^k."""
    form = form_of(x)
    x = ops.select(x < form.least, form.least, x)
    x = ops.select(x > form.most, form.most, x)
    # the integer that the sum ends with is k plus twice the bias, one for each factor of 2^k
    shifted = x * form.log2_e + (form.whole + 2.0 * form.bias)
    k = shifted - (form.whole + 2.0 * form.bias)
    r_hi = ops.plus_exact(x, k, -form.ln2_hi)
    r_lo = k * form.ln2_lo if x_lo is None else k * form.ln2_lo - x_lo  # to be subtracted
    r = r_hi - r_lo
    near = 1.0 + r_hi
    rest = ((r_hi - (near - 1.0)) - r_lo) + r * r * polynomial(r, form.exp)
    exponents = ops.bits(shifted)
    half = exponents >> 1
    factors = [ops.from_bits(i << form.digits) for i in (half, exponents - half)]
    return near, rest, r, factors


def bits_of_any(ops: Ops, form: Format, x: Value) -> Bits:
    """Return the bits of x > 0, as if exponents went on below those of the normal numbers."""
    lift = form.digits + 1
    normal = x * 2.0**lift
    lowered = ops.bits(normal) - (lift << form.digits)
    return ops.select(x < 2.0 ** (1 - form.bias), lowered, ops.bits(x))


def exponent_of(form: Format, bits: Bits, least: int) -> Bits:
    """Return k where the number of these bits is 2^k m and `least` the bits of the least m."""
    return (bits - least) >> form.digits


def number_of(ops: Ops, form: Format, k: Bits) -> Value:
    """Return a small integer as a float."""
    return ops.from_bits(k + form.whole_bits) - form.whole


def _rest_of_log(form: Format, f: Value) -> Value:
    """Return log(1 + f) - f."""
    if f.dtype == "float32":
        return f * f * polynomial(f, form.log)
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f  # more exact than s (z p - f), of which s has a rounding error
    return s * (half + z * polynomial(z, form.log)) - half


def _sum(ops: Ops, form: Format, k: Value, f: Value, rest: Value) -> Value:
    """Return k log 2 + f + rest, where |f| is at most 1/2 and the rest less."""
    near = ops.plus_exact(f, k, form.ln2_hi)
    lost = f - ops.plus_exact(near, k, -form.ln2_hi)
    return near + ((lost + k * form.ln2_lo) + rest)


def at_the_ends(ops: Ops, x: Value, y: Value) -> Value:
    """Return y = log x as it has to be where x is no positive number; of a NaN it is one already.

    Where it is known that x is positive, or finite, the comparisons are known to be false.
    """
    y = ops.select(x < 0.0, NAN, y)
    y = ops.select(x == 0.0, -INF, y)
    return ops.select(x == INF, INF, y)


def or_nan(ops: Ops, x: Value, y: Value) -> Value:
    """Return y, and NaN where x is."""
    return ops.select(x == x, y, x)
