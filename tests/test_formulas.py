"""The closed forms of slope and curvature, against derivatives of the exact definition."""

import ast
import pathlib
import sys

import array_api_compat.numpy as numpy_namespace
import numpy as np
import pytest

import focalcore._formulas
from conformance import exact, tolerances
from conformance.places import STRICT
from focalcore._backends.namespaces import Namespace
from focalcore._formulas import focal, probability, sigmoid, softmax
from focalcore._losses.operands import Operands
from focalcore._losses.sigmoid import Sigmoid
from focalcore._losses.softmax import SoftmaxOfDistributions, SoftmaxOfLabels

from .helpers import derivatives

xp = Namespace(numpy_namespace)
GAMMAS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.7, 5.0)
RULES = {"expected": 0.0, "mixture": 0.0, "hard": 0.2}
LOGITS = np.asarray([-30.0, -3.0, -0.7, 0.0, 1e-9, 0.4, 2.5, 30.0])
TARGETS = np.asarray([0.0, 0.1, 0.45, 0.9, 1.0])


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("rule", RULES)
def test_sigmoid_has_the_derivatives_of_its_definition(rule, gamma):
    options = {"label_smoothing": RULES[rule], "soft_targets": rule}
    x, y = (a.ravel() for a in np.meshgrid(LOGITS, TARGETS))
    loss = Sigmoid(soft_targets=rule, label_smoothing=RULES[rule])
    weights = {"positive_weight": 0.25, "negative_weight": 0.75}
    formula = loss.formula(xp, Operands.of(scores=x, targets=y, gamma=gamma, **weights))
    slope, curvature = derivatives(exact.sigmoid_focal, x, y, gamma=gamma, alpha=0.25, **options)
    np.testing.assert_allclose(formula.slope(), slope, rtol=1e-13)
    scale = np.abs(curvature) + np.abs(slope)
    assert np.all(np.abs(formula.curvature() - curvature) <= 1e-13 * scale)


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("rule", ["labels", *RULES])
def test_softmax_has_the_derivatives_of_its_definition(rule, gamma, rng):
    smoothing = RULES.get(rule, 0.0)
    x = rng.normal(size=(5, 4)) * np.asarray([[1.0], [3.0], [10.0], [30.0], [0.0]])
    y = rng.random((5, 4))
    y /= y.sum(axis=1, keepdims=True)
    targets = np.argmax(y, axis=1) if rule == "labels" else y
    alpha = np.asarray([1.0, 2.0, 0.5, 3.0])
    if rule == "labels":
        loss = SoftmaxOfLabels(axis=1, label_smoothing=smoothing)
    else:
        loss = SoftmaxOfDistributions(axis=1, soft_targets=rule, label_smoothing=smoothing)
    operands = Operands.of(scores=x, targets=targets, gamma=gamma, alpha=alpha[None, :])
    formula = loss.formula(xp, operands)

    options = {
        "gamma": gamma,
        "alpha": alpha,
        "label_smoothing": smoothing,
        "soft_targets": loss.soft_targets,
    }
    expected = [exact.derivatives_of_row(*each, **options) for each in zip(x, targets, strict=True)]
    slope, curvature = np.moveaxis(np.asarray(expected, float), -1, 0)
    np.testing.assert_allclose(formula.slope(), slope, rtol=1e-12, atol=1e-300)
    scale = np.abs(curvature) + np.abs(slope)
    assert np.all(np.abs(formula.curvature() - curvature) <= 2e-12 * scale + 1e-300)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_probabilities_have_the_derivatives_of_their_definition(gamma):
    p, y = (a.ravel() for a in np.meshgrid([1e-6, 0.2, 0.5, 0.9, 1 - 1e-6], TARGETS))
    formula = probability.Expected(xp, p, focal.Target.of(y), gamma, 0.0)
    slope, curvature = derivatives(exact.probability_focal, p, y, gamma=gamma)
    np.testing.assert_allclose(formula.slope(), slope, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(formula.curvature(), curvature, rtol=1e-9)


def forms(x, y, gamma):
    """The formula of soft targets, and of hard ones where these are hard."""
    yield sigmoid.Expected(xp, x, y, y, gamma)
    if np.all((y.y == 0) | (y.y == 1)):
        yield sigmoid.BinaryTarget(xp, x, y, gamma, None)


def test_hard_targets_give_the_same_bits_by_either_form(rng):
    x = np.concatenate([rng.normal(size=500) * 20, [0.0, -0.0, 1e-300, np.inf, -np.inf]])
    y = focal.Target.of(rng.integers(0, 2, x.size).astype(float))
    for gamma in GAMMAS:
        soft, hard = (formula.value() for formula in forms(x, y, gamma))
        np.testing.assert_array_equal(soft, hard)


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_derivatives_are_finite_wherever_logits_are(gamma, dtype):
    x = np.asarray([0.0, -0.0, 1e-30, 20, 88.8, 100, 750, 1000, 3e38], dtype=dtype)
    x = np.concatenate([x, -x, np.asarray([np.inf, -np.inf], dtype=dtype)])
    with np.errstate(all="ignore"):
        for y in (0.0, 0.3, 1.0):
            for formula in forms(x, focal.Target.of(np.full_like(x, y)), gamma):
                assert np.all(np.isfinite(formula.slope()))
                assert np.all(np.isfinite(formula.curvature()))
        rows = np.stack([x, np.zeros_like(x), np.ones_like(x)], axis=-1)
        operands = Operands.of(scores=rows, targets=np.zeros(len(x), int), gamma=gamma)
        for formula in (
            SoftmaxOfLabels(axis=1).formula(xp, operands),
            SoftmaxOfLabels(axis=1, label_smoothing=0.1).formula(xp, operands),
        ):
            assert np.all(np.isfinite(formula.slope()[:-2]))
            assert np.all(np.isfinite(formula.curvature()[:-2]))


def test_slope_at_zero_is_that_of_the_logistic():
    # a head initialised with zeros: automatic differentiation of stable forms gives 0 or -1
    x, y = np.zeros(1), focal.Target.of(np.ones(1))
    for formula in forms(x, y, 0.0):
        assert formula.slope()[0] == -0.5
        assert formula.curvature()[0] == 0.25


@pytest.mark.parametrize(("gamma", "p"), [(1.0, 0.0432), (2.0, 0.0578), (5.0, 0.0502)])
def test_curvature_is_negative_exactly_below_its_threshold(gamma, p):
    near = np.asarray([p - 1e-3, p + 1e-3])
    x = np.log(near / (1 - near))
    y = focal.Target.of(np.ones(2))
    for formula in forms(x, y, gamma):
        below, above = formula.curvature()
        assert below < 0 < above


def test_softmax_slopes_of_a_row_sum_to_zero(rng):
    x, y = rng.normal(size=(20, 5)) * 5, rng.random((20, 5))
    y /= y.sum(axis=1, keepdims=True)
    for rule in ("expected", "mixture"):
        operands = Operands.of(scores=x, targets=y, gamma=2.0)
        slope = SoftmaxOfDistributions(axis=1, soft_targets=rule).formula(xp, operands).slope()
        np.testing.assert_allclose(slope.sum(axis=1), 0, atol=1e-14)


@pytest.mark.parametrize("gamma", GAMMAS)
def test_power_is_the_power(gamma):
    u = np.asarray([0.0, 1e-3, 0.3, 1.0])
    np.testing.assert_allclose(focal.power(xp, u, gamma), u**gamma, rtol=1e-15)


def test_formulas_call_nothing_outside_the_standard():
    STRICT.require()
    import array_api_strict as strict

    xp = Namespace(strict)
    device = strict.Device("device1")
    x = strict.asarray([[1.0, -2.0, 0.5], [0.0, 3.0, 4.0]], device=device)
    y = focal.Target.of(strict.asarray([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]], device=device))
    classes = strict.asarray([[0, 1, 2]], device=device)
    with STRICT.running():
        largest = strict.argmax(x, axis=1, keepdims=True) == classes
        top = softmax.OneHot(xp, largest, 1)
        row = softmax.row_of(xp, x, top)
        certain = focal.Target.of(strict.astype(largest, strict.float64))
        p = strict.exp(x) / (1 + strict.exp(x))
        for formula in (
            sigmoid.Expected(xp, x, y, y, 2.0, (0.25, 0.75)),
            sigmoid.BinaryTarget(xp, x, certain, 2.0, (0.25, 0.75)),
            sigmoid.mixture(xp, x, y, 1.5, None),
            softmax.OfLabel(xp, x, top, 0.5, None),
            softmax.Expected(xp, row, y, y, 3.7, None),
            softmax.mixture(xp, row, y, 0.0, None),
            probability.Expected(xp, p, y, 2.0, 1e-7),
            probability.mixture(xp, p, y, 2.0, 1e-7, (0.25, 0.75)),
        ):
            for found in (formula.value(), formula.slope(), formula.curvature()):
                assert found.device == device


@pytest.mark.parametrize("gamma", [0.25, 0.75, 1.7, 3.7, 6.3, 8.9, 20.0, 33.3])
def test_an_exponent_is_not_rounded_to_the_type_of_u(gamma):
    u = np.linspace(0, 1, 2001, dtype="float32")[1:] ** 2
    expected = u.astype("float64") ** gamma
    normal = expected > 2.0**-126
    error = np.abs(focal.power(xp, u, gamma) - expected) / tolerances.ulp(expected, "float32")
    assert np.max(error[normal]) <= gamma + 2


def test_formula_rooms_import_nothing_but_each_other_and_the_standard_library():
    folder = pathlib.Path(focalcore._formulas.__file__).parent
    rooms = {path.stem for path in folder.glob("*.py")}
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level:
                assert node.level == 1
                named = [node.module] if node.module else [alias.name for alias in node.names]
                assert set(named) <= rooms
            elif isinstance(node, ast.Import | ast.ImportFrom):
                module = getattr(node, "module", None) or node.names[0].name
                assert module.partition(".")[0] in sys.stdlib_module_names
