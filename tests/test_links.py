"""What looks at the links of the built site finds those that lead nowhere."""

import importlib.util

import pytest

from .pages import DOCS

SPEC = importlib.util.spec_from_file_location("links", DOCS / "links.py")
links = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(links)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ('<a href="other.html#part">', []),
        ('<a href="#here" id="here">', []),
        ('<a href="https://example.org/nowhere">', []),
        ('<a href="missing.html">', ["page.html: missing.html is not there"]),
        ('<a href="other.html#no">', ["page.html: other.html#no has no such anchor"]),
        ('<img src="no.png">', ["page.html: no.png is not there"]),
        (
            '<script src="https://example.org/a.js">',
            ["page.html: loads https://example.org/a.js"],
        ),
    ],
)
def test_a_link_that_leads_nowhere_is_found(written, found, tmp_path):
    (tmp_path / "page.html").write_text(written)
    (tmp_path / "other.html").write_text('<h2 id="part">')
    assert list(links.faults(tmp_path)) == found


def test_what_is_found_is_printed_and_fails(tmp_path, capsys):
    (tmp_path / "page.html").write_text('<a href="missing.html">')
    assert links.main(tmp_path)
    assert "missing.html" in capsys.readouterr().out
