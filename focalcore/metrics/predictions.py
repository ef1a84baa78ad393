"""Labels and predictions in scikit-learn's manner, read for a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .._inputs import parse
from .._typing import HostArray, Task
from ..evaluation import FocalReport
from ..evaluation._task import is_one_hot
from ..evaluation.arrays import labels_on_host, on_host, read_batch
from ..evaluation.block import Block
from ._labels import encoded


class LabelledPredictions(NamedTuple):
    """Predictions, and the number of each row's class, or a row of targets of all classes."""

    task: Task
    names: list[str]  # of the classes
    scores: HostArray
    targets: HostArray
    weight: HostArray | None
    from_logits: bool

    def balance(self, alpha: Any) -> Any:
        """Return the class balance as the task has it; two columns take one number too."""
        if self.task == "multi-class" and len(self.names) == 2 and isinstance(alpha, int | float):
            return 1 - alpha, alpha
        return alpha

    def report(self, gammas: float | Sequence[float], alpha: Any) -> FocalReport:
        """Return the report on these rows."""
        made = FocalReport(self.task, gammas, self.balance(alpha), self.names, self.from_logits)
        made.add(Block(self.scores, self.targets, self.weight))
        return made


def read_predictions(
    y_true: Any,
    y_pred: Any,
    labels: Any,
    target_names: Sequence[str] | None,
    sample_weight: Any,
    from_logits: bool,
) -> LabelledPredictions:
    """Return labels of any kind and predictions of any library, or raise an error at bad ones."""
    scores = on_host("y_pred", y_pred)
    task, targets, classes = _read_targets(y_true, labels, scores)
    names = list(map(str, classes if target_names is None else target_names))
    if len(names) != len(classes):
        raise ValueError(
            f"target_names must be {len(classes)}, one for each of {classes}; found {len(names)}"
        )
    is_logits = parse.flag("from_logits", from_logits)
    rows = read_batch(task, scores, targets, sample_weight, from_logits=is_logits)
    return LabelledPredictions(task, names, rows.scores, rows.targets, rows.weight, is_logits)


def _read_targets(y_true: Any, labels: Any, scores: HostArray) -> tuple[Task, HostArray, list[Any]]:
    """Return the task that labels or rows of targets tell, the targets, and all classes."""
    given = labels_on_host("y_true", y_true)
    if given.ndim == 2 and given.shape[1] > 1:
        _check_not_one_hot(given)
        return "multi-label", given, list(range(given.shape[1]) if labels is None else labels)
    found = encoded(given, labels)
    columns = scores.shape[1] if scores.ndim == 2 else 1
    found.check_columns("y_pred", columns)
    return "binary" if columns < found.n_classes else "multi-class", found.codes, found.named()


def _check_not_one_hot(targets: HostArray) -> None:
    """Refuse rows of which none tells whether classes exclude each other."""
    if is_one_hot(targets).all():
        raise ValueError(
            "each row of y_true is one-hot, so classes may exclude each other or not: give labels, "
            "as y_true.argmax(axis=1), if they do, or use a FocalReport of task 'multi-label' if "
            "they do not"
        )
