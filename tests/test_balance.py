"""Weights of classes by their numbers of examples, against the paper's formula in 60 digits."""

import mpmath
import numpy as np
import pytest

from focalcore import softmax_focal_loss
from focalcore.balance import alpha_of, class_weights, ldam_margins, logit_adjustment

from .helpers import close, fails

COUNTS = [5000, 500, 50, 1]


def effective_number(n, beta):
    """Equation 2 of Cui et al. 2019."""
    with mpmath.workdps(60):
        return (1 - mpmath.mpf(beta) ** n) / (1 - mpmath.mpf(beta))


@pytest.mark.parametrize("beta", [0.0, 0.9, 0.99, 0.999, 0.9999, 1 - 2.0**-50])
@pytest.mark.parametrize("counts", [COUNTS, [1, 2], [10**18, 3]], ids=["long-tail", "few", "huge"])
def test_effective_is_the_inverse_of_the_effective_number(counts, beta):
    expected = [float(1 / effective_number(n, beta)) for n in counts]
    close(class_weights(counts, beta=beta, normalize=None), expected)


def test_one_example_is_one_effective_example():
    close(class_weights([1, 10], normalize=None)[0], 1.0)


def test_a_beta_of_0_weighs_all_classes_the_same():
    close(class_weights(COUNTS, beta=0), 1.0)


def test_a_beta_near_1_is_inverse_frequency():
    close(class_weights(COUNTS, beta=1 - 1e-12), class_weights(COUNTS, "inverse"), rtol=1e-8)


@pytest.mark.parametrize(("method", "power"), [("inverse", -1.0), ("sqrt", -0.5)])
def test_other_methods_are_powers(method, power):
    close(class_weights(COUNTS, method, normalize=None), np.power(COUNTS, power))


def test_inverse_balances_the_classes():
    weights = class_weights(COUNTS, "inverse")
    close(weights * COUNTS, weights[-1])


def test_the_mean_is_1_so_that_the_sum_is_the_number_of_classes():
    close(class_weights(COUNTS).sum(), len(COUNTS))


def test_the_sum_is_1_where_that_is_asked():
    close(class_weights(COUNTS, normalize="sum").sum(), 1.0)


@pytest.mark.parametrize("normalize", ["mean", "sum", None])
def test_a_class_without_examples_weighs_0_and_counts_in_nothing(normalize):
    without = class_weights(COUNTS, normalize=normalize)
    found = class_weights([0, *COUNTS, 0], normalize=normalize)
    close(found, [0, *without, 0])


def test_counts_may_be_integers_beyond_64_bits_and_weighted():
    close(class_weights([10**30, 2.5], "inverse", normalize=None), [1e-30, 0.4])


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (([1, -1],), ValueError, ("counts", ">= 0", "-1")),
        (([1, np.nan],), ValueError, ("counts", "nan")),
        (([0, 0],), ValueError, ("counts", "none above 0")),
        (([[1, 2]],), ValueError, ("counts", "one list", "2-D")),
        ((["a", "b"],), TypeError, ("counts", "numbers")),
        (([1, 2], "cube"), ValueError, ("method", "effective", "cube")),
        (([1, 2], "effective", 1.0), ValueError, ("beta", "inverse")),
        (([1, 2], "effective", 1.5), ValueError, ("beta", "1.5")),
        (([1, 2], "sqrt", 0.9, "max"), ValueError, ("normalize", "mean", "None", "max")),
    ],
    ids=lambda x: str(x) if isinstance(x, tuple) else "",
)
def test_what_is_wrong_is_named(arguments, error, words):
    with fails(error, *words):
        class_weights(*arguments)


@pytest.mark.parametrize("dtype", ["bool", "int8", "float32"])
def test_alpha_is_the_share_of_negatives(dtype):
    y = np.asarray([0] * 9 + [1], dtype)
    assert alpha_of(y) == 0.9


def test_with_alpha_both_classes_weigh_the_same():
    y = np.arange(100) % 7 == 0
    alpha = alpha_of(y)
    close(alpha * y.sum(), (1 - alpha) * (~y).sum())


@pytest.mark.parametrize(
    ("y", "words"),
    [
        ([0, 1, 2], ("0 or 1", "2")),
        ([0.5, 1], ("0 or 1", "0.5")),
        ([1, 1], ("both classes", "0 zeros")),
        ([], ("both classes",)),
    ],
    ids=["three", "soft", "one", "none"],
)
def test_labels_that_have_no_alpha_are_refused(y, words):
    with fails(ValueError, *words):
        alpha_of(y)


class TestLogitAdjustment:
    def test_it_is_tau_times_the_logarithm_of_the_share(self):
        with mpmath.workdps(60):
            expected = [float(mpmath.mpf(1.5) * mpmath.log(mpmath.mpf(n) / 5551)) for n in COUNTS]
        close(logit_adjustment(COUNTS, 1.5), expected)

    def test_without_an_example_a_class_is_ruled_out(self):
        shift = logit_adjustment([3, 0, 1])
        assert shift[1] == -np.inf
        logits = np.zeros((1, 3)) + shift
        close(softmax_focal_loss(logits, [0], gamma=0.0), -np.log(0.75))

    def test_a_tau_of_0_shifts_nothing(self):
        assert not logit_adjustment([3, 0, 1], 0).any()

    def test_what_was_seen_more_often_needs_more(self):
        assert np.all(np.diff(logit_adjustment(COUNTS)) < 0)

    def test_a_negative_tau_is_refused(self):
        with fails(ValueError, "tau"):
            logit_adjustment(COUNTS, -1)


class TestMargins:
    def test_they_are_the_fourth_roots_of_the_inverse_counts(self):
        with mpmath.workdps(60):
            expected = [float(mpmath.mpf(n) ** -0.25 / 2) for n in COUNTS]
        close(ldam_margins(COUNTS), expected)

    def test_the_rarest_class_has_the_largest(self):
        assert ldam_margins(COUNTS, 0.3).max() == 0.3

    def test_without_an_example_a_class_has_none(self):
        close(ldam_margins([16, 0, 1]), [0.25, 0, 0.5])
