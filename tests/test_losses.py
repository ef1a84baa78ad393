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


@pytest.mark.parametrize(
    ("task", "function", "shape"),
    [("binary", sigmoid_focal_loss, (6,)), ("multi-class", softmax_focal_loss, (6, 3))],
    ids=["binary", "multi-class"],
)
def test_mask_and_weight_are_those_of_the_function(place, rng, task, function, shape):
    x, labels = place.array(rng.normal(size=shape)), place.array(rng.integers(0, 2, 6))
    data = {"mask": place.array(np.arange(6) % 2 == 0), "weight": place.array(np.arange(6.0))}
    found = FocalLoss(task_type=task)(x, labels, **data)
    assert place.numpy(found) == place.numpy(function(x, labels, reduction="mean", **data))


def test_a_binary_loss_has_no_class_axis_to_check(place, rng):
    x, y = place.array(rng.normal(size=5)), place.array(rng.integers(0, 2, 5))
    assert place.numpy(FocalLoss(num_classes=2)(x, y)) == place.numpy(FocalLoss()(x, y))


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


def test_losses_of_equal_arrays_of_a_library_are_equal_where_these_can_be_seen(place, rng):
    alpha = rng.random(3)
    one, same = FocalLoss(alpha=place.array(alpha)), FocalLoss(alpha=place.array(alpha))
    assert one == copy.copy(one)
    # elsewhere a loss is equal to itself alone
    assert (one == same) == (hash(one) == hash(same)) == place.can_raise


def test_an_array_of_any_library_changed_later_changes_no_loss(place):
    if place.name in ("numpy", "jax", "tensorflow"):
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


class TestEveryOption:
    """The options of the functions, and those that a task does not have."""

    def test_labels_that_are_ignored_are_left_out(self, place):
        x, labels = place.array(np.zeros((3, 2))), place.array(np.asarray([0, -100, 1]))
        criterion = FocalLoss(task_type="multi-class", ignore_index=-100, gamma=0.0)
        assert place.numpy(criterion(x, labels)) == pytest.approx(np.log(2))

    def test_a_mean_may_divide_by_the_count_of_the_whole(self, place, rng):
        x, y = place.array(rng.normal(size=6)), place.array(rng.integers(0, 2, 6))
        total = place.numpy(FocalLoss(reduction="sum")(x, y))
        assert place.numpy(FocalLoss()(x, y, normalizer=24)) == pytest.approx(total / 24)

    def test_the_classes_may_lie_elsewhere(self, rng):
        x, labels = rng.normal(size=(4, 3, 2)), rng.integers(0, 3, (4, 2))
        criterion = FocalLoss(task_type="multi-class", axis=1, num_classes=3, reduction="none")
        np.testing.assert_array_equal(criterion(x, labels), softmax_focal_loss(x, labels, axis=1))
        with pytest.raises(ValueError, match=r"3 classes on axis 1; found shape \(4, 2, 3\)"):
            criterion(np.moveaxis(x, 1, -1), labels)

    @pytest.mark.parametrize(
        "options",
        [
            {"axis": 1},
            {"task_type": "multi-class", "pos_weight": 2.0},
            {"task_type": "multi-class", "class_axis": 1},
        ],
        ids=str,
    )
    def test_an_option_that_the_task_does_not_have_is_refused(self, options):
        name = list(options)[-1]
        with pytest.raises(ValueError, match=f"{name} is no option of task_type=.*leave it out"):
            FocalLoss(**options)

    def test_the_repr_shows_what_was_said(self):
        assert repr(FocalLoss(ignore_index=-1)).endswith("num_classes=None, ignore_index=-1)")


class TestPytree:
    """To JAX a loss is a pytree: its arrays are leaves, its numbers part of the structure."""

    @pytest.fixture
    def jax(self):
        return pytest.importorskip("jax", reason="jax is not installed")

    def test_numbers_are_structure(self, jax):
        criterion = FocalLoss(gamma=2.0, alpha=[0.1, 0.2], task_type="multi-label")
        leaves, structure = jax.tree.flatten(criterion)
        assert leaves == []
        assert structure == jax.tree.structure(FocalLoss(2.0, [0.1, 0.2], task_type="multi-label"))
        assert structure != jax.tree.structure(FocalLoss(1.0, [0.1, 0.2], task_type="multi-label"))
        assert jax.tree.unflatten(structure, leaves) == criterion

    def test_a_loss_goes_through_jit(self, jax, rng):
        x, y = jax.numpy.asarray(rng.normal(size=6)), jax.numpy.asarray(rng.integers(0, 2, 6))
        criterion = FocalLoss(gamma=jax.numpy.asarray(1.5), alpha=0.25)
        found = jax.jit(lambda loss, x, y: loss(x, y))(criterion, x, y)
        assert float(found) == pytest.approx(float(FocalLoss(1.5, 0.25)(x, y)), rel=1e-5)

    def test_an_array_of_jax_learns(self, jax, rng):
        x, y = jax.numpy.asarray(rng.normal(size=6)), jax.numpy.asarray(rng.integers(0, 2, 6))
        moved = jax.grad(lambda loss: loss(x, y))(FocalLoss(gamma=jax.numpy.asarray(2.0)))
        expected = jax.grad(lambda g: sigmoid_focal_loss(x, y, gamma=g, reduction="mean"))(2.0)
        assert float(moved.gamma) == pytest.approx(float(expected), rel=1e-5)

    def test_maps_keep_the_loss(self, jax):
        criterion = FocalLoss(gamma=jax.numpy.asarray(2.0), alpha=0.25, ignore_index=-1)
        doubled = jax.tree.map(lambda v: 2 * v, criterion)
        assert float(doubled.gamma) == 4.0
        assert (doubled.alpha, doubled.ignore_index) == (0.25, -1)
