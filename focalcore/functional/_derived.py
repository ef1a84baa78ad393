"""The derivatives of a loss, as functions made of the loss and its recipe.

They have its arguments, and are documented by them; to type checkers they are what it is, but that
they return two arrays.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar

from .. import _call
from .._losses.prepare import Recipe

P = ParamSpec("P")
R = TypeVar("R")

VALUE_AND_GRAD = """Value and gradient of `{loss}`.
{formula}
A closed form, for libraries that do not differentiate, and for anyone who wants the numbers: never
NaN, and the limit where a logit is infinite.

Parameters
----------
{first}, {second} : array
    As for `{loss}`.
**options
    All options of `{loss}`.

Returns
-------
value : array
    What `{loss}` gives, reduced as asked.
grad : array
    The gradient of it with respect to `{first}`, of their shape and dtype; with reduction "none",
    that of each element or row.

See Also
--------
{loss} : The options, the errors, and what may be traced or lazy.

Examples
--------
>>> from focalcore import {name}
>>> value, grad = {name}({example})
>>> print(grad.shape)
{shape}
"""

GRAD_AND_HESS = """First and second derivative of `{loss}`.
{formula}
Closed forms, which a second-order booster asks for: never NaN, and the limits where a logit is
infinite.

Parameters
----------
{first}, {second} : array
    As for `{loss}`.
**options
    All options of `{loss}`.

Returns
-------
grad : array
    The gradient of the loss, reduced as asked, with respect to `{first}`, of their shape.
hess : array
    The diagonal of its Hessian, of the same shape; it may be negative.

See Also
--------
{loss} : The options, the errors, and what may be traced or lazy.

Examples
--------
>>> from focalcore import {name}
>>> grad, hess = {name}({example})
>>> print(hess.shape)
{shape}
"""


def value_and_grad_of(
    recipe: Recipe,
    example: str = "[0.5, -1.0], [1, 0]",
    shape: str = "(2,)",
    formula: str = "",
) -> Callable[[Callable[P, R]], Callable[P, tuple[R, R]]]:
    """Return what makes of a loss the function that gives its value and its gradient."""
    text = partial(VALUE_AND_GRAD.format, example=example, shape=shape, formula=formula)
    return partial(_derived, recipe, _call.value_and_grad, text)


def grad_and_hess_of(
    recipe: Recipe,
    example: str = "[0.5, -1.0], [1, 0]",
    shape: str = "(2,)",
    formula: str = "",
) -> Callable[[Callable[P, R]], Callable[P, tuple[R, R]]]:
    """Return what makes of a loss the function of its gradient and its Hessian's diagonal."""
    text = partial(GRAD_AND_HESS.format, example=example, shape=shape, formula=formula)
    return partial(_derived, recipe, _call.grad_and_hess, text)


def _derived(
    recipe: Recipe, result: Callable[[Any], Any], text: Callable[..., str], loss: Any
) -> Any:
    """Return the function that gives a result of `_call`, with its name and documentation."""
    name = f"{loss.__name__}_{result.__name__}"
    first, second, *_ = inspect.signature(loss).parameters.values()
    options = inspect.Parameter("options", inspect.Parameter.VAR_KEYWORD)
    arguments = inspect.Signature([first, second, options])

    def derived(*arrays: Any, **options: Any) -> Any:
        if len(arrays) != 2:  # some are given by name
            bound = arguments.bind(*arrays, **options)
            arrays, options = bound.args, bound.kwargs
        scores, targets = arrays
        checked = partial(recipe.options.of, name, **options)
        return _call.call(result, recipe, scores, targets, checked)

    derived.__name__ = derived.__qualname__ = name
    derived.__module__ = loss.__module__
    derived.__signature__ = arguments  # type: ignore[attr-defined] # of any function
    derived.__doc__ = text(loss=loss.__name__, name=name, first=first.name, second=second.name)
    return derived
