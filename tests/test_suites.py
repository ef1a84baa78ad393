"""Suites that need a process of their own: Keras has one backend, TensorFlow takes seconds."""

import pathlib

import pytest

from .programs import output_of, require

HERE = pathlib.Path(__file__).parent
SUITES = {
    "keras-torch": (("keras_suite.py",), "torch"),
    "keras-jax": (("keras_suite.py",), "jax"),
    # which comes with Keras
    "tensorflow-and-keras": (("tensorflow_suite.py", "keras_suite.py"), "tensorflow"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SUITES)
def test_suite_passes(name):
    files, backend = SUITES[name]
    require("keras", backend)
    command = ("-m", "pytest", "-q", "-p", "no:cacheprovider", *(HERE / file for file in files))
    printed = output_of(*command, KERAS_BACKEND=backend, TF_CPP_MIN_LOG_LEVEL="2")
    assert " passed" in printed
