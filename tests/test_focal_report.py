"""A report on batches: means of the whole, however it is cut, merged and sent."""

import itertools
import json

import mpmath as mp
import numpy as np
import pytest

from conformance import exact
from conformance.places import STRICT_DEVICE1
from focalcore import (
    sigmoid_focal_loss,
    sigmoid_focal_posterior,
    softmax_focal_loss,
    softmax_focal_posterior,
)
from focalcore.evaluation import FocalReport

from .helpers import close, fails, same

rng = np.random.default_rng(4)
N, C, GAMMAS = 600, 4, (0.0, 0.5, 2.0)
X, Y = rng.normal(size=N) * 3, (rng.random(N) < 0.2).astype(int)
ROWS, LABELS = rng.normal(size=(N, C)) * 2, rng.integers(0, C, N)
BITS, WEIGHT = (rng.random((N, C)) < 0.3).astype(int), rng.random(N)

TASKS = {
    "binary": (X, Y, sigmoid_focal_loss),
    "multi-class": (ROWS, LABELS, softmax_focal_loss),
    "multi-label": (ROWS, BITS, sigmoid_focal_loss),
}
EVERY = pytest.mark.parametrize("task", TASKS)


def whole(task, weight=None, **options):
    x, y, _ = TASKS[task]
    report = FocalReport(task, GAMMAS, **options)
    report.update(x, y, weight)
    return report


class TestMeans:
    @EVERY
    def test_they_are_those_of_the_functions(self, task):
        x, y, loss = TASKS[task]
        found = whole(task).compute()
        close(found.cross_entropy, loss(x, y, gamma=0.0).mean())
        for score in found.losses:
            close(score.focal_loss, loss(x, y, gamma=score.gamma).mean())

    @EVERY
    def test_probabilities_give_what_their_logits_give(self, task):
        x, y, _ = TASKS[task]
        if task == "multi-class":
            p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
        else:
            p = 1 / (1 + np.exp(-x))
        report = FocalReport(task, GAMMAS, from_logits=False)
        report.update(p, y)
        found, expected = report.compute().to_dict(), whole(task).compute().to_dict()
        assert found.pop("scores") == "probabilities"
        assert expected.pop("scores") == "logits"
        same(found, expected, rtol=1e-9)

    @EVERY
    def test_weights_make_weighted_means(self, task):
        x, y, loss = TASKS[task]
        each = loss(x, y, gamma=2.0)
        w = WEIGHT[:, None] * np.ones(C) if each.ndim == 2 else WEIGHT
        found = whole(task, WEIGHT).compute()
        assert found.weighted
        close(found.losses[2].focal_loss, np.average(each, weights=w))

    def test_shares_of_classes_add_up_to_the_loss(self):
        loss = softmax_focal_loss(ROWS, LABELS)
        score = whole("multi-class").compute().losses[2]
        for c, own in enumerate(score.classes):
            close(own.focal_loss, loss[c == LABELS].mean())
            close(own.share, loss[c == LABELS].sum() / loss.sum())
            assert own.count == np.sum(c == LABELS)

    def test_the_number_of_the_paper_is_for_each_positive(self):
        score = whole("binary", alpha=0.25).compute().losses[2]
        options = {"alpha": 0.25, "reduction": "mean", "normalizer": "positives"}
        close(score.per_positive, sigmoid_focal_loss(X, Y, **options))
        assert whole("multi-class").compute().losses[2].per_positive is None

    def test_the_log_loss_is_that_of_the_posterior(self):
        eta = sigmoid_focal_posterior(X, alpha=0.25)
        expected = -np.mean(np.log(np.where(Y, eta, 1 - eta)))
        close(whole("binary", alpha=0.25).compute().losses[2].log_loss, expected, 1e-10)
        rows = softmax_focal_posterior(ROWS)[np.arange(N), LABELS]
        close(whole("multi-class").compute().losses[2].log_loss, -np.mean(np.log(rows)))
        assert whole("binary", alpha=1.0).compute().losses[2].log_loss is None

    @pytest.mark.parametrize(("dtype", "rtol"), [("float32", 2.0**-23), ("float64", 2.0**-52)])
    def test_the_log_loss_of_a_hopeless_score_is_finite(self, dtype, rtol):
        report = FocalReport("binary", (5.0,))
        report.update(np.asarray([300.0], dtype), [0])
        with mp.workdps(1000):
            expected = -mp.log(1 - exact.sigmoid_posterior(300.0, 5.0))
        close(report.compute().losses[0].log_loss, float(expected), rtol=rtol)

    def test_the_log_loss_of_a_hopeless_row_is_finite(self):
        """The probability of a class is in proportion to h(p_c) (Charoenphakdee et al. 2021)."""
        report = FocalReport("multi-class", (2.0,))
        report.update(np.asarray([[60.0, 0.0, 1.0]], "float32"), [1])
        with mp.workdps(200):
            p = [mp.exp(x) for x in (60, 0, 1)]
            p = [each / sum(p) for each in p]
            h = [
                each / ((1 - each) ** 2 * (1 - 2 * each * mp.log(each) / (1 - each))) for each in p
            ]
            expected = -mp.log(h[1] / sum(h))
        close(report.compute().losses[0].log_loss, float(expected), rtol=1e-13)


class TestHardest:
    @EVERY
    @pytest.mark.parametrize("gamma", GAMMAS)
    def test_their_shares_are_those_of_sorted_losses(self, task, gamma):
        x, y, loss = TASKS[task]
        each = np.sort(loss(x, y, gamma=gamma).ravel())[::-1]
        found = whole(task).compute().losses[GAMMAS.index(gamma)].hardest
        for name, share in {"1%": 0.01, "5%": 0.05, "20%": 0.2}.items():
            expected = each[: round(share * each.size)].sum() / each.sum()
            assert found[name] == pytest.approx(expected, abs=5e-3)

    @pytest.mark.parametrize("positives", [True, False])
    def test_the_curves_are_those_of_the_paper(self, positives):
        """Figure 4: each group sorted by its loss, and added up."""
        each = np.sort(sigmoid_focal_loss(X, Y)[positives == Y])
        targets, loss = whole("binary").cumulative_loss(2.0, positives)
        shares = np.arange(each.size + 1) / each.size
        expected = np.concatenate([[0], np.cumsum(each)]) / each.sum()
        np.testing.assert_allclose(np.interp(shares, targets, loss), expected, atol=5e-3)

    def test_a_larger_gamma_moves_the_loss_to_the_hardest(self):
        shares = [score.hardest["5%"] for score in whole("binary").compute().losses]
        assert shares == sorted(shares)


@pytest.mark.parametrize("task", TASKS)
class TestLeftOut:
    """Whatever is there: what is left out may be no number at all."""

    def test_a_mask_leaves_rows_out(self, task):
        scores, targets, _ = TASKS[task]
        kept = np.arange(len(scores)) % 3 > 0
        broken = np.where(kept.reshape(-1, *[1] * (scores.ndim - 1)), scores, np.nan)
        masked, chosen = FocalReport(task, (0.0, 2.0)), FocalReport(task, (0.0, 2.0))
        masked.update(broken, targets, mask=kept)
        chosen.update(scores[kept], targets[kept])
        found, expected = masked.compute(), chosen.compute()
        assert (found.examples, found.ignored) == (kept.sum(), (~kept).sum())
        close(found.losses[1].focal_loss, expected.losses[1].focal_loss)
        close(found.losses[1].log_loss, expected.losses[1].log_loss)
        assert found.losses[1].hardest == pytest.approx(expected.losses[1].hardest, rel=1e-12)

    def test_ignored_targets_are_what_a_mask_leaves_out(self, task):
        scores, targets, _ = TASKS[task]
        targets = targets.copy()
        targets[::4] = -100
        ignoring, masked = FocalReport(task, ignore_index=-100), FocalReport(task)
        ignoring.update(scores, targets)
        masked.update(scores, np.maximum(targets, 0), mask=targets >= 0)
        assert ignoring.compute() == masked.compute()


def test_a_mask_may_be_of_single_targets():
    report = FocalReport("multi-label")
    report.update(
        [[1.0, np.nan], [0.5, -1.0]], [[1, 0], [0, 1]], mask=[[1 > 0, 0 > 1], [1 > 0] * 2]
    )
    found = report.compute()
    assert (found.examples, found.ignored, found.targets) == (2, 0, 3)


class TestMerging:
    @EVERY
    def test_batches_in_any_order_are_the_whole(self, task):
        x, y, _ = TASKS[task]
        expected = whole(task, WEIGHT).compute().to_dict()
        cuts = [slice(0, 1), slice(1, 250), slice(250, 250), slice(250, N)]
        for order in itertools.permutations(cuts):
            report = FocalReport(task, GAMMAS)
            for cut in order:
                report.update(x[cut], y[cut], WEIGHT[cut])
            same(report.compute().to_dict(), expected)

    @EVERY
    def test_reports_merge_into_that_of_the_whole(self, task):
        x, y, _ = TASKS[task]
        parts = []
        for cut in (slice(0, 100), slice(100, 333), slice(333, N)):
            parts.append(FocalReport(task, GAMMAS))
            parts[-1].update(x[cut], y[cut])
        first, second, third = parts
        empty = FocalReport(task, GAMMAS)
        found = empty.merge(third.merge(first)).merge(second)
        same(found.compute().to_dict(), whole(task).compute().to_dict())

    @EVERY
    def test_a_state_is_json_and_becomes_the_report_again(self, task):
        report = whole(task, WEIGHT, alpha=None if task == "multi-class" else 0.25)
        state = json.loads(json.dumps(report.state()))
        again = FocalReport.from_state(state)
        assert again.compute() == report.compute()
        twice = again.merge(report).compute()
        close(twice.cross_entropy, report.compute().cross_entropy)

    def test_reports_of_another_kind_are_refused(self):
        with fails(ValueError, "of the same kind", "gammas"):
            whole("binary").merge(FocalReport("binary", (1.0,)))
        with fails(ValueError, "task='binary' and 'multi-label'"):
            whole("binary").merge(whole("multi-label"))

    def test_a_report_may_begin_again(self):
        report = whole("binary")
        report.reset()
        report.update(X[:10], Y[:10])
        assert report.compute().examples == 10


@EVERY
def test_arrays_of_every_library_are_read(place, task):
    x, y, _ = TASKS[task]
    report = FocalReport(task, GAMMAS)
    if place is STRICT_DEVICE1:
        with fails(TypeError, "scores can't be read", "move it to the host"):
            report.update(place.array(x), place.array(y))
        return
    report.update(place.array(x), place.array(y))
    same(report.compute().to_dict(), whole(task).compute().to_dict())


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_narrow_scores_are_summed_in_float64(dtype):
    x = np.full(5000, 3.0, dtype)
    report = FocalReport("binary")
    report.update(x, np.ones(5000, int))
    close(report.compute().losses[0].focal_loss, sigmoid_focal_loss(3.0, 1), 1e-6)


def test_saturated_scores_are_reported(recwarn):
    report = FocalReport("binary", (0.0, 2.0))
    report.update([np.inf, -np.inf, 1000.0, -1000.0, np.inf], [1, 0, 1, 0, 0])
    found = report.compute()
    assert found.cross_entropy == np.inf
    assert found.losses[1].hardest == {"1%": None, "5%": None, "20%": None}
    assert not recwarn.list


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("task", ["binary", "multi-class"])
def test_the_log_loss_of_the_posterior_does_not_saturate(task, dtype):
    """Far out it is (1 + gamma) distance - log(1 + gamma), by the formula of the posterior."""
    x = np.asarray([500.0] if task == "binary" else [[500.0, 0.0]], dtype)
    report = FocalReport(task, (0.0, 2.0))
    report.update(x, [0 if task == "binary" else 1])
    plain, focal = (score.log_loss for score in report.compute().losses)
    close(plain, 500.0, 1e-12)
    close(focal, 1500 - np.log(3), 1e-12 if dtype == "float64" else 1e-7)


@pytest.mark.parametrize("alpha", [None, (0.5, 1.0, 2.0)], ids=["plain", "weighed"])
def test_the_log_loss_of_the_posterior_is_exact(alpha):
    x, gamma = [3.0, -40.0, 41.5], 1.5
    weights = alpha or (1, 1, 1)
    with mp.workdps(80):
        total = mp.fsum(map(mp.exp, x))
        p = [mp.exp(v) / total for v in x]
        h = [
            p / ((1 - p) ** gamma * (1 + gamma * p * -mp.log(p) / (1 - p))) / a
            for p, a in zip(p, weights, strict=True)
        ]
        expected = [float(-mp.log(each / sum(h))) for each in h]
    for label in range(3):
        report = FocalReport("multi-class", gamma, alpha)
        report.update([x], [label])
        close(report.compute().losses[0].log_loss, expected[label], 1e-12)


@pytest.mark.parametrize("task", ["binary", "multi-class"])
def test_probabilities_of_0_and_1_have_the_log_loss_of_their_cross_entropy(task):
    p = [0.0, 1.0] if task == "binary" else [[1.0, 0.0], [0.0, 1.0]]
    report = FocalReport(task, 0.0, from_logits=False)
    report.update(p, [1, 0])
    found = report.compute()
    close(found.cross_entropy, -np.log(2.0**-52), 1e-12)
    close(found.losses[0].log_loss, found.cross_entropy, 1e-12)


class TestBadInput:
    @pytest.mark.parametrize("task", ["binary", "multi-class", "multi-label"])
    def test_probabilities_beyond_their_range_are_named(self, task):
        p = [0.5, 1.5] if task == "binary" else [[0.5, 0.5], [1.5, -0.5]]
        targets = [[0, 1], [1, 0]] if task == "multi-label" else [0, 1]
        with fails(ValueError, r"probabilities must lie in \[0, 1\]", "found 1.5"):
            FocalReport(task, from_logits=False).update(p, targets)

    def test_scores_that_are_no_numbers_are_named(self):
        with fails(ValueError, "scores must be numbers; found NaN in row 1"):
            FocalReport("binary").update([0.0, np.nan], [0, 1])
        with fails(TypeError, "scores must be numbers; found <U1"):
            FocalReport("binary").update(["a"], [0])

    def test_targets_that_are_none_are_named(self):
        with fails(TypeError, "targets are class labels", "found float64"):
            FocalReport("multi-class").update(ROWS, LABELS + 0.5)
        with fails(ValueError, "class labels from 0 to 3", "found 7 in row 1"):
            FocalReport("multi-class").update(ROWS[:2], [0, 7])
        with fails(ValueError, r"targets must lie in \[0, 1\]", "found 2"):
            FocalReport("binary").update([0.0], [2])

    def test_shapes_that_do_not_fit_are_named(self):
        with fails(ValueError, r"must have shape \(N, C\)", r"found \(600,\)"):
            FocalReport("multi-label").update(X, Y)
        with fails(ValueError, "targets must have the shape of scores"):
            FocalReport("multi-label").update(ROWS, BITS[:, :2])
        with fails(ValueError, "weight must have 600 rows", "found 3"):
            FocalReport("binary").update(X, Y, [1, 1, 1])

    def test_what_is_refused_leaves_no_trace(self):
        report = FocalReport("multi-class")
        with fails(ValueError, "class labels"):
            report.update(ROWS[:, :2], [3] * N)
        report.update(ROWS, LABELS)
        assert report.compute().examples == N

    def test_nothing_has_no_mean(self):
        with fails(ValueError, "targets of a weight above 0", "sum is 0"):
            FocalReport("binary").compute()

    def test_another_number_of_classes_is_named(self):
        report = FocalReport("multi-class", class_names=["ant", "bee"])
        with fails(ValueError, "2 classes", "ant", "found 4"):
            report.update(ROWS, LABELS)

    def test_options_are_checked_at_once(self):
        with fails(ValueError, "task must be one of", "found 'regression'"):
            FocalReport("regression")
        with fails(ValueError, "gammas", "found -1.0"):
            FocalReport("binary", (-1.0,))
        with fails(ValueError, "alpha must be"):
            FocalReport("binary", alpha=2.0)
        with fails(ValueError, "one number where the task is 'binary'"):
            FocalReport("binary", alpha=[0.1, 0.9])
        with fails(ValueError, "a list of a weight for each class"):
            FocalReport("multi-class", alpha=0.25)


class TestTorchMetric:
    @pytest.fixture
    def kind(self, torch):  # noqa: ARG002
        pytest.importorskip("torchmetrics", reason="torchmetrics is not installed")
        from focalcore.torch import FocalMetric

        return FocalMetric

    @EVERY
    def test_it_is_the_mean_of_all_batches(self, torch, kind, task):
        x, y = map(torch.tensor, TASKS[task][:2])
        metric = kind(task, num_classes=C)
        for cut in (slice(0, 100), slice(100, N)):
            metric.update(x[cut], y[cut])
        expected = whole(task).compute().losses[2]
        close(metric.compute().item(), expected.focal_loss, 1e-6)
        same(metric.report().losses[0].hardest, expected.hardest)

    def test_it_is_merged_cloned_and_reset(self, torch, kind):
        x, y = map(torch.tensor, TASKS["binary"][:2])
        metric, other = kind(), kind()
        metric.update(x[:100], y[:100])
        other.update(x[100:], y[100:])
        metric.merge_state(other)
        clone = metric.clone()
        close(clone.compute().item(), whole("binary").compute().losses[2].focal_loss, 1e-6)
        metric.reset()
        assert float(metric.weight.sum()) == 0

    def test_a_batch_gives_its_own_loss(self, torch, kind):
        """As `forward` of torchmetrics does, which Lightning logs on each step."""
        x, y = map(torch.tensor, TASKS["binary"][:2])
        metric = kind()
        close(metric(x[:50], y[:50]).item(), sigmoid_focal_loss(X[:50], Y[:50]).mean(), 1e-6)

    def test_classes_have_to_be_known(self, kind):
        with fails(ValueError, "num_classes must be given", "multi-class"):
            kind("multi-class")
