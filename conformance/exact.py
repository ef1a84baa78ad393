"""Focal loss by its definition, in as many digits as asked for: what the tests expect.

Nothing here is shared with the package: the definitions are those of the paper, with 1 - p as the
probability of the other classes and -log p as log(1 + odds against). Derivatives are differences.
"""

import mpmath as mp
import numpy as np

mp.mp.dps = 60


def number(x):
    """The exact value of a float of any precision; numbers of more digits pass."""
    return x if isinstance(x, mp.mpf) else mp.mpf(float(x))


def sigmoid_focal(
    x,
    y,
    gamma=2.0,
    alpha=None,
    pos_weight=1.0,
    label_smoothing=0.0,
    soft_targets="expected",
    held=None,
):
    """``held`` is the logit that the modulating factor is of, where that is detached."""
    x, y, gamma, label_smoothing = map(number, (x, y, gamma, label_smoothing))
    of_factor = x if held is None else number(held)
    p, q = 1 / (1 + mp.exp(-of_factor)), 1 / (1 + mp.exp(of_factor))
    minus_log_p, minus_log_q = mp.log1p(mp.exp(-x)), mp.log1p(mp.exp(x))
    positive, negative = balance(alpha, pos_weight)
    smoothed = (1 - label_smoothing) * y + label_smoothing / 2
    if soft_targets == "mixture":
        return (
            smoothed * positive * power(q, gamma) * minus_log_p
            + (1 - smoothed) * negative * power(p, gamma) * minus_log_q
        )
    modulating = y if soft_targets == "hard" else smoothed
    alpha_t = modulating * positive + (1 - modulating) * negative
    u = modulating * q + (1 - modulating) * p
    return alpha_t * power(u, gamma) * (smoothed * minus_log_p + (1 - smoothed) * minus_log_q)


def softmax_focal(
    x, y, gamma=2.0, alpha=None, label_smoothing=0.0, soft_targets="expected", held=None
):
    """``y`` is a class label or a distribution, ``held`` the logits of a detached factor."""
    n, label_smoothing = len(x), number(label_smoothing)
    y, gamma, alpha = per_class(y, gamma, alpha, n)
    _, _, against = probabilities(x)
    p, q, _ = probabilities(x if held is None else held)
    minus_log_p = [mp.log1p(a) for a in against]
    smoothed = [(1 - label_smoothing) * v + label_smoothing / n for v in y]
    if soft_targets == "mixture":
        terms = zip(smoothed, alpha, q, gamma, minus_log_p, strict=True)
        return mp.fsum(s * a * power(u, g) * ce for s, a, u, g, ce in terms)
    modulating = y if soft_targets == "hard" else smoothed
    u = mp.fsum((1 - m) * v for m, v in zip(modulating, p, strict=True))
    return dot(modulating, alpha) * power(u, dot(modulating, gamma)) * dot(smoothed, minus_log_p)


def probability_focal(p, y, gamma=2.0, alpha=None, pos_weight=1.0, label_smoothing=None, eps=0.0):
    """Of the probability of the positive class; only the logarithms know eps."""
    p, y, gamma, eps = map(number, (p, y, gamma, eps))
    q = 1 - p
    minus_log_p, minus_log_q = (-mp.log(max(v, eps)) if max(v, eps) else mp.inf for v in (p, q))
    positive, negative = balance(alpha, pos_weight)
    if label_smoothing is None:
        ce = sum(share * v for share, v in ((y, minus_log_p), (1 - y, minus_log_q)) if share)
        alpha_t = y * positive + (1 - y) * negative
        return alpha_t * power(y * q + (1 - y) * p, gamma) * ce
    smoothed = (1 - number(label_smoothing)) * y + number(label_smoothing) / 2
    return (
        smoothed * positive * power(q, gamma) * minus_log_p
        + (1 - smoothed) * negative * power(p, gamma) * minus_log_q
    )


def distribution_focal(
    p, y, gamma=2.0, alpha=None, label_smoothing=0.0, soft_targets="expected", eps=0.0
):
    """Of a row of probabilities and a distribution over the classes; they need not add up to 1."""
    n, label_smoothing = len(p), number(label_smoothing)
    y, gamma, alpha = per_class(y, gamma, alpha, n)
    p, y = [number(v) for v in p], [(1 - label_smoothing) * v + label_smoothing / n for v in y]
    least = [max(v, number(eps)) for v in p]
    minus_log_p = [-mp.log(v) if v else mp.inf for v in least]
    if soft_targets == "mixture":
        terms = zip(y, alpha, p, gamma, minus_log_p, strict=True)
        return mp.fsum(v * a * power(1 - q, g) * ce for v, a, q, g, ce in terms if v)
    u = dot(y, [1 - v for v in p])
    ce = mp.fsum(v * term for v, term in zip(y, minus_log_p, strict=True) if v)
    return dot(y, alpha) * power(u, dot(y, gamma)) * ce


def sigmoid_posterior(x, gamma=2.0, alpha=None, pos_weight=1.0):
    """Where the expected loss is least at x: by the derivative of each target's loss along p."""
    p, q, _ = probabilities([x, 0])
    (p, q), gamma = (p[0], q[0]), number(gamma)
    positive, negative = balance(alpha, pos_weight)
    of_positive, of_negative = positive * tilt(p, q, gamma), negative * tilt(q, p, gamma)
    return of_negative * p / (of_negative * p + of_positive * q)


def softmax_posterior(x, gamma=2.0, alpha=None):
    """Charoenphakdee et al. 2021: eta_c ~ p_c / (alpha_c phi(p_c)), of which the sum is 1."""
    _, gamma, alpha = per_class(0, gamma, alpha, len(x))
    p, q, _ = probabilities(x)
    terms = [v / (a * tilt(v, w, g)) for v, w, a, g in zip(p, q, alpha, gamma, strict=True)]
    return [term / mp.fsum(terms) for term in terms]


def tilt(p, q, gamma):
    """Phi: p times the derivative of the loss along p, less its sign; q = 1 - p."""
    return power(q, gamma) - gamma * p * power(q, gamma - 1) * (
        mp.log(p) if p < 0.5 else mp.log1p(-q)
    )


def derivatives(f, x, digits=120):
    """First and second derivative at x, by differences of so many digits."""
    with mp.workdps(digits):
        x, h = number(x), mp.mpf(10) ** (-digits // 5)
        low, middle, high = f(x - h), f(x), f(x + h)
        return (high - low) / (2 * h), (high - 2 * middle + low) / (h * h)


def derivatives_of_row(x, y, digits=120, detach_factor=False, of=softmax_focal, **options):
    """First and second derivative of a row's loss with respect to each of its logits."""
    x = [number(v) for v in x]
    options["held"] = x if detach_factor else None

    def along(j):
        return lambda v: of([*x[:j], v, *x[j + 1 :]], y, **options)

    return [derivatives(along(j), v, digits) for j, v in enumerate(x)]


def probabilities(x):
    """Of each class: p, 1 - p, and the odds against it."""
    x = [number(v) for v in x]
    odds = [mp.exp(v - max(x)) for v in x]
    against = [(mp.fsum(odds[:c]) + mp.fsum(odds[c + 1 :])) / odds[c] for c in range(len(x))]
    return [1 / (1 + a) for a in against], [a / (1 + a) for a in against], against


def balance(alpha, pos_weight=1.0):
    """What positives and negatives weigh."""
    positive, negative = (1, 1) if alpha is None else (number(alpha), 1 - number(alpha))
    return positive * number(pos_weight), negative


def per_class(y, gamma, alpha, n):
    """Target, gamma and alpha of each class."""
    y = [mp.mpf(int(c == y)) for c in range(n)] if np.ndim(y) == 0 else [number(v) for v in y]
    gamma = [number(g) for g in np.broadcast_to(gamma, n)]
    return y, gamma, [number(a) for a in np.broadcast_to(1.0 if alpha is None else alpha, n)]


def power(u, gamma):
    return mp.mpf(1) if gamma == 0 else u**gamma


def dot(a, b):
    return mp.fsum(x * y for x, y in zip(a, b, strict=True))
