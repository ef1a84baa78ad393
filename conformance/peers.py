"""Other people's focal losses, fitted to the exact values: hard targets, from logits.

An adapter says how the options are spelled there and what has no counterpart; nothing is mended.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from typing import Any, ClassVar

from .implementations import Implementation, Loss
from .places import JAX, TORCH
from .vectors import Vectors

Array = Any

KERAS_BACKEND = os.environ.setdefault("KERAS_BACKEND", "torch")


class Peer(Implementation):
    """A focal loss of another package."""

    module: ClassVar[str]  # where it is

    def missing(self) -> str | None:
        """Why this one cannot run here."""
        if importlib.util.find_spec(self.module.partition(".")[0]) is None:
            return f"{self.module} is not installed"
        try:
            importlib.import_module(self.module)
        except Exception as error:  # packages that don't fit each other may raise anything
            return f"importing {self.module}: {str(error).splitlines()[0]}"
        return self.places[0].missing()

    def value(self, vectors: Vectors) -> Loss | None:
        options = vectors.options
        is_hard = vectors.targets.dtype.kind != "f"
        if not (is_hard and self.has(vectors)) or isinstance(options["gamma"], list):
            return None
        return self.loss(vectors.loss, options["gamma"], options.get("alpha"))

    def has(self, vectors: Vectors) -> bool:
        """Whether there is such a loss, with such options: gamma, and alpha for the sigmoid."""
        return vectors.loss in self.losses and (
            vectors.options.keys() <= {"gamma"}
            or (vectors.loss == "sigmoid" and vectors.options.keys() <= {"gamma", "alpha"})
        )

    losses: ClassVar[tuple[str, ...]] = ("sigmoid",)

    def loss(self, kind: str, gamma: float, alpha: float | None) -> Loss:
        raise NotImplementedError


class TorchvisionForm(Peer):
    """`torchvision.ops.sigmoid_focal_loss`, by its published formula."""

    name, module, places = "torchvision-form", "torch", (TORCH,)

    def loss(self, _: str, gamma: float, alpha: float | None) -> Loss:
        import torch

        def focal(x: Array, y: Array) -> Array:
            y = y.to(x.dtype)
            p = torch.sigmoid(x)
            ce = torch.nn.functional.binary_cross_entropy_with_logits(x, y, reduction="none")
            p_t = p * y + (1 - p) * (1 - y)
            weight = 1.0 if alpha is None else alpha * y + (1 - alpha) * (1 - y)
            return weight * ce * (1 - p_t) ** gamma

        return focal


class CrossEntropyForm(Peer):
    """The softmax loss of a thousand repositories: (1 - exp(-ce))^gamma ce."""

    name, module, places, losses = "cross-entropy-form", "torch", (TORCH,), ("softmax",)

    def loss(self, _: str, gamma: float, _alpha: float | None) -> Loss:
        import torch

        def focal(x: Array, y: Array) -> Array:
            ce = torch.nn.functional.cross_entropy(x, y, reduction="none")
            return (1 - torch.exp(-ce)) ** gamma * ce

        return focal


class Fvcore(Peer):
    name, module, places = "fvcore", "fvcore.nn", (TORCH,)

    def loss(self, _: str, gamma: float, alpha: float | None) -> Loss:
        from fvcore.nn import sigmoid_focal_loss

        off = -1 if alpha is None else alpha
        return lambda x, y: sigmoid_focal_loss(x, y.to(x.dtype), alpha=off, gamma=gamma)


class Optax(Peer):
    name, module, places = "optax", "optax.losses", (JAX,)

    def loss(self, _: str, gamma: float, alpha: float | None) -> Loss:
        from optax.losses import sigmoid_focal_loss

        return lambda x, y: sigmoid_focal_loss(x, y.astype(x.dtype), alpha=alpha, gamma=gamma)


class Kornia(Peer):
    name, module, places, losses = "kornia", "kornia.losses", (TORCH,), ("sigmoid", "softmax")

    def loss(self, kind: str, gamma: float, alpha: float | None) -> Loss:
        from kornia.losses import binary_focal_loss_with_logits, focal_loss

        if kind == "softmax":  # it keeps the class axis
            return lambda x, y: focal_loss(x, y, alpha=None, gamma=gamma).sum(1)
        return lambda x, y: binary_focal_loss_with_logits(
            x[:, None], y[:, None], alpha=alpha, gamma=gamma
        )[:, 0]


class Monai(Peer):
    name, module, places, losses = "monai", "monai.losses", (TORCH,), ("sigmoid", "softmax")

    def loss(self, kind: str, gamma: float, alpha: float | None) -> Loss:
        import torch
        from monai.losses import FocalLoss

        softmax = kind == "softmax"
        focal = FocalLoss(gamma=gamma, alpha=alpha, use_softmax=softmax, reduction="none")
        if softmax:
            one_hot = torch.nn.functional.one_hot
            return lambda x, y: focal(x, one_hot(y, x.shape[1]).to(x.dtype)).sum(1)
        return lambda x, y: focal(x[:, None], y[:, None].to(x.dtype))[:, 0]


class Keras(Peer):
    """On the backend that KERAS_BACKEND names: torch here, unless it says JAX."""

    name, module, losses = "keras", "keras", ("sigmoid", "softmax")
    places = (JAX if KERAS_BACKEND == "jax" else TORCH,)

    def loss(self, kind: str, gamma: float, alpha: float | None) -> Loss:
        from keras import losses, ops

        if kind == "softmax":
            return lambda x, y: losses.categorical_focal_crossentropy(
                ops.one_hot(y, x.shape[1]), x, alpha=1.0, gamma=gamma, from_logits=True
            )
        balance = {} if alpha is None else {"alpha": alpha, "apply_class_balancing": True}
        return lambda x, y: losses.binary_focal_crossentropy(
            y[:, None], x[:, None], gamma=gamma, from_logits=True, **balance
        )


class SegmentationModels(Peer):
    name, places = "segmentation-models-pytorch", (TORCH,)
    module = "segmentation_models_pytorch.losses"

    def has(self, vectors: Vectors) -> bool:
        return vectors.loss == "sigmoid" and vectors.options.keys() <= {"gamma"}

    def loss(self, _: str, gamma: float, _alpha: float | None) -> Loss:
        from segmentation_models_pytorch.losses._functional import focal_loss_with_logits

        return lambda x, y: focal_loss_with_logits(
            x, y.to(x.dtype), gamma=gamma, alpha=None, reduction="none"
        )


PEERS: tuple[Peer, ...] = (
    TorchvisionForm(),
    CrossEntropyForm(),
    Fvcore(),
    Optax(),
    Kornia(),
    Monai(),
    Keras(),
    SegmentationModels(),
)
