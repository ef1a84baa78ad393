"""The squared margin of a logit x against a target y of 0 or 1.

With s = 2 y - 1, it is ``max(0, m - s x)^2``: what is right by a margin m costs nothing.
"""

from __future__ import annotations


class SquaredMargin:
    def __init__(self, xp, x, y, margin):
        self.sign = 2 * y - 1
        self.behind = xp.maximum(margin - self.sign * x, 0.0)
        self.is_behind = xp.astype(self.behind > 0, x.dtype)

    def value(self):
        return self.behind * self.behind

    def slope(self):
        return -2 * self.sign * self.behind

    def curvature(self):
        return 2 * self.is_behind
