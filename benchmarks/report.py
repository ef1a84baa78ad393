"""The measurements as tables and as JSON; `docs/pictures.py` draws them."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from typing import Any

from conformance import report as tables

from . import bits
from .row import OURS

Record = dict[str, Any]

REPORTS = pathlib.Path(__file__).parent / "reports"
PAGE = tables.PAGES / "speed.md"


COLUMNS = ("elements", "by", "ns per element", "time / ours", "peak bytes")


def lines(records: list[Record]) -> Iterator[list[str]]:
    """A line for each size and contender."""
    for record in records:
        for name, ns in record["ns"].items():
            ratio, held = record["ratios"].get(f"{name} / {OURS}"), record["bytes"][name]
            yield [size(record["size"]), name, *map(_number, (ns, ratio, held))]


def cost_columns(record: Record) -> tuple[str, ...]:
    """What is in the lines of a cost."""
    return "of", record["unit"]


def cost_lines(record: Record) -> Iterator[list[str]]:
    """A line for each number of a cost."""
    for name, value in record["values"].items():
        yield [name, _number(value)]


def size(value: Any) -> str:
    """A number of elements, or a shape."""
    return f"{value:,}" if isinstance(value, int) else " x ".join(f"{n:,}" for n in value)


def write(name: str, whole: Record, folder: pathlib.Path) -> None:
    """JSON and a page."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(whole, indent=1) + "\n")
    (folder / f"{name}.md").write_text(page(whole))


def page(whole: Record) -> str:
    """All tables."""
    machine = ", ".join(f"{k} {v}" for k, v in whole["machine"]["packages"].items())
    parts = ["# Time and memory", f"{machine}; {whole['machine']['cores']} cores"]
    for row, records in by_row(whole["records"]).items():
        parts += [f"## {row}", tables.markdown(COLUMNS, lines(records))]
    for cost in whole["costs"]:
        table = tables.markdown(cost_columns(cost), cost_lines(cost))
        parts += [f"## {cost['cost']}", table]
    if whole["bits"]:
        table = tables.markdown(bits.COLUMNS, bits.lines(whole["bits"]))
        parts += [f"## {bits.NAME}", table]
    return "\n\n".join(parts) + "\n"


def by_row(records: list[Record]) -> dict[str, list[Record]]:
    """The records of each row."""
    rows: dict[str, list[Record]] = {}
    for record in records:
        rows.setdefault(record["row"], []).append(record)
    return rows


def tables_of_page(name: str = "cpu") -> str:
    """Their time to ours: a line for each row and peer; each size has a column, each shape none."""
    path = REPORTS / f"{name}.json"
    records = json.loads(path.read_text())["records"] if path.exists() else []
    with_ratios = [r for r in records if r["ratios"]]
    sizes = [r for r in with_ratios if isinstance(r["size"], int)]
    shapes = [r for r in with_ratios if not isinstance(r["size"], int)]
    return "\n\n".join((_table_of_sizes(sizes), _table_of_shapes(shapes)))


def in_page(text: str) -> str:
    """The page of speed, with its tables as the report has them."""
    return tables.with_tables(text, {"speed": tables_of_page()})


def _ratios(records: list[Record]) -> dict[str, dict[str, float]]:
    """The ratios by row and peer, and by size."""
    found: dict[str, dict[str, float]] = {}
    for record in records:
        for pair, ratio in record["ratios"].items():
            found.setdefault(f"{record['row']}: {pair}", {})[size(record["size"])] = ratio
    return found


def _table_of_sizes(records: list[Record]) -> str:
    sizes = [size(n) for n in sorted({record["size"] for record in records})]
    rows = [[work, *(_number(of.get(s)) for s in sizes)] for work, of in _ratios(records).items()]
    return tables.markdown((TITLE, *sizes), rows)


def _table_of_shapes(records: list[Record]) -> str:
    rows = [
        [work, ", ".join(f"{_number(ratio)} ({shape})" for shape, ratio in of.items())]
        for work, of in _ratios(records).items()
    ]
    return tables.markdown((TITLE, "at a shape"), rows)


TITLE = "work: their time / ours"


def _number(x: float | None) -> str:
    if x is None:
        return ""
    return f"{x:.2f}" if x < 10 else f"{x:.1f}" if x < 100 else f"{x:.0f}"


if __name__ == "__main__":
    PAGE.write_text(in_page(PAGE.read_text()))
