"""Arrays by name, whatever file they are in, read in blocks of rows along all axes but one."""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..._typing import HostArray
from ..block import Block, for_targets
from .errors import BadDataError, listed, shown
from .names import SCORES, TARGETS, Names, Taken, which_scores, which_weight
from .source import Reading, Source


class ArraySource(Source):
    """Arrays of scores, targets and weights, of any number of axes.

    The axis of the classes, if the scores have one, is moved to the end; all others are one axis of
    rows.
    """

    def __init__(
        self,
        name: str,
        kind: str,
        arrays: Mapping[str, HostArray],
        names: Names,
        reading: Reading,
    ) -> None:
        self.name, self.kind, self.arrays, self.reading = name, kind, arrays, reading
        if names.id is not None:
            raise BadDataError(
                f"{name}: --id names a column of a table; rows of arrays are called by number"
            )
        scores, self.from_logits = self._which_scores(names)
        targets = names.targets or next((key for key in TARGETS if key in arrays), TARGETS[1])
        unnamed = [key for key in arrays if key not in (scores, targets)]
        weight = names.weight or which_weight(name, unnamed)
        self.taken = Taken.of(name, arrays, [scores], [targets], weight)
        self.scores, self.targets = self._rows(scores), self._rows(targets, may_be_text=True)
        self.has_classes = self._move_classes()
        n = self.scores.shape[-1] if self.has_classes else 1
        self.rows = self.scores.shape[:-1] if self.has_classes else self.scores.shape
        self.weight = None if weight is None else self._weights(self._rows(weight))
        self._check_lengths()
        self.n_rows = math.prod(self.rows)
        self.scores_shape = (self.n_rows, n) if self.has_classes else (self.n_rows,)
        beside = self.targets.shape[len(self.rows) :]
        self.targets_shape = (self.n_rows, *beside)
        self.classes = reading.class_names or tuple(map(str, range(n)))

    def read(self, rows: int) -> Iterator[Block]:
        """Yield all rows in order, ``rows`` at a time at most."""
        for cut in pieces(self.rows, rows):
            scores = np.asarray(self.scores[cut], _arithmetic(self.scores.dtype))
            targets, weight = np.asarray(self.targets[cut]), None
            if targets.dtype.kind == "f":
                targets = targets.astype(_arithmetic(targets.dtype), copy=False)
            if self.weight is not None:
                weight = np.asarray(self.weight[cut], np.float64).reshape(-1)
            scores = scores.reshape(-1, *self.scores_shape[1:])
            targets = self._named(targets.reshape(-1, *self.targets_shape[1:]))
            yield Block(scores, targets, weight, self._present(scores, targets))
            _forget(self.scores, self.targets)

    def _present(self, scores: HostArray, targets: HostArray) -> HostArray | None:
        """Return which rows lack no number, where the others are to be left out."""
        if self.reading.missing == "error":
            return None
        rows = [np.isnan(x.reshape(len(x), -1)).any(axis=1) for x in (scores, targets)]
        return for_targets(~np.any(rows, axis=0), targets)

    def _which_scores(self, names: Names) -> tuple[str, bool]:
        """Return the name of the scores, and whether they are logits."""
        if names.scores is not None:
            return names.scores, names.logits is not None
        found = {
            kind.replace("*", "s"): [key for key in words if key in self.arrays][:1]
            for kind, words in SCORES.items()
        }
        kind = which_scores(self.name, found, self.arrays)
        return found[kind][0], kind == "logits"

    def _rows(self, key: str, may_be_text: bool = False) -> HostArray:
        if key not in self.arrays:
            raise BadDataError(
                f"{self.name}: no array {shown(key)}; found {listed(self.arrays)}: name one of "
                f"these with --logits, --probs, --targets or --weight"
            )
        array = self.arrays[key]
        is_number = array.dtype.kind in "biuf" or array.dtype.name == "bfloat16"
        if array.ndim == 0 or not (is_number or (may_be_text and array.dtype.kind == "U")):
            raise BadDataError(
                f"{self.name}: {key} of shape {array.shape} and dtype {array.dtype}; "
                f"there must be rows of numbers: name another array with --logits, --probs, "
                f"--targets or --weight"
            )
        return array

    def _move_classes(self) -> bool:
        """Move the axis of the classes to the end, and tell whether there is one."""
        scores, targets = self.scores, self.targets
        axis = self.reading.axis
        if axis is None:
            axis = self._axis_of(scores.shape, targets.shape)
        elif scores.ndim == 1 or not -scores.ndim <= axis < scores.ndim:
            raise BadDataError(
                f"{self.name}: scores of shape {scores.shape} have no axis {axis} of classes "
                f"beside one of rows; say another with --axis, or none"
            )
        if axis is None:
            return False
        is_like = scores.ndim == targets.ndim and scores.shape == targets.shape
        self.scores = np.moveaxis(scores, axis, -1)
        self.targets = np.moveaxis(targets, axis, -1) if is_like else targets
        return True

    def _axis_of(self, scores: tuple[int, ...], targets: tuple[int, ...]) -> int | None:
        """Return the axis of the classes that the shapes tell, None: there is none."""
        if len(scores) <= 2:
            return len(scores) - 1 or None
        if scores == targets:
            return None
        fit = [axis for axis in range(len(scores)) if scores[:axis] + scores[axis + 1 :] == targets]
        if len(fit) != 1:
            raise BadDataError(
                f"{self.name}: scores of shape {scores} and targets of shape {targets}, of which "
                f"{'several axes' if fit else 'no axis'} may be that of the classes: say which "
                f"with --axis"
            )
        return fit[0]

    def _weights(self, weight: HostArray) -> HostArray:
        """Return weights with one for each row, of which they may lack the last axes."""
        rows = self.rows
        if weight.ndim == len(rows) + 1 and weight.shape[-1] == 1:
            weight = weight[..., 0]
        if weight.shape == rows[: weight.ndim]:
            missing = len(rows) - weight.ndim
            return np.broadcast_to(weight.reshape(weight.shape + (1,) * missing), rows)
        if weight.size != len(weight):
            raise BadDataError(
                f"{self.name}: weight of shape {weight.shape}; there must be one for each row, of "
                f"shape {rows}: name another with --weight"
            )
        return weight

    def _check_lengths(self) -> None:
        n = len(self.scores)
        for what, found in (("targets", self.targets), ("weight", self.weight)):
            if found is not None and len(found) != n:
                raise BadDataError(
                    f"{self.name}: {n} rows of scores and {len(found)} of {what}; there must be "
                    f"as many of both: name another array with --{what}"
                )
        if self.targets.shape[: len(self.rows)] != self.rows:
            raise BadDataError(
                f"{self.name}: targets of shape {self.targets.shape}; there must be one for each "
                f"row of scores, of shape {self.rows}: name others with --targets, or the axis of "
                f"the classes with --axis"
            )

    def _named(self, targets: HostArray) -> HostArray:
        """Return labels as numbers, of labels that may be the names of classes."""
        if targets.dtype.kind != "U":
            return targets
        number = {name: i for i, name in enumerate(self.classes)}
        unknown = [label for label in np.unique(targets).tolist() if label not in number]
        if unknown:
            raise BadDataError(
                f"{self.name}: targets are text, as {shown(unknown[0])}, which is none of the "
                f"classes {listed(self.classes)}: name them in their order with --class-names"
            )
        return np.asarray([number[label] for label in targets.ravel().tolist()]).reshape(
            targets.shape
        )


def pieces(shape: tuple[int, ...], rows: int) -> Iterator[tuple[Any, ...]]:
    """Yield slices that cut an array in order into pieces of ``rows`` elements at most."""
    length, *inner = shape
    size = math.prod(inner)
    if len(shape) > 1 and size > rows:
        for i in range(length):
            for rest in pieces(tuple(inner), rows):
                yield (i, *rest)
        return
    step = max(rows // max(size, 1), 1)
    for start in range(0, length, step):
        yield (slice(start, start + step),)


def _forget(*arrays: HostArray) -> None:
    """Give back the memory of mapped files whose pages have been read."""
    for array in arrays:
        mapped = getattr(array, "_mmap", None)
        if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
            mapped.madvise(mmap.MADV_DONTNEED)


def _arithmetic(dtype: Any) -> Any:
    """Return the type that scores are read as: float32 where that holds them, else float64."""
    return np.float32 if dtype.name in ("float32", "float16", "bfloat16") else np.float64
