"""The exact values that are stored in `data`, as arrays. Their format is in `README.md`."""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from .family import FAMILY

Array = Any

DATA = pathlib.Path(__file__).parent / "data"
# of logits of classes, or of bins
OF_ROWS = ("softmax", "distribution", "asymmetric_softmax", "poly_softmax")
QUANTITIES = ("value", "slope", "curvature", "posterior")
INFINITE = {  # what a type rounds to infinity, from here on
    "float16": (2 - 2.0**-11) * 2.0**15,
    "bfloat16": (2 - 2.0**-8) * 2.0**127,
    "float32": (2 - 2.0**-24) * 2.0**127,
    "float64": np.inf,
}
HOLDS = {  # the sets whose inputs a type represents exactly
    "float16": ("half",),
    "bfloat16": ("half",),
    "float32": ("half", "float32"),
    "float64": ("half", "float32", "float64"),
}


class Exact(NamedTuple):
    """Exact numbers, each the sum of two doubles, and what their errors are measured against."""

    high: Array
    low: Array
    scale: Array


@dataclass(frozen=True)
class Vectors:
    """A set of logits and targets, one choice of options, and the exact results."""

    id: str  # of the set, without its inputs, and the options
    loss: str  # sigmoid, softmax, binary and categorical (probabilities), or one of `family`
    options: dict[str, Any]
    logits: Array
    targets: Array
    exact: dict[str, Exact]

    @property
    def gamma(self) -> float:
        """The largest gamma."""
        if self.loss not in FAMILY:
            return float(np.max(self.options["gamma"]))
        known = FAMILY[self.loss].exponents
        return max((self.options.get(name, default) for name, default in known.items()), default=0)

    @property
    def n_classes(self) -> int | None:
        return self.logits.shape[-1] if self.loss in OF_ROWS else None

    def __len__(self) -> int:
        first, *_ = self.exact.values()
        return first.high.size


@functools.cache
def load(dtype: str) -> tuple[Vectors, ...]:
    """All that a type holds exactly: the sets of one kind and one choice of options as one."""
    parts: dict[str, list[Vectors]] = {}
    for path in sorted(DATA.glob("*.json")):
        for part in _read(json.loads(path.read_text()), HOLDS[dtype]):
            parts.setdefault(part.id, []).append(part)
    return tuple(_joined(each, INFINITE[dtype]) for each in parts.values())


def _joined(parts: list[Vectors], infinite: float) -> Vectors:
    exact = {
        quantity: _rounded(
            *map(np.concatenate, zip(*(p.exact[quantity] for p in parts), strict=True)), infinite
        )
        for quantity in parts[0].exact
    }
    logits, targets = (
        np.concatenate([getattr(p, n) for p in parts]) for n in ("logits", "targets")
    )
    return dataclasses.replace(parts[0], logits=logits, targets=targets, exact=exact)


def _rounded(high: Array, low: Array, scale: Array, infinite: float) -> Exact:
    """Exact numbers, infinite where they are to their type."""
    is_infinite = np.abs(high) >= infinite
    high = np.where(is_infinite, np.copysign(np.inf, high), high)
    return Exact(high, np.where(is_infinite, 0.0, low), scale)


def _read(file: dict[str, Any], held: tuple[str, ...]) -> Iterator[Vectors]:
    for each in file["sets"]:
        if each["inputs"] not in held:
            continue
        logits, targets = _numbers(each["logits"]), each["targets"]
        is_soft = isinstance(np.asarray(targets).ravel()[0], str)
        targets = _numbers(targets) if is_soft else np.asarray(targets)
        for result in each["results"]:
            options = {name: _option(v) for name, v in result["options"].items()}
            chosen = ", ".join(f"{name}={_shown(v)}" for name, v in options.items())
            yield Vectors(
                f"{each['id'].removesuffix('-' + each['inputs'])}[{chosen}]",
                file["loss"],
                options,
                logits,
                targets,
                _exact(result),
            )


def _exact(result: dict[str, Any]) -> dict[str, Exact]:
    highs = {name: _numbers(result[name]) for name in QUANTITIES if name in result}
    scales = {name: np.abs(high) for name, high in highs.items()}
    for name in (name for name in highs if f"{name}_scale" in result):
        terms = _numbers(result[f"{name}_scale"])
        scales[name] = np.where(np.isinf(terms), scales[name], terms)
    return {name: Exact(high, _rests(result[name]), scales[name]) for name, high in highs.items()}


def _numbers(values: Any) -> Array:
    """The doubles nearest to hexadecimal numbers."""
    texts = np.asarray(values)
    return np.asarray([float.fromhex(text) for text in texts.ravel()]).reshape(texts.shape)


def _rests(values: Any) -> Array:
    """What the nearest doubles leave out."""
    texts = np.asarray(values)
    return np.asarray([_rest(text) for text in texts.ravel()]).reshape(texts.shape)


def _rest(text: str) -> float:
    if text.endswith(("inf", "nan")):
        return 0.0
    digits, _, exponent = text.partition("p")
    return float(int(digits, 16) * Fraction(2) ** int(exponent) - Fraction(float.fromhex(text)))


def _option(value: Any) -> Any:
    if isinstance(value, list):
        return [_option(v) for v in value]
    return float.fromhex(value) if isinstance(value, str) and "0x" in value else value


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "(" + " ".join(f"{v:g}" for v in value) + ")"
    return f"{value:g}" if isinstance(value, float) else str(value)
