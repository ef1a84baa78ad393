"""The mean focal loss as a metric of torchmetrics."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from .._typing import Task
from ..evaluation import FocalReport, Report


class FocalMetric(Metric):
    """Mean focal loss of all batches and workers, for torchmetrics and Lightning's ``self.log``.

    Its states are sums, which workers add up: so it is the mean of the whole, however the rows are
    spread. It needs torchmetrics.

    Parameters
    ----------
    task : {"binary", "multi-class", "multi-label"}, default "binary"
        What the predictions are, as for `focalcore.evaluation.FocalReport`.
    gamma : float, default 2.0
        The focusing parameter, >= 0.
    alpha : float or sequence of float, optional
        The class balance, as for `focalcore.evaluation.FocalReport`.
    num_classes : int, optional
        The number of classes, which has to be given where the task is not binary.
    from_logits : bool, default True
        Whether predictions are logits; else they are probabilities.
    **kwargs
        Options of ``torchmetrics.Metric``, such as `dist_sync_on_step`.

    Raises
    ------
    ValueError
        An option outside its range, or no number of classes.

    See Also
    --------
    focalcore.evaluation.FocalReport : The same with losses by class and for several gammas.

    Notes
    -----
    The sums are in float64 on the host, and so are the predictions read.

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017.

    Examples
    --------
    >>> import torch
    >>> from focalcore.torch import FocalMetric
    >>> metric = FocalMetric(gamma=2.0)
    >>> metric.update(torch.tensor([2.0, -1.0]), torch.tensor([1, 0]))
    >>> metric.update(torch.tensor([0.5]), torch.tensor([1]))
    >>> print(f"{metric.compute():.4f}")
    0.0307
    """

    is_differentiable, higher_is_better, full_state_update = False, False, False

    def __init__(
        self,
        task: Task = "binary",
        gamma: float = 2.0,
        alpha: Any = None,
        num_classes: int | None = None,
        from_logits: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if task != "binary" and num_classes is None:
            raise ValueError(f"num_classes must be given where the task is {task!r}; found None")
        names = None if task == "binary" else list(map(str, range(num_classes or 0)))
        self._settings = (task, (gamma,), alpha, names, from_logits)
        for name, value in self._empty().sums().items():
            self.add_state(name, torch.zeros(np.shape(value), dtype=torch.float64), "sum")

    def update(self, preds: Tensor, target: Tensor, weight: Tensor | None = None) -> None:
        """Add a batch.

        Parameters
        ----------
        preds : Tensor of shape (N,) or (N, C)
            Logits, or probabilities.
        target : Tensor of shape (N,) or (N, C)
            Targets in [0, 1], or class labels.
        weight : Tensor of shape (N,), optional
            What each row weighs, >= 0.
        """
        report, beside = self._empty(), None if weight is None else weight.detach().cpu()
        report.update(preds.detach().cpu(), target.detach().cpu(), beside)
        for name, value in report.sums().items():
            state: Tensor = getattr(self, name)
            setattr(self, name, state + torch.as_tensor(value).to(state.device))

    def compute(self) -> Tensor:
        """Return the mean focal loss of all batches, as a 0-d tensor."""
        return torch.tensor(self.report().losses[0].focal_loss)

    def report(self) -> Report:
        """Return the report by class on the states as they are: of this worker, or of all."""
        report = self._empty()
        for name, value in report.sums().items():
            value += getattr(self, name).cpu().numpy()
        return report.compute()

    def _empty(self) -> FocalReport:
        return FocalReport(*self._settings)
