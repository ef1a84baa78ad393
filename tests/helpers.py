"""What several files of tests ask, and what they compare with."""

import os
from functools import partial

import numpy as np
import pytest

from conformance import exact
from conformance.places import Place

# the arguments that may be arrays, for claims on NumPy's beside those of another library
ARGUMENTS = {
    "logits": np.asarray([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]]),
    "targets": np.asarray([[1.0, 0.0, 0.25], [1.0, 1.0, 0.0]]),
    "mask": np.asarray([[True, False, True], [True, True, True]]),
    "weight": np.asarray([[1.0, 2.0, 3.0], [0.5, 1.0, 0.0]]),
    "gamma": np.asarray([0.5, 2.0, 1.0]),
    "alpha": np.asarray([0.25, 0.5, 0.75]),
    "pos_weight": np.asarray([1.0, 2.0, 3.0]),
}


def is_ours(place):
    """This process is for a place: for the one it was begun for, or for all but such."""
    apart = os.environ.get("FOCALCORE_APART")
    return place.id == apart if apart else not place.is_apart


class Absent(Place):
    """A place that can't run here."""

    name = "absent"

    def missing(self):
        return "no such thing"


def close(found, expected, rtol=1e-13):
    """All numbers are those expected, but for their last digits."""
    np.testing.assert_allclose(found, expected, rtol=rtol)


def approx(value):
    """A number but for its last digits."""
    return pytest.approx(float(value), rel=1e-12)


def same(found, expected, rtol=1e-12):
    """Reports are the same but for the last digits of sums."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        pairs = [(found[name], expected[name]) for name in expected]
    elif isinstance(expected, list | tuple):
        pairs = list(zip(found, expected, strict=True))
    else:
        is_number = not isinstance(expected, str | None)
        assert found == (pytest.approx(expected, rel=rtol) if is_number else expected)
        return
    for pair in pairs:
        same(*pair, rtol)


def bits(x):
    """The bytes of an array, wherever it lies."""
    return np.ascontiguousarray(x).tobytes()


def fails(error, *words):
    """An error has to be raised, of one line with all of these patterns in it."""
    return pytest.raises(error, match="(?s)^(?!.*\n)" + "".join(f"(?=.*{w})" for w in words))


def table_of(*header, rows):
    """A table as text of CSV."""
    return "\n".join([",".join(header), *(",".join(map(str, row)) for row in rows)]) + "\n"


def elementwise(f, *arrays, **options):
    """A definition of one element, at each element of arrays."""
    return np.vectorize(lambda *each: float(f(*each, **options)))(*arrays)


def rowwise(f, x, y, **options):
    """A definition of one row, at each row of logits and its target."""
    return np.asarray([float(f(*row, **options)) for row in zip(x, y, strict=True)])


def derivatives(f, x, y, **options):
    """First and second derivatives of a definition, at each of some logits and its target."""
    each = (partial(f, y=target, **options) for target in y)
    pairs = [exact.derivatives(of, v) for of, v in zip(each, x, strict=True)]
    return np.asarray(pairs, float).T


def contrast(one, other):
    """The contrast of two colours as #rrggbb, by the Web Content Accessibility Guidelines 2.2."""
    lighter, darker = sorted(map(_luminance, (one, other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour):
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))
