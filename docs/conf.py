"""The site: pages in MyST, and the reference from the docstrings. `nox -s docs` builds it."""

import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import pictures  # noqa: E402

import focalcore  # noqa: E402

project = "focalcore"
author = "The focalcore developers"
copyright = author
release = version = focalcore.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
    "mathml",
    "names",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]

nitpicky = True
nitpick_ignore = [
    ("py:obj", "feature_importances_"),  # of both classifiers, by inheritance
    ("py:obj", "focalcore.boosting"),  # a module, which has a section and no page
]
suppress_warnings = ["ref.python"]  # a name that two doors have, such as FocalLoss
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

autodoc_typehints = "none"  # the docstrings say it, with shapes
autodoc_default_options = {"members": True}
numpydoc_show_class_members = False
toc_object_entries_show_parents = "hide"
copybutton_exclude = ".linenos, .gp, .go"

html_theme = "pydata_sphinx_theme"
html_title = "focalcore"
html_context = {"default_mode": "auto"}  # light or dark, as the reader has it
html_math_renderer = "mathml"
html_show_sourcelink = False
html_show_search_summary = False  # which would be fetched, and from files nothing can be
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_sidebars = {"tutorial": [], "migration": [], "changelog": [], "index": []}
html_theme_options = {
    "logo": {"text": "focalcore"},
    "navbar_end": ["theme-switcher"],
    "navbar_align": "left",
    "header_links_before_dropdown": 8,
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_toc_level": 2,
}

# what pages link to in the repository, and the page of the site that includes it
INCLUDED = {
    "../../benchmarks/reports/cpu.md": "host.md",
    "../../benchmarks/reports/cuda-h100-80gb-hbm3.md": "h100.md",
    "../../benchmarks/reports/cuda-h200.md": "h200.md",
    "../../conformance/reports/exhaustive.md": "exhaustive.md",
}
WIDE = os.environ | {"COLUMNS": "100", "NO_COLOR": "1"}  # for what a command says of itself


def link_to_pages(app, name, source):
    """Have links to the repository's reports lead to the pages that include them."""
    for path, page in INCLUDED.items():
        source[0] = source[0].replace(f"]({path})", f"]({page})")


def leave_out(app, kind, name, member, skip, options):
    """Leave out what scikit-learn adds to route metadata, and what ties a class to its options."""
    return True if re.fullmatch(r"set_\w+_request|options_class", name) else None


def prepare(app):
    """Draw the pictures of the reports, and write what the command says of itself."""
    pictures.draw()
    generated = HERE / "reference" / "generated"
    generated.mkdir(exist_ok=True)
    for name in ("evaluate", "backends"):
        command = [sys.executable, "-m", "focalcore", name, "--help"]
        shown = subprocess.run(command, check=True, capture_output=True, text=True, env=WIDE)
        (generated / f"{name}.txt").write_text(shown.stdout)


def setup(app):
    """Do what comes before the pages are read."""
    app.connect("builder-inited", prepare, priority=100)
    app.connect("autodoc-skip-member", leave_out)
    app.connect("source-read", link_to_pages)
