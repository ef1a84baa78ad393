"""Labels and predictions in scikit-learn's manner, read for a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .._inputs import parse
from .._typing import HostArray, Task
from ..evaluation import FocalReport
from ..evaluation.arrays import on_host, read_batch
from ..evaluation.block import Block
from ._labels import encoded


class LabelledPredictions(NamedTuple):
    """Predictions, and the number of each row's class."""

    task: Task
    names: list[str]  # of the classes
    scores: HostArray
    codes: HostArray
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
        made.add(Block(self.scores, self.codes, self.weight))
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
    scores, found = on_host("y_pred", y_pred), encoded(y_true, labels)
    names = list(map(str, found.named() if target_names is None else target_names))
    if len(names) != found.n_classes:
        raise ValueError(
            f"target_names must be {found.n_classes}, one for each of {found.named()}; found "
            f"{len(names)}"
        )
    columns = scores.shape[1] if scores.ndim == 2 else 1
    found.check_columns("y_pred", columns)
    task: Task = "binary" if columns < found.n_classes else "multi-class"
    is_logits = parse.flag("from_logits", from_logits)
    rows = read_batch(task, scores, found.codes, sample_weight, from_logits=is_logits)
    return LabelledPredictions(task, names, rows.scores, rows.targets, rows.weight, is_logits)
