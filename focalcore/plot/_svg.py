"""A figure as an element of a page, in the colours and the fonts of the page."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# a colour that nothing else has: what is drawn in it gets the colour of the page's text
INK = "#010203"
LOOK = {
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor"), INK),
    **dict.fromkeys(("xtick.color", "ytick.color"), INK),
    **dict.fromkeys(("figure.facecolor", "axes.facecolor"), "none"),
    "svg.fonttype": "none",  # letters stay letters, to be found, read out and copied
    "svg.hashsalt": "focalcore",  # the same picture is the same text
}
METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
REFERENCE = re.compile(r"#([\w.-]+)")


def svg_of(figure: Figure, name: str) -> str:
    """Return a figure that was drawn with `LOOK`; the name is put before what it calls its parts.

    A page may have several figures, so ids that nothing refers to are left out, and the others
    begin with the name. Namespaces are those that HTML knows without their being declared.
    """
    text = io.StringIO()
    with warnings.catch_warnings():  # a browser has the letters that matplotlib's font lacks
        warnings.filterwarnings("ignore", "Glyph .* missing")
        figure.savefig(text, format="svg", metadata=METADATA)
    root = ElementTree.fromstring(text.getvalue())
    known = set(_references(root))
    for element in root.iter():
        element.tag = _local(element.tag)
        element.text, element.tail = (element.text or "").strip(), ""
        found = {_local(key): value for key, value in element.attrib.items()}
        if found.get("id") not in known:
            found.pop("id", None)
        element.attrib.clear()
        element.attrib.update({key: _of_page(key, found[key], name) for key in found})
    _leave_out(root, "metadata")
    _leave_out(root, "defs", "style")  # which would hold of the whole page
    root.attrib = {"viewBox": root.attrib["viewBox"], "stroke-linejoin": "round"}
    return ElementTree.tostring(root, encoding="unicode")


def _references(root: ElementTree.Element) -> Iterator[str]:
    """Yield the ids that attributes refer to."""
    for element in root.iter():
        for key, value in element.attrib.items():
            if _local(key) == "href" or "url(#" in value:
                yield from REFERENCE.findall(value)


def _of_page(key: str, value: str, name: str) -> str:
    """Return the value of an attribute, as it fits into a page."""
    if key == "id":
        return f"{name}-{value}"
    if key == "href" or "url(#" in value:
        return REFERENCE.sub(rf"#{name}-\1", value)
    if key == "style":
        return re.sub(r"font-family: [^;]*;? ?", "", value).replace(INK, "currentColor")
    return " ".join(value.split())


def _leave_out(root: ElementTree.Element, tag: str, part: str | None = None) -> None:
    for found in root.findall(tag):
        if part is None or found.find(part) is not None:
            root.remove(found)


def _local(name: str) -> str:
    """Return a name without its namespace."""
    return name.rpartition("}")[2]
