"""Parts of what `nox` runs the whole of: where each case is compiled, some stand for all."""

import os

WHOLE = os.environ.get("FOCALCORE_WHOLE") == "1"


def slice_of(cases, *names):
    """The cases named, which there must be, or with FOCALCORE_WHOLE=1 all."""
    assert set(names) <= set(cases), set(names) - set(cases)
    return list(cases) if WHOLE else list(names)
