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


def test_mask_and_weight_of_rows_are_those_of_the_function(place, rng):
    x, labels = place.array(rng.normal(size=(6, 3))), place.array(rng.integers(0, 3, 6))
    data = {"mask": place.array(np.arange(6) % 2 == 0), "weight": place.array(np.arange(6.0))}
    found = FocalLoss(task_type="multi-class")(x, labels, **data)
    assert place.numpy(found) == place.numpy(
        softmax_focal_loss(x, labels, reduction="mean", **data)
    )


def test_a_binary_loss_has_no_class_axis_to_check(place, rng):
    x, y = place.array(rng.normal(size=5)), place.array(rng.integers(0, 2, 5))
    assert place.numpy(FocalLoss(num_classes=2)(x, y)) == place.numpy(FocalLoss()(x, y))


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


SHAPES = {"per class": (3,), "per place": (2, 3), "many": (1, 5000)}


@pytest.mark.parametrize("shape", SHAPES)
def test_an_array_changed_later_changes_no_loss(place, rng, shape):
    shape = SHAPES[shape]
    alpha = rng.random(shape)
    x, y = place.array(rng.normal(size=(2, shape[-1]))), place.array(np.ones((2, shape[-1])))
    criterion = FocalLoss(alpha=alpha, gamma=alpha)
    before = place.numpy(criterion(x, y))
    alpha[...] = 0.5
    assert place.numpy(criterion(x, y)) == before


@pytest.mark.parametrize("shape", SHAPES)
def test_objects_of_equal_arrays_are_equal_and_hash_alike(rng, shape):
    alpha = rng.random(SHAPES[shape])
    one, same = FocalLoss(alpha=alpha), FocalLoss(alpha=alpha.copy())
    other = FocalLoss(alpha=np.where(alpha == alpha.max(), 0.0, alpha))
    assert one == same
    assert len({one, same, other}) == 2
    assert one != FocalLoss(alpha=alpha, gamma=1.0)
    assert one != "another thing"
    assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == one


def test_arrays_of_other_shapes_make_other_losses(rng):
    alpha = rng.random(6)
    assert FocalLoss(alpha=alpha.reshape(2, 3)) != FocalLoss(alpha=alpha.reshape(3, 2))


@pytest.mark.parametrize("shape", [(2, 3), (1, 5000)], ids=["per place", "many"])
def test_an_array_that_is_kept_cannot_be_written_to(rng, shape):
    criterion = FocalLoss(alpha=rng.random(shape))
    with pytest.raises(ValueError, match="read-only"):
        criterion.alpha[...] = 0.5


def test_arrays_of_a_library_are_copied_too(place, rng):
    alpha = place.array(rng.random(3))
    one, same = FocalLoss(alpha=alpha), FocalLoss(alpha=place.array(place.numpy(alpha)))
    assert one == copy.copy(one)
    # what can't be seen is equal to itself alone
    assert (one == same) == (hash(one) == hash(same)) == place.can_raise
    if place.name == "torch":
        x = place.array(np.ones((1, 3)))
        before = one(x, x)
        alpha.mul_(0.5)
        assert one(x, x) == before


def test_an_array_of_any_library_changed_later_changes_no_loss(place):
    if place.name in ("numpy", "jax"):
        pytest.skip("these arrays never change")
    alpha, x = place.array(np.asarray([0.1, 0.2])), place.array(np.ones((1, 2)))
    criterion = FocalLoss(alpha=alpha)
    before = place.numpy(criterion(x, x))
    alpha[0] = 0.9
    assert place.numpy(criterion(x, x)) == before


def test_a_parameter_that_learns_is_kept():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    alpha = torch.full((3,), 0.5, requires_grad=True)
    criterion = FocalLoss(alpha=alpha)
    criterion(torch.ones(2, 3), torch.ones(2, 3)).backward()
    assert alpha.grad is not None
    assert criterion == copy.copy(criterion)
    assert criterion != FocalLoss(alpha=alpha.detach())
