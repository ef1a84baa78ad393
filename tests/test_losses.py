"""FocalLoss as an object."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest

from focalcore import FocalLoss, sigmoid_focal_loss, softmax_focal_loss


def test_it_is_the_function_with_its_options(place, rng):
    x, y = place.array(rng.normal(size=(4, 3))), place.array(rng.integers(0, 2, (4, 3)))
    labels = place.array(rng.integers(0, 3, 4))
    for reduction in ("none", "mean", "sum"):
        options = {"gamma": 1.5, "alpha": [0.1, 0.2, 0.3], "reduction": reduction}
        for task in ("binary", "multi-label"):
            found = FocalLoss(task_type=task, **options)(x, y)
            np.testing.assert_array_equal(
                place.numpy(found), place.numpy(sigmoid_focal_loss(x, y, **options))
            )
        found = FocalLoss(task_type="multi-class", num_classes=3, **options)(x, labels)
        np.testing.assert_array_equal(
            place.numpy(found), place.numpy(softmax_focal_loss(x, labels, **options))
        )


def test_mask_and_weight_are_those_of_the_function(place, rng):
    x, y = place.array(rng.normal(size=6)), place.array(rng.integers(0, 2, 6))
    data = {"mask": place.array(np.arange(6) % 2 == 0), "weight": place.array(np.arange(6.0))}
    found = FocalLoss()(x, y, **data)
    assert place.numpy(found) == place.numpy(sigmoid_focal_loss(x, y, reduction="mean", **data))


def test_it_is_immutable_comparable_hashable_and_copies():
    criterion = FocalLoss(gamma=2, alpha=np.asarray([0.25, 0.5]), task_type="multi-label")
    assert criterion == FocalLoss(2.0, [0.25, 0.5], task_type="multi-label")
    for copied in (copy.deepcopy(criterion), pickle.loads(pickle.dumps(criterion))):
        assert copied == criterion
        assert hash(copied) == hash(criterion)
    with pytest.raises(dataclasses.FrozenInstanceError):
        criterion.gamma = 3.0


def test_it_says_what_it_is():
    assert repr(FocalLoss(alpha=0.25)) == (
        "FocalLoss(gamma=2.0, alpha=0.25, reduction='mean', task_type='binary', num_classes=None)"
    )
