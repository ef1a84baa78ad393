"""Writes the exact values: `python -m conformance.generate`, for minutes, or with names of losses.

The inputs are chosen here, in decimal, and rounded to the narrowest type that a set is for. What
comes out is the definitions of `exact`, in 1000 digits, as hexadecimal numbers of 106 bits.
"""

import itertools
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import ml_dtypes
import mpmath as mp
import numpy as np

from . import exact, exact_family
from .exact_family import DEFINITIONS
from .vectors import DATA, OF_ROWS

DIGITS = 1000  # e^-2000 has to be seen beside 1
FAR = 20_000.0  # stands for an infinite logit: what has a limit is there, to 1e-4000
LOST = 750.0  # e to the minus that is 0 in every type
NAMES = ("value", "slope", "curvature", "slope_scale", "curvature_scale")
NAMES_OF_FAMILY = (*NAMES[:3], "value_scale", *NAMES[3:])
GAMMAS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 3.7, 5.0)

# the hard places; the sets for wider types hold what narrower types can't
PLACES = {
    "half": [
        *(0, 2**-24, 2**-14, 0.0625, 0.5, 1, 1.5, 3, 5, 7.5, 10, 13, 20, 33, 60, 88.5, 100),
        *(708, 1000, np.inf),
    ],
    "float32": [1e-40, 1.1754944e-38, 1e-30, 1e-6, 0.1, 0.7, 20.1, 87.3, 88.8, 103.9],
    "float64": [5e-324, 1e-300, 1e-12, 0.1, 20.1, 36.7, 88.8, 710.1, 745.2, 999.9],
}
ROWS = [  # for the narrowest types; the others are random
    [0, -0.0, 0], [1, 0, -1], [0.5, 0.25, 0.125], [3, -2, 1], [20, 0, -1], [0, 20, -1],
    [60, 0, 0], [0, 60, 59], [88.5, 0, 0], [0, 88.5, 88], [100, -100, 0], [1000, 0, -1000],
    [1000, 992, 984], [-984, -992, -1000], [0, 1000, 1000], [7, 7, 7],
    [np.inf, 0, 1], [-np.inf, 0, 1], [0, -np.inf, -np.inf], [0, np.inf, 1],
    [np.inf, np.inf, 0], [np.inf, np.inf, -np.inf], [np.inf] * 3, [-np.inf] * 3,
    [30, -16384, 0], [0.5, 0.5, -16384],
]  # fmt: skip
MASKED = [  # a class that is ruled out by a large number; beside the random rows of float32
    [30, -1e9, 0], [12, -1e9, 0], [1, -1e9, 0.5], [0.5, 0.5, -1e9], [0, 0, -3.4028235e38],
]  # fmt: skip
SOFT = [[1, 0, 0], [0.25, 0.25, 0.5], [0, 0.5, 0.5], [0.125, 0.625, 0.25], [0.75, 0, 0.25]]
VALUES = [0, 2**-9, 0.75, 1, 1.25, 2]  # among three bins
SOFT_LABELS = [0, 2**-9, 0.25, 0.5, 0.8984375, 1]
PROBABILITIES = {
    "half": [0, 2**-14, 2**-8, 0.0625, 0.25, 0.5, 0.75, 0.9375, 0.99609375, 1],
    "float32": [1e-30, 1e-6, 0.1, 0.3, 0.7, 0.9, 0.999, 1 - 2**-24],
    "float64": [1e-300, 1e-12, 0.1, 0.3, 0.7, 0.9, 0.999999, 1 - 2**-53],
}
# arrays are in the type of the logits, so these are numbers that all types hold
CLASS_WEIGHTS = [0.25, 1.0, 3.0]
GAMMA_PER_CLASS = [0.5, 2.0, 3.75]
ALPHA_PER_CLASS = [0.125, 0.25, 0.875]

by_gamma = [{"gamma": g} for g in GAMMAS]
smoothed = [
    {"gamma": g, "label_smoothing": 0.1, "soft_targets": rule}
    for rule, g in (("expected", 2.0), ("expected", 0.5), ("mixture", 2.0), ("hard", 2.0))
]
detached = [{"gamma": g, "detach_factor": True} for g in (0.5, 3.7)]
OPTIONS = {
    "sigmoid-hard": [
        *by_gamma,
        {"gamma": 2.0, "alpha": 0.25},
        {"gamma": 2.0, "alpha": 0.0},
        {"gamma": 0.5, "pos_weight": 3.0},
        {"gamma": 2.0, "alpha": 0.25, "pos_weight": 3.0},
        *smoothed,
        *detached,
    ],
    "sigmoid-soft": [
        *({"gamma": g} for g in (0.0, 0.5, 1.0, 2.0, 3.7)),
        {"gamma": 2.0, "alpha": 0.25, "pos_weight": 3.0},
        {"gamma": 0.5, "soft_targets": "mixture"},
        {"gamma": 2.0, "soft_targets": "mixture", "alpha": 0.25},
        *detached,
        {"gamma": 0.5, "soft_targets": "mixture", "detach_factor": True},
    ],
    "sigmoid-labels": [
        {"gamma": 2.0, "class_axis": -1},
        {"gamma": 0.5, "alpha": ALPHA_PER_CLASS, "class_axis": -1},
        {"gamma": 3.7, "class_axis": -1, "background": 3},
        {"gamma": 2.0, "class_axis": -1, "detach_factor": True},
    ],
    "sigmoid-classes": [{"gamma": GAMMA_PER_CLASS, "alpha": ALPHA_PER_CLASS}],
    "asymmetric-hard": [
        {"gamma_pos": 1.0, "gamma_neg": 4.0, "clip": 0.05},
        {"gamma_pos": 0.5, "gamma_neg": 2.0, "clip": 0.0},
        {"gamma_pos": 0.0, "gamma_neg": 3.7, "clip": 0.05},
        {"gamma_pos": 2.0, "gamma_neg": 1.0, "clip": 0.25},
        {"gamma_pos": 2.0, "gamma_neg": 5.0, "clip": 0.05, "detach_factor": True},
    ],
    "asymmetric-soft": [
        {"gamma_pos": 1.0, "gamma_neg": 4.0, "clip": 0.05},
        {"gamma_pos": 0.5, "gamma_neg": 2.0, "clip": 0.0},
    ],
    "asymmetric_softmax-hard": [
        {"gamma_pos": 0.0, "gamma_neg": 4.0, "label_smoothing": 0.1},
        {"gamma_pos": 0.5, "gamma_neg": 2.0, "label_smoothing": 0.25},
        {"gamma_pos": 2.0, "gamma_neg": 3.7, "label_smoothing": 0.0},
    ],
    "distribution-soft": [{"axis": -1}],
    "gaussian-soft": [
        {"alpha": 2.0, "gamma": 4.0},
        {"alpha": 0.5, "gamma": 3.7},
        {"alpha": 3.7, "gamma": 2.0},
        {"alpha": 2.0, "gamma": 4.0, "detach_factor": True},
    ],
    "poly-hard": [
        {"gamma": 2.0, "poly_epsilon": 1.0},
        {"gamma": 0.5, "poly_epsilon": -1.0},
        {"gamma": 0.0, "poly_epsilon": 1.0, "alpha": 0.25},
        {"gamma": 2.0, "poly_epsilon": 1.0, "detach_factor": True},
    ],
    "poly-soft": [{"gamma": 2.0, "poly_epsilon": 1.0, "alpha": 0.25}],
    "poly_softmax-hard": [
        {"gamma": 2.0, "poly_epsilon": 1.0},
        {"gamma": 0.5, "poly_epsilon": -1.0},
        {"gamma": 0.0, "poly_epsilon": 1.0, "alpha": CLASS_WEIGHTS},
        {"gamma": 2.0, "poly_epsilon": 1.0, "detach_factor": True},
    ],
    "poly_softmax-soft": [{"gamma": 2.0, "poly_epsilon": 1.0, "alpha": CLASS_WEIGHTS}],
    "quality-hard": [{"beta": b} for b in (0.5, 1.0, 2.0)],
    "quality-soft": [
        *({"beta": b} for b in (0.0, 2.0, 3.0, 3.7)),
        {"beta": 2.0, "detach_factor": True},
    ],
    "varifocal-soft": [
        {"alpha": 0.75, "gamma": 2.0},
        {"alpha": 0.25, "gamma": 0.5, "weighted": False},
        {"alpha": 1.0, "gamma": 3.7},
        {"alpha": 0.75, "gamma": 2.0, "detach_factor": True},
    ],
    "softmax-pair": by_gamma,
    "softmax-hard": [
        *by_gamma,
        {"gamma": 2.0, "alpha": CLASS_WEIGHTS},
        {"gamma": GAMMA_PER_CLASS, "alpha": CLASS_WEIGHTS},
        *smoothed,
        *detached,
    ],
    "softmax-soft": [
        *({"gamma": g} for g in (0.0, 0.5, 2.0, 3.7)),
        {"gamma": GAMMA_PER_CLASS, "alpha": CLASS_WEIGHTS},
        {"gamma": 0.5, "soft_targets": "mixture"},
        {"gamma": 2.0, "soft_targets": "mixture", "alpha": CLASS_WEIGHTS},
        *detached,
        {"gamma": 0.5, "soft_targets": "mixture", "detach_factor": True},
    ],
    "softmax-many": [{"gamma": g} for g in (0.0, 0.5, 2.0, 5.0)],
    "binary-hard": [
        *({"gamma": g, "eps": 2.0**-7} for g in (0.0, 0.5, 2.0, 3.7)),
        {"gamma": 2.0, "eps": 0.0, "alpha": 0.25, "pos_weight": 3.0},
        {"gamma": 2.0, "eps": 2.0**-7, "label_smoothing": 0.1},
    ],
    "binary-soft": [{"gamma": g, "eps": 2.0**-7} for g in (0.5, 2.0)],
    "categorical-hard": [
        *({"gamma": g, "eps": 2.0**-7} for g in (0.0, 0.5, 2.0, 3.7)),
        {"gamma": GAMMA_PER_CLASS, "eps": 2.0**-7, "class_weight": CLASS_WEIGHTS},
    ],
    "categorical-soft": [
        *({"gamma": g, "eps": 2.0**-7} for g in (0.0, 0.5, 2.0, 3.7)),
        {"gamma": 2.0, "eps": 0.0, "alpha": CLASS_WEIGHTS},
        {"gamma": GAMMA_PER_CLASS, "eps": 2.0**-7, "alpha": CLASS_WEIGHTS},
        {"gamma": 0.5, "eps": 2.0**-7, "soft_targets": "mixture"},
        {"gamma": 2.0, "eps": 2.0**-7, "soft_targets": "mixture", "alpha": CLASS_WEIGHTS},
        {"gamma": 2.0, "eps": 2.0**-7, "label_smoothing": 0.1},
    ],
    "sigmoid-posterior": [
        *({"gamma": g} for g in (0.0, 0.5, 1.0, 2.0, 3.7, 5.0)),
        {"gamma": 2.0, "alpha": 0.25},
        {"gamma": 2.0, "alpha": 0.75},
        {"gamma": 0.5, "alpha": 0.25, "pos_weight": 3.0},
    ],
    "softmax-posterior": [
        *({"gamma": g} for g in (0.0, 0.5, 1.0, 2.0, 3.7, 5.0)),
        {"gamma": 2.0, "alpha": CLASS_WEIGHTS},
        {"gamma": GAMMA_PER_CLASS, "alpha": CLASS_WEIGHTS},
    ],
}


# logits at which a loss beside the focal loss is hard
OWN_PLACES = {
    "asymmetric": {  # just above and below the clip of 0.05
        "half": [-2.9375, -2.953125],
        "float32": [-2.944438, -2.94444],
        "float64": [-2.944438979165, -2.944438979168],
    },
}


OWN_LABELS = {"quality-soft": [2**-14], "varifocal-soft": [2**-14]}
NEAR = [0.25, 1, 3, 5, 7.5]  # logits at which a score is their probability


def held_by(values, inputs):
    """The numbers of a set's type that are nearest to some values."""
    return values.astype(ml_dtypes.bfloat16 if inputs == "half" else inputs).astype("float64")


def rounded(values, inputs):
    """Decimal values, as numbers that the type of a set holds exactly."""
    if inputs != "half":
        return np.asarray(values, inputs).astype("float64")
    wide = np.asarray(values, "float64")
    for half in ("float16", ml_dtypes.bfloat16):
        assert np.array_equal(wide.astype(half).astype("float64"), wide), values
    return wide


def scattered(inputs, shape, seed):
    """Random values, which use all the digits of their type; of every size but in the narrowest."""
    values = np.random.default_rng(seed).normal(size=shape)
    if inputs == "half":
        return rounded(np.round(values * 16) / 4, inputs)
    scales = np.resize([1.0, 5.0, 20.0, 100.0, 1000.0], shape[0])
    return rounded((scales.reshape(-1, *[1] * (len(shape) - 1)) * values).clip(-1e3, 1e3), inputs)


def inputs_of(kind, inputs):
    """The logits (or probabilities) and targets of a set."""
    loss, targets = kind.split("-")
    labels = SOFT_LABELS if targets == "soft" else [0, 1]
    if kind in ("sigmoid-hard", "sigmoid-soft") or loss in DEFINITIONS:
        places = [s * x for x in PLACES[inputs] for s in (1.0, -1.0)]
        places += OWN_PLACES.get(loss, {}).get(inputs, [])
        more = [] if inputs == "half" else scattered(inputs, (16,), 1).tolist()
        x, y = crossed(rounded(places + more, inputs), [*labels, *OWN_LABELS.get(kind, [])])
        if kind == "quality-soft":  # and at p itself
            near = rounded([0.0, *NEAR, *(-v for v in NEAR)], inputs)
            p = 1 / (1 + np.exp(-near))
            x, y = np.append(x, near), np.append(y, held_by(p, inputs))
        return x, y
    if targets == "posterior":  # has no targets: of each pair with both of them, one is left
        x, _ = inputs_of(f"{loss}-hard", inputs)
        return x[::2], np.zeros(len(x) // 2, "int64")
    if kind == "sigmoid-labels":
        return scattered(inputs, (12, 3), 5), np.arange(12) % 4  # 3 is the background
    if kind == "sigmoid-classes":
        return scattered(inputs, (12, 3), 2), np.indices((12, 3)).sum(axis=0) % 2
    if loss == "binary":
        return crossed(rounded(PROBABILITIES[inputs], inputs), labels)
    if loss == "categorical":
        rows = np.asarray([PROBABILITIES[inputs], PROBABILITIES[inputs][::-1]]).T
        rows = rounded(np.concatenate([rows, rows[:, :1]], axis=1), inputs)
        return crossed(rows, SOFT) if targets == "soft" else (rows, np.arange(len(rows)) % 3)
    if kind == "softmax-pair":
        places = rounded([s * x for x in PLACES[inputs] for s in (1.0, -1.0)], inputs)
        return np.stack([places, np.zeros_like(places)], axis=-1), np.zeros(len(places), "int64")
    if kind == "softmax-many":
        rows = scattered(inputs, (10, 10), 3)
        return rows, np.where(np.arange(10) % 2, np.argmax(rows, axis=1), 0)
    rows = rounded(ROWS, inputs) if inputs == "half" else scattered(inputs, (10, 3), 4)
    if inputs == "float32":
        rows = np.concatenate([rows, rounded(MASKED, inputs)])
    if loss == "distribution":
        return crossed(rows, VALUES)
    return crossed(rows, SOFT if targets == "soft" else [0, 2])


def crossed(x, y):
    pairs = list(itertools.product(x, y))
    return np.asarray([x for x, _ in pairs]), np.asarray([y for _, y in pairs])


def results_of(kind, options, x, y):
    """Value, slope, curvature and scale of a set, for one choice of options."""
    loss = kind.split("-")[0]
    row = {"sigmoid": of_logit, "softmax": of_row}.get(loss, of_probability)
    of_its_own = {
        "categorical-soft": of_distribution,
        "distribution-soft": of_value,
        "asymmetric_softmax-hard": of_asymmetric_row,
        "poly_softmax-hard": of_poly_row,
        "poly_softmax-soft": of_poly_row,
        "sigmoid-posterior": posterior_of_logit,
        "softmax-posterior": posterior_of_row,
    }
    row = (
        partial(of_element, DEFINITIONS[loss]) if loss in DEFINITIONS else of_its_own.get(kind, row)
    )
    with mp.workdps(DIGITS):
        each = [row(a, b, **chosen) for a, b, chosen in elements(loss, options, x, y)]
    names = each[0].keys()
    found = {name: nested([e[name] for e in each], x, name) for name in names}
    return {"options": hexadecimal(options)} | found


def elements(loss, options, x, y):
    """Each logit or row, its target, and the options that hold for it."""
    if loss in OF_ROWS or (loss == "categorical" and y.ndim == 2):
        return [(a, b, options) for a, b in zip(x, y, strict=True)]
    if loss == "categorical":
        plain = dict(options)
        weights = plain.pop("class_weight", [1.0] * 3)
        gammas = np.broadcast_to(plain.pop("gamma"), 3)
        return [
            (a[t], 1, plain | {"gamma": gammas[t], "pos_weight": weights[t]})
            for a, t in zip(x, y, strict=True)
        ]
    columns = np.resize(np.arange(x.shape[-1]), x.size)
    options = dict(options)
    if options.pop("class_axis", None) is not None:
        background = options.pop("background", x.shape[-1])
        y = (y[:, None] == np.arange(x.shape[-1])) & (y != background)[:, None]
    return [
        (a, b, {n: v[c] if isinstance(v, list) else v for n, v in options.items()})
        for a, b, c in zip(x.ravel(), y.ravel(), columns, strict=True)
    ]


def of_logit(x, y, detach_factor=False, **options):
    def near(far):
        v = finite(x, far)
        of = partial(exact.sigmoid_focal, y=y, held=v if detach_factor else None, **options)
        scales = scales_of_logit(v, y, detach_factor=detach_factor, **options)
        return of(v), *exact.derivatives(of, v, DIGITS), *scales

    return dict(zip(NAMES, limit(near, [x]), strict=True))


def of_element(definition, x, y, detach_factor=False, **options):
    def near(far):
        v = finite(x, far)
        of = partial(definition.value, y=y, held=v if detach_factor else None, **options)
        terms = [size.terms(not detach_factor) for size in definition.sizes(v, y, **options)]
        found = of(v), *exact.derivatives(of, v, DIGITS)
        sizes = [mp.fsum(each) for each in zip(*terms, strict=True)]
        return *found, *(max(abs(f), s) for f, s in zip(found, sizes, strict=True))

    return dict(zip(NAMES_OF_FAMILY, limit(near, [x]), strict=True))


def of_row(x, y, **options):
    def near(far):
        row = [finite(v, far) for v in x]
        pairs = exact.derivatives_of_row(row, y, DIGITS, **options)
        slopes, curvatures = zip(*pairs, strict=True)
        scales = scales_of_row(row, y, **options), curvatures
        plain = {name: v for name, v in options.items() if name != "detach_factor"}
        return exact.softmax_focal(row, y, **plain), slopes, curvatures, *wider(row, y, *scales)

    return dict(zip(NAMES, limit(near, x), strict=True))


def of_asymmetric_row(x, t, **options):
    def near(far):
        row, of = [exact.number(finite(v, far)) for v in x], exact_family.asymmetric_row
        pairs = exact.derivatives_of_row(row, t, DIGITS, of=of, **options)
        slopes, bends = zip(*pairs, strict=True)
        sizes = exact_family.slope_sizes_of_asymmetric_row(row, t, **options)
        scales = [max(abs(a), b) for a, b in zip(slopes, sizes, strict=True)]
        return of(row, t, **options), slopes, bends, *wider(row, t, scales, bends)

    return dict(zip(NAMES, limit(near, x), strict=True))


def of_poly_row(x, y, poly_epsilon, detach_factor=False, **options):
    def near(far):
        row, of = [finite(v, far) for v in x], exact_family.poly_row
        both = (
            exact.derivatives_of_row(row, y, DIGITS, detach_factor, of, **options, poly_epsilon=e)
            for e in (0.0, poly_epsilon)
        )
        (_, focal), (slopes, bends) = (zip(*pairs, strict=True) for pairs in both)
        sizes = scales_of_row(
            row, y, **options, detach_factor=detach_factor, poly_epsilon=poly_epsilon
        )
        apart = [abs(a) + abs(b - a) for a, b in zip(focal, bends, strict=True)]
        value, size = (of(row, y, e, **options) for e in (poly_epsilon, abs(poly_epsilon)))
        return value, slopes, bends, size, *wider(row, y, sizes, apart)

    return dict(zip(NAMES_OF_FAMILY, limit(near, x), strict=True))


def of_value(x, v, axis):  # noqa: ARG001 - the last one
    return of_row(x, [max(0.0, 1 - abs(j - v)) for j in range(len(x))], gamma=0.0)


def of_probability(p, y, **options):
    return {"value": exact.probability_focal(p, y, **options)}


def of_distribution(p, y, **options):
    return {"value": exact.distribution_focal(p, y, **options)}


def posterior_of_logit(x, _, **options):
    def near(far):
        return [exact.sigmoid_posterior(finite(x, far), **options)]

    return {"posterior": limit(near, [x])[0]}


def posterior_of_row(x, _, **options):
    def near(far):
        return exact.softmax_posterior([finite(v, far) for v in x], **options)

    return {"posterior": limit(near, x)}


def scales_of_logit(
    x,
    y,
    gamma=2.0,
    alpha=None,
    pos_weight=1.0,
    label_smoothing=0.0,
    soft_targets="expected",
    detach_factor=False,
):
    """The sums of the sizes of the terms that slope and curvature are sums of."""
    (q, p), _, odds = exact.probabilities([0, x])
    minus_log_q, minus_log_p = map(mp.log1p, odds)
    y, s, gamma = exact.number(y), exact.number(label_smoothing), exact.number(gamma)
    positive, negative = exact.balance(alpha, pos_weight)
    v, moves = (1 - s) * y + s / 2, int(not detach_factor)
    if soft_targets == "mixture":
        of_positive = terms(q, moves * p, minus_log_p, q, p * q, abs(q - p), gamma)
        of_negative = terms(p, moves * q, minus_log_q, p, p * q, abs(q - p), gamma)
        both = zip(of_positive, of_negative, strict=True)
        return [v * positive * a + (1 - v) * negative * b for a, b in both]
    m = y if soft_targets == "hard" else v
    u = m * q + (1 - m) * p
    ce = v * minus_log_p + (1 - v) * minus_log_q
    rate = moves * abs(1 - 2 * m) * p * q / u
    alpha_t = m * positive + (1 - m) * negative
    sizes = terms(u, rate, ce, (1 - v) * p + v * q, p * q, abs(q - p), gamma)
    return [alpha_t * size for size in sizes]


def terms(u, rate, ce, difference, bend, asymmetry, gamma):
    """The sizes of the terms of slope and curvature, summed up."""
    slope = gamma * rate * ce + difference
    curvature = gamma * (abs(gamma - 1) * rate + asymmetry) * rate * ce
    curvature += 2 * gamma * rate * difference + bend
    return exact.power(u, gamma) * slope, exact.power(u, gamma) * curvature


def scales_of_row(
    x,
    y,
    gamma=2.0,
    alpha=None,
    label_smoothing=0.0,
    soft_targets="expected",
    detach_factor=False,
    poly_epsilon=0.0,
):
    moves = int(not detach_factor)
    p, q, against = exact.probabilities(x)
    minus_log_p, s, n = [mp.log1p(a) for a in against], exact.number(label_smoothing), len(x)
    y, gammas, alphas = exact.per_class(y, gamma, alpha, n)
    v = [(1 - s) * t + s / n for t in y]
    if soft_targets == "mixture":
        along = [
            v[c] * alphas[c] * exact.power(q[c], g) * (moves * g * p[c] * minus_log_p[c] / q[c] + 1)
            for c, g in enumerate(gammas)
        ]  # of each class, over q: along the margin it is q times this, along another logit p_j
        return [mp.fsum(along[c] * (q[c] if c == j else p[j]) for c in range(n)) for j in range(n)]
    m = y if soft_targets == "hard" else v
    gamma = exact.dot(m, gammas)
    apart = [mp.fsum(p[k] * abs(m[k] - m[j]) for k in range(n)) for j in range(n)]
    u = mp.fsum((1 - a) * b for a, b in zip(m, p, strict=True))
    factor = exact.dot(m, alphas) * exact.power(u, gamma)
    epsilon = abs(exact.number(poly_epsilon))
    ce, rate = exact.dot(v, minus_log_p) + epsilon * u, moves * gamma / u
    return [
        factor * ((rate * ce + epsilon) * p[j] * apart[j] + (1 - v[j]) * p[j] + v[j] * q[j])
        for j in range(n)
    ]


def wider(x, y, slopes, curvatures):
    """Scales that let a class share in the rounding of its distance to the largest of the others.

    Half an ulp of a distance d is d / 2 ulp of exp(d), while there is one; the narrowest bound is
    4 ulp. A curvature holds pi_j (1 - pi_j), good to an ulp of pi_j: it is measured against the
    slope too.
    """
    apart = int(y) if np.ndim(y) == 0 else int(np.argmax(x))
    largest = max(v for j, v in enumerate(x) if j != apart)
    near = [0.0 if j == apart else largest - v for j, v in enumerate(x)]
    spread = [d / 8 if d < LOST else 0.0 for d in near]
    slope = [(1 + d) * s for d, s in zip(spread, slopes, strict=True)]
    bend = [max(s, (1 + d) * abs(c)) for s, d, c in zip(slope, spread, curvatures, strict=True)]
    return slope, bend


def finite(x, far):
    return float(np.copysign(far, x) if np.isinf(x) else x)


def limit(near, x):
    """What results tend to where x is infinite."""
    there = near(FAR)
    if not np.isinf(x).any():
        return there
    return [arrived(*pair) for pair in zip(there, near(2 * FAR), strict=True)]


def arrived(there, beyond):
    """The number, unless it still grows with the distance."""
    if isinstance(there, list | tuple):
        return [arrived(*pair) for pair in zip(there, beyond, strict=True)]
    grows = abs(beyond) > max(1.5 * abs(there), mp.mpf(10) ** -300)  # what is less has arrived at 0
    return mp.sign(there) * mp.inf if grows else there


def nested(values, x, name):
    """Numbers of a set, in its shape: of each element, or with lists for rows."""
    bits = 8 if name.endswith("scale") else 106
    written = [
        [literal(v, bits) for v in value]
        if isinstance(value, list | tuple)
        else literal(value, bits)
        for value in values
    ]
    per_row = len(written) == x.size and x.ndim > 1
    return np.reshape(written, x.shape).tolist() if per_row else written


def literal(value, bits):
    """A hexadecimal number; what is far below the denormals of float64 is 0."""
    if mp.isinf(value):
        return "inf" if value > 0 else "-inf"
    with mp.workprec(bits):
        value = +mp.mpf(value)
    if abs(value) < mp.mpf(2) ** -1150:
        return "0x0p+0"
    mantissa, exponent = value.man_exp
    return f"{'-' if value < 0 else ''}0x{abs(int(mantissa)):x}p{exponent:+d}"


def hexadecimal(value):
    if isinstance(value, dict):
        return {name: hexadecimal(v) for name, v in value.items()}
    if isinstance(value, list):
        return [hexadecimal(v) for v in value]
    return value if isinstance(value, str | int) else float(value).hex()


def set_of(kind, inputs):
    x, y = inputs_of(kind, inputs)
    hard = not kind.endswith("soft")
    results = [results_of(kind, options, x, y) for options in OPTIONS[kind]]
    return {
        "id": f"{kind}-{inputs}",
        "inputs": inputs,
        "logits": hexadecimal(x.tolist()),
        "targets": y.tolist() if hard else hexadecimal(y.astype(float).tolist()),
        "results": results,
    }


def main(losses=()):
    """Write the sets of some losses, or of all."""
    kinds = [kind for kind in OPTIONS if not losses or kind.split("-")[0] in losses]
    jobs = list(itertools.product(kinds, PLACES))
    with ProcessPoolExecutor() as pool:
        sets = list(pool.map(set_of, *zip(*jobs, strict=True)))
    for loss in dict.fromkeys(kind.split("-")[0] for kind in kinds):
        own = [s for s in sets if s["id"].startswith(f"{loss}-")]
        (DATA / f"{loss}.json").write_text(laid_out({"loss": loss, "sets": own}) + "\n")


def laid_out(value, margin=""):
    """JSON with a line for each array of numbers."""
    if isinstance(value, dict):
        inner = [f'{margin} "{name}": {laid_out(v, margin + " ")}' for name, v in value.items()]
        return "{\n" + ",\n".join(inner) + f"\n{margin}}}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[" + ", ".join(laid_out(v, margin) for v in value) + "]"
    return json.dumps(value)


if __name__ == "__main__":
    main(sys.argv[1:])
