"""CatBoost's own focal loss, as the text that names it."""

from __future__ import annotations

from ._losses import Binary


def loss_function(loss: Binary) -> str:
    """Return the ``loss_function`` of a loss, or raise the error of why there is none."""
    if loss.alpha == "balanced":
        raise ValueError(
            "alpha='balanced' is known only with labels; take the catboost() of for_labels(y)"
        )
    if loss.gamma == 0:
        raise ValueError(
            "gamma of CatBoost's Focal must be above 0; found 0.0, the cross-entropy, which is "
            "loss_function='Logloss'"
        )
    negative, positive = loss.class_weights
    if negative == 0 or positive == 0:
        raise ValueError(
            f"CatBoost's Focal must weigh both classes, with alpha in (0, 1) and pos_weight above "
            f"0; found alpha={loss.alpha}, pos_weight={loss.pos_weight}"
        )
    return f"Focal:focal_alpha={positive / (positive + negative)!r};focal_gamma={loss.gamma!r}"
