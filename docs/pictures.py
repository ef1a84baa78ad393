"""The pictures of the reports, drawn from the numbers that the repository holds.

The build of the site draws those that are out of date, and so does `python -m docs.pictures`.
"""

import hashlib
import itertools
import json
import pathlib

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator
from PIL import Image

from benchmarks.row import COPY, OURS
from conformance.implementations import FOCALCORE
from conformance.measure import in_ulp, results
from conformance.peers import PEERS
from conformance.targets import chosen

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent
SPEED, ERRORS = ROOT / "benchmarks" / "reports", ROOT / "conformance" / "reports"
EXACT = [ROOT / "conformance" / "data" / f"{loss}.json" for loss in ("sigmoid", "softmax")]
COPIED = "NumPy value, float32 labels"  # whose bytes the copy on the host is of
FEWEST = 3  # sizes that make a line
# told apart by all eyes (Okabe and Ito 2008), ours first
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
ON_GPU = {
    "focalcore, torch": "#0072b2",
    "focalcore, cupy": "#56b4e9",
    "torchvision, torch": "#d55e00",
    "torchvision, compiled, torch": "#009e73",
}
WIDTH = 8.4  # inches, of a page
BIAS = 127  # of the exponents of float32
ULPS = (0, 0.5, 1, 2, 4, 8, 16, 100, 10_000, np.inf)  # bins of errors
GPUS = ("h100-80gb-hbm3", "h200")
LOSSES = ("sigmoid", "softmax")  # from logits, which all have


PICTURES = HERE / "reports" / "pictures"


def draw():
    """Draw the pictures whose numbers, or whose drawing, have changed; each names its own."""
    PICTURES.mkdir(exist_ok=True)
    for name, (picture, sources) in DRAWN.items():
        if of_picture(name) != of_numbers(name):
            figure = picture(*map(read, sources))
            metadata = {"Source": of_numbers(name)}
            figure.savefig(PICTURES / f"{name}.png", dpi=130, metadata=metadata)


def of_picture(name):
    """Return which numbers a picture was drawn from, as it says itself."""
    path = PICTURES / f"{name}.png"
    if not path.exists():
        return None
    with Image.open(path) as picture:
        return picture.info.get("Source")


def of_numbers(name):
    """Return what names the numbers of a picture, and the code that draws it."""
    _, sources = DRAWN[name]
    texts = (path.read_bytes() for path in (pathlib.Path(__file__), *sources))
    return hashlib.sha256(b"".join(texts)).hexdigest()


def read(path):
    """Return a report."""
    return json.loads(path.read_text())


def panels_of(rows, columns=2, **shared):
    """Return a figure and its panels."""
    figure = Figure(figsize=(WIDTH, 2.7 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(rows, columns, squeeze=False, **shared).flat)


def of_the_host(report):
    """Draw the time of each element against their number, a panel for work of several sizes."""
    works = {}
    for record in report["records"]:
        if isinstance(record["size"], int):
            works.setdefault(record["row"], []).append(record)
    works = {work: records for work, records in works.items() if len(records) >= FEWEST}
    copies = points_of(works[COPIED], COPY)
    figure, panels = panels_of(-(-len(works) // 2), sharex=True, sharey=True)
    for panel, (work, records) in zip(panels, works.items(), strict=False):
        names = (name for name in records[0]["ns"] if name != COPY)
        for colour, name in zip(COLOURS, names, strict=False):
            line(panel, points_of(records, name), name, colour)
        panel.loglog(*zip(*copies, strict=True), color="black", label=COPY)
        label(panel, work)
    for panel in panels[len(works) :]:
        panel.set_visible(False)
    figure.supxlabel("logits", fontsize=10)
    return figure


def points_of(records, name):
    """Return sizes and times of a contender, where it was run."""
    return [(r["size"], r["ns"][name]) for r in records if name in r["ns"]]


def of_gpus(*reports):
    """Draw the same on GPUs, beside the fastest copy."""
    tasks = ("value", "mean and backward")
    figure, panels = panels_of(len(GPUS), len(tasks), sharex=True, sharey=True)
    works = itertools.product(zip(GPUS, reports, strict=True), tasks)
    for panel, ((gpu, report), task) in zip(panels, works, strict=True):
        found, copies = times_of(report, task)
        for name in filter(found.get, ON_GPU):
            line(panel, sorted(found[name]), name, ON_GPU[name])
        panel.loglog(*zip(*sorted(copies.items()), strict=True), color="black", label=COPY)
        label(panel, f"{gpu.partition('-')[0].upper()}, {task}")
    figure.supxlabel("logits", fontsize=10)
    return figure


def times_of(report, task):
    """Return the points of each contender, and the time of the fastest copy by size."""
    found, copies = {}, {}
    for r in report["time"]:
        if "us" in r and (r["loss"], r["targets"], r["task"]) == ("sigmoid", "float32", task):
            (size,) = r["shape"]
            ours, copy = 1e3 * r["us"] / size, 1e3 * r["copy_us"] / size
            library = r["place"].partition("-")[0]
            found.setdefault(f"{r['by']}, {library}", []).append((size, ours))
            copies[size] = min(copy, copies.get(size, copy))
    return found, copies


def line(panel, points, name, colour):
    """Draw the times of one contender."""
    ours = name.startswith(OURS)
    style = {"linewidth": 2, "linestyle": "-"} if ours else {"linewidth": 1.2, "linestyle": "--"}
    panel.loglog(*zip(*points, strict=True), marker="o", ms=3, label=name, color=colour, **style)


def label(panel, title):
    """Name what a panel of times shows."""
    panel.set_title(title, fontsize=10)
    panel.set_ylabel("ns for each logit", fontsize=9)
    panel.yaxis.set_major_locator(LogLocator())
    panel.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    panel.grid(alpha=0.3)
    panel.legend(fontsize=7)


def of_errors(*_):
    """Draw how many results are off by how much, ours and those of the usual formulas."""
    usual = [(peer, "torch-cpu-float32-eager") for peer in PEERS if peer.name.endswith("-form")]
    shown = [(FOCALCORE, "numpy-cpu-float32-kernel"), *usual]
    figure, (panel,) = panels_of(1, 1)
    places, width = np.arange(len(ULPS) - 1), 0.9 / len(shown)
    for i, (implementation, name) in enumerate(shown):
        (target,) = chosen([name])
        vectors = [v for v in target.vectors() if v.loss in LOSSES]
        counts = sum(counts_of(target, implementation, v) for v in vectors)
        by = f"{implementation.name}, {counts.sum():,} values"
        left = places - 0.45 + i * width
        share = 100 * counts / counts.sum()
        panel.bar(left, share, width, align="edge", color=COLOURS[i], label=by)
    panel.set_xticks(np.arange(len(ULPS)) - 0.5, [*(f"{n:,g}" for n in ULPS[:-1]), "lost"])
    panel.set_xlabel("off by, in ulp", fontsize=9)
    panel.set_ylabel("% of values", fontsize=9)
    panel.set_yscale("log")
    panel.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    panel.grid(axis="y", alpha=0.3)
    panel.legend(fontsize=8)
    return figure


def counts_of(target, implementation, vectors):
    """Return how many values of these vectors are in each bin of errors."""
    found = results(target, implementation, vectors).get("value")
    if found is None:
        return np.zeros(len(ULPS) - 1, int)
    errors = in_ulp(target, vectors.exact["value"], "value", found)
    is_lost = np.isinf(errors) | np.isnan(errors)
    return np.histogram(np.where(is_lost, ULPS[-2], errors), ULPS)[0]


def of_the_scan(report):
    """Draw the largest error of all float32 logits of each exponent."""
    figure, panels = panels_of(1, 2, sharey=True)
    for panel, quantity in zip(panels, ("value", "slope"), strict=True):
        errors = [e for e in report["errors"] if e["quantity"] == quantity]
        for colour, error in zip(COLOURS, errors, strict=True):
            exponents = np.arange(len(error["by_exponent"])) - BIAS
            shown = (exponents >= -40) & (exponents <= 8)
            ulp = np.asarray(error["by_exponent"])
            name = f"gamma {error['gamma']:g}, bound {error['bound']:g}"
            panel.step(exponents[shown], ulp[shown], where="mid", color=colour, label=name)
        panel.set_title(quantity, fontsize=10)
        panel.set_xlabel("size of the logit, as a power of 2", fontsize=9)
        panel.grid(alpha=0.3)
        panel.legend(fontsize=7)
    panels[0].set_ylabel("largest error, ulp", fontsize=9)
    return figure


DRAWN = {
    "host": (of_the_host, [SPEED / "cpu.json"]),
    "gpu": (of_gpus, [SPEED / f"cuda-{gpu}.json" for gpu in GPUS]),
    "errors": (of_errors, EXACT),
    "scan": (of_the_scan, [ERRORS / "exhaustive.json"]),
}

if __name__ == "__main__":
    draw()
