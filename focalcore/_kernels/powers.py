"""pow from IEEE operations alone, by the means of `elementary`.

x^y is e^(y log x), for x >= 0: in float64 where x is float32. Where it is float64, log x and its
product with y are sums of two numbers, the second as small as a rounding error of the first.
"""

from .elementary import (
    FORMATS,
    Format,
    Ops,
    Value,
    at_the_ends,
    bits_of_any,
    exactly,
    exp_of_sum,
    exponent_of,
    form_of,
    number_of,
    or_nan,
    polynomial,
)

# all in float64
ROOT_HALF = 0x3FE6A09E667F3BCD  # the bits of sqrt(1/2)
LOG2 = exactly(  # log2((1 + s) / (1 - s)) / s, of s^2, where its root is at most 0.172
    "0x1.71547652bedf3p+1 0x1.ec709d12cf29cp-1 0x1.27777fe8f7afbp-1 0x1.a58d888300de8p-2"
    " 0x1.5ce85a622fc37p-2"
)
EXP2 = exactly(  # 2^r, where |r| <= 1/2
    "0x1.00000002624b9p+0 0x1.62e430c825bb8p-1 0x1.ebfbdada9f9f9p-3 0x1.c6aed4620b65fp-5"
    " 0x1.3b2dbcb2bbbc8p-7 0x1.5f4597b3ac191p-10 0x1.41d2e1948ef96p-13"
)
ATANH = exactly(  # (atanh(s) / s - 1 - s^2 / 3) / s^4, of s^2 as that of LOG2
    "0x1.9999999999996p-3 0x1.2492492492f50p-3 0x1.c71c71c596bbdp-4 0x1.745d18293e547p-4"
    " 0x1.3b1364d00649cp-4 0x1.11206e2a3b1a7p-4 0x1.de3d98ebfaecap-5 0x1.eac47a12aa911p-5"
)
THIRD, THIRD_LO = exactly("0x1.5555555555555p-2 0x1.5555555555555p-56")


def pow(ops: Ops, x: Value, y: Value) -> Value:  # noqa: A001 - as in every namespace
    """Return x^y for x >= 0, within 1 ulp; y has the dtype of x or is float64."""
    power = (_pow_double if x.dtype == "float64" else _pow_single)(ops, x, y)
    return ops.select((y == 0.0) | (x == 1.0), 1.0, power)


def _pow_single(ops: Ops, x: Value, y: Value) -> Value:
    """Return x^y in float32, by way of float64."""
    form = FORMATS["float64"]
    x = ops.wide(x)
    exponent = (y if y.dtype == "float64" else ops.wide(y)) * _log2(ops, form, x)
    exponent = ops.select(exponent < -160.0, -160.0, exponent)
    exponent = ops.select(exponent > 130.0, 130.0, exponent)
    shifted = exponent + (form.whole + form.bias)
    r = exponent - (shifted - (form.whole + form.bias))
    scale = ops.from_bits(ops.bits(shifted) << form.digits)
    return ops.narrow(polynomial(r, EXP2) * scale)


def _log2(ops: Ops, form: Format, x: Value) -> Value:
    """Return the binary logarithm of a normal float64 number, to 37 bits."""
    bits = ops.bits(x)
    k = exponent_of(form, bits, ROOT_HALF)
    m = ops.from_bits(bits - (k << form.digits))
    s = (m - 1.0) / (m + 1.0)
    log2 = number_of(ops, form, k) + s * polynomial(s * s, LOG2)
    return at_the_ends(ops, x, or_nan(ops, x, log2))


def _pow_double(ops: Ops, x: Value, y: Value) -> Value:
    """Return x^y in float64, by a logarithm to 66 bits."""
    log_hi, log_lo = _long_log(ops, form_of(x), x)
    y_head, log_head = _head(ops, y), _head(ops, log_hi)
    y_tail, log_tail = y - y_head, log_hi - log_head
    exponent = y * log_hi
    error = (y_head * log_head - exponent) + (y_head * log_tail + y_tail * log_head)
    error = (error + y_tail * log_tail) + y * log_lo
    error = ops.select(error * error < 1e-20, error, 0.0)  # not where e^exponent is 0 or infinite
    return exp_of_sum(ops, exponent, error)


def _head(ops: Ops, x: Value) -> Value:
    """Return a float64 number cut to 26 digits: a product of two such is exact."""
    return ops.from_bits(ops.bits(x) & -(1 << 27))


def _long_log(ops: Ops, form: Format, x: Value) -> tuple[Value, Value]:
    """Return log x as a sum of two: with s = (m - 1) / (m + 1), k log 2 + 2 s + 2 s w(s^2)."""
    bits = bits_of_any(ops, form, x)
    exponent = exponent_of(form, bits, ROOT_HALF)
    m = ops.from_bits(bits - (exponent << form.digits))
    k = number_of(ops, form, exponent)
    s, s_lo = _ratio(ops, m)
    w, w_lo = _cubic_part(ops, s, s_lo)
    # each is larger than the next, or the larger is 0
    first, second, third = k * form.ln2_hi, 2.0 * s, 2.0 * s * w
    near = first + second
    total = near + third
    rest = k * form.ln2_lo + 2.0 * (s_lo + ((s + s_lo) * w_lo + s_lo * w))
    rest = (third - (total - near)) + ((second - (near - first)) + rest)
    log_hi = total + rest
    return at_the_ends(ops, x, or_nan(ops, x, log_hi)), rest - (log_hi - total)


def _ratio(ops: Ops, m: Value) -> tuple[Value, Value]:
    """Return (m - 1) / (m + 1) as a sum of two, the first of 26 digits."""
    above = m + 1.0
    head = _head(ops, above)
    tail = (above - head) + (m - (above - 1.0))
    inverse = 1.0 / above
    s = _head(ops, (m - 1.0) * inverse)
    return s, (((m - 1.0) - s * head) - s * tail) * inverse


def _cubic_part(ops: Ops, s: Value, s_lo: Value) -> tuple[Value, Value]:
    """Return atanh(s + s_lo) / (s + s_lo) - 1 as a sum of two, the first of 26 digits."""
    whole = s + s_lo
    z = _head(ops, whole * whole)
    z_lo = (s * s - z) + (s + whole) * s_lo
    rest = (z + z_lo) * polynomial(z + z_lo, ATANH)
    p = _head(ops, THIRD + rest)
    p_lo = ((THIRD - p) + rest) + THIRD_LO
    product = z * p
    product_lo = z * p_lo + z_lo * (p + p_lo)
    w = _head(ops, product + product_lo)
    return w, (product - w) + product_lo
