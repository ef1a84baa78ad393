"""One list of options: what is written elsewhere says the same as the dataclass of each loss."""

import dataclasses
import inspect
import re
import typing

import numpy as np
import pytest

import focalcore
from conformance.places import TORCH
from focalcore._losses.binary import BinaryOptions
from focalcore._losses.categorical import CategoricalOptions
from focalcore._losses.distributions import DistributionOptions
from focalcore._losses.gaussian import GaussianOptions
from focalcore._losses.posterior import SigmoidPosteriorOptions, SoftmaxPosteriorOptions
from focalcore._losses.sigmoid import SigmoidOptions
from focalcore._losses.softmax import SoftmaxOptions

from .new_loss import function as new
from .table import FAMILY, LOSSES

OF_FAMILY = {row.loss.func.__name__: row.options for row in FAMILY}
LISTS = {
    **OF_FAMILY,
    "sigmoid_focal_loss": SigmoidOptions,
    "softmax_focal_loss": SoftmaxOptions,
    "binary_focal_loss": BinaryOptions,
    "categorical_focal_loss": DistributionOptions,
    "sparse_categorical_focal_loss": CategoricalOptions,
    "sigmoid_focal_posterior": SigmoidPosteriorOptions,
    "softmax_focal_posterior": SoftmaxPosteriorOptions,
}
DERIVATIVES = {
    f"{name}_{kind}": LISTS[name]
    for name in ("sigmoid_focal_loss", "softmax_focal_loss")
    for kind in ("value_and_grad", "grad_and_hess")
}
OF_ARRAYS = ("logits", "targets", "scores", "labels", "heatmap", "values", "y_true", "y_pred")


def defaults(function):
    """The options in a signature."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.name not in ("self", *OF_ARRAYS)}


def listed(options):
    """The options of a list, by the names that users give them."""
    fields = dataclasses.fields(options)
    return {options.called.get(field.name, field.name): field.default for field in fields}


@pytest.mark.parametrize("name", LISTS)
def test_a_signature_has_the_names_and_defaults_of_the_list(name):
    assert defaults(getattr(focalcore, name)) == listed(LISTS[name])


@pytest.mark.parametrize("name", LISTS)
def test_type_checkers_see_the_names_of_the_list_in_every_overload(name):
    overloads = typing.get_overloads(getattr(focalcore, name))
    assert len(overloads) == 2
    for overload in overloads:
        annotations = inspect.get_annotations(overload, eval_str=True)
        (keywords,) = typing.get_args(annotations["options"])
        by_name = set(typing.get_type_hints(keywords))
        assert by_name | (set(annotations) & {"gamma"}) == set(listed(LISTS[name]))


@pytest.mark.parametrize("name", DERIVATIVES)
def test_a_derivative_takes_every_option_of_the_list(name):
    scores, targets = np.asarray([[0.5, 1.0]]), np.asarray([[0.0, 1.0]])
    getattr(focalcore, name)(scores, targets, **listed(DERIVATIVES[name]))


@pytest.mark.parametrize("name", LISTS)
def test_the_docstring_tells_of_every_option_and_its_default(name):
    text = inspect.getdoc(getattr(focalcore, name))
    for option, default in listed(LISTS[name]).items():
        (told,) = re.findall(rf"^{option} : (.*)$", text, re.MULTILINE)
        is_told = (
            "optional" in told
            if default is None
            else f"default {default!r}" in (told.replace('"', "'"))
        )
        assert is_told, told


@pytest.mark.parametrize("row", LOSSES, ids=lambda row: row.id)
def test_a_default_is_itself_what_is_parsed(row):
    for name, default, parse in row.options.parsers:
        if default is not None:
            assert parse(name, default) == default


@pytest.mark.parametrize("name", DERIVATIVES)
@pytest.mark.parametrize("unknown", ["gama", "num_classes", "device"])
def test_an_unknown_option_is_refused_in_the_name_of_the_function(name, unknown):
    with pytest.raises(TypeError, match=rf"^{name}\(\) got an unexpected.*'{unknown}'.*gamma"):
        getattr(focalcore, name)([[0.5, 1.0]], [[0, 1]], **{unknown: 0})


def test_an_unknown_option_of_a_new_loss_is_refused_in_its_name():
    with pytest.raises(TypeError, match=r"^squared_margin\(\) .*'gamma'.*, margin$"):
        new.squared_margin([0.5], [1], gamma=2.0)


@pytest.mark.parametrize("row", LOSSES, ids=lambda row: row.id)
def test_a_parameter_above_its_range_is_refused_by_its_own_name(row):
    for name, most in row.options.limits.items():
        if np.isfinite(most):
            with pytest.raises(ValueError, match=f"{name} must be"):
                row.loss(row.scores, row.targets, **{name: 2 * most})


@pytest.mark.parametrize("row", LOSSES, ids=lambda row: row.id)
def test_a_negative_parameter_is_refused_by_its_own_name(row):
    for name in row.options.limits:
        more = {"reduction": "mean"} if name == "normalizer" else {}
        with pytest.raises(ValueError, match=f"{name} must be"):
            row.loss(row.scores, row.targets, **{name: -0.5}, **more)


class TestDoors:
    """The classes take options of the same names, with the defaults of where they come from."""

    def test_the_object_has_the_defaults_of_the_functions_but_for_the_mean(self):
        own = defaults(focalcore.FocalLoss)
        assert own.pop("reduction") == "mean"
        assert own.items() - {("task_type", "binary"), ("num_classes", None)} <= (
            (listed(SigmoidOptions) | listed(SoftmaxOptions)).items()
        )

    def test_the_torch_object_has_the_options_of_the_object(self):
        TORCH.require()
        import focalcore.torch

        own = defaults(focalcore.torch.FocalLoss)
        assert own.pop("dim") is None  # torch's name of axis
        assert own == defaults(focalcore.FocalLoss)

    @pytest.mark.parametrize("name", ["SigmoidFocalLoss", "SoftmaxFocalLoss"])
    def test_torch_modules_focus_as_the_functions_do(self, name):
        TORCH.require()
        import focalcore.torch

        own = defaults(getattr(focalcore.torch, name))
        assert own["gamma"] == listed(SigmoidOptions)["gamma"]
        assert own.get("label_smoothing", 0.0) == listed(SoftmaxOptions)["label_smoothing"]

    @pytest.mark.parametrize(
        ("name", "options"),
        [
            ("BinaryFocalLoss", BinaryOptions),
            ("CategoricalFocalLoss", DistributionOptions),
            ("SparseCategoricalFocalLoss", CategoricalOptions),
            ("GaussianFocalLoss", GaussianOptions),
        ],
    )
    def test_keras_losses_have_the_options_of_the_functions(self, name, options):
        pytest.importorskip("keras", reason="keras is not installed")
        TORCH.require()
        import focalcore.keras

        own = defaults(getattr(focalcore.keras, name))
        for of_keras in ("reduction", "name", "dtype", "ignore_class"):
            own.pop(of_keras, None)
        expected = listed(options)
        # that of the type, and Keras' own matter
        of_keras = {"eps", "sample_weight", "weight", "mask", "reduction", "normalizer"}
        assert own == {name: x for name, x in expected.items() if name not in of_keras}
