"""Python programs in processes of their own."""

import importlib.util
import os
import subprocess
import sys

import pytest

from conformance.places import PLACES, required

# of each library, the place that needs the least: the CPU, where it has one
FIRST = {place.module: place for place in reversed(PLACES)}


def require(*modules):
    """Skip where a module is not installed or finds no device, or fail where it was asked for."""
    for module in modules:
        if module in FIRST:
            FIRST[module].require()
        elif importlib.util.find_spec(module) is None:
            give_up = pytest.fail if module in required() else pytest.skip
            give_up(f"{module} is not installed")


def output_of(*arguments, **environment):
    """What Python prints, called with these arguments; an error is one here."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""} | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
