"""A report as tables of text, which renderings lay out and escape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..file_report import FileReport
from ..readers import Taken
from ..report import Report

MOST_ROWS = 1000  # of classes that a table shows
MOST_NAMES = 20  # of columns


class Table(NamedTuple):
    """A table, the first cell of whose rows says what a row is about."""

    title: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def summary(report: Report) -> Iterator[tuple[str, str]]:
    """Yield what was scored, and what of a file was taken for what."""
    if isinstance(report, FileReport):
        yield "file", report.file
        one_hot = ", one-hot targets" if report.one_hot else ""
        yield "task", f"{report.task}{one_hot}, from {report.scores}"
        yield from _taken(report.taken)
    else:
        yield "task", f"{report.task}, from {report.scores}"
    ignored = f" ({report.ignored:,} ignored)" if report.ignored else ""
    yield "examples", f"{report.examples:,}{ignored}"
    if report.positives is not None:
        share = f" ({report.positives / report.targets:.1%})" if report.targets else ""
        yield "positives", f"{report.positives:,}{share}"
    if report.alpha is not None:
        yield "alpha", str(report.alpha)
    yield "cross-entropy", _number(report.cross_entropy)


def tables(report: Report) -> Iterator[Table]:
    """Yield the tables of a report: by gamma, of what is hard, by class, and beside another."""
    yield by_gamma(report)
    yield hardest(report)
    yield by_class(report)
    if isinstance(report, FileReport):
        if report.differences:
            yield differences(report)
        if report.hardest:
            yield examples(report)


def by_gamma(report: Report) -> Table:
    """Return the means of all targets at each gamma, and by what models of several compare."""
    rows = [
        (
            f"{score.gamma:g}",
            _number(score.focal_loss),
            _number(score.per_positive),
            _number(score.modulating_factor),
            _number(score.log_loss),
        )
        for score in report.losses
    ]
    headings = ("gamma", "mean", "per positive", "modulating factor", "log loss of posterior")
    return Table("Focal loss", headings, rows)


def by_class(report: Report) -> Table:
    """Return the mean of each class and its share of the loss, at each gamma."""
    headings = ["class", "positives" if report.task == "multi-label" else "count"]
    for score in report.losses:
        headings += f"mean, gamma {score.gamma:g}", "share"
    rows = []
    for number, of_gammas in enumerate(zip(*(s.classes for s in report.losses), strict=True)):
        first = of_gammas[0]
        cells = [_label(report.task, number, first.name), f"{first.count:,}"]
        for own in of_gammas:
            cells += _number(own.focal_loss), _share(own.share)
        rows.append(tuple(cells))
    if len(rows) > MOST_ROWS:
        left = f"and {len(rows) - MOST_ROWS:,} more, which --json has"
        rows = [*rows[:MOST_ROWS], (left, *[""] * (len(headings) - 1))]
    return Table("By class", tuple(headings), rows)


def hardest(report: Report) -> Table:
    """Return what the hardest targets carry at each gamma."""
    shares = report.losses[0].hardest
    rows = [(f"{score.gamma:g}", *map(_share, score.hardest.values())) for score in report.losses]
    return Table("What the hardest carry", ("gamma", *(f"hardest {s}" for s in shares)), rows)


def differences(report: FileReport) -> Table:
    """Return how much the model loses beside another one, and how sure that is."""
    rows = []
    for each in report.differences:
        interval = "-"
        if each.interval is not None:
            interval = f"{each.interval[0]:+.4g} to {each.interval[1]:+.4g}"
        difference = "-" if each.difference is None else f"{each.difference:+.6g}"
        numbers = _number(each.focal_loss), _number(each.other), difference
        rows.append((each.name, *numbers, interval))
    title = f"Compared with {report.compared_with}, gamma {report.losses[0].gamma:g}"
    return Table(title, ("class", "mean", "of the other", "difference", "95 % of it"), rows)


def examples(report: FileReport) -> Table:
    """Return the examples of the largest loss."""
    rows = [
        (
            each.name if report.files == 1 else f"{each.file}: {each.name}",
            each.target or "-",
            _number(each.p_t),
            _number(each.focal_loss),
        )
        for each in report.hardest
    ]
    title = f"Hardest examples, gamma {report.losses[0].gamma:g}"
    return Table(title, ("example", "target", "probability of it", "focal loss"), rows)


def _taken(taken: Taken) -> Iterator[tuple[str, str]]:
    """Yield what of a file was taken for what."""
    yield "scores", _names(taken.scores)
    yield "targets", _names(taken.targets)
    if taken.weight is not None:
        yield "weight", f"{taken.weight}: means are weighted"
    if taken.unused:
        yield "unused", _names(taken.unused)


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def _label(task: str, number: int, name: str) -> str:
    """Return the name of a class, and its number among the targets where that is not its name."""
    return f"{number}: {name}" if task == "multi-class" and name != str(number) else name


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
