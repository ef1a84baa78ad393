"""The house rules that a machine can check."""

import doctest
import importlib
import inspect
import pathlib
import re
import subprocess
import sys

import pytest

import focalcore

from .pages import DOCS

ROOT = pathlib.Path(focalcore.__file__).parent


OF_SCORING = ("scoring._binary", "scoring._categorical", "scoring._sparse_categorical")
OF_TORCH = sorted(
    f"torch.{path.stem}"
    for path in (ROOT / "torch").glob("_[!_]*.py")
    if path.stem not in ("_metric", "_module", "_of_options")  # which have none, or need more
)
OF_DOORS = (*OF_TORCH, "jax")
OF_FUNCTIONAL = sorted(
    f"functional.{path.stem}"
    for path in (ROOT / "functional").glob("_[!_]*.py")
    if path.stem != "_derived"  # whose texts are those of the losses
)
OF_POSTERIOR = ("posterior._sigmoid", "posterior._softmax")
OF_ALL = (
    "balance",
    "evaluation.focal_report",
    "losses",
    "settings",
    "metrics._focal_loss",
    "metrics._report",
)
NEEDING = {
    "boosting._objective": (),
    "boosting.lightgbm_classifier": ("sklearn", "lightgbm"),
    "boosting.xgboost_classifier": ("sklearn", "xgboost"),
    "calibration._classifier": ("sklearn",),
    "calibration._temperature": ("sklearn",),
    "metrics._scorer": ("sklearn",),
    "plot._class_loss": ("matplotlib",),
    "plot._confidence": ("matplotlib",),
    "plot._cumulative_loss": ("matplotlib",),
    "plot._loss_curve": ("matplotlib",),
    "plot._pictures": ("matplotlib",),
    "torch._metric": ("torch", "torchmetrics"),
}


@pytest.mark.parametrize(
    "name", [*OF_ALL, *OF_FUNCTIONAL, *OF_SCORING, *OF_POSTERIOR, *OF_DOORS, *NEEDING]
)
def test_examples_in_docstrings_run(name):
    needs = (name.partition(".")[0],) if name in OF_DOORS else NEEDING.get(name, ())
    for library in needs:
        pytest.importorskip(library, reason=f"{library} is not installed")
    results = doctest.testmod(importlib.import_module(f"focalcore.{name}"))
    assert results.attempted > 0
    assert results.failed == 0


DOORS = {
    "balance": ("alpha_of", "class_weights", "ldam_margins", "logit_adjustment"),
    "boosting": ("FocalLGBMClassifier", "FocalObjective", "FocalXGBClassifier"),
    "calibration": ("FocalCalibratedClassifier", "FocalTemperature"),
    "jax": ("linear_softmax_focal_loss",),
    "torch": (
        *("AsymmetricLoss", "AsymmetricSoftmaxLoss", "DistributionFocalLoss", "FocalLoss"),
        *("GaussianFocalLoss", "QualityFocalLoss"),
        *("SigmoidFocalLoss", "SoftmaxFocalLoss", "VarifocalLoss", "linear_softmax_focal_loss"),
    ),
    "keras": (
        *("BinaryFocalLoss", "BinaryFocalMetric"),
        *("CategoricalFocalLoss", "CategoricalFocalMetric", "GaussianFocalLoss"),
        *("SparseCategoricalFocalLoss", "SparseCategoricalFocalMetric"),
    ),
    "metrics": ("focal_loss", "focal_report", "focal_scorer"),
    "plot": (
        *("ClassLossDisplay", "ConfidenceDisplay", "CumulativeLossDisplay", "LossCurveDisplay"),
        *("svg_pictures", "write_pictures"),
    ),
}
PUBLIC = [*focalcore.__all__, *(f"{door}.{name}" for door in DOORS for name in DOORS[door])]
# what the doors need that no library gave its name
NEEDS = {
    "balance": "numpy",
    "boosting": "sklearn",
    "calibration": "sklearn",
    "metrics": "numpy",
    "plot": "numpy",
}


@pytest.mark.parametrize("door", DOORS)
def test_every_name_of_a_door_is_looked_at(door):
    library = NEEDS.get(door, door)
    pytest.importorskip(library, reason=f"{library} is not installed")
    assert tuple(importlib.import_module(f"focalcore.{door}").__all__) == DOORS[door]


def needing(name):
    """The object of a public name; skipped where what its door needs is not installed."""
    door, _, last = name.rpartition(".")
    if door:
        library = NEEDS.get(door, door)
        pytest.importorskip(library, reason=f"{library} is not installed")
    return getattr(importlib.import_module(f"focalcore.{door}".rstrip(".")), last)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_docstrings_are_numpydoc(name):
    validate = pytest.importorskip("numpydoc.validate", reason="numpydoc is not installed").validate
    needing(name)
    # GL08 and the like are met; EX and SA ask for sections that a short class need not have
    unmet = [e for e in validate(f"focalcore.{name}")["errors"] if e[0] not in ("SS05", "GL01")]
    assert unmet == []


# classes of the reference that a module gives away where what they need is installed, or beside it
ALSO_LISTED = ("evaluation.FocalReport", "torch.FocalMetric")


def test_the_reference_lists_every_public_name():
    listed, module = [], ""
    for line in (DOCS / "reference" / "api.md").read_text().splitlines():
        if named := re.fullmatch(r"\.\. currentmodule:: focalcore\.?(\w*)", line):
            module = named[1]
        elif found := re.fullmatch(r"   (\w+)", line):
            listed.append(f"{module}.{found[1]}".lstrip("."))
    assert sorted(listed) == sorted([*PUBLIC, *ALSO_LISTED])


def text_of(public):
    """What it says of itself; a class says some of it in its methods."""
    methods = vars(public).values() if inspect.isclass(public) else ()
    documented = (m for m in methods if inspect.isfunction(m) or isinstance(m, classmethod))
    return "\n".join(inspect.getdoc(each) or "" for each in (public, *documented))


def texts_of(name):
    """The same, and what the names say that it refers the reader to."""
    parsed = pytest.importorskip("numpydoc.docscrape", reason="numpydoc is not installed")
    public = needing(name)
    door = name.rpartition(".")[0]
    yield text_of(public)
    for names, _ in parsed.NumpyDocString(inspect.getdoc(public))["See Also"]:
        for other, _ in names:
            of_door = f"{door}.{other}".lstrip(".")
            known = other.removeprefix("focalcore.") if "." in other else of_door
            if known in PUBLIC:
                yield text_of(needing(known))


SECTIONS = {
    "shapes": r"\bshape\b|\bof length\b",
    "errors": r"Raises\n------",
    "an example": r"Examples\n--------\n[^>]*>>> ",
    "a source": r"References\n----------|\.\. math::",
}
OF_SETTINGS = ("use_compiler", "use_threads")  # which take no array, and have no formula
OF_PICTURES = ("plot.svg_pictures", "plot.write_pictures")
NEED_NOT = {
    "shapes": (*OF_SETTINGS, *OF_PICTURES),
    "errors": ("use_compiler",),  # takes whatever is true or false
    "an example": (),
    "a source": (*OF_SETTINGS, *OF_PICTURES),
}


NEEDED = [(name, what) for what in SECTIONS for name in PUBLIC if name not in NEED_NOT[what]]


@pytest.mark.parametrize(("name", "what"), NEEDED)
def test_public_docstrings_have(name, what):
    texts = texts_of(name)
    said = [next(texts)] if what == "an example" else texts  # which is its own
    assert any(re.search(SECTIONS[what], text) for text in said)


def test_nothing_but_what_is_named_for_a_framework_needs_it():
    code = (
        "import sys, importlib, pkgutil, focalcore;"
        "frameworks = ('torch', 'jax', 'cupy', 'dask', 'keras', 'tensorflow',"
        " 'sklearn', 'xgboost', 'lightgbm', 'catboost', 'matplotlib');"
        "needing = (*frameworks, 'calibration');"  # which is all of scikit-learn
        "sys.modules.update(dict.fromkeys(frameworks));"
        "[importlib.import_module(m.name) for m in "
        "pkgutil.walk_packages(focalcore.__path__, 'focalcore.', onerror=lambda _: None)"
        " if not any(part.split('_')[0] in needing for part in m.name.split('.'))]"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
