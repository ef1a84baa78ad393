"""Which libraries and devices the other tests ran on."""

import pytest

from conformance.places import PLACES, missing, required

from .helpers import Absent


@pytest.mark.parametrize("each", PLACES, ids=lambda place: place.id)
def test_place_is_here(each):
    """Skipped, with the reason, all that asks for the place is not run; required, it fails."""
    each.require()
    assert missing(each) is None


def test_what_is_required_exists():
    for name in required():
        assert any(place.id.startswith(name) for place in PLACES), name


def test_a_place_that_is_required_and_absent_fails(monkeypatch):
    with pytest.raises(pytest.skip.Exception, match="absent-cuda: no such thing"):
        Absent("cuda").require()
    monkeypatch.setenv("FOCALCORE_REQUIRE", "absent-cuda")
    with pytest.raises(pytest.fail.Exception, match="absent-cuda is required"):
        Absent("cuda").require()
