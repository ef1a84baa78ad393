"""What the command writes: files that are either complete or not there, and the table."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import Any

from ..evaluation import FileReport, FocalReport
from ..evaluation.file_report import Watcher
from ..evaluation.renderings.html import html_of
from ..evaluation.renderings.json import json_of
from ..evaluation.renderings.whole_file import whole_file
from ..plot import svg_pictures, write_pictures


class Outputs:
    """The files of results, opened before the work, so that an error comes at once."""

    def __init__(self, options: argparse.Namespace, files: dict[str, Any]) -> None:
        self.options, self.files = options, files
        self.per_example: Any = None
        self.text_of = _table(options) if options.json != "-" else json_of

    @classmethod
    @contextmanager
    def opened(cls, options: argparse.Namespace, read: Sequence[str]) -> Iterator[Outputs]:
        """Open what is to be written; it appears under its name when all of it is written."""
        wanted = {
            option: getattr(options, option.replace("-", "_"))
            for option in ("json", "html", "per-example")
        }
        wanted = {option: name for option, name in wanted.items() if name not in (None, "-")}
        for option, name in wanted.items():
            _check_name(options, option, name, read)
        _check_different(options, wanted)
        _check_packages(options)
        at_fault = wanted
        try:
            with ExitStack() as stack:
                files = {}
                for option, name in wanted.items():
                    at_fault = {option: name}
                    mode = "wb" if option == "per-example" else "w"
                    files[option] = stack.enter_context(whole_file(name, mode))
                outputs, at_fault = cls(options, files), wanted
                stack.callback(outputs.close)
                yield outputs
        except OSError as error:
            if isinstance(error, BrokenPipeError) or not wanted:
                raise
            named = " or ".join(f"--{option} {name}" for option, name in at_fault.items())
            options.parser.error(
                f"{named} can't be written ({error.strerror or error}); name another file, or - "
                f"for stdout"
            )

    def watchers(self, alpha: Any) -> list[Watcher]:
        """Return what writes the loss of each example while it is read."""
        if "per-example" not in self.files:
            return []
        from ..evaluation.per_example import PerExample

        self.per_example = PerExample(self.files["per-example"], self.options.gamma, alpha)
        return [self.per_example.see]

    def close(self) -> None:
        """Finish what is written while files are read."""
        if self.per_example is not None:
            self.per_example.close()

    def write(self, report: FileReport, sums: FocalReport) -> None:
        """Write the report, and the pictures of its sums."""
        self.close()
        if "json" in self.files:
            self.files["json"].write(json_of(report))
        if "html" in self.files:
            self.files["html"].write(html_of(report, svg_pictures(sums)))
        if self.options.plot is not None:
            self._draw(sums)

    def _draw(self, sums: FocalReport) -> None:
        """Write the pictures into their folder."""
        try:
            write_pictures(sums, self.options.plot)
        except OSError as error:
            self.options.parser.error(
                f"--plot {self.options.plot} can't be written ({error.strerror or error}); name "
                f"another folder"
            )


def _check_name(options: argparse.Namespace, option: str, name: str, read: Sequence[str]) -> None:
    path = os.path.realpath(name)
    if os.path.isdir(path) or not os.path.isdir(os.path.dirname(path)):
        options.parser.error(
            f"--{option} must name a file in a folder that exists"
            f"{', or be - for stdout' if option == 'json' else ''}; found {name}"
        )
    if path in map(os.path.realpath, read):
        options.parser.error(
            f"--{option} {name} is a file of predictions, which it would replace; name another"
        )


def _check_different(options: argparse.Namespace, wanted: dict[str, str]) -> None:
    """End with an error of usage if one file would hold two results."""
    of_files: dict[str, str] = {}
    for option, name in wanted.items():
        other = of_files.setdefault(os.path.realpath(name), option)
        if other != option:
            options.parser.error(f"--{other} and --{option} are both {name}; name another")


def _check_packages(options: argparse.Namespace) -> None:
    """End with an error of usage if a result needs a package that is not installed."""
    needs_plot = options.plot is not None or options.html is not None
    if needs_plot and find_spec("matplotlib") is None:
        options.parser.error("pictures need matplotlib: pip install 'focalcore[plot]'")
    if options.per_example is not None and find_spec("pyarrow") is None:
        options.parser.error("--per-example needs pyarrow: pip install 'focalcore[cli]'")
    if options.dask is None:
        return
    if find_spec("distributed") is None:
        options.parser.error("--dask needs dask: pip install 'focalcore[dask]' distributed")
    for option in ("hardest", "compare", "per_example"):
        if getattr(options, option) is not None:
            name = option.replace("_", "-")
            options.parser.error(
                f"--{name} looks at single rows, which stay on the workers of --dask"
            )


def _table(options: argparse.Namespace) -> Any:
    """Return the function that makes a table of a report, or end with an error before the work."""
    try:
        from ..evaluation.renderings.terminal import text_of
    except ImportError:
        options.parser.error("the table needs rich: pip install 'focalcore[cli]', or use --json -")
    return text_of
