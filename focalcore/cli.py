"""The command line: score a file of predictions, list the array libraries of this machine."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from . import __version__
from .evaluation import (
    CHUNK_ROWS,
    TASKS,
    BadDataError,
    FileReport,
    Names,
    Predictions,
    evaluate,
    open_predictions,
)
from .evaluation.alpha import check_alpha
from .evaluation.arguments import count, index, name, number, numbers
from .evaluation.output import json_of, whole_file

GOOD, WRONG_USAGE, BAD_DATA, INTERRUPTED = 0, 2, 3, 130

DESCRIPTION = """\
Score a file of predictions with the focal loss.

PREDICTIONS is a .npz file with the arrays `logits` or `probs`, `targets` and perhaps `weight` or
`sample_weight`, or a .csv file with a header and such columns: `prob`, or `prob_NAME` or `probN`
for each class, likewise `logit` and `target`. Other names are given with the options, columns as
a,b,c or as a pattern; the report says which were taken. Without PREDICTIONS the options name .npy
files:

  focalcore evaluate --logits logits.npy --targets targets.npy

Columns that end in numbers are the classes of these numbers, others are in the order of the file; a
list a,b,c keeps its own. Columns of scores and targets with the same endings belong together.

Shapes tell the task: (N,) and (N,) binary, (N, C) and (N, C) multi-label, (N, C) and (N,)
multi-class. (N, C) targets that are one-hot are multi-class where probabilities add up to 1; beside
logits, --task says which.
"""

EPILOG = "Exit codes: 0 fine, 2 wrong usage, 3 bad data."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and return the exit code."""
    try:
        try:
            options = _parser().parse_args(arguments)
            return int(options.run(options))
        finally:
            _say("")  # flushes what --help wrote, so that an error of writing it is raised here
    except BadDataError as error:
        return _complain(BAD_DATA, str(error))
    except BrokenPipeError:  # the reader has closed the pipe
        _silence()
        return GOOD
    except OSError as error:  # files are read and written elsewhere: this is stdout
        _silence()
        return _complain(WRONG_USAGE, f"can't write to stdout ({error.strerror or error})")
    except KeyboardInterrupt:
        return INTERRUPTED


def _say(text: str) -> None:
    """Write a text to stdout, with escapes for characters that its encoding lacks."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), end="", flush=True)


def _complain(code: int, message: str) -> int:
    print(f"focalcore: {_one_line(message)}", file=sys.stderr)
    return code


def _silence() -> None:
    """Send stdout to nowhere, because at exit Python would try again to write what is left."""
    with contextlib.suppress(OSError), open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"{self.prog}: {_one_line(message)}; see {self.prog} --help\n")


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
    for add, option, what in (
        (scores, "--logits", "scores before the sigmoid or softmax"),
        (scores, "--probs", "probabilities"),
        (command, "--targets", "labels in [0, 1], class labels, or one-hot rows"),
        (command, "--weight", "a weight >= 0 for each row"),
    ):
        add.add_argument(option, type=name, metavar="NAME", help=what)
    command.add_argument("--task", choices=TASKS, help="default: told from the file")
    command.add_argument(
        "--gamma",
        type=number,
        action="append",
        metavar="G",
        help="focusing parameter >= 0, may be repeated (default: 2)",
    )
    command.add_argument(
        "--alpha",
        type=numbers,
        metavar="A",
        help="class balance in [0, 1]; multi-class: a weight for each class, as a,b,c",
    )
    command.add_argument(
        "--ignore-index",
        type=index,
        metavar="I",
        help="targets to leave out; one-hot: rows of nothing else",
    )
    command.add_argument(
        "--chunk-rows",
        type=count,
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
    if options.json == "-":
        _say(json_of(_scored(options, names)))
        return GOOD
    text_of = _table(options)
    report = _scored(options, names) if options.json is None else _scored_into(options, names)
    _say(text_of(report))
    return GOOD


def _scored(options: argparse.Namespace, names: Names) -> FileReport:
    predictions = open_predictions(options.predictions, names, options.task, options.ignore_index)
    try:
        check_alpha(options.alpha, predictions)
    except ValueError as error:
        options.parser.error(str(error))
    return _score(options, predictions)


def _scored_into(options: argparse.Namespace, names: Names) -> FileReport:
    """Return the report, and write it to a file, opened first so that an error comes at once."""
    try:
        with whole_file(options.json) as file:
            report = _scored(options, names)
            file.write(json_of(report))
    except OSError as error:
        options.parser.error(
            f"--json {options.json} can't be written ({error.strerror or error}); name another "
            f"file, or - for stdout"
        )
    return report


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
        if not os.path.isfile(path):
            error(f"no such file: {path}{' is a folder' if os.path.isdir(path) else ''}")
    if options.json not in (None, "-"):
        _check_report(options, files)


def _check_report(options: argparse.Namespace, files: Sequence[Path]) -> None:
    report = os.path.realpath(options.json)
    if os.path.isdir(report) or not os.path.isdir(os.path.dirname(report)):
        options.parser.error(
            f"--json must name a file in a folder that exists, or be - for stdout; found "
            f"{options.json}"
        )
    if report in map(os.path.realpath, files):
        options.parser.error(
            f"--json {options.json} is a file of predictions, which it would replace; name another"
        )


def _score(options: argparse.Namespace, predictions: Predictions) -> FileReport:
    def run(progress: Callable[[int], Any] | None = None) -> FileReport:
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


def _table(options: argparse.Namespace) -> Callable[[FileReport], str]:
    """Return the function that makes a table of a report, or end with an error before the work."""
    try:
        from .evaluation.table import text_of
    except ImportError:
        options.parser.error("the table needs rich: pip install 'focalcore[cli]', or use --json -")
    return text_of


def _backends(_: argparse.Namespace) -> int:
    from . import _kernels, settings
    from ._backends.libraries import installed, version_of

    off = "turned off" if not settings.kernels() else _kernels.why_not()
    way = f"off: {off}" if off else "on"
    _say(f"{'kernels':<18}{_kernels.version() or 'not installed':<16}{way}\n")
    launcher = version_of("cuda-core")
    how = "launches them for torch on a GPU" if launcher else "pip install 'focalcore[cuda]'"
    _say(f"{'cuda-core':<18}{launcher or 'not installed':<16}{how}\n")
    for library in installed():
        found = ", ".join(library.devices) or library.note
        _say(f"{library.name:<18}{library.version or 'not installed':<16}{found}\n")
    return GOOD


if __name__ == "__main__":
    sys.exit(main())
