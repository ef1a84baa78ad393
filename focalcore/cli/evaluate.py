"""The command that scores files of predictions."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from ..evaluation import FileReport, FocalReport, Opening, Predictions, evaluate
from ..evaluation.cluster import sums_on
from ..evaluation.comparison import Comparison
from ..evaluation.examples import Hardest
from ..evaluation.file_report import Watcher, file_report
from ..evaluation.predictions import open_all
from ..evaluation.renderings.json import json_of
from .alpha import balanced, check_alpha
from .console import ABOVE, GOOD, complain, say
from .inputs import compared, openings, read_files
from .outputs import Outputs


def run(options: argparse.Namespace) -> int:
    """Score the files, write what is asked for, and return the exit code."""
    options.gamma = tuple(dict.fromkeys(options.gamma or [2.0]))
    with (
        openings(options) as found,
        Outputs.opened(options, read_files(options, found)) as outputs,
    ):
        report, sums = _scored(options, found, outputs)
        outputs.write(report, sums)
    say(json_of(report) if options.json == "-" else outputs.text_of(report))
    return _verdict(options, report)


def _scored(
    options: argparse.Namespace, found: Sequence[Opening], outputs: Outputs
) -> tuple[FileReport, FocalReport]:
    """Return the report on files, and the sums that it is made of."""
    found, files = open_all(found)
    alpha = _alpha(options, files)
    if options.dask is not None:
        return _on_a_cluster(options, files, found, alpha)
    parts = _parts(options, found, alpha)
    lengths = [file.source.n_rows for file in files]
    total = None if None in lengths else sum(n for n in lengths if n is not None)
    with _bar("rows", total) as advance:
        watchers: list[Watcher] = [part.see for part in parts] + outputs.watchers(alpha)
        watchers.append(lambda _, __, block: advance(len(block.scores)))
        report, sums = evaluate(
            files, options.gamma, alpha, chunk_rows=options.chunk_rows, watchers=watchers
        )
    for part in parts:
        report = replace(report, **part.found())
    return report, sums


def _alpha(options: argparse.Namespace, files: Sequence[Predictions]) -> Any:
    if options.alpha == "balanced":
        return balanced(files, options.chunk_rows)
    try:
        check_alpha(options.alpha, files[0])
    except ValueError as error:
        options.parser.error(str(error))
    return options.alpha


def _parts(options: argparse.Namespace, found: Sequence[Opening], alpha: Any) -> list[Any]:
    """Return what looks at each example beside the report."""
    parts: list[Any] = []
    if options.hardest is not None:
        parts.append(Hardest(options.hardest, options.gamma[0], alpha))
    if options.compare is not None:
        other = compared(options, found).open()
        parts.append(Comparison(other, options.gamma[0], alpha, options.chunk_rows))
    return parts


def _on_a_cluster(
    options: argparse.Namespace, files: Sequence[Predictions], found: Sequence[Opening], alpha: Any
) -> tuple[FileReport, FocalReport]:
    with _bar("files", len(found)) as advance:
        sums = sums_on(options.dask, found, options.gamma, alpha, options.chunk_rows, advance)
    return file_report(files, sums), sums


@contextmanager
def _bar(what: str, total: int | None) -> Iterator[Callable[[int], Any]]:
    """Show how far the work is, on a terminal."""
    if not sys.stderr.isatty() or find_spec("rich") is None:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda n: bar.advance(task, n)


def _verdict(options: argparse.Namespace, report: FileReport) -> int:
    """Return the exit code: whether the loss is above what it may be."""
    if options.fail_above is None:
        return GOOD
    score = report.losses[0]
    of_positives = options.normalizer == "positives"
    loss = score.per_positive if of_positives else score.focal_loss
    if loss is None:
        options.parser.error(
            "--normalizer positives needs positives, which these predictions have none of"
        )
    if loss <= options.fail_above:
        return GOOD
    return complain(ABOVE, f"the loss, {loss:.6g}, is above --fail-above {options.fail_above:g}")
