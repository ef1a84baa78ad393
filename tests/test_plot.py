"""The displays: the numbers behind each picture, and what is drawn of them."""

import itertools
import sys

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="matplotlib is not installed")

from matplotlib import pyplot
from matplotlib.colors import to_rgb

from focalcore import (
    sigmoid_focal_logit,
    sigmoid_focal_loss,
    softmax_focal_logits,
    softmax_focal_loss,
)
from focalcore.evaluation import FocalReport
from focalcore.plot import (
    ClassLossDisplay,
    ConfidenceDisplay,
    CumulativeLossDisplay,
    LossCurveDisplay,
)
from focalcore.plot._style import COLOURS, of_place

from .helpers import close, contrast, fails

rng = np.random.default_rng(7)
PAPER = (0.0, 0.5, 1.0, 2.0)


@pytest.fixture(autouse=True)
def _no_windows():
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")


def report(task, scores, targets, gammas=PAPER, **options):
    made = FocalReport(task, gammas, **options)
    made.update(scores, targets)
    return made


def detector(n=200_000):
    """Margins as the paper tells of them: one positive in a hundred, most negatives far off."""
    y = (np.arange(n) % 100 == 0).astype(int)
    return np.where(y, rng.normal(0.5, 1.5, n), rng.normal(-4.0, 1.5, n)), y


def drawn(display):
    """The numbers of the lines."""
    return [line.get_xydata().T for line in display.lines_]


class TestLossCurve:
    def test_the_cross_entropy_is_minus_the_logarithm(self):
        p, loss = drawn(LossCurveDisplay.from_gammas((0.0,)))[0]
        close(loss, -np.log(p))

    def test_the_numbers_of_the_paper_are_on_the_curves(self):
        """Section 3.2: gamma 2 leaves 1/100 at p = 0.9, some 1/1000 at 0.968, and 1/4 at 0.5."""
        display = LossCurveDisplay.from_gammas((0.0, 2.0))
        (p, plain), (_, focal) = drawn(display)
        ratio = dict(zip(p.round(3).tolist(), plain[:-1] / focal[:-1], strict=False))
        close([ratio[0.9], ratio[0.5]], [100, 4], 1e-9)
        assert 970 < ratio[0.968] < 980

    def test_a_larger_gamma_lies_below(self):
        display = LossCurveDisplay.from_gammas()
        assert display.gammas == (0.0, 0.5, 1.0, 2.0, 5.0)
        assert (np.diff(display.losses, axis=0)[:, :-1] < 0).all()

    def test_alpha_scales_the_curves(self):
        plain, scaled = (LossCurveDisplay.from_gammas((2.0,), alpha=a) for a in (None, 0.25))
        close(scaled.losses[0], 0.25 * plain.losses[0])


class TestCumulativeLoss:
    @pytest.mark.parametrize("positives", [True, False], ids=["positives", "negatives"])
    def test_curves_go_from_nothing_to_all_and_bend_one_way(self, positives):
        display = CumulativeLossDisplay.from_report(
            report("binary", *detector()), positives=positives
        )
        for targets, loss in drawn(display):
            assert (targets[0], loss[0], targets[-1], loss[-1]) == (0, 0, 1, 1)
            assert (np.diff(loss) >= 0).all()
            assert (loss <= targets + 1e-12).all()  # the easiest carry the least

    def test_gamma_leaves_the_loss_of_negatives_to_the_hardest(self):
        """Section 5.1: it hardly moves positives, and concentrates the loss of negatives."""
        made = report("binary", *detector())
        of_hardest = {
            positives: [
                1 - np.interp(0.8, *curve)
                for curve in drawn(CumulativeLossDisplay.from_report(made, positives=positives))
            ]
            for positives in (True, False)
        }
        assert of_hardest[False] == sorted(of_hardest[False])
        assert of_hardest[False][-1] > 0.99
        assert of_hardest[True][-1] < 0.8

    def test_the_legend_says_what_the_hardest_carry(self):
        x, y = detector()
        display = CumulativeLossDisplay.from_predictions(y, x, gamma=2.0, from_logits=True)
        each = np.sort(sigmoid_focal_loss(x, y)[y == 1])
        share = each[-each.size // 5 :].sum() / each.sum()
        assert display.lines_[0].get_label() == f"gamma 2: hardest 20% carry {share:.0%}"

    def test_rows_are_not_called_positives(self):
        display = CumulativeLossDisplay.from_report(
            report("multi-class", rng.normal(size=(50, 3)), rng.integers(0, 3, 50))
        )
        assert display.ax_.get_title() == "Which rows carry the loss"

    def test_a_loss_without_shares_is_refused(self):
        with fails(ValueError, "negatives must have a loss above 0", "gamma 0"):
            CumulativeLossDisplay.from_report(report("binary", [1.0], [1]), positives=False)
        with fails(ValueError, "positives must have a loss above 0, and a finite one"):
            CumulativeLossDisplay.from_report(report("binary", [-np.inf], [1]))


class TestClassLoss:
    def test_bars_are_shares_of_the_loss_from_the_largest_on(self):
        x, y = rng.normal(size=(400, 5)), rng.integers(0, 5, 400)
        loss = softmax_focal_loss(x, y)
        expected = np.bincount(y, loss) / loss.sum()
        display = ClassLossDisplay.from_report(report("multi-class", x, y))
        found = [bar.get_width() for bar in display.bars_]
        close(found, np.sort(expected)[::-1])
        close(sum(found), 1.0)
        names = [label.get_text() for label in display.ax_.get_yticklabels()]
        assert names == np.argsort(-expected).astype(str).tolist()

    def test_gamma_is_one_of_the_report(self):
        made = report("binary", [0.0, 1.0], [1, 0])
        found = ClassLossDisplay.from_report(made, gamma=0.5)
        assert found.shares == [c.share for c in made.compute().losses[1].classes]
        assert ClassLossDisplay.from_report(made.compute()).gamma == 2.0
        with fails(ValueError, r"one of \[0.0, 0.5, 1.0, 2.0\]", "found 3"):
            ClassLossDisplay.from_report(made, gamma=3)

    @pytest.mark.parametrize("classes", [20, 21, 90])
    def test_a_word_is_said_of_what_is_beyond_the_twenty_largest(self, classes):
        y = np.arange(classes)
        x = np.diag(4.0 + y)  # each class is easier than the one before
        display = ClassLossDisplay.from_report(report("multi-class", x, y))
        assert [bar.get_width() for bar in display.bars_] == display.shares[:20]
        share = sum(display.shares[20:])
        word = f"\n({share:.1%} lies beyond the largest 20 of {classes})"
        assert display.ax_.get_xlabel() == "share of the loss" + word * (classes > 20)

    def test_names_are_written_as_they_are(self):
        names = ["$5 and $6", "two\nlines", "x" * 99]
        x, y = np.diag([1.0, 2.0, 3.0]), np.arange(3)
        made = report("multi-class", x, y, class_names=names)
        labels = ClassLossDisplay.from_report(made).ax_.get_yticklabels()
        assert [label.get_text() for label in labels] == ["$5 and $6", "two lines", "x" * 19 + "…"]
        assert not any(label.get_parse_math() for label in labels)

    def test_a_loss_without_shares_is_refused(self):
        with fails(ValueError, "above 0 and finite", "found inf at gamma 2"):
            ClassLossDisplay.from_report(report("binary", [-np.inf], [1]))


class TestConfidence:
    N = 200_000

    def truth(self):
        rng = np.random.default_rng(1)
        p = rng.beta(0.7, 1.4, self.N)
        return p, (rng.random(self.N) < p).astype(int)

    def rows(self):
        rng = np.random.default_rng(2)
        p = rng.dirichlet([0.5, 1.0, 1.5], self.N)
        return p, (rng.random(self.N)[:, None] > p.cumsum(axis=1)).sum(axis=1).clip(0, 2)

    def on_diagonal(self, curve):
        """Each bin is as far off as chance takes it: in four standard errors."""
        n, p = curve.share * self.N, curve.confidence
        assert (np.abs(curve.frequency - p) <= 4 * np.sqrt(p * (1 - p) / n) + 1e-9).all()

    @pytest.mark.parametrize("alpha", [None, 0.25])
    def test_the_posterior_of_a_model_that_knows_all_is_true(self, alpha):
        p, y = self.truth()
        x = sigmoid_focal_logit(p, gamma=2.0, alpha=alpha)
        before, after = ConfidenceDisplay.from_predictions(
            y, x, alpha=alpha, from_logits=True
        ).curves
        self.on_diagonal(after)
        assert before.calibration_error > 10 * after.calibration_error

    def test_of_several_classes_it_is_the_most_likely_one(self):
        p, y = self.rows()
        x = softmax_focal_logits(p, gamma=2.0)
        before, after = ConfidenceDisplay.from_predictions(y, x, from_logits=True).curves
        self.on_diagonal(after)
        assert after.confidence[0] > 1 / 3
        close((after.frequency * after.share).sum(), (p.argmax(axis=1) == y).mean())
        assert before.calibration_error > 10 * after.calibration_error

    def test_true_probabilities_are_so_as_scored(self):
        """What the sigmoid has given is taken for its scores."""
        p, y = self.truth()
        self.on_diagonal(ConfidenceDisplay.from_predictions(y, p).curves[0])

    def test_a_report_tells_what_its_predictions_tell(self):
        p, y = self.truth()
        x = sigmoid_focal_logit(p)
        of_rows = ConfidenceDisplay.from_predictions(y, x, gamma=PAPER, from_logits=True)
        of_report = ConfidenceDisplay.from_report(report("binary", x, y))
        assert of_report.names == of_rows.names
        assert of_rows.names[0] == "as scored"
        assert len(of_rows.names) == 4  # the posterior of 0 is what is scored
        for rows, sums in zip(of_rows.curves, of_report.curves, strict=True):
            assert sums.calibration_error == pytest.approx(rows.calibration_error, abs=2e-3)

    def test_the_error_of_one_probability_for_all_is_its_distance(self):
        display = ConfidenceDisplay.from_predictions([0, 0, 0, 1], [0.6] * 4)
        close(display.curves[0].calibration_error, 0.35)
        assert display.lines_[0].get_label() == "as scored: ECE 35.0%"

    def test_weights_count_rows_several_times(self):
        y, p = [0, 1, 1], [0.2, 0.2, 0.7]
        weighed = ConfidenceDisplay.from_predictions(y, p, sample_weight=[3, 1, 0]).curves[1]
        again = ConfidenceDisplay.from_predictions([0, 0, 0, 1], [0.2] * 4).curves[1]
        close(np.stack(weighed), np.stack(again))

    def test_there_is_no_posterior_of_an_alpha_for_each_class(self):
        x, y = rng.normal(size=(50, 2)), rng.integers(0, 2, (50, 2))
        display = ConfidenceDisplay.from_report(report("multi-label", x, y, alpha=[0.2, 0.3]))
        assert display.names == ["as scored"]

    @pytest.mark.parametrize("alpha", [None, 0.25, [0.25, 0.6]])
    def test_independent_classes_are_as_so_many_rows(self, alpha):
        p, y = self.truth()
        rows, columns = slice(0, 1000), slice(1000, 2000)
        x = sigmoid_focal_logit(np.stack([p[rows], p[columns]], axis=1), alpha=alpha)
        options = {"alpha": alpha, "from_logits": True}
        of_each = ConfidenceDisplay.from_predictions(
            np.stack([y[rows], y[columns]], axis=1), x, **options
        )
        as_rows = ConfidenceDisplay.from_predictions(
            np.concatenate([y[rows], y[columns]]),
            np.concatenate([p[rows], p[columns]]),
            gamma=0,
        )
        close(np.stack(of_each.curves[1]), np.stack(as_rows.curves[0]), 1e-9)

    def test_what_a_report_does_not_know_is_refused(self):
        made = report("multi-class", rng.normal(size=(50, 3)), rng.integers(0, 3, 50))
        with fails(ValueError, "multi-class", "ConfidenceDisplay.from_predictions"):
            ConfidenceDisplay.from_report(made)
        with fails(ValueError, "probabilities must lie in", "found 1.5"):
            ConfidenceDisplay.from_predictions([0, 1], [0.5, 1.5])


DISPLAYS = {
    "loss curve": lambda **o: LossCurveDisplay.from_gammas(**o),
    "cumulative": lambda **o: CumulativeLossDisplay.from_predictions([0, 1], [0.2, 0.7], **o),
    "confidence": lambda **o: ConfidenceDisplay.from_predictions([0, 1], [0.2, 0.7], **o),
    "classes": lambda **o: ClassLossDisplay.from_predictions([0, 1], [0.2, 0.7], **o),
}
EVERY = pytest.mark.parametrize("make", DISPLAYS.values(), ids=DISPLAYS)


@pytest.mark.parametrize(
    ("display", "numbers"), [(CumulativeLossDisplay, "losses"), (ClassLossDisplay, "shares")]
)
def test_rows_of_targets_are_those_of_independent_classes(display, numbers):
    x, y = rng.normal(size=(300, 3)), rng.integers(0, 2, (300, 3))
    found = display.from_predictions(y, x, gamma=2.0, from_logits=True)
    expected = display.from_report(report("multi-label", x, y, (2.0,)))
    close(getattr(found, numbers), getattr(expected, numbers))


@EVERY
def test_a_display_is_drawn_where_one_says(make):
    figure, (first, second) = pyplot.subplots(1, 2)
    display = make(ax=first)
    assert (display.ax_, display.figure_) == (first, figure)
    assert display.plot(second) is display
    assert display.ax_ is second
    assert first.get_title() == second.get_title() != ""
    assert make().figure_ is not figure


@EVERY
def test_options_reach_what_is_drawn(make):
    display = make(color="red")
    for artist in getattr(display, "lines_", None) or display.bars_:
        colour = artist.get_color() if hasattr(artist, "get_color") else artist.get_facecolor()
        assert to_rgb(colour) == to_rgb("red")


@EVERY
def test_without_matplotlib_the_way_out_is_named(make, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with fails(ImportError, r"pip install 'focalcore\[plot\]'"):
        make()


@pytest.mark.parametrize("ground", ["#ffffff", "#16181c"], ids=["light", "dark"])
@pytest.mark.parametrize("colour", COLOURS)
def test_lines_are_seen_on_light_ground_and_on_dark(colour, ground):
    """The guidelines ask of pictures a contrast of 3."""
    assert contrast(colour, ground) >= 3


def test_neighbours_differ_in_grey_too():
    looks = [of_place(i) for i in range(20)]
    assert all(a["linestyle"] != b["linestyle"] for a, b in itertools.pairwise(looks))
    assert len({str(look) for look in looks}) == 20
