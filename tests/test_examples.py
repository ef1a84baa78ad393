"""The examples: short programs, which end at the same weights in every framework."""

import importlib.util
import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"
PROGRAMS = {
    "torch-workers": ("torch_workers.py", {}, ("torch",)),
    "jax-optax": ("jax_optax.py", {"JAX_ENABLE_X64": "1"}, ("jax", "optax")),
    "keras-torch": ("keras_fit.py", {"KERAS_BACKEND": "torch"}, ("keras", "torch")),
    "keras-jax": ("keras_fit.py", {"KERAS_BACKEND": "jax"}, ("keras", "jax")),
    "keras-tensorflow": ("keras_fit.py", {"KERAS_BACKEND": "tensorflow"}, ("keras", "tensorflow")),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_training_ends_at_the_weights_of_numpy(name, monkeypatch):
    file, environment, modules = PROGRAMS[name]
    for module in modules:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    monkeypatch.syspath_prepend(EXAMPLES)
    import logistic_regression

    launcher = []
    if name == "torch-workers":
        launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [sys.executable, *launcher, str(EXAMPLES / file)],
        env=os.environ | environment | {"CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    printed = [float(number) for number in re.findall(r"-?\d+\.\d+", done.stdout)]
    expected = logistic_regression.with_numpy(*logistic_regression.digits())
    np.testing.assert_allclose(printed, expected, atol=1.1e-5)
