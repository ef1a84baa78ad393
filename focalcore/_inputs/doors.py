"""The public ways in: what each calls its arguments, and the ways out that an error can name."""

from __future__ import annotations

from typing import NamedTuple


class Door(NamedTuple):
    """A public function, module or class, as its caller knows it."""

    scores: str = "logits"
    labels: str = "targets"
    weight: str = "weight"
    leave_out: tuple[str, ...] = ()  # the options that leave labels out
    for_classes: str = ""  # who takes class labels, where it does not
    class_axis: str = ""  # the option that says where the classes lie

    @property
    def swapped(self) -> str:
        """The end of a sentence on arguments that look like each other's."""
        return f"; {self.scores} and {self.labels} may be swapped"

    def left_out(self, *options: str) -> str:
        """The end of a sentence on what is bad, by those of these options that there are."""
        there = [option for option in options if option in self.leave_out]
        return f"; leave out with {' or '.join(there)}" if there else ""


SIGMOID = Door(leave_out=("ignore_index=", "mask="), for_classes="softmax_focal_loss")
SOFTMAX = Door(leave_out=("ignore_index=", "mask="), class_axis="axis=")
BINARY = Door(scores="y_pred", labels="y_true", for_classes="sparse_categorical_focal_loss")
CATEGORICAL = Door(scores="y_pred", labels="y_true", class_axis="axis=")
