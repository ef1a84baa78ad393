"""The base of the modules of losses whose constructors take the options of their functions."""

from __future__ import annotations

import inspect
from dataclasses import fields
from inspect import Parameter, Signature
from typing import Any

from ._module import WorkersLoss

OF_WORKERS = {"reduction": "mean", "gather_distributed": None, "process_group": None}
OF_ALL = ("normalizer", "detach_factor")  # that the losses have in common, and that come last
OF_CALLS = ("mask", "weight", "reduction")


class LossOfOptions(WorkersLoss):
    """A loss whose constructor takes the options of its function by name.

    The options are those of its recipe, but for what comes with a call; and a reduction, "mean"
    unless given, that may be over many workers.
    """

    def __init_subclass__(cls) -> None:
        """Take the constructor's arguments from the options."""
        listed = {f.name: f.default for f in fields(cls.recipe.options) if f.name not in OF_CALLS}
        listed |= {name: listed.pop(name) for name in OF_ALL if name in listed}
        arguments = [
            Parameter(name, Parameter.KEYWORD_ONLY, default=default)
            for name, default in (listed | OF_WORKERS).items()
        ]
        cls.__signature__ = Signature(arguments)  # type: ignore[attr-defined] # of any class
        super().__init_subclass__()

    def __init__(self, *unnamed: Any, **options: Any) -> None:
        signature = inspect.signature(type(self))
        try:
            bound = signature.bind(*unnamed, **options)
        except TypeError as error:
            raise TypeError(
                f"{type(self).__name__}: {error}; its options, which go by name, are "
                f"{', '.join(signature.parameters)}"
            ) from None
        bound.apply_defaults()
        if bound.arguments["reduction"] == "mean_positive":
            self._check_positives()
        super().__init__(**bound.arguments)
        self._check_together()

    def _check_positives(self) -> None:
        """Refuse to count positives where the loss has none."""
        try:
            self.recipe.options.parse("normalizer", "positives")
        except ValueError:
            raise ValueError(
                f"{type(self).__name__} has no positives for reduction='mean_positive' to count; "
                f"give 'mean', with the count as normalizer="
            ) from None
