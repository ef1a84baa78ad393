"""The scan of float32: that it measures right, and finds what is wrong."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

import focalcore
from conformance import exhaustive, scan, tolerances, ways, wide
from conformance.errors import FORMS, QUANTITIES, errors_of_rows, groups_of
from focalcore import _kernels
from focalcore._losses.sigmoid import Sigmoid

pytestmark = pytest.mark.skipif(bool(_kernels.why_not()), reason=_kernels.why_not())

STEP = 100_003  # a prime: no pattern of bits is left out for another


@dataclass(frozen=True)
class ByDifference(Sigmoid):
    """The loss with 1 - p as a difference, which has no digits left where p is near 1."""

    def compute(self, xp, operands, outputs):
        x, y = (operands.wide(xp, name) for name in ("scores", "targets"))
        p = 1 / (1 + xp.exp(-x))
        u = 1 - (y * p + (1 - y) * (1 - p))
        value = u * u * -xp.log(1 - u)
        slope = (1 - 2 * y) * u * u * (u - 2 * (1 - u) * xp.log(1 - u))
        return tuple({"value": value, "slope": slope}[o.quantity] for o in outputs)


@dataclass(frozen=True)
class Everywhere(Sigmoid):
    """The loss with 1 wherever it is not a finite number."""

    def compute(self, xp, operands, outputs):
        found = super().compute(xp, operands, outputs)
        return tuple(xp.select(xp.abs(x) < xp.inf, x, 1.0) for x in found)


@dataclass(frozen=True)
class Off(Sigmoid):
    """The loss rounded once to float32, and then changed by a number."""

    by: float = 0.0

    def compute(self, xp, operands, outputs):
        x = xp.astype(operands.arrays["scores"], "float64")
        found = super().compute(xp, operands.bind(scores=x), outputs)
        return tuple(xp.astype(result, "float32") + self.by for result in found)


def largest(loss, logits, gammas=(2.0,)):
    """The largest errors of value and slope in a row of logits."""
    rows = np.asarray([logits], np.float32)
    return [float(error[0]) for error in errors_of_rows(loss, gammas, rows)]


class TestMeasure:
    def test_what_is_rounded_once_is_off_by_half_a_unit(self):
        for error in largest(Off(), np.linspace(-20, 20, 1024)):
            assert 0.45 < error <= 0.5

    def test_a_unit_is_what_the_last_digit_counts(self):
        """At 0 the loss is (log 2) / 4, of digits down to 2^-26; its slope 0.298, down to 2^-25."""
        value, slope = largest(Off(by=2.0**-20), np.zeros(1024))
        assert abs(value - 2**6) <= 0.5
        assert abs(slope - 2**5) <= 0.5

    def test_below_the_normal_numbers_a_unit_is_the_least_there_is(self):
        """At 100, for a positive, both are below 2^-400; slopes count from 2^-112 on."""
        assert largest(Off(by=2.0**-140), np.full(1024, 100.0)) == [2.0**9, 2.0**-5]

    def test_nan_is_infinitely_wrong(self):
        assert largest(Off(by=np.nan), np.ones(1024)) == [np.inf, np.inf]

    def test_equal_infinities_are_equal(self):
        assert largest(Sigmoid(), np.full(1024, np.inf)) == [0, 0]

    def test_it_is_the_error_that_the_definition_shows(self):
        logits = np.asarray([-3.25, 0.1, 7.9, 14.45, 60.0], np.float32)
        for form in FORMS:
            found = focalcore.sigmoid_focal_loss_value_and_grad(logits, form.target)
            by_kernel = scan.errors_at(Sigmoid(), form, logits, 2.0)
            exact_pairs = [wide.value_and_slope(x, form.label, 2.0) for x in logits.tolist()]
            for i, quantity in enumerate(QUANTITIES):
                errors = [
                    float(abs(float(x) - pair[i])) / tolerances.ulp(float(pair[i]), "float32")
                    for x, pair in zip(found[i], exact_pairs, strict=True)
                ]
                np.testing.assert_allclose(by_kernel[quantity], errors, atol=1e-6)

    def test_rows_hold_what_their_logits_do(self):
        logits = np.linspace(-30, 30, 1024, dtype=np.float32)
        for gamma in (2.0, 2.7):
            alone = [scan.errors_at(Sigmoid(), f, f.sign * logits, gamma) for f in FORMS]
            together = largest(Sigmoid(), logits, (gamma,))
            for quantity, error in zip(QUANTITIES, together, strict=True):
                assert error == np.float32(max(np.max(each[quantity]) for each in alone))

    def test_a_gamma_that_no_kernel_is_made_for_is_given(self):
        assert groups_of((0.5, 2.7, 5.0, 9.1)) == [(0.5, 5.0), (2.7,), (9.1,)]


class TestScan:
    def test_a_quick_scan_is_within_bounds(self, monkeypatch, tmp_path, capsys):
        monkeypatch.setattr(exhaustive, "RANDOM", 50)
        assert exhaustive.main(["--step", str(STEP), "--reports", str(tmp_path)]) == 0
        assert "FAILED" not in capsys.readouterr().out
        written = json.loads((tmp_path / "exhaustive.json").read_text())
        assert written["logits"] == scan.n_logits(STEP)
        assert len(written["errors"]) == len(scan.GAMMAS) * len(QUANTITIES)
        for error in written["errors"]:
            assert 0.4 < error["ulp"] <= error["bound"]
            assert error["of_exact"] == pytest.approx(error["ulp"], abs=1e-6)
        for whole in written["float64"]:
            assert max(whole["value"], whole["slope"]) < 2**5  # of the 2^29 in one of float32
        assert "| 5 | slope |" in (tmp_path / "exhaustive.md").read_text()

    def test_a_difference_is_found_and_the_command_fails(self, monkeypatch, capsys):
        monkeypatch.setattr(exhaustive, "LOSS", ByDifference())
        monkeypatch.setattr(exhaustive, "RANDOM", 2)
        assert exhaustive.main(["--step", str(STEP), "--gammas", "2"]) == 1
        printed = capsys.readouterr().out
        assert "FAILED kernel: value at gamma 2 is off by" in printed
        assert "FAILED kernel: slope at gamma 2 is off by" in printed

    def test_a_number_at_nan_is_found(self):
        assert scan.nan_lost(Sigmoid(), (2.0,), STEP) == 0
        n = sum(logits.size for logits in scan.not_numbers(STEP))
        assert scan.nan_lost(Everywhere(), (2.0,), STEP) == n * len(FORMS) * len(QUANTITIES)

    def test_a_wrong_limit_is_found(self):
        assert scan.wrong_limits(Sigmoid(), scan.GAMMAS) == []
        assert len(scan.wrong_limits(Everywhere(), (2.0,))) == len(FORMS)

    def test_every_pattern_of_bits_is_in_one_chunk(self):
        n = [sum(x.size for x in f(STEP)) for f in (scan.finite_and_infinite, scan.not_numbers)]
        assert abs(sum(n) - 2**32 / STEP) < 8
        step = 2**16
        chunks = [*scan.finite_and_infinite(step)]
        assert len(chunks) == scan.n_chunks(step)
        logits = np.concatenate(chunks)
        assert logits.size == scan.n_logits(step) + 2  # the infinities are there again
        assert np.unique(logits.view(np.uint32)).size == scan.n_logits(step)
        assert not np.isnan(logits).any()
        assert np.isnan(np.concatenate([*scan.not_numbers(step)])).all()

    def test_without_kernels_there_is_nothing_to_compare_with(self, monkeypatch, capsys):
        monkeypatch.setattr(_kernels, "why_not", lambda: "llvmlite is not installed")
        assert exhaustive.main(["--step", str(STEP)]) == 1
        assert "FAILED there are no kernels" in capsys.readouterr().out


class TestWays:
    def test_numpy_by_its_own_functions_is_within_bounds(self):
        records = ways.worst_of(ways.WAYS[0], (0.5, 5.0), STEP)
        assert [(r["gamma"], r["quantity"]) for r in records] == [
            (gamma, quantity) for gamma in (0.5, 5.0) for quantity in QUANTITIES
        ]
        assert list(exhaustive.above(records)) == []

    def test_the_command_prints_and_writes(self, monkeypatch, tmp_path, capsys):
        monkeypatch.setattr(ways, "WAYS", ways.WAYS[:1])
        found = exhaustive.main(
            ["--ways", "--step", str(STEP), "--gammas", "2", "--reports", str(tmp_path)]
        )
        assert found == 0
        assert "numpy-cpu-float32-eager" in capsys.readouterr().out
        assert "| numpy-cpu-float32-eager | 2 |" in (tmp_path / "ways.md").read_text()

    def test_an_error_above_its_bound_is_told(self):
        (record, *_) = ways.worst_of(ways.WAYS[0], (2.0,), STEP)
        (line,) = exhaustive.above([record | {"bound": 0.1}])
        assert line.startswith("numpy-cpu-float32-eager: value at gamma 2 is off by ")
