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
def test_what_is_claimed_of_every_place_holds_of_tensorflow():
    require("tensorflow")
    command = ("-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "-k", "tensorflow-cpu", HERE)
    printed = output_of(*command, FOCALCORE_APART="tensorflow-cpu", TF_CPP_MIN_LOG_LEVEL="2")
    assert " passed" in printed


@pytest.mark.slow
@pytest.mark.parametrize("name", SUITES)
def test_suite_passes(name):
    files, backend = SUITES[name]
    require("keras", backend)
    command = ("-m", "pytest", "-q", "-p", "no:cacheprovider", *(HERE / file for file in files))
    printed = output_of(*command, KERAS_BACKEND=backend, TF_CPP_MIN_LOG_LEVEL="2")
    assert " passed" in printed
