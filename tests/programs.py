"""Python programs in processes of their own."""

import importlib.util
import os
import subprocess
import sys

import pytest


def require(*modules):
    """Skip where a module is not installed; nothing is imported."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")


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
