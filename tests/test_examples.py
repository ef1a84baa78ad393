"""The examples: short programs, which end at the same weights in every framework."""

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
