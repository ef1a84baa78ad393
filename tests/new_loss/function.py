"""The function: what a file of `focalcore.functional` would hold, and its derivatives."""

from __future__ import annotations

from functools import partial

from focalcore import _call
from focalcore.functional._derived import grad_and_hess_of, value_and_grad_of

from .loss import RECIPE


def squared_margin(logits, targets, **options):
    """Squared margin of independent logits."""
    checked = partial(RECIPE.options.of, "squared_margin", **options)
    return _call.call(_call.value, RECIPE, logits, targets, checked)


squared_margin_value_and_grad = value_and_grad_of(RECIPE)(squared_margin)
squared_margin_grad_and_hess = grad_and_hess_of(RECIPE)(squared_margin)
