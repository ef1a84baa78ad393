"""The house: rooms on floors, imports that go down alone, modules that one sees whole."""

import ast
import pathlib

import pytest

import focalcore
from focalcore import _derivatives, _execution
from focalcore._backends import backend_of
from focalcore._backends.libraries import LIBRARIES

ROOT = pathlib.Path(focalcore.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))

# from the ground up; a room imports from its own floor and those below
FLOORS = (
    ("_formulas",),
    ("_typing",),
    ("_dtypes",),
    ("_backends",),
    ("_inputs", "settings"),
    ("_losses",),
    ("_kernels",),
    ("_execution",),
    ("_derivatives",),
    ("_call", "_recall", "_linear"),
    ("balance", "functional", "posterior", "scoring", "losses"),
    ("evaluation",),
    ("boosting", "calibration", "metrics", "plot", "jax", "keras", "torch"),
    ("__init__", "cli"),
    ("__main__",),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def room(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def rooms_imported(path):
    """The rooms that a module names in its imports, those inside of functions too."""
    here = path.relative_to(ROOT.parent).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            package = here[: len(here) - node.level]
            named = (node.module or "").split(".") if node.module else []
            whole = (*package, *named)
            for alias in node.names:
                yield (*whole, alias.name)[1:][0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down(path):
    above = [r for r in rooms_imported(path) if r in FLOOR and FLOOR[r] > FLOOR[room(path)]]
    assert not above


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_seen_whole(path):
    assert len(path.read_text().splitlines()) <= 300


def test_every_room_has_its_floor():
    assert {room(path) for path in MODULES} <= set(FLOOR)


def test_few_private_modules_lie_flat():
    assert len(list(ROOT.glob("_[!_]*.py"))) <= 5


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_asks_for_the_name_of_a_library(path):
    """What differs between libraries is a field of `Backend`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            names = [s for s in sides if isinstance(s, ast.Constant) and s.value in LIBRARY_NAMES]
            assert not names, ast.unparse(node)


LIBRARY_NAMES = {library.name for library in LIBRARIES}


def test_a_row_of_the_table_names_modules_that_there_are(place):
    backend = backend_of(place.array([0.5]))
    for package, module in (
        (_execution, backend.runner),
        (_execution, backend.program),
        (_derivatives, backend.differentiator),
    ):
        folder = pathlib.Path(package.__file__).parent
        assert module == "none" or (folder / f"{module}.py").exists()


def test_the_rows_of_the_table_find_their_arrays(place):
    assert backend_of(place.array([0.5])).name == place.module
