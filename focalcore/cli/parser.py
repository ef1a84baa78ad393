"""The commands and their options."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from typing import Any, NoReturn

from .. import __version__
from ..evaluation import CHUNK_ROWS, TASKS
from ..evaluation.readers import KINDS
from . import arguments, backends, evaluate
from .console import WRONG_USAGE, one_line

DESCRIPTION = """\
Score files of predictions with the focal loss.

PREDICTIONS are one file or several, a folder, or a pattern as 'run/part-*.parquet', all of one
model; - is standard input. A table (.csv, .tsv, .parquet, .arrow, .feather, .jsonl; text may be
compressed) has columns as `prob`, or `prob_NAME` or `probN` for each class, likewise `logit` and
`target` or `label`, and perhaps `weight`; or a column of lists. A file of arrays (.npz,
.safetensors) has `logits` or `probs`, `targets`, and perhaps `weight`. Other names are given with
the options, columns as a,b,c or as a pattern; the report says which were taken. Without
PREDICTIONS the options name .npy files:

  focalcore evaluate --logits logits.npy --targets targets.npy

Columns that end in numbers are the classes of these numbers, from 0; others are in the order of the
file; a list a,b,c keeps its own. Columns of scores and targets with the same endings belong
together.

Shapes tell the task: (N,) and (N,) binary, (N, C) and (N, C) multi-label, (N, C) and (N,)
multi-class. (N, C) targets that are one-hot are multi-class where probabilities add up to 1; beside
logits, --task says which. Arrays may have more axes, of which --axis names that of the classes.
"""

EPILOG = "Exit codes: 0 fine, 1 above --fail-above, 2 wrong usage, 3 bad data."


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """End with what is wrong, in one line."""
        self.exit(WRONG_USAGE, f"{self.prog}: {one_line(message)}; see {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = Parser(prog="focalcore", description="Focal loss for files of predictions.")
    made.add_argument("--version", action="version", version=f"focalcore {__version__}")
    commands = made.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser(
        "evaluate",
        help="score files of predictions",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=evaluate.run, parser=command)
    files = command.add_argument(
        "predictions", nargs="*", metavar="PREDICTIONS", help="files, or -"
    )
    files.complete = {"bash": "_shtab_compgen_files", "zsh": "_files"}  # type: ignore[attr-defined]
    _of_names(command)
    _of_reading(command.add_argument_group("how files are read"))
    _of_the_loss(command.add_argument_group("what is computed"))
    _of_results(command.add_argument_group("what is written"))
    command = commands.add_parser(
        "backends", help="list the array libraries and devices of this machine"
    )
    command.set_defaults(run=backends.run)
    _add_completion(made)
    return made


def _add_completion(made: argparse.ArgumentParser) -> None:
    """Have the program print what a shell completes by, if there is what makes it."""
    if find_spec("shtab") is None:
        return
    import shtab

    shtab.add_argument_to(made, "--print-completion", help="print what a shell completes by")


def _of_names(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("what columns and arrays are called")
    scores = group.add_mutually_exclusive_group()
    for add, option, what in (
        (scores, "--logits", "scores before the sigmoid or softmax"),
        (scores, "--probs", "probabilities"),
        (group, "--targets", "labels in [0, 1], class labels, or one-hot rows"),
        (group, "--weight", "a weight >= 0 for each row"),
        (group, "--id", "what the examples are called"),
    ):
        add.add_argument(option, type=arguments.name, metavar="NAME", help=what)
    group.add_argument(
        "--class-names",
        type=arguments.class_names,
        metavar="A,B",
        help="the classes in their order; targets may be such names (default: of the columns)",
    )


def _of_reading(group: Any) -> None:
    group.add_argument("--truth", metavar="FILE", help="a table of the targets, joined by --id")
    group.add_argument(
        "--format",
        choices=sorted(kind[1:] for kind in KINDS),
        metavar="KIND",
        help="of standard input, or of files whose names do not tell (default: csv)",
    )
    group.add_argument(
        "--sep", type=arguments.character, metavar="CHAR", help="between columns of text"
    )
    group.add_argument(
        "--decimal",
        type=arguments.character,
        default=".",
        metavar="CHAR",
        help="the decimal point (default: .)",
    )
    group.add_argument(
        "--encoding",
        type=arguments.encoding,
        default="utf-8",
        metavar="NAME",
        help="of text, as utf-16 (default: utf-8)",
    )
    group.add_argument(
        "--na",
        choices=("error", "ignore"),
        default="error",
        help="what is done about rows that lack a number (default: error)",
    )
    group.add_argument(
        "--axis", type=arguments.index, metavar="I", help="of the classes, in arrays"
    )
    group.add_argument(
        "--ignore-index",
        type=arguments.index,
        metavar="I",
        help="targets to leave out; one-hot: rows of nothing else",
    )
    group.add_argument(
        "--background",
        type=arguments.index,
        metavar="I",
        help="multi-label, with class labels: the label of no class (default: their number)",
    )
    group.add_argument(
        "--chunk-rows",
        type=arguments.count,
        default=CHUNK_ROWS,
        metavar="N",
        help="most rows in memory at a time (default: %(default)s)",
    )
    group.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="score the files on a dask cluster; local: on processes of this machine",
    )


def _of_the_loss(group: Any) -> None:
    group.add_argument("--task", choices=TASKS, help="default: told from the file")
    group.add_argument(
        "--gamma",
        type=arguments.numbers,
        action="extend",
        metavar="G",
        help="focusing parameters >= 0, as 0,1,2 (default: 2)",
    )
    group.add_argument(
        "--alpha",
        type=arguments.alpha,
        metavar="A",
        help="class balance in [0, 1]; multi-class: a weight for each class, as a,b,c; balanced: "
        "by how many targets there are",
    )
    group.add_argument(
        "--normalizer",
        choices=("mean", "positives"),
        default="mean",
        help="what the loss is divided by that --fail-above looks at (default: mean)",
    )
    group.add_argument(
        "--compare",
        metavar="OTHER",
        help="another model's predictions of the same rows: differences, with their intervals",
    )
    group.add_argument(
        "--hardest",
        type=arguments.count,
        metavar="K",
        help="show the K examples of the largest loss, at the first gamma",
    )
    group.add_argument(
        "--fail-above",
        type=arguments.bound,
        metavar="X",
        help="exit with 1 if the loss, at the first gamma, is above X",
    )


def _of_results(group: Any) -> None:
    group.add_argument("--json", metavar="FILE", help="the report as JSON; - to stdout")
    group.add_argument("--html", metavar="FILE", help="the report with its pictures as one page")
    group.add_argument("--plot", metavar="DIR", help="the pictures, as .png files in a folder")
    group.add_argument(
        "--per-example", metavar="FILE", help="the loss of each example, as a .parquet file"
    )
