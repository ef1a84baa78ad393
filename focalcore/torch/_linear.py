"""A classifier and its softmax loss in one, whose logits never exist whole."""

from __future__ import annotations

from typing import Any, Unpack

from torch import Tensor

from .. import _linear
from .._backends.torch import as_factor, is_dtensor, read_scores
from .._dtypes import dtype_name
from .._inputs.arrays import context_of
from .._inputs.shapes import check_classifier
from .._losses import linear
from .._losses.linear import Classifier, LinearOptions
from .._typing import ArrayLike, LinearKeywords


def linear_softmax_focal_loss(
    hidden: Tensor,
    weight: Tensor,
    targets: ArrayLike,
    bias: Tensor | None = None,
    **options: Unpack[LinearKeywords],
) -> Tensor:
    r"""Softmax focal loss of the logits that a classifier makes, which never exist whole.

    .. math:: FL = \alpha_t (1 - p_t)^\gamma CE, \qquad p = \mathrm{softmax}(W h + b)

    The matrix product of a classifier and `softmax_focal_loss` in one, some rows at a time. Value
    and gradients are those of the two steps, ``softmax_focal_loss(linear(hidden, weight, bias),
    targets)``; the memory is that of the gradients and of one chunk's logits, where the two steps
    need that of all logits twice.

    Parameters
    ----------
    hidden : Tensor of float16, bfloat16, float32 or float64, of shape (..., d)
        The features h that the classifier is given.
    weight : Tensor of shape (C, d)
        The weight W of the classifier, as `torch.nn.Linear` has it.
    targets : Tensor
        Class labels, integer, of shape (...); or distributions over the classes, of shape (..., C).
    bias : Tensor of shape (C,), optional
        The bias b of the classifier.
    **options
        All options of `softmax_focal_loss` but `axis`: the classes are on the last axis. What it
        calls `weight` is called `sample_weight` here. And `chunk_rows`, "auto" or an integer >= 1:
        the number of rows whose logits exist at a time. "auto": as many as have logits that take,
        with their gradient, half of what `weight` takes, or 32 MiB of logits if that is more.

    Returns
    -------
    Tensor
        What `softmax_focal_loss` gives: of shape (...) and the type of `hidden`; a sum or a mean is
        0-d, and float32 at least. Under autocast float32.

    Raises
    ------
    TypeError
        Classifier and features that are not real floating tensors of one type, as for
        `torch.nn.functional.linear`; what `softmax_focal_loss` raises.
    ValueError
        Shapes that do not fit, tensors on two devices; what `softmax_focal_loss` raises.

    See Also
    --------
    focalcore.softmax_focal_loss : The loss of logits that exist, with every option.
    focalcore.jax.linear_softmax_focal_loss : The same in JAX.

    Notes
    -----
    Sums and means make the gradients of `hidden`, `weight` and `bias` with the value, and only of
    those that learn: three matrix products, as the two steps. "none" learns in backward alone what
    each row's gradient is multiplied by, and makes the logits a second time there: four products.
    So do float16, where slopes lose their digits before the scale of the loss is known, a second
    backward through one graph, and options that learn (`gamma`, `alpha`, `sample_weight`, soft
    targets, `normalizer`), which get their gradients too.

    The gradient of `weight` is rounded to its type after each chunk. In bfloat16 and float16 that
    adds half a unit in its last place for each, so give larger chunks where that matters;
    ``chunk_rows=len(hidden)`` rounds once, as the two steps. On a processor that multiplies no half
    precision, products are made of blocks in float32, which takes a tenth of the time or less.

    Under autocast the product is that of `torch.nn.functional.linear`: `hidden`, `weight` and
    `bias` are cast, and the loss is float32. Under torch.compile calls are operators of the graph,
    which run as eager calls do, once differentiable; options that learn take the two steps there.
    So do derivatives beyond the first and the transforms of torch.func: they are right, and save
    no memory.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, equations 4 and 5. Hsu et
    al., "Liger Kernel: efficient Triton kernels for LLM training", 2024, for gradients by chunks.

    Examples
    --------
    >>> import torch
    >>> from focalcore.torch import linear_softmax_focal_loss
    >>> hidden = torch.tensor([[1.0, 0.0], [0.0, 2.0]], requires_grad=True)
    >>> classifier = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], requires_grad=True)
    >>> loss = linear_softmax_focal_loss(hidden, classifier, torch.tensor([0, 2]), reduction="mean")
    >>> loss.backward()
    >>> print(f"{loss.item():.4f}", hidden.grad.shape, classifier.grad.shape)
    0.9168 torch.Size([2, 2]) torch.Size([3, 2])
    """
    checked = LinearOptions.of("linear_softmax_focal_loss", **options)
    classifier = _classifier(hidden, weight, bias)
    number = read_scores(classifier.hidden.new_zeros(()))
    call = linear.prepare(classifier, number.expand(classifier.shape), targets, checked)
    return _linear.value(call)


def _classifier(hidden: Any, weight: Any, bias: Any) -> Classifier:
    """Return the checked tensors, of one type, which autocast may choose."""
    given = {"hidden": hidden, "weight": weight} | ({} if bias is None else {"bias": bias})
    found = {name: as_factor(_plain(name, x)) for name, x in given.items()}
    context, dtype = context_of(found), found["hidden"].dtype
    for name, x in found.items():
        context.floating(name, x)
        if x.dtype != dtype:
            raise TypeError(
                f"hidden is {dtype_name(dtype)}, {name} is {dtype_name(x.dtype)}; cast one of "
                f"them, as for torch.nn.functional.linear"
            )
    classifier = Classifier(found["hidden"], found["weight"], found.get("bias"))
    check_classifier(*classifier)
    return classifier


def _plain(name: str, x: Any) -> Tensor:
    if not isinstance(x, Tensor):
        raise TypeError(f"{name} must be a tensor; found {type(x).__name__}")
    if is_dtensor(x):
        raise TypeError(f"{name} is a DTensor; give its full_tensor()")
    if x.is_nested:
        raise TypeError(f"{name} is a nested tensor; give its values()")
    return x
