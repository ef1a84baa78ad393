"""What each option means, as identities and against the exact definition."""

import numpy as np
import pytest

from conformance import exact
from focalcore import sigmoid_focal_loss, softmax_focal_loss

from .helpers import close, elementwise, rowwise

RULES = ("expected", "mixture", "hard")


@pytest.fixture
def binary(rng):
    return rng.normal(size=(4, 3)) * 4, rng.integers(0, 2, (4, 3))


@pytest.fixture
def rows(rng):
    distributions = rng.random((6, 4))
    distributions /= distributions.sum(axis=1, keepdims=True)
    return rng.normal(size=(6, 4)) * 4, rng.integers(0, 4, 6), distributions


class TestSigmoid:
    def test_alpha_weighs_positives_alpha_and_negatives_the_rest(self, place, binary):
        x, y = binary
        expected = elementwise(exact.sigmoid_focal, x, y, alpha=0.25)
        close(place.call(sigmoid_focal_loss, x, y, alpha=0.25), expected)

    @pytest.mark.parametrize(("alpha", "silenced"), [(0, 1), (1, 0)])
    def test_alpha_of_zero_is_a_value(self, place, binary, alpha, silenced):
        x, y = binary
        loss = place.call(sigmoid_focal_loss, x, y, alpha=alpha)
        np.testing.assert_array_equal(loss == 0, y == silenced)

    def test_alpha_and_gamma_may_differ_by_class(self, place, binary):
        x, y = binary
        alpha, gamma = [0.1, 0.5, 1.0], [0.0, 0.7, 3.0]
        expected = np.stack(
            [
                elementwise(exact.sigmoid_focal, x[:, c], y[:, c], alpha=alpha[c], gamma=gamma[c])
                for c in range(3)
            ],
            axis=-1,
        )
        close(place.call(sigmoid_focal_loss, x, y, alpha=alpha, gamma=gamma), expected)
        alpha, gamma = np.asarray(alpha), np.asarray(gamma, dtype="float32")
        found = place.call(sigmoid_focal_loss, x, y, alpha=alpha, gamma=gamma)
        close(found, expected, rtol=1e-6)

    def test_parameters_may_be_arrays_of_the_library(self, place, binary):
        x, y = binary
        expected = elementwise(exact.sigmoid_focal, x, y, alpha=0.3, gamma=1.3)
        alpha, gamma = place.array(0.3), place.array(1.3)
        close(place.call(sigmoid_focal_loss, x, y, alpha=alpha, gamma=gamma), expected)

    def test_pos_weight_weighs_positives_alone(self, place, binary):
        x, y = binary
        plain = elementwise(exact.sigmoid_focal, x, y)
        loss = place.call(sigmoid_focal_loss, x, y, pos_weight=3.0)
        close(loss, np.where(y == 1, 3.0, 1.0) * plain)

    def test_pos_weight_and_alpha_multiply(self, place, binary):
        x, y = binary
        expected = elementwise(exact.sigmoid_focal, x, y, alpha=0.25, pos_weight=3.0)
        close(place.call(sigmoid_focal_loss, x, y, alpha=0.25, pos_weight=3.0), expected)

    @pytest.mark.parametrize("rule", RULES)
    @pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 3.7])
    def test_soft_targets_follow_their_rule(self, place, binary, rng, rule, gamma):
        x, y = binary[0], rng.random((4, 3))
        options = {"gamma": gamma, "alpha": 0.25, "soft_targets": rule}
        options["label_smoothing"] = 0.2 if rule == "hard" else 0.0
        expected = elementwise(exact.sigmoid_focal, x, y, **options)
        close(place.call(sigmoid_focal_loss, x, y, **options), expected)

    @pytest.mark.parametrize("rule", RULES)
    def test_label_smoothing_moves_targets_to_a_half(self, place, binary, rule):
        x, y = binary
        options = {"label_smoothing": 0.1, "soft_targets": rule}
        expected = elementwise(exact.sigmoid_focal, x, y, **options)
        close(place.call(sigmoid_focal_loss, x, y, **options), expected)

    def test_rules_agree_on_hard_targets(self, place, binary):
        expected = place.call(sigmoid_focal_loss, *binary)
        close(place.call(sigmoid_focal_loss, *binary, soft_targets="mixture"), expected)

    def test_gamma_zero_is_cross_entropy(self, place, binary):
        x, y = binary
        expected = np.logaddexp(0, np.where(y == 1, -x, x))
        close(place.call(sigmoid_focal_loss, x, y, gamma=0), expected)

    def test_paper_ratios_to_cross_entropy(self, place):
        # Lin et al. 2017, section 3.2: 100 times lower at p_t = 0.9, about 1000 at 0.968
        x = place.array(np.log(np.asarray([0.9 / 0.1, 0.968 / 0.032, 1.0])))
        y = place.array(np.ones(3))
        ratio = sigmoid_focal_loss(x, y, gamma=0) / sigmoid_focal_loss(x, y)
        np.testing.assert_allclose(place.numpy(ratio), [100, 976.5625, 4], rtol=1e-12)

    def test_loss_decreases_with_the_margin(self, place):
        x = np.linspace(-40, 40, 801)
        for gamma in (0.0, 0.5, 2.0, 5.0):
            loss = place.call(sigmoid_focal_loss, x, np.ones(801), gamma=gamma)
            assert np.all(np.diff(loss) < 0)

    def test_loss_is_symmetric_in_the_classes(self, place, binary, rng):
        x, y = binary[0], rng.random((4, 3))
        mirrored = place.call(sigmoid_focal_loss, -x, 1 - y)
        close(place.call(sigmoid_focal_loss, x, y), mirrored, rtol=1e-12)


class TestSoftmax:
    @pytest.mark.parametrize("gamma", [0.0, 1.3, 2.0])
    def test_class_labels_follow_the_definition(self, place, rows, gamma):
        x, labels, _ = rows
        expected = rowwise(exact.softmax_focal, x, labels, gamma=gamma)
        close(place.call(softmax_focal_loss, x, labels, gamma=gamma), expected)

    def test_alpha_and_gamma_are_those_of_the_target(self, place, rows):
        x, labels, _ = rows
        alpha, gamma = [0.5, 2.0, 10.0, 0.0], [0.0, 1.0, 2.5, 3.0]
        expected = [
            alpha[t] * float(exact.softmax_focal(row, t, gamma=gamma[t]))
            for row, t in zip(x, labels, strict=True)
        ]
        close(place.call(softmax_focal_loss, x, labels, alpha=alpha, gamma=gamma), expected)
        alpha, gamma = place.array(alpha), place.array(gamma)
        close(place.call(softmax_focal_loss, x, labels, alpha=alpha, gamma=gamma), expected)

    def test_one_alpha_scales_every_class(self, place, rows):
        x, labels, _ = rows
        expected = 3 * rowwise(exact.softmax_focal, x, labels)
        close(place.call(softmax_focal_loss, x, labels, alpha=3.0), expected)

    @pytest.mark.parametrize("rule", RULES)
    @pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, [0.0, 1.0, 2.0, 3.0]], ids=str)
    def test_distributions_follow_their_rule(self, place, rows, rule, gamma):
        x, _, y = rows
        options = {"gamma": gamma, "alpha": [1.0, 2.0, 0.5, 3.0], "soft_targets": rule}
        options["label_smoothing"] = 0.2 if rule == "hard" else 0.0
        expected = rowwise(exact.softmax_focal, x, y, **options)
        close(place.call(softmax_focal_loss, x, y, **options), expected)

    @pytest.mark.parametrize("rule", RULES)
    def test_label_smoothing_moves_targets_to_the_uniform(self, place, rows, rule):
        x, labels, _ = rows
        options = {"alpha": [1.0, 2.0, 0.5, 3.0], "soft_targets": rule, "label_smoothing": 0.1}
        expected = rowwise(exact.softmax_focal, x, labels, **options)
        close(place.call(softmax_focal_loss, x, labels, **options), expected)

    @pytest.mark.parametrize("rule", ["expected", "mixture"])
    def test_one_hot_distributions_are_class_labels(self, place, rows, rule):
        x, labels, _ = rows
        expected = place.call(softmax_focal_loss, x, labels)
        for one_hot in (np.eye(4)[labels], np.eye(4, dtype="int64")[labels]):
            loss = place.call(softmax_focal_loss, x, one_hot, soft_targets=rule)
            close(loss, expected)

    @pytest.mark.parametrize("rule", ["expected", "mixture"])
    def test_two_classes_are_a_sigmoid(self, place, rng, rule):
        x, y = rng.normal(size=20) * 5, rng.random(20)
        rows = np.stack([x, np.zeros(20)], axis=-1)
        expected = place.call(sigmoid_focal_loss, x, y, soft_targets=rule)
        loss = place.call(
            softmax_focal_loss, rows, np.stack([y, 1 - y], axis=-1), soft_targets=rule
        )
        close(loss, expected)

    def test_a_shift_of_the_row_changes_nothing(self, place, rows):
        x, labels, _ = rows
        x = np.round(x * 64) / 64  # so that the shift itself is exact
        expected = place.call(softmax_focal_loss, x, labels)
        close(place.call(softmax_focal_loss, x + 1000.0, labels), expected)

    def test_a_single_class_is_always_right(self, place):
        close(place.call(softmax_focal_loss, [[3.0], [-700.0]], [0, 0]), [0, 0])

    @pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
    def test_the_class_axis_may_be_any(self, place, rng, axis):
        x, labels = rng.normal(size=(2, 3, 4)), rng.integers(0, 4, (2, 3))
        weights = [1.0, 2.0, 3.0, 4.0]
        expected = place.call(softmax_focal_loss, x, labels, alpha=weights)
        moved = np.moveaxis(x, -1, axis)
        close(place.call(softmax_focal_loss, moved, labels, alpha=weights, axis=axis), expected)
