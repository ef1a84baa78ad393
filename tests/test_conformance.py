"""The exact values: that they are exact, that the package meets them, that nothing wrong does."""

import dataclasses
import functools
import json

import ml_dtypes
import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import focalcore
from conformance import agreement, command, exact, generate, measure, report, tolerances
from conformance import vectors as vectors_module
from conformance.family import FAMILY
from conformance.places import DASK, NUMPY, ON_CPU, STRICT, TORCH, TORCH_CUDA
from conformance.targets import MATRIX, SAMPLE, SHORT_SAMPLE, SLICE, Target, chosen
from conformance.vectors import DATA, Exact, load
from focalcore import _kernels, _recall
from focalcore._execution import host

from .helpers import Absent, is_ours
from .mistakes import MISTAKES, beside, make
from .slices import WHOLE

ONE, KERNEL = "numpy-cpu-float64-eager", "numpy-cpu-float64-kernel"
ON_NUMPY = Target(NUMPY, "float64", "eager")
# what compiles for minutes is left to `nox -s conformance`: torch's compiler, and most of JAX
JAX_HERE = {
    "jax-cpu-float16-eager": SHORT_SAMPLE,
    "jax-cpu-bfloat16-eager": SHORT_SAMPLE,
    "jax-cpu-float32-eager": SLICE,
    "jax-cpu-float64-eager": SAMPLE,
    "jax-cpu-float64-vmapped": SAMPLE,
}
# what takes half a minute for each type is whole in float32 alone
SLICED = ("dask-cpu-float16-lazy", "dask-cpu-float64-lazy")
SLICED += tuple(f"tensorflow-cpu-{dtype}-graph" for dtype in ("float16", "bfloat16", "float64"))
HERE = JAX_HERE | dict.fromkeys(() if WHOLE else SLICED, SLICE)
COMPILED = ("compiled",)
QUICK = [
    dataclasses.replace(target, only=HERE.get(target.id, ()))
    for target in MATRIX
    if target.place in filter(is_ours, ON_CPU)
    and (target.id in JAX_HERE if target.place.name == "jax" else target.mode not in COMPILED)
]

everything = functools.cache(measure.everything)


class TestData:
    def test_every_number_is_hexadecimal_and_every_set_named(self):
        names = set()
        for path in DATA.glob("*.json"):
            for each in json.loads(path.read_text())["sets"]:
                assert each["id"] not in names
                names.add(each["id"])
                for result in each["results"]:
                    numbers = [v for name, v in result.items() if name != "options"]
                    for text in flat([each["logits"], *numbers]):
                        float.fromhex(text)
                        assert "0x" in text or text in ("inf", "-inf", "nan")
        assert len(names) == len(generate.OPTIONS) * len(generate.PLACES)

    @pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
    def test_inputs_are_exact_in_their_type(self, dtype):
        kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
        for vectors in load(dtype):
            for given_to_it in (vectors.logits, vectors.targets):
                wide = given_to_it.astype("float64")
                np.testing.assert_array_equal(wide.astype(kind).astype("float64"), wide)

    @pytest.mark.parametrize(
        "kind", ["sigmoid-hard", "softmax-soft", "binary-soft", "quality-soft"]
    )
    def test_what_is_stored_is_what_the_script_writes(self, kind):
        x, y = (part[-3:] for part in generate.inputs_of(kind, "half"))
        for options in generate.OPTIONS[kind][::3]:
            (stored,) = (
                result
                for path in DATA.glob("*.json")
                for each in json.loads(path.read_text())["sets"]
                if each["id"] == f"{kind}-half"
                for result in each["results"]
                if result["options"] == generate.hexadecimal(options)
            )
            again = generate.results_of(kind, options, x, y)
            for name in set(stored) - {"options"}:
                assert again[name] == stored[name][-3:]

    @pytest.mark.parametrize("kind", ["sigmoid", "softmax", *FAMILY])
    def test_scales_are_no_smaller_than_what_they_measure(self, kind):
        for vectors in (v for v in load("float64") if v.loss == kind and "slope" in v.exact):
            for quantity in ("slope", "curvature"):
                size, scale = np.abs(vectors.exact[quantity].high), vectors.exact[quantity].scale
                assert np.all((scale >= size * (1 - 2.0**-7)) | np.isnan(size))
                is_one_term = not vectors.options.get("label_smoothing") and quantity == "slope"
                if is_one_term and vectors.id.startswith("sigmoid-hard"):
                    np.testing.assert_allclose(scale, size, rtol=2.0**-7)

    def test_the_hard_places_are_there(self):
        logits = np.concatenate([v.logits.ravel() for v in load("float64")])
        for place in (0.0, 5e-324, 20.0, 88.8, 100.0, 1000.0, np.inf):
            assert {place, -place} <= set(logits.tolist())
        assert np.any(np.signbit(logits) & (logits == 0))
        gammas = {
            v.options["gamma"] for v in load("float64") if isinstance(v.options.get("gamma"), float)
        }
        assert gammas >= {0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.7, 5.0}

    def test_numbers_have_twice_the_digits_of_a_double(self):
        with mp.workdps(50):
            third = mp.mpf(1) / 3
            text = generate.literal(third, 106)
            stored = mp.mpf(float.fromhex(text)) + mp.mpf(vectors_module._rest(text))
            assert abs(stored - third) < mp.mpf(2) ** -105


@pytest.mark.slow
class TestMatrix:
    @pytest.mark.parametrize("target", QUICK, ids=lambda target: target.id)
    def test_every_number_is_within_its_bound(self, target):
        target.place.require()
        if target.missing():
            pytest.skip(f"{target.id}: {target.missing()}")
        found = measure.score(target, everything(target))
        assert list(command.failures([record(target, found)], [])) == []
        assert found.cases == sum(len(vectors) for vectors in target.vectors())

    def test_the_slice_has_every_kind_of_inputs_and_every_rule(self):
        stored = {vectors.id: vectors for vectors in load("float64")}
        for of in (kind_of_inputs, loss_and_rule):
            assert {of(stored[name]) for name in SLICE} == set(map(of, stored.values()))

    def test_each_library_has_a_place_in_the_matrix(self):
        assert {target.place.name for target in MATRIX} == {
            *("numpy", "torch", "jax", "cupy", "dask", "array-api-strict", "tensorflow")
        }
        ids = [target.id for target in MATRIX]
        assert len(set(ids)) == len(ids)
        assert "torch-cpu-float32-compiled" in ids

    def test_what_users_have_by_default_is_the_first_mode(self):
        assert NUMPY.modes == ("kernel", "eager")
        assert TORCH.modes == ("kernel", "eager", "compiled", "vmapped")
        assert TORCH_CUDA.modes == ("kernel", "eager", "compiled", "vmapped")

    def test_a_target_that_cannot_run_says_why(self):
        absent = [t for t in MATRIX if t.missing() is not None]
        for target in absent:
            assert command.measured(target)[0]["reason"]

    def test_without_a_compiler_kernels_are_not_run_and_say_why(self, monkeypatch):
        monkeypatch.setattr(_kernels, "why_not", lambda: "llvmlite is not installed")
        for target in chosen(["*-cpu-*-kernel"]):
            record, found = command.measured(target)
            assert record["reason"] == "llvmlite is not installed"
            assert not found
        assert ON_NUMPY.missing() is None

    def test_nothing_else_is_measured_as_a_kernel(self, monkeypatch):
        monkeypatch.setattr(host, "run", lambda *_: None)
        monkeypatch.setattr(_recall, "recall", lambda *_: None)
        (target,) = chosen([KERNEL])
        record, _ = command.measured(dataclasses.replace(target, only=SHORT_SAMPLE))
        assert record["error"] == "RuntimeError: there is no kernel for these operands"

    def test_a_target_that_is_required_and_absent_is_a_failure(self, monkeypatch):
        absent = Target(Absent("cuda"), "float32", "eager")
        assert list(command.failures([command.measured(absent)[0]], [])) == []
        monkeypatch.setenv("FOCALCORE_REQUIRE", "numpy-cpu,absent")
        (line,) = command.failures([command.measured(absent)[0]], [])
        assert line == "absent-cuda-float32-eager is required: no such thing"

    def test_a_name_that_is_required_and_no_target_is_told(self):
        assert command.unknown(["numpy", "torch-cuda", "tpu"]) == ["tpu"]

    def test_a_pattern_that_matches_nothing_is_an_error(self):
        with pytest.raises(ValueError, match="no target matches tpu-"):
            chosen(["numpy-*", "tpu-*"])

    def test_what_one_library_can_not_do_does_not_end_the_report(self, monkeypatch):
        def fails(*_):
            raise RuntimeError("out of memory")

        monkeypatch.setattr(command, "everything", fails)
        found, _ = command.measured(ON_NUMPY)
        assert list(command.failures([found], [])) == [f"{ONE}: RuntimeError: out of memory"]

    def test_libraries_agree_with_each_other(self):
        here = [t for t in QUICK if t.missing() is None and not t.is_sampled]
        found = {target: everything(target) for target in here}
        for distance in agreement.pairs(found) + agreement.trajectories(here):
            assert distance.share <= 1, distance
            if distance.one.endswith("-kernel") and distance.other.endswith("-kernel"):
                assert distance.share == 0, distance


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_mistake_is_noticed(monkeypatch, mistake, dtype):
    make(monkeypatch, *MISTAKES[mistake])
    assert not is_within_bounds(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_without_a_mistake_all_is_within_bounds(dtype):
    assert is_within_bounds(dtype)


class TestMeasure:
    def test_the_true_value_has_no_error_and_its_neighbour_one_ulp(self):
        one = Exact(*(np.asarray([v]) for v in (1.0, 0.0, 1.0)))
        for dtype, eps in (("float32", 2.0**-23), ("float16", 2.0**-10), ("bfloat16", 2.0**-7)):
            target = Target(TORCH, dtype, "eager")
            assert measure.in_ulp(target, one, "value", np.asarray([1.0])) == 0
            assert measure.in_ulp(target, one, "value", np.asarray([1.0 + eps])) == 1

    def test_nan_and_a_false_infinity_are_infinitely_wrong(self):
        one = Exact(*(np.asarray([v]) for v in (1.0, 0.0, 1.0)))
        for found in (np.nan, np.inf, -np.inf):
            assert np.isinf(measure.in_ulp(ON_NUMPY, one, "value", np.asarray([found])))
        infinite = Exact(*(np.asarray([v]) for v in (np.inf, 0.0, np.inf)))
        assert measure.in_ulp(ON_NUMPY, infinite, "value", np.asarray([np.inf])) == 0
        for found in (np.nan, 1e308, -np.inf):
            assert np.isinf(measure.in_ulp(ON_NUMPY, infinite, "value", np.asarray([found])))

    def test_a_denormal_may_be_flushed_only_where_the_library_flushes(self):
        tiny = Exact(*(np.asarray([v]) for v in (1e-40, 0.0, 1e-40)))
        zero = np.asarray([0.0])
        assert measure.in_ulp(Target(TORCH, "float32", "eager"), tiny, "value", zero) == 0
        assert measure.in_ulp(Target(NUMPY, "float32", "eager"), tiny, "value", zero) > 1e4

    @pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
    def test_ulp_is_the_distance_to_the_neighbour(self, dtype):
        kind = np.dtype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
        for x in (0.0, 1.0, 0.99, 1.5, 1e-3, 60000.0, float(ml_dtypes.finfo(kind).tiny) / 4):
            x = np.asarray(x, kind)
            up = float(np.nextafter(x, np.asarray(np.inf, kind))) - float(x)
            assert tolerances.ulp(float(x), dtype) == up

    def test_kernels_meet_the_table_as_it_stands(self, monkeypatch):
        monkeypatch.setattr(_kernels, "are_available", lambda: True)
        for place, mode in ((NUMPY, "kernel"), (TORCH, "kernel"), (DASK, "lazy")):
            functions = Target(place, "float32", mode).functions
            assert tolerances.allowance(functions, "float32", 5.0) == 0
        assert tolerances.allowance(NUMPY.functions("eager"), "float32", 5.0) == 1.52 * 6
        monkeypatch.setattr(_kernels, "are_available", lambda: False)
        assert DASK.functions("lazy") == "numpy"

    def test_the_bounds_are_those_of_the_design(self):
        assert tolerances.bound("float64", "value", 2.0) == 7
        assert tolerances.bound("float32", "slope", 2.0, n_classes=2) == 8
        assert tolerances.bound("bfloat16", "slope", 5.0, n_classes=10) == 1


FINITE = st.floats(-1000, 1000, width=32)
GAMMA = st.one_of(st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0]), st.floats(0, 12))


@pytest.mark.slow
class TestAnyInput:
    """What Hypothesis can think of, against the definitions, at run time."""

    @settings(max_examples=150, deadline=None, derandomize=True)
    @given(x=FINITE, y=st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1)), gamma=GAMMA)
    @pytest.mark.parametrize("rule", ["expected", "mixture"])
    def test_sigmoid_is_within_its_bounds(self, rule, x, y, gamma):
        value, slope = focalcore.sigmoid_focal_loss_value_and_grad(
            [x], [y], gamma=gamma, soft_targets=rule
        )
        options = {"gamma": gamma, "soft_targets": rule}
        with mp.workdps(generate.DIGITS):
            scale, _ = generate.scales_of_logit(x, y, **options)
            first, _ = exact.derivatives(
                lambda v: exact.sigmoid_focal(v, y, **options), x, generate.DIGITS
            )
            self.near(value[0], exact.sigmoid_focal(x, y, **options), "value", gamma)
            self.near(slope[0], first, "slope", gamma, scale)

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(x=st.lists(FINITE, min_size=2, max_size=6), label=st.integers(0, 1), gamma=GAMMA)
    def test_softmax_is_within_its_bounds(self, x, label, gamma):
        value = focalcore.softmax_focal_loss([x], [label], gamma=gamma)
        with mp.workdps(generate.DIGITS):
            expected = exact.softmax_focal(x, label, gamma)
            self.near(value[0], expected, "value", gamma, n_classes=len(x))

    @staticmethod
    def near(found, expected, quantity, gamma, scale=None, n_classes=None):
        scale = float(abs(expected) if scale is None else max(scale, abs(expected)))
        error = float(abs(mp.mpf(float(found)) - expected)) / tolerances.ulp(scale, "float64")
        assert error <= tolerances.bound("float64", quantity, gamma, n_classes)


class TestStandard:
    def test_what_is_not_in_the_standard_is_refused(self, monkeypatch):
        STRICT.require()
        target = Target(STRICT, "float64", "strict")
        vectors = next(v for v in target.vectors() if v.loss == "sigmoid")
        wrong = {
            "a boolean mask": lambda _, x: x[x > 0],
            "numpy's own": lambda xp, x: xp.nan_to_num(x),
            "unique": lambda xp, x: xp.unique_values(x),
            "an extension": lambda xp, x: xp.linalg.matrix_norm(x[None, :]),
        }
        assert measure.results(target, measure.FOCALCORE, vectors)
        for outside in wrong.values():
            with monkeypatch.context() as patch:
                make(patch, *beside(outside))
                with pytest.raises((AttributeError, IndexError, RuntimeError)):
                    measure.results(target, measure.FOCALCORE, vectors)

    def test_no_target_of_the_standard_runs_without_its_limits(self):
        assert {t.mode for t in MATRIX if t.place.name == STRICT.name} == {"strict"}


class TestReport:
    def test_the_command_prints_and_writes(self, tmp_path, capsys):
        assert command.main([ONE, "--jobs", "1", "--reports", str(tmp_path)]) == 0
        printed = capsys.readouterr().out
        assert ONE in printed
        written = json.loads((tmp_path / "cpu.json").read_text())
        (target,) = written["targets"]
        tallies = target["quantities"]
        assert tallies["value"]["numbers"] + tallies["posterior"]["numbers"] == target["cases"]
        assert f"| {ONE} |" in (tmp_path / "cpu.md").read_text()

    def test_the_command_fails_where_something_is_wrong(self, monkeypatch, capsys):
        make(monkeypatch, *MISTAKES["a sign is flipped (soft targets)"])
        assert command.main([ONE, "--jobs", "1"]) == 1
        assert "slope are beyond the bound" in capsys.readouterr().out

    @pytest.mark.usefixtures("torch")
    def test_an_implementation_is_scored(self, capsys):
        assert command.main(["--implementation", "torchvision-form", "focalcore"]) == 0
        assert "torchvision-form" in capsys.readouterr().out

    def test_the_stored_report_knows_every_target_and_none_fails(self):
        stored = report.read("cpu")
        assert [each["target"] for each in stored["targets"]] == [target.id for target in MATRIX]
        assert (
            list(command.failures(stored["targets"], stored["pairs"] + stored["trainings"])) == []
        )

    def test_the_page_s_tables_are_those_of_the_reports(self):
        text = report.PAGE.read_text()
        assert report.in_page(text) == text


def kind_of_inputs(vectors):
    return vectors.id.partition("[")[0]


def loss_and_rule(vectors):
    return vectors.loss, vectors.options.get("soft_targets")


def is_within_bounds(dtype):
    """Whether NumPy is; the first choice of options where it isn't ends this."""
    whole = Target(NUMPY, dtype, "eager")
    parts = (dataclasses.replace(whole, only=(vectors.id,)) for vectors in whole.vectors())
    return all(measure.score(part, measure.everything(part)).passes for part in parts)


def record(target, found):
    tallies = {name: vars(tally) for name, tally in found.quantities.items()}
    return {"target": target.id, "cases": found.cases, "breaks": None, "quantities": tallies}


def flat(values):
    for value in values:
        yield from flat(value) if isinstance(value, list) else (value,)
