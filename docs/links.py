"""Whether each link of the built site leads somewhere: `python docs/links.py docs/_build/html`.

Nothing is fetched: links to other sites are left alone, and nothing may be loaded from them.
"""

import pathlib
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

LOADING = {"img", "script", "link", "iframe", "source"}  # what these name is loaded with the page


class Page(HTMLParser):
    """The anchors of a page, what it links to, and what it loads."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links, self.loaded = {"", "top"}, [], []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        """Note the anchors and links of a tag."""
        named = dict(attrs)
        self.anchors |= {named[key] for key in ("id", "name") if named.get(key)}
        for key in ("href", "src"):
            if key in named:
                (self.loaded if tag in LOADING else self.links).append(named[key] or "")


def faults(root):
    """Return a line for each link that leads nowhere, and for each thing loaded from elsewhere."""
    built = (path for path in root.resolve().rglob("*.html") if "_static" not in path.parts)
    pages = {path: Page(path) for path in built}
    for path, page in pages.items():
        here = path.relative_to(root.resolve())
        for link in [*page.links, *page.loaded]:
            parts = urlsplit(link)
            if parts.scheme == "data":
                continue
            if parts.scheme or parts.netloc:
                if link in page.loaded:
                    yield f"{here}: loads {link}"
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                yield f"{here}: {link} is not there"
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{here}: {link} has no such anchor"


def main(root):
    """Print the faults, and return whether there are any."""
    found = sorted(set(faults(pathlib.Path(root))))
    print(*found, sep="\n", end="\n" if found else "")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
