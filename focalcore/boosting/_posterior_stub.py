"""Stand-ins for the maps between focal scores and probabilities, until `focalcore` has them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..derivatives import sigmoid_focal_loss_grad_and_hess

STEPS = 62


def sigmoid_focal_posterior(
    logits: Any, *, gamma: float = 2.0, alpha: Any = None, pos_weight: Any = None
) -> Any:
    """Return the probability at which the expected loss is least at a logit."""
    x = np.asarray(logits, np.float64)
    options = {"gamma": gamma, "alpha": alpha, "pos_weight": pos_weight}
    pull, _ = sigmoid_focal_loss_grad_and_hess(x, np.ones(x.shape, bool), **options)
    push, _ = sigmoid_focal_loss_grad_and_hess(x, np.zeros(x.shape, bool), **options)
    return push / (push - pull)


def sigmoid_focal_logit(
    probability: Any, *, gamma: float = 2.0, alpha: Any = None, pos_weight: Any = None
) -> Any:
    """Return the logit at which the expected loss is least."""
    target = np.asarray(probability, np.float64)
    low, high = np.full(target.shape, -700.0), np.full(target.shape, 700.0)
    for _ in range(STEPS):
        middle = (low + high) / 2
        above = (
            sigmoid_focal_posterior(middle, gamma=gamma, alpha=alpha, pos_weight=pos_weight)
            > target
        )
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return (low + high) / 2


def softmax_focal_posterior(
    logits: Any, *, gamma: float = 2.0, alpha: Any = None, axis: int = -1
) -> Any:
    """Return the probabilities at which the expected loss is least at some logits."""
    x = np.moveaxis(np.asarray(logits, np.float64), axis, -1)
    p = np.exp(x - x.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    rest = np.stack([np.delete(p, k, -1).sum(-1) for k in range(p.shape[-1])], -1)
    shares = _odds(p, rest, gamma) / (1.0 if alpha is None else np.asarray(alpha))
    return np.moveaxis(shares / shares.sum(-1, keepdims=True), -1, axis)


def softmax_focal_logits(
    probabilities: Any, *, gamma: float = 2.0, alpha: Any = None, axis: int = -1
) -> Any:
    """Return the logits at which the expected loss is least."""
    target = np.moveaxis(np.asarray(probabilities, np.float64), axis, -1)
    with np.errstate(divide="ignore"):
        target = np.log(target * (1.0 if alpha is None else np.asarray(alpha)))
    low, high = np.full(target.shape[:-1], -700.0), np.full(target.shape[:-1], 700.0)
    for _ in range(STEPS):
        middle = (low + high) / 2
        above = np.exp(_log_probability(target + middle[..., None], gamma)).sum(-1) > 1
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    x = _log_probability(target + ((low + high) / 2)[..., None], gamma)
    return np.moveaxis(x - x.mean(-1, keepdims=True), -1, axis)


def _log_probability(log_odds: Any, gamma: float) -> Any:
    """Return log p where p / phi(p) has this logarithm."""
    low, high = np.full(log_odds.shape, -700.0), np.zeros(log_odds.shape)
    for _ in range(STEPS):
        middle = (low + high) / 2
        p = np.exp(middle)
        above = np.log(_odds(p, -np.expm1(middle), gamma)) > log_odds
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return (low + high) / 2


def _odds(p: Any, rest: Any, gamma: float) -> Any:
    """Return p / phi(p), of p and 1 - p."""
    p, rest = np.maximum(p, 1e-300), np.maximum(rest, 1e-100)
    return p / (rest**gamma - gamma * p * rest ** (gamma - 1) * np.log(p))
