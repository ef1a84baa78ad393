"""The scores as a table on the terminal, as JSON and as Markdown."""

from __future__ import annotations

import json
import math
import pathlib
import platform
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from focalcore._backends.libraries import installed

from .vectors import QUANTITIES

Record = dict[str, Any]

REPORTS = pathlib.Path(__file__).parent / "reports"
PAGES = pathlib.Path(__file__).parent.parent / "docs" / "reports"
PAGE = PAGES / "accuracy.md"
PACKAGES = ("focalcore", "array-api-compat", "array-api-strict", "dask", "jax", "numpy", "torch")
PACKAGES += ("cupy", "fvcore", "keras", "kornia", "llvmlite", "monai", "numba", "numexpr", "optax")

TARGET_COLUMNS = (
    "target", "cases", "of", "value ulp", "slope ulp", "curvature ulp", "posterior ulp",
    "part of the bound", "kept B/logit", "graph breaks",
)  # fmt: skip
PEER_COLUMNS = (
    "implementation", "type", "cases", "value ulp", "off > 1 %", "NaN",
    "slope ulp", "off > 1 %", "NaN",
)  # fmt: skip


def machine() -> Record:
    """What the report was made on."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "processor": platform.machine(),
        "packages": dict(_versions()),
        "devices": {known.name: known.devices for known in installed() if known.devices},
    }


def _versions() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue


def target_row(record: Record) -> list[str]:
    """A line of the table of targets."""
    tallies = record["quantities"]
    return [
        record["target"],
        f"{record['cases']:,}",
        f"{record['stored']:,}",
        *(_ulp(tallies.get(q)) for q in QUANTITIES),
        f"{max(t['share'] for t in tallies.values()):.2f}",
        *("" if record[name] is None else f"{record[name]:g}" for name in ("kept", "breaks")),
    ]


def peer_row(record: Record) -> list[str]:
    """A line of the table of implementations."""
    cells = [record["implementation"], record["dtype"], f"{record['cases']:,}"]
    for quantity in QUANTITIES[:2]:
        tally = record["quantities"][quantity]
        far = tally["far"] / max(tally["numbers"], 1)
        cells += [_number(tally["ulp"]), f"{100 * far:.1f} %", str(tally["nan"])]
    return cells


def not_run(records: Iterable[Record], name: str) -> list[str]:
    """A line for each that could not be measured."""
    return [f"{r[name]}: not run, {r['reason']}" for r in records if "reason" in r]


def distance_rows(records: Iterable[Record]) -> list[list[str]]:
    """Which two targets are farthest from each other, for each type."""
    farthest: dict[str, Record] = {}
    for record in records:
        if record["share"] >= farthest.get(record["dtype"], {"share": -1.0})["share"]:
            farthest[record["dtype"]] = record
    return [[dtype, r["one"], r["other"], f"{r['share']:.2g}"] for dtype, r in farthest.items()]


def markdown(columns: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def show(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """The table on the terminal."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title)
    for i, column in enumerate(columns):
        table.add_column(column, no_wrap=True, justify="right" if i else "left")
    for row in rows:
        table.add_row(*row)
    console = Console()
    # a file or a pipe has no width
    Console(width=None if console.is_terminal else 160).print(table)


def page(title: str, table: str, absent: list[str]) -> str:
    """A Markdown page: a table, and what is not in it."""
    return (
        "\n".join([f"# {title}", "", table, "", *(f"* {line}" for line in absent)]).rstrip() + "\n"
    )


def write(name: str, report: Record, text: str, folder: pathlib.Path) -> None:
    """Both files of a report."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(_finite(report), indent=1) + "\n")
    (folder / f"{name}.md").write_text(text)


def read(name: str) -> Record | None:
    """A report that was written, or None."""
    path = REPORTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def support_table() -> str:
    """A table of the page: a line for each library and device, from the reports."""
    records = {}
    for name in ("cpu", "gpu"):
        for record in (read(name) or {"targets": []})["targets"]:
            if "reason" not in record or record["target"] not in records:
                records[record["target"]] = record
    places: dict[str, list[Record]] = {}
    for record in records.values():
        places.setdefault(record["place"], []).append(record)
    columns = (
        "library and device",
        "types",
        "modes",
        "numbers compared",
        "largest error, as a part of its bound",
    )
    return markdown(columns, [_support_row(place, own) for place, own in places.items()])


def _support_row(place: str, records: list[Record]) -> list[str]:
    dtypes, modes = (", ".join(dict.fromkeys(r[key] for r in records)) for key in ("dtype", "mode"))
    run = [r for r in records if "reason" not in r]
    if not run:
        return [place, dtypes, modes, "not run", records[0]["reason"]]
    tallies = [tally for r in run for tally in r["quantities"].values()]
    numbers, share = sum(t["numbers"] for t in tallies), max(t["share"] for t in tallies)
    return [place, dtypes, modes, f"{numbers:,}", f"{share:.2f}"]


def peer_table() -> str:
    """The page's table of implementations, from the report."""
    scores = (read("peers") or {"scores": []})["scores"]
    table = markdown(PEER_COLUMNS, [peer_row(r) for r in scores if "reason" not in r])
    return "\n".join([table, "", *not_run(scores, "implementation")])


def _finite(value: Any) -> Any:
    """JSON has no infinity: the largest double in its place."""
    if isinstance(value, dict):
        return {name: _finite(v) for name, v in value.items()}
    if isinstance(value, list):
        return [_finite(v) for v in value]
    return min(value, sys.float_info.max) if isinstance(value, float) else value


def _ulp(tally: Record | None) -> str:
    return _number(tally["ulp"]) if tally and tally["numbers"] else ""


def _number(x: float) -> str:
    if math.isinf(x):
        return "inf"
    return f"{x:.2f}" if x < 1000 else f"{x:.0e}"


def in_page(text: str) -> str:
    """The page, with its tables as the reports have them."""
    return with_tables(text, {"support": support_table(), "peers": peer_table()})


def with_tables(text: str, tables: dict[str, str]) -> str:
    """A page with its tables, each between a comment that names it and the next end."""
    for name, table in tables.items():
        begin = text.index("-->\n", text.index(f"<!-- {name}")) + len("-->\n")
        text = f"{text[:begin]}{table}\n{text[text.index('<!-- end -->', begin) :]}"
    return text


if __name__ == "__main__":
    PAGE.write_text(in_page(PAGE.read_text()))
