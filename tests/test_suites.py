"""Suites that need a process of their own: Keras has one backend, TensorFlow likes to be alone."""

import pathlib

import pytest

from .programs import output_of, require

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
    require(*modules)
    command = ("-m", "pytest", "-q", "-p", "no:cacheprovider", HERE / file)
    printed = output_of(*command, KERAS_BACKEND=modules[-1], TF_CPP_MIN_LOG_LEVEL="2")
    assert " passed" in printed
