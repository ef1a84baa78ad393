"""How far a value may be from the exact one, in units in the last place of the exact one.

u and the cross-entropy of a sigmoid are each good to about 2 ulp; u enters gamma times. In a
softmax over more than two classes, both hold the sum over the others, which costs 2 ulp more.
"""


def of_sigmoid_value(gamma: float) -> float:
    """Of one logit, or of a softmax over two classes."""
    return 2 * gamma + 3


def of_sigmoid_slope(gamma: float) -> float:
    """Of the first derivative; of the second, relative to the largest of its terms."""
    return 2 * gamma + 4


def of_softmax_value(gamma: float) -> float:
    """Of a softmax over up to ten classes."""
    return 4 * gamma + 5
