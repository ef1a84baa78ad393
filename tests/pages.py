"""The pages that users read: the programs in them, which the tests run."""

import ast
import contextlib
import functools
import io
import pathlib
import re
import types
from dataclasses import dataclass

from .programs import require

ROOT = pathlib.Path(__file__).parent.parent
README = ROOT / "README.md"
DOCS = ROOT / "docs"
# without what a build of the site leaves there
PAGES = sorted(p for p in DOCS.rglob("*.md") if "_build" not in p.parts)
TUTORIAL = DOCS / "tutorial.md"
DOORS = ("jax", "keras", "torch")  # of focalcore, named for the framework they need


@dataclass(frozen=True)
class Program:
    """Code of a page that runs by itself."""

    title: str
    code: str

    def modules(self):
        """What it imports, by their first names."""
        for node in ast.walk(ast.parse(self.code)):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                package, _, module = node.module.partition(".")
                yield package
                if package == "focalcore" and module in DOORS:
                    yield module

    def run(self):
        """What it defines and what it prints."""
        names, printed = {}, io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(self.code, self.title, "exec"), names)  # the page's own code
        return names, printed.getvalue()


def code_of(text):
    """The blocks of Python in a text."""
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def programs_of(page):
    """The programs of a page: a section each, whose blocks build on each other.

    Those of the README stand alone, and the tutorial is one program.
    """
    if page == TUTORIAL:
        yield Program(page.stem, "\n\n".join(code_of(page.read_text())))
        return
    for section in page.read_text().split("\n## ")[1:]:
        heading, _, text = section.partition("\n")
        title, blocks = f"{page.stem}: {heading}", code_of(text)
        if page == README:
            yield from (Program(f"{title}, {n}", block) for n, block in enumerate(blocks, 1))
        elif blocks:
            yield Program(title, "\n\n".join(blocks))


@functools.cache
def recipe(page, title):
    """What a section of a page defines; skipped where it needs what is not installed."""
    named = f"{page}: {title}"
    (path,) = (path for path in PAGES if path.stem == page)
    (found,) = (p for p in programs_of(path) if p.title == named)
    require(*found.modules())
    names, _ = found.run()
    return types.SimpleNamespace(**names)
