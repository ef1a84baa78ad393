"""The pictures of the reports are those of the numbers that lie beside them."""

import importlib
import sys

import pytest

from .pages import DOCS

pytest.importorskip("matplotlib", reason="matplotlib is not installed")

NAMES = ["host", "gpu", "errors", "scan"]


@pytest.fixture
def pictures(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    yield importlib.import_module("pictures")
    del sys.modules["pictures"]


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_was_drawn_from_the_numbers_that_are_there(pictures, name):
    assert pictures.of_picture(name) == pictures.of_numbers(name), "python -m docs.pictures"


def test_every_picture_is_looked_at(pictures):
    assert list(pictures.DRAWN) == NAMES
