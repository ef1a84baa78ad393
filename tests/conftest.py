import numpy as np
import pytest

from conformance.targets import TARGETS


def pytest_generate_tests(metafunc):
    """Every test that asks for a target runs on all of them."""
    if "target" in metafunc.fixturenames:
        metafunc.parametrize("target", TARGETS, ids=lambda t: t.id, indirect=True)


@pytest.fixture
def target(request):
    request.param.require()
    return request.param


@pytest.fixture
def rng():
    return np.random.default_rng(0)
