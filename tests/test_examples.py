"""The examples: short programs, of which those that train alike end at the same weights."""

import pathlib
import re

import numpy as np
import pytest

from .programs import output_of, require
from .slices import slice_of

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"
PROGRAMS = {
    "torch-workers": ("torch_workers.py", {}, ("torch",)),
    "jax-optax": ("jax_optax.py", {"JAX_ENABLE_X64": "1"}, ("jax", "optax")),
    "keras-torch": ("keras_fit.py", {"KERAS_BACKEND": "torch"}, ("keras", "torch")),
    "keras-jax": ("keras_fit.py", {"KERAS_BACKEND": "jax"}, ("keras", "jax")),
    "keras-tensorflow": ("keras_fit.py", {"KERAS_BACKEND": "tensorflow"}, ("keras", "tensorflow")),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", slice_of(PROGRAMS, "torch-workers", "jax-optax", "keras-torch"))
def test_training_ends_at_the_weights_of_numpy(name, monkeypatch):
    file, environment, modules = PROGRAMS[name]
    require(*modules)
    monkeypatch.syspath_prepend(EXAMPLES)
    import logistic_regression

    launcher = []
    if name == "torch-workers":
        launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    printed = output_of(*launcher, EXAMPLES / file, **environment)
    found = [float(number) for number in re.findall(r"-?\d+\.\d+", printed)]
    expected = logistic_regression.with_numpy(*logistic_regression.digits())
    np.testing.assert_allclose(found, expected, atol=1.1e-5)


def rows_printed(file, *modules):
    """The rows of the table that an example prints: their names, and their numbers."""
    require(*modules)
    printed = output_of(EXAMPLES / file)
    rows = (re.match(r"(.*?)((?: +\d+\.\d{4})+)$", line) for line in printed.splitlines())
    return {row[1]: [float(number) for number in row[2].split()] for row in rows if row}


@pytest.mark.slow
def test_boosting_is_no_worse_for_the_focal_loss_and_its_probabilities_are_better_mapped():
    rows = rows_printed("boosting.py", "xgboost", "lightgbm", "sklearn")
    assert len(rows) == 6
    for library in ("XGBoost", "LightGBM"):
        precision, _, loss, plain = rows[f"{library}, focal"]
        assert precision > rows[f"{library}, weighted"][0]
        assert loss < 0.7 * plain


@pytest.mark.slow
def test_the_sweep_shows_what_each_gamma_is_worth():
    rows = rows_printed("gamma_sweep.py", "lightgbm", "sklearn")
    assert [float(gamma) for gamma in rows] == [0, 0.5, 1, 2, 5]
    for precision, auc, loss in rows.values():
        assert precision > 0.5
        assert auc > 0.9
        assert loss < 0.1


@pytest.mark.slow
def test_boosting_on_two_workers_of_dask_is_boosting_in_one_process():
    require("xgboost", "dask", "distributed", "sklearn")
    printed = output_of(EXAMPLES / "boosting_dask.py")
    found = np.asarray(re.findall(r"precision (\S+), log loss (\S+)", printed), float)
    np.testing.assert_allclose(*found, rtol=0.05)
