"""The measurements on a device as tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from conformance import report
from conformance.places import ALL

from ..report import size
from .works import COMPILED, CROSS_ENTROPY, PLAIN, TORCHVISION

Record = dict[str, Any]
Line = list[str]


class Table(NamedTuple):
    """A table with its title."""

    title: str
    columns: tuple[str, ...]
    lines: list[Line]


# whose times are compared with, and how their columns are called
RIVALS = {
    "sigmoid": {TORCHVISION: "torchvision", TORCHVISION + COMPILED: "compiled"},
    "softmax": {CROSS_ENTROPY: "cross-entropy", PLAIN: "plain form", PLAIN + COMPILED: "compiled"},
}


def tables(whole: Record) -> Iterator[Table]:
    """All that were measured."""
    if "bits" in whole:
        yield from _bits(whole["bits"]["records"])
        yield _repeated(whole["bits"]["repeated"])
    for loss in RIVALS if "time" in whole else ():
        records = [r for r in whole["time"] if r["loss"] == loss and "us" in r]
        yield _times(loss, records)
    if "memory" in whole:
        yield _memory([r for r in whole["memory"] if r.get("bytes") is not None])


def _repeated(records: list[Record]) -> Table:
    columns = ("the same call many times", "library", "runs", "different results")
    lines = [
        [r["call"], r["place"], str(r["runs"]), r.get("reason") or str(r["results"])]
        for r in records
    ]
    return Table("Many runs", columns, lines)


def _memory(records: list[Record]) -> Table:
    columns = ("logits", "library", "by", "work", "peak bytes per logit")
    lines = [[_shape(r), r["place"], r["by"], r["task"], f"{r['bytes']:.2f}"] for r in records]
    return Table("Memory beyond the inputs", columns, lines)


def _bits(records: list[Record]) -> Iterator[Table]:
    """How many calls have the host's bits, and each that has others."""
    of: dict[tuple[str, str, str], dict[str, list[bool]]] = {}
    for r in records:
        line = of.setdefault((r["place"], r["loss"], r["output"]), {})
        line.setdefault(r["dtype"], []).append(_is_same(r))
    lines = [[", ".join(key), *(_share(of[key].get(dtype)) for dtype in ALL)] for key in sorted(of)]
    total = [_share([_is_same(r) for r in records if r["dtype"] == dtype]) for dtype in ALL]
    yield Table("Calls that give the host's bits", ("of", *ALL), [*lines, ["all", *total]])
    others = [[r["case"], r["place"], *_far(r)] for r in records if not _is_same(r)]
    columns = ("call with other bits", "library", "elements", "largest difference, ulp")
    yield Table("Calls that don't", columns, others)


def _is_same(record: Record) -> bool:
    return record.get("elements") == 0


def _share(same: list[bool] | None) -> str:
    return f"{sum(same)} of {len(same)}" if same else ""


def _far(record: Record) -> tuple[str, str]:
    if "reason" in record:
        return "", record["reason"]
    ulp = record["ulp"]
    if ulp is None:
        return f"{record['elements']:,}", "NaN, or another type"
    return f"{record['elements']:,}", f"{ulp:,}" if ulp else "the sign of 0"


def _times(loss: str, records: list[Record]) -> Table:
    """A line for each work: its time, beside a copy and beside others that do the same."""
    at = {(_where(r), r["by"], r["task"]): r["us"] for r in records}
    copies: dict[tuple[Any, int], float] = {}  # the fastest of any library that moves so much
    for r in records:
        key = _where(r), r["moved"]
        copies[key] = min(r["copy_us"], copies.get(key, r["copy_us"]))
    lines = []
    for r in records:
        rivals = (at.get((_where(r), by, r["task"])) for by in RIVALS[loss])
        lines.append([
            _shape(r), r["targets"], r["place"], f"{r['by']}: {r['task']}", _number(r["us"]),
            f"{100 * copies[_where(r), r['moved']] / r['us']:.0f} %",
            *("" if us is None else _number(us / r["us"]) for us in rivals),
        ])  # fmt: skip
    theirs = (f"{name} / this" for name in RIVALS[loss].values())
    columns = ("logits", "targets", "library", "work", "µs", "% of copy", *theirs)
    return Table(f"Time, {loss}", columns, lines)


def _where(record: Record) -> tuple[str, tuple[int, ...]]:
    return record["targets"], tuple(record["shape"])


def _shape(record: Record) -> str:
    return size(tuple(record["shape"]))


def _number(x: float) -> str:
    return f"{x:.2f}" if x < 10 else f"{x:.1f}" if x < 100 else f"{x:,.0f}"


def notes(whole: Record) -> list[str]:
    """What has to be known of the tables, and what is not in them."""
    return [*_of_machine(whole), *_of_bits(whole), *_left_out(whole)]


def _of_machine(whole: Record) -> Iterator[str]:
    packages = ", ".join(f"{k} {v}" for k, v in whole["machine"]["packages"].items())
    devices = "; ".join(f"{k}: {', '.join(v)}" for k, v in whole["machine"]["devices"].items())
    yield f"On {packages}; {devices}"
    ran = whole["device kernels"]
    names = "unknown, this version doesn't tell" if ran is None else ", ".join(ran) or "none"
    yield f"Libraries in which focalcore's own kernels ran on the device: {names}"
    yield f"Kernels on the host: {whole['host kernels'] or 'run'}"
    yield (
        f"Times are medians of {whole['rounds']} rounds, in each of which all works of a size are"
        ' run in turn; "torchvision / this" is their time to this. % of copy: the time of the'
        " fastest copy that moves as many bytes as the inputs and the outputs have, as a part of"
        " the time of the work"
    )


def _of_bits(whole: Record) -> Iterator[str]:
    if "bits" in whole:
        records = whole["bits"]["records"]
        same = sum(map(_is_same, records))
        yield (
            f"Bits: {same} of {len(records)} comparisons are equal;"
            f" {whole['bits']['run']} of {whole['bits']['calls']} calls were run before the time"
            " was over"
        )


def _left_out(whole: Record) -> Iterator[str]:
    yield from whole["absent"]
    yield from (f"Warned: {text}" for text in dict.fromkeys(whole["warnings"]))
    for part in ("time", "memory"):
        for r in whole.get(part, ()):
            if "reason" in r:
                names = (r[key] for key in ("place", "by", "task") if key in r)
                of = ", ".join([part, r["loss"], r["targets"], _shape(r), *names])
                yield f"{of}: not run, {r['reason']}"


def markdown(whole: Record) -> str:
    """The page."""
    parts = ["# Bits, time and memory on a device"]
    parts.append("\n".join(f"* {note}" for note in notes(whole)))
    for table in tables(whole):
        parts += [
            f"## {table.title}",
            report.markdown(table.columns, table.lines) if table.lines else "None.",
        ]
    return "\n\n".join(parts) + "\n"


def show(whole: Record) -> None:
    """The page on the terminal."""
    for table in tables(whole):
        report.show(table.title, table.columns, table.lines)
    print(*notes(whole), sep="\n")
