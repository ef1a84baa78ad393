"""An error names a way out that exists where it was raised."""

import numpy as np
import pytest

from focalcore import (
    FocalLoss,
    asymmetric_loss,
    binary_focal_loss,
    gaussian_focal_loss,
    quality_focal_loss,
    sigmoid_focal_loss,
    softmax_focal_loss,
    sparse_categorical_focal_loss,
    varifocal_loss,
)

from .helpers import fails

X, Y = np.asarray([[2.0, -0.226, 0.5]]), np.asarray([[1.0, 0.0, 1.0]])


def message(loss, *arguments, **options):
    with pytest.raises((TypeError, ValueError)) as caught:
        loss(*arguments, **options)
    return str(caught.value)


def test_swapped_logits_and_targets_are_suspected(place):
    if not place.can_raise:
        assert np.isnan(place.call(sigmoid_focal_loss, Y, X)).any()
        return
    with fails(ValueError, "targets must lie", "-?[0-9.]+", "logits and targets may be swapped"):
        sigmoid_focal_loss(place.array(Y), place.array(X))
    with fails(ValueError, "may be swapped"):
        softmax_focal_loss(place.array(Y), place.array(X))
    with fails(ValueError, "may be swapped"):
        FocalLoss()(place.array(Y), place.array(X))


def test_integer_logits_beside_floating_targets_are_suspected_too(place):
    labels = place.array(np.asarray([[1, 0, 1]]))
    with fails(TypeError, "logits must be real floating", "int64", "logits and targets may be"):
        sigmoid_focal_loss(labels, place.array(X))
    with fails(TypeError, "y_pred must be real floating", "y_pred and y_true may be swapped"):
        binary_focal_loss(place.array(X), labels)
    assert "swapped" not in message(sigmoid_focal_loss, labels, labels)


def test_logits_taken_for_probabilities_come_with_the_option_for_them():
    for found in (
        message(binary_focal_loss, [1, 0], [2.3, -1.0]),
        message(sparse_categorical_focal_loss, [1], [[2.3, -1.0]]),
    ):
        assert "from_logits=True" in found
        assert "swapped" not in found


def test_labels_that_are_bad_by_themselves_are_not_called_swapped(place):
    if place.can_raise:
        for logits in (X, 0 * X):  # a head of zeros has logits of 0
            found = message(sigmoid_focal_loss, place.array(logits), place.array(Y + 3))
            assert "swapped" not in found
            assert "leave out" in found


def test_float_class_labels_come_with_their_cast(place):
    """XGBoost and LightGBM hand over whole numbers as floats."""
    rows, labels = place.array(np.zeros((2, 3))), place.array(np.asarray([0.0, 2.0]))
    cast = {
        "torch": r"targets.to\(torch.int64\)",
        "array-api-strict": r"xp.astype\(targets, xp.int64\)",
        "tensorflow": r"tf.cast\(targets, tf.int64\)",
    }.get(place.name, r"targets.astype\('int64'\)")
    with fails(TypeError, "class labels", "float64", cast):
        softmax_focal_loss(rows, labels)


@pytest.mark.parametrize(
    ("loss", "way"),
    [
        (sigmoid_focal_loss, "go to softmax_focal_loss, or take class_axis=1; here"),
        (asymmetric_loss, "go to asymmetric_softmax_loss; here"),
        (quality_focal_loss, "have to become one-hot rows; here"),
        (varifocal_loss, "have to become one-hot rows; here"),
        (gaussian_focal_loss, "have to become one-hot rows; here"),
    ],
    ids=lambda case: case if isinstance(case, str) else case.__name__,
)
def test_class_labels_are_told_where_they_belong(loss, way):
    assert f"labels of classes {way}" in message(loss, np.zeros((2, 3)), np.asarray([0, 2]))


def test_masks_of_numbers_come_with_their_cast(place):
    with fails(TypeError, "mask must be boolean", "int64", "cast with"):
        sigmoid_focal_loss(
            place.array(X), place.array(Y), mask=place.array(np.asarray([[1, 0, 1]]))
        )


def test_only_the_functions_with_masks_advise_masks():
    assert "ignore_index= or mask=" in message(sigmoid_focal_loss, X, Y + 3)
    assert "ignore_index= or mask=" in message(softmax_focal_loss, X, [3])
    assert "leave out with mask=" in message(softmax_focal_loss, X, Y * 3)
    for loss in (FocalLoss(), FocalLoss(task_type="multi-label")):
        assert "ignore_index= or mask=" in message(loss, X, Y + 3)
    assert "ignore_index= or mask=" in message(FocalLoss(task_type="multi-class"), X, [3])
    assert "leave out" not in message(binary_focal_loss, Y + 3, np.abs(X) / 3)
    assert "leave out" not in message(sparse_categorical_focal_loss, [3], np.abs(X) / 3)


def test_a_masked_array_is_sent_to_a_mask_only_where_there_is_one():
    masked = np.ma.masked_array([0.5, 0.2], [True, False])
    assert "mask=~np.ma.getmaskarray(logits)" in message(sigmoid_focal_loss, masked, [1, 0])
    assert "mask=~np.ma.getmaskarray(logits)" in message(FocalLoss(), masked, [1, 0])
    found = message(binary_focal_loss, [1, 0], masked)
    assert "mask=" not in found
    assert "leave out what is masked" in found


class TestTorchModules:
    @pytest.fixture
    def modules(self, torch):  # noqa: ARG002 - it has to be installed
        import focalcore.torch

        return focalcore.torch

    def test_every_module_advises_a_mask(self, torch, modules):
        x, labels = torch.zeros(2, 3), torch.zeros(2).long()
        assert "leave out with ignore_index= or mask=" in message(
            modules.SoftmaxFocalLoss(), x, labels + 3
        )
        by_class = modules.SigmoidFocalLoss(class_axis=-1)
        assert "leave out with ignore_index= or mask=" in message(by_class, x, labels + 4)
        for criterion in (modules.SigmoidFocalLoss(), modules.FocalLoss()):
            found = message(criterion, x, x + 3)
            assert "targets must lie in [0, 1]" in found
            assert "leave out with ignore_index= or mask=" in found

    def test_arguments_are_called_as_they_are_there(self, torch, modules):
        x = torch.zeros(2, 3)
        assert message(modules.SigmoidFocalLoss(), x.int(), x).startswith("inputs must be")
        assert "inputs and targets may be swapped" in message(
            modules.SigmoidFocalLoss(), x + 1, x - 1
        )
        assert "do not fit inputs" in message(modules.SoftmaxFocalLoss(), x, torch.zeros(3).long())

    @pytest.mark.parametrize("task", ["multi-class", "multi-label"])
    def test_classes_are_those_of_the_inputs(self, torch, modules, task):
        x, labels = torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64)
        criterion = modules.FocalLoss(task_type=task, num_classes=5)
        found = message(criterion, x, labels if task == "multi-class" else x)
        assert found.startswith("inputs must have 5 classes")

    def test_weights_are_called_as_they_are_there(self, torch, modules):
        x, weight = torch.zeros(4, 4), torch.zeros(4)
        found = message(modules.SigmoidFocalLoss(), x, x, sample_weight=weight)
        assert found.startswith("sample_weight of shape (4,) does not fit inputs")

    def test_class_labels_are_sent_to_the_module_for_them(self, torch, modules):
        x = torch.zeros(4, 3)
        labels = torch.zeros(4).long()
        assert "go to SoftmaxFocalLoss" in message(modules.SigmoidFocalLoss(), x, labels)
        assert "task_type='multi-class'" in message(modules.FocalLoss(), x, labels)
        assert "go to AsymmetricSoftmaxLoss" in message(modules.AsymmetricLoss(), x, labels)

    def test_distributions_are_told_how_to_go_without_an_ignored_label(self, torch, modules):
        x = torch.zeros(2, 3)
        found = message(modules.SoftmaxFocalLoss(ignore_index=2), x, x + 1 / 3)
        assert "give ignore_index=None, and leave rows out with mask=" in found
        assert modules.SoftmaxFocalLoss(ignore_index=None)(x, x + 1 / 3) > 0

    def test_classes_on_another_axis_are_told_its_number(self, torch, modules):
        labels = torch.zeros(2, 4, 5).long()
        found = message(modules.SoftmaxFocalLoss(), torch.zeros(2, 4, 5, 3), labels)
        assert "axis=3 would fit" in found
        found = message(modules.SoftmaxFocalLoss(), torch.zeros(3), torch.zeros(()).long())
        assert "axis must be one of the 1 axes of inputs; found 1" in found


@pytest.mark.usefixtures("torch")
def test_keras_losses_advise_what_they_have():
    pytest.importorskip("keras", reason="keras is not installed")
    from focalcore.keras import BinaryFocalLoss, SparseCategoricalFocalLoss

    found = message(BinaryFocalLoss(), np.asarray([[3.0]]), np.asarray([[0.5]]))
    assert "y_true must lie in [0, 1]" in found
    assert "leave out" not in found
    found = message(SparseCategoricalFocalLoss(), np.asarray([3]), np.asarray([[0.5, 0.5]]))
    assert "y_true must be class labels from 0 to 1" in found
    assert found.endswith("leave out with ignore_class=")
    rows = np.full((2, 3, 4, 5), 0.5)
    found = message(SparseCategoricalFocalLoss(), np.zeros((2, 4, 5), "int32"), rows)
    assert "axis=1 would fit" in found
