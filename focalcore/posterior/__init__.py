"""From the scores of a focal model to probabilities, and from probabilities to its scores.

The sigmoid or softmax of a focal model is not the probability of a class, not even if the model is
the best there can be; but it is a known function of it. Here are that function and its inverse.
"""

from ._sigmoid import sigmoid_focal_logit, sigmoid_focal_posterior
from ._softmax import softmax_focal_logits, softmax_focal_posterior

__all__ = [
    "sigmoid_focal_logit",
    "sigmoid_focal_posterior",
    "softmax_focal_logits",
    "softmax_focal_posterior",
]
