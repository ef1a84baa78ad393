"""What type checkers say of a user's code."""

import inspect
import pathlib
import subprocess
import sys

import pytest

from focalcore._backends.namespaces import NAMES, Hooks
from focalcore._formulas import arrays

USER = pathlib.Path(__file__).parent / "typed_user.py"


@pytest.mark.slow
def test_mypy_sees_what_a_user_gets_and_what_is_a_mistake():
    for name in ("mypy", "torch", "jax"):
        pytest.importorskip(name, reason=f"{name} is not installed")
    command = [sys.executable, "-m", "mypy", str(USER)]
    found = subprocess.run(command, cwd=USER.parents[1], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr


def test_the_protocol_of_namespaces_has_the_names_that_namespaces_have():
    told = {*vars(arrays.Namespace), *inspect.get_annotations(arrays.Namespace)}
    hooks = {name for name in vars(Hooks) if not name.startswith("_")}
    assert {name for name in told if not name.startswith("_")} == {*NAMES, *hooks}
