"""The house rules that a machine can check."""

import doctest
import importlib
import pathlib
import subprocess
import sys

import pytest

import focalcore

ROOT = pathlib.Path(focalcore.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_are_short(module):
    assert len(module.read_text().splitlines()) <= 310


@pytest.mark.parametrize("name", ["derivatives", "functional", "losses", "scoring"])
def test_examples_in_docstrings_run(name):
    results = doctest.testmod(importlib.import_module(f"focalcore.{name}"))
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize("name", focalcore.__all__)
def test_public_docstrings_are_numpydoc(name):
    validate = pytest.importorskip("numpydoc.validate", reason="numpydoc is not installed").validate
    # GL08 and the like are met; EX and SA ask for sections that a short class need not have
    unmet = [e for e in validate(f"focalcore.{name}")["errors"] if e[0] not in ("SS05", "GL01")]
    assert unmet == []


def test_nothing_but_what_is_named_for_a_framework_needs_it():
    code = (
        "import sys, importlib, pkgutil, focalcore;"
        "sys.modules.update(dict.fromkeys(['torch', 'jax', 'cupy', 'dask']));"
        "[importlib.import_module(m.name) for m in "
        "pkgutil.walk_packages(focalcore.__path__, 'focalcore.')"
        " if not m.name.rpartition('.')[2].startswith(('torch_', 'jax_', 'dask_'))]"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
