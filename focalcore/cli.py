"""The command line: score a file of predictions, list the array libraries of this machine."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from . import __version__
from ._options import parse_parameter
from .evaluation import (
    CHUNK_ROWS,
    TASKS,
    BadDataError,
    Names,
    Predictions,
    Report,
    evaluate,
    open_predictions,
)
from .evaluation.alpha import check_alpha

GOOD, WRONG_USAGE, BAD_DATA, INTERRUPTED = 0, 2, 3, 130

DESCRIPTION = """\
Score a file of predictions with the focal loss.

PREDICTIONS is a .npz file with the arrays `logits` or `probs`, `targets` and perhaps `weight`, or a
.csv file with columns logit* or prob*, target* and perhaps weight. Other names are given with the
options, several columns as a,b,c or as a pattern. Without PREDICTIONS the options name .npy files:

  focalcore evaluate --logits logits.npy --targets targets.npy

Shapes tell the task: (N,) and (N,) binary, (N, C) and (N, C) multi-label, (N, C) and (N,)
multi-class.
"""

EPILOG = "Exit codes: 0 fine, 2 wrong usage, 3 bad data."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except BadDataError as error:
        print(f"focalcore: {error}", file=sys.stderr)
        return BAD_DATA
    except KeyboardInterrupt:
        return INTERRUPTED


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="focalcore", description="Focal loss for files of predictions.")
    parser.add_argument("--version", action="version", version=f"focalcore {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser(
        "evaluate",
        help="score a file of predictions",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=_evaluate, parser=command)
    command.add_argument(
        "predictions", nargs="?", type=Path, metavar="PREDICTIONS", help="a .npz or .csv file"
    )
    scores = command.add_mutually_exclusive_group()
    scores.add_argument("--logits", metavar="NAME", help="scores before the sigmoid or softmax")
    scores.add_argument("--probs", metavar="NAME", help="probabilities")
    command.add_argument("--targets", metavar="NAME", help="labels in [0, 1], or class labels")
    command.add_argument("--weight", metavar="NAME", help="a weight >= 0 for each row")
    command.add_argument("--task", choices=TASKS, help="default: told from the shapes")
    command.add_argument(
        "--gamma",
        type=_number,
        action="append",
        metavar="G",
        help="focusing parameter >= 0, may be repeated (default: 2)",
    )
    command.add_argument(
        "--alpha",
        type=_numbers,
        metavar="A",
        help="class balance in [0, 1]; multi-class: a weight for each class, as a,b,c",
    )
    command.add_argument("--ignore-index", type=int, metavar="I", help="targets to leave out")
    command.add_argument(
        "--chunk-rows",
        type=_count,
        default=CHUNK_ROWS,
        metavar="N",
        help="rows in memory at a time (default: %(default)s)",
    )
    command.add_argument("--json", metavar="FILE", help="write the report as JSON; - to stdout")
    command = commands.add_parser(
        "backends", help="list the array libraries and devices of this machine"
    )
    command.set_defaults(run=_backends)
    return parser


def _evaluate(options: argparse.Namespace) -> int:
    names = Names(options.logits, options.probs, options.targets, options.weight)
    _check_usage(options, names)
    show = None if options.json == "-" else _table(options)
    predictions = open_predictions(options.predictions, names, options.task, options.ignore_index)
    _check_alpha(options, predictions)
    report = _score(options, predictions)
    if options.json is not None:
        _write_json(report, options.json)
    if show is not None:
        sys.stdout.write(show(report))
    return GOOD


def _check_usage(options: argparse.Namespace, names: Names) -> None:
    error, file = options.parser.error, options.predictions
    if file is not None:
        if file.suffix not in (".npz", ".csv"):
            error(f"PREDICTIONS must be a .npz or .csv file; found {file}")
        files = [file]
    else:
        if not (names.targets and names.scores):
            error("give PREDICTIONS, or .npy files as --logits or --probs and --targets")
        files = [Path(name) for name in names.given().values()]
        for other in files:
            if other.suffix != ".npy":
                error(f"without PREDICTIONS the options name .npy files; found {other}")
    for path in files:
        if not path.is_file():
            error(f"no such file: {path}")
    if options.json not in (None, "-"):
        report = Path(options.json)
        if report.is_dir() or not report.absolute().parent.is_dir():
            error(f"--json must name a file in a folder that exists; found {report}")


def _check_alpha(options: argparse.Namespace, predictions: Predictions) -> None:
    try:
        check_alpha(options.alpha, predictions)
    except ValueError as error:
        options.parser.error(str(error))


def _score(options: argparse.Namespace, predictions: Predictions) -> Report:
    def run(progress: Callable[[int], Any] | None = None) -> Report:
        gammas, rows = options.gamma or [2.0], options.chunk_rows
        return evaluate(predictions, gammas, options.alpha, chunk_rows=rows, progress=progress)

    if not sys.stderr.isatty() or find_spec("rich") is None:
        return run()
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("rows", total=predictions.source.n_rows)
        return run(lambda rows: bar.advance(task, rows))


def _table(options: argparse.Namespace) -> Callable[[Report], str]:
    """How to show a report, found out before the work begins."""
    try:
        from .evaluation.table import text_of
    except ImportError:
        options.parser.error("the table needs rich: pip install 'focalcore[cli]', or use --json -")
    return text_of


def _write_json(report: Report, file: str) -> None:
    text = (
        json.dumps(_plain(report.to_dict()), indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    )
    if file == "-":
        sys.stdout.write(text)
        return
    # written beside, then moved: an interrupted run leaves nothing half-written
    part = Path(f"{file}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _plain(value: Any) -> Any:
    """JSON has no infinity: it becomes a string."""
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _backends(_: argparse.Namespace) -> int:
    from ._machine import libraries

    for library in libraries():
        found = ", ".join(library.devices) or library.note
        print(f"{library.name:<18}{library.version or 'not installed':<16}{found}")
    return GOOD


def _number(text: str) -> float:
    try:
        return float(parse_parameter("the value", float(text)))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _numbers(text: str) -> float | tuple[float, ...]:
    numbers = tuple(_number(part) for part in text.split(","))
    return numbers if len(numbers) > 1 else numbers[0]


def _count(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0; found {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
