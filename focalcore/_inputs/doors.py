"""What each public function or class calls its arguments, for error messages."""

from __future__ import annotations

from typing import NamedTuple


class Door(NamedTuple):
    """The names that a public function, module or class has for its arguments and options."""

    scores: str = "logits"
    labels: str = "targets"
    weight: str = "weight"
    leave_out: tuple[str, ...] = ()  # the options that leave labels out
    for_classes: str = ""  # what takes class labels, where this does not
    class_axis: str = ""  # the option that says where the classes lie
    for_labels: str = ""  # what to give in place of predicted labels
    for_one_hot: str = "of one-hot rows take the argmax"  # what to do with these as class labels

    @property
    def swapped(self) -> str:
        """Return the end of an error message, which says that two arguments may be swapped."""
        return f"; {self.scores} and {self.labels} may be swapped"

    def left_out(self, *options: str) -> str:
        """Return the end of an error message, which names the options that leave labels out."""
        there = [option for option in options if option in self.leave_out]
        return f"; leave out with {' or '.join(there)}" if there else ""


SIGMOID = Door(
    leave_out=("ignore_index=", "mask="),
    for_classes="softmax_focal_loss",
    class_axis="class_axis",
    for_one_hot="targets of that shape go without class_axis",
)
SOFTMAX = Door(leave_out=("ignore_index=", "mask="), class_axis="axis")
PREDICTIONS = Door(
    scores="y_pred",
    labels="y_true",
    weight="sample_weight",
    for_labels="give probabilities, or scores with from_logits=True",
)
BINARY = PREDICTIONS._replace(for_classes="sparse_categorical_focal_loss")
LINEAR = Door("hidden @ weight.T", weight="sample_weight", leave_out=SOFTMAX.leave_out)
CATEGORICAL = PREDICTIONS._replace(class_axis="axis")
DISTRIBUTIONS = CATEGORICAL._replace(for_classes="sparse_categorical_focal_loss")
LOGITS = Door()
ROWS_OF_LOGITS = Door(class_axis="axis")
PROBABILITY = Door(scores="probability")
PROBABILITIES = Door(scores="probabilities", class_axis="axis")
