"""A classifier and its softmax loss in one, whose logits never exist whole."""

from __future__ import annotations

from typing import Any, Unpack

import jax.numpy as jnp
from jax import Array

from . import _linear
from ._backends import NUMPY, backend_of
from ._backends.jax import BACKEND, Unmade
from ._inputs.arrays import context_of
from ._inputs.shapes import check_classifier
from ._losses import linear
from ._losses.linear import Classifier, LinearOptions
from ._typing import ArrayLike, LinearKeywords

__all__ = ["linear_softmax_focal_loss"]


def linear_softmax_focal_loss(
    hidden: ArrayLike,
    weight: ArrayLike,
    targets: ArrayLike,
    bias: ArrayLike | None = None,
    **options: Unpack[LinearKeywords],
) -> Array:
    r"""Softmax focal loss of the logits that a classifier makes, which never exist whole.

    .. math:: FL = \alpha_t (1 - p_t)^\gamma CE, \qquad p = \mathrm{softmax}(W h + b)

    The matrix product of a classifier and `softmax_focal_loss` in one, some rows at a time. Value
    and gradients are those of the two steps, ``softmax_focal_loss(hidden @ weight.T + bias,
    targets)``; the memory is that of the gradients and of one chunk's logits.

    Parameters
    ----------
    hidden : array of float16, bfloat16, float32 or float64, of shape (..., d)
        The features h that the classifier is given.
    weight : array of shape (C, d)
        The weight W of the classifier, a row for each class: the kernel of a dense layer,
        transposed.
    targets : array
        Class labels, integer, of shape (...); or distributions over the classes, of shape (..., C).
    bias : array of shape (C,), optional
        The bias b of the classifier.
    **options
        All options of `softmax_focal_loss` but `axis`: the classes are on the last axis. What it
        calls `weight` is called `sample_weight` here. And `chunk_rows`, "auto" or an integer >= 1:
        the number of rows whose logits exist at a time. "auto": as many as have logits that take,
        with their gradient, half of what `weight` takes, or 32 MiB of logits if that is more.

    Returns
    -------
    jax.Array
        What `softmax_focal_loss` gives: of shape (...) and the type of the product; a sum or a mean
        is 0-d, and float32 at least.

    Raises
    ------
    TypeError
        Classifier and features that are not real floating; what `softmax_focal_loss` raises.
    ValueError
        Shapes that do not fit; what `softmax_focal_loss` raises.

    See Also
    --------
    focalcore.softmax_focal_loss : The loss of logits that exist, with every option.
    focalcore.torch.linear_softmax_focal_loss : The same in torch.

    Notes
    -----
    Inside `jit`, `vmap`, `grad`, `jvp` and `hessian` all arrays may be traced; `chunk_rows` is
    static. The gradient of sums and means along `hidden`, `weight` and `bias` is made with the
    value: three matrix products, as the two steps. "none", float16 and options that learn make the
    logits a second time, by checkpoints.

    Each chunk's part of the gradient of `weight`, and their sum, are rounded to its type: in half
    precision larger chunks are more exact.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, equations 4 and 5. Hsu et
    al., "Liger Kernel: efficient Triton kernels for LLM training", 2024, for gradients by chunks.

    Examples
    --------
    >>> import jax
    >>> import jax.numpy as jnp
    >>> from focalcore.jax import linear_softmax_focal_loss
    >>> hidden = jnp.array([[1.0, 0.0], [0.0, 2.0]])
    >>> classifier = jnp.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    >>> def loss(hidden, classifier):
    ...     return linear_softmax_focal_loss(hidden, classifier, jnp.array([0, 2]), reduction="sum")
    >>> value, (along_hidden, along_weight) = jax.value_and_grad(loss, (0, 1))(hidden, classifier)
    >>> print(f"{value:.4f}", along_hidden.shape, along_weight.shape)
    1.8336 (2, 2) (3, 2)
    """
    checked = LinearOptions.of("linear_softmax_focal_loss", **options)
    classifier = _classifier(hidden, weight, bias)
    logits = Unmade(classifier.shape, classifier.hidden.dtype)  # type: ignore[no-untyped-call] # JAX's
    return _linear.value(linear.prepare(classifier, logits, targets, checked))


def _classifier(hidden: Any, weight: Any, bias: Any) -> Classifier:
    """Return the checked arrays, in the type that their product has."""
    given = {"hidden": hidden, "weight": weight} | ({} if bias is None else {"bias": bias})
    found = {name: _array(name, x) for name, x in given.items()}
    context = context_of(found)
    dtype = jnp.result_type(*(context.floating(name, x) for name, x in found.items()))
    cast = {name: x.astype(dtype) for name, x in found.items()}
    classifier = Classifier(cast["hidden"], cast["weight"], cast.get("bias"))
    check_classifier(*classifier)
    return classifier


def _array(name: str, x: Any) -> Array:
    if backend_of(x) not in (NUMPY, BACKEND):
        raise TypeError(f"{name} must be a JAX or NumPy array; found {type(x).__name__}")
    return jnp.asarray(x)
