"""The function: what `focalcore.functional` would hold, and its derivatives."""

from __future__ import annotations

from functools import partial

from focalcore import _call
from focalcore._inputs.doors import Door

from .loss import MarginOptions, prepare

DOOR = Door(leave_out=("mask=",))


def squared_margin(logits, targets, **options):
    checked = partial(MarginOptions.of, "squared_margin", **options)
    return _call.call(_call.value, prepare, DOOR, logits, targets, checked)


def squared_margin_value_and_grad(logits, targets, **options):
    checked = partial(MarginOptions.of, "squared_margin_value_and_grad", **options)
    return _call.call(_call.value_and_grad, prepare, DOOR, logits, targets, checked)


def squared_margin_grad_and_hess(logits, targets, **options):
    checked = partial(MarginOptions.of, "squared_margin_grad_and_hess", **options)
    return _call.call(_call.grad_and_hess, prepare, DOOR, logits, targets, checked)
