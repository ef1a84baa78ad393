"""Suites that need a process of their own: Keras has one backend, TensorFlow likes to be alone."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
SUITES = {
    "keras-torch": ("keras_suite.py", ("keras", "torch")),
    "keras-jax": ("keras_suite.py", ("keras", "jax")),
    "keras-tensorflow": ("keras_suite.py", ("keras", "tensorflow")),
    "tensorflow": ("tensorflow_suite.py", ("tensorflow",)),
}


@pytest.mark.parametrize("name", SUITES)
def test_suite(name):
    file, modules = SUITES[name]
    for module in modules:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    alone = {"KERAS_BACKEND": modules[-1], "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "2"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / file)]
    done = subprocess.run(command, env=os.environ | alone, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
