"""A picture as a page takes it."""

from __future__ import annotations

from typing import NamedTuple


class Picture(NamedTuple):
    """An element ``svg`` whose lines and letters are in the colour of the text around it."""

    title: str
    caption: str  # what there is to see, for who does not see it too
    svg: str
