"""Focal loss by its definition, in 60-digit arithmetic: what the tests expect.

Nothing here is shared with the package: the definitions are those of the paper, with 1 - p as the
probability of the other classes and -log p as log(1 + odds against).
"""

import mpmath as mp
import numpy as np

mp.mp.dps = 60


def number(x):
    """The exact value of a float of any precision; 60-digit numbers pass."""
    return x if isinstance(x, mp.mpf) else mp.mpf(float(x))


def sigmoid_focal(x, y, gamma=2.0, alpha=None, pos_weight=1.0, smoothing=0.0, rule="expected"):
    x, y, gamma, smoothing = map(number, (x, y, gamma, smoothing))
    p, q = 1 / (1 + mp.exp(-x)), 1 / (1 + mp.exp(x))
    minus_log_p, minus_log_q = mp.log1p(mp.exp(-x)), mp.log1p(mp.exp(x))
    positive, negative = (1, 1) if alpha is None else (number(alpha), 1 - number(alpha))
    positive = positive * number(pos_weight)
    smoothed = (1 - smoothing) * y + smoothing / 2
    if rule == "mixture":
        return (
            smoothed * positive * _power(q, gamma) * minus_log_p
            + (1 - smoothed) * negative * _power(p, gamma) * minus_log_q
        )
    modulating = y if rule == "hard" else smoothed
    alpha_t = modulating * positive + (1 - modulating) * negative
    u = modulating * q + (1 - modulating) * p
    return alpha_t * _power(u, gamma) * (smoothed * minus_log_p + (1 - smoothed) * minus_log_q)


def softmax_focal(x, y, gamma=2.0, alpha=None, smoothing=0.0, rule="expected"):
    """``y`` is a class label or a distribution."""
    x, n = [number(v) for v in x], len(x)
    y = [mp.mpf(int(c == y)) for c in range(n)] if np.ndim(y) == 0 else [number(v) for v in y]
    gamma = [number(g) for g in np.broadcast_to(gamma, n)]
    alpha = [number(a) for a in np.broadcast_to(1.0 if alpha is None else alpha, n)]
    smoothing = number(smoothing)
    against = [mp.fsum(mp.exp(x[j] - x[c]) for j in range(n) if j != c) for c in range(n)]
    p, q = [1 / (1 + a) for a in against], [a / (1 + a) for a in against]
    minus_log_p = [mp.log1p(a) for a in against]
    smoothed = [(1 - smoothing) * v + smoothing / n for v in y]
    if rule == "mixture":
        terms = zip(smoothed, alpha, q, gamma, minus_log_p, strict=True)
        return mp.fsum(s * a * _power(u, g) * ce for s, a, u, g, ce in terms)
    modulating = y if rule == "hard" else smoothed
    u = mp.fsum((1 - m) * v for m, v in zip(modulating, p, strict=True))
    ce = mp.fsum(s * v for s, v in zip(smoothed, minus_log_p, strict=True))
    return _dot(modulating, alpha) * _power(u, _dot(modulating, gamma)) * ce


def probability_focal(p, y, gamma=2.0):
    p, y = number(p), number(y)
    u = y * (1 - p) + (1 - y) * p
    return _power(u, number(gamma)) * (-y * mp.log(p) - (1 - y) * mp.log(1 - p))


def derivatives(f, x):
    """First and second derivative at x, by differences of 120 digits."""
    with mp.workdps(120):
        x, h = number(x), mp.mpf(10) ** -25
        low, middle, high = f(x - h), f(x), f(x + h)
        return (high - low) / (2 * h), (high - 2 * middle + low) / (h * h)


def ulps(found, expected, dtype, flushes=False, scale=None):
    """The error of a float in units in the last place of the exact value, or of a scale."""
    size = abs(float(expected if scale is None else scale))
    if flushes and size < np.finfo(dtype).smallest_normal and abs(found) <= size:
        return 0.0  # what is denormal counts as zero
    return float(abs(number(found) - expected) / number(np.spacing(np.dtype(dtype).type(size))))


def _power(u, gamma):
    return mp.mpf(1) if gamma == 0 else u**gamma


def _dot(a, b):
    return mp.fsum(x * y for x, y in zip(a, b, strict=True))
