"""The torch modules: those of imbalanced-losses and of itakurah, right where these are wrong."""

import copy
import pickle
from functools import partial

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

import focalcore  # noqa: E402
from focalcore.torch import FocalLoss, SigmoidFocalLoss, SoftmaxFocalLoss  # noqa: E402

EACH = {
    "sigmoid": SigmoidFocalLoss,
    "softmax": SoftmaxFocalLoss,
    "focal-binary": FocalLoss,
    "focal-multi-class": partial(FocalLoss, task_type="multi-class"),
    "focal-multi-label": partial(FocalLoss, task_type="multi-label"),
}
each = pytest.mark.parametrize("make", EACH.values(), ids=EACH)


@pytest.fixture(autouse=True)
def drawn_alike():
    torch.manual_seed(0)


def batch(criterion, dtype=torch.float64):
    """Logits that learn, and targets, such as a loss takes."""
    logits = torch.randn(6, 3, dtype=dtype).requires_grad_()
    softmax = isinstance(criterion, SoftmaxFocalLoss)
    if softmax or getattr(criterion, "task_type", None) == "multi-class":
        return logits, torch.tensor([0, 2, 1, 0, 2, 1])
    return logits, torch.rand(6, 3) < 0.4


class TestSeeds:
    """The examples of the documentation of both, with another import, and no more changed."""

    def test_sigmoid_of_imbalanced_losses(self):
        loss_fn = SigmoidFocalLoss(alpha=0.25, gamma=2.0)
        logits = torch.randn(32, 1)
        targets = torch.randint(0, 2, (32, 1)).float()
        loss = loss_fn(logits.requires_grad_(), targets)
        loss.backward()
        p = torch.sigmoid(logits.detach().double())
        p_t = torch.where(targets == 1, p, 1 - p)
        alpha_t = torch.where(targets == 1, 0.25, 0.75)
        expected = (-alpha_t * (1 - p_t) ** 2 * p_t.log()).mean()
        assert loss.item() == pytest.approx(expected.item(), rel=1e-6)

    def test_binary_of_itakurah(self):
        criterion = FocalLoss(gamma=2, alpha=0.25, task_type="binary")
        inputs = torch.randn(16)
        targets = torch.randint(0, 2, (16,)).float()
        loss = criterion(inputs, targets)
        assert loss.item() == pytest.approx(published(inputs, targets, 0.25).mean().item())

    def test_multi_class_of_itakurah(self):
        num_classes = 5
        alpha = [1.0] * num_classes
        criterion = FocalLoss(
            gamma=2, alpha=alpha, task_type="multi-class", num_classes=num_classes
        )
        inputs = torch.randn(16, num_classes)
        targets = torch.randint(0, num_classes, (16,))
        loss = criterion(inputs, targets)
        p_t = inputs.softmax(1).gather(1, targets[:, None])
        assert loss.item() == pytest.approx((-((1 - p_t) ** 2) * p_t.log()).mean().item())

    def test_multi_label_of_itakurah(self):
        num_classes = 5
        criterion = FocalLoss(gamma=2, alpha=0.25, task_type="multi-label")
        inputs = torch.randn(16, num_classes)
        targets = torch.randint(0, 2, (16, num_classes)).float()
        loss = criterion(inputs, targets)
        assert loss.item() == pytest.approx(published(inputs, targets, 0.25).mean().item())


def published(x, y, alpha):
    """itakurah's formula of each element."""
    p = x.sigmoid()
    p_t, alpha_t = p * y + (1 - p) * (1 - y), alpha * y + (1 - alpha) * (1 - y)
    return -alpha_t * (1 - p_t) ** 2 * p_t.log()


class TestImbalancedLosses:
    """Beside the package itself, where it is right."""

    @pytest.fixture
    def theirs(self):
        return pytest.importorskip("imbalanced_losses", reason="imbalanced-losses is not installed")

    @pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
    @pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
    @pytest.mark.parametrize("options", [{}, {"alpha": -1}, {"gamma": 0.5, "alpha": 0.9}], ids=str)
    def test_sigmoid_agrees_with_theirs(self, theirs, options, reduction, weighted):
        logits, targets = torch.randn(6, 3, 4), (torch.rand(6, 3, 4) < 0.3).float()
        weight = torch.rand(6, 1, 4) if weighted else None
        ours, their = (
            module.SigmoidFocalLoss(reduction=reduction, **options)(
                logits, targets, sample_weight=weight
            )
            for module in (focalcore.torch, theirs)
        )
        torch.testing.assert_close(ours, their)

    @pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
    @pytest.mark.parametrize("reduction", ["none", "sum", "mean", "mean_positive"])
    @pytest.mark.parametrize(
        "options",
        [{}, {"alpha": [1.0, 2.0, 3.0], "label_smoothing": 0.1}, {"background_class": 2}],
        ids=str,
    )
    def test_softmax_agrees_with_theirs(self, theirs, options, reduction, weighted):
        logits, targets = torch.randn(6, 3, 4), torch.randint(0, 3, (6, 4))
        targets[0, :2] = -100
        weight = torch.rand(6, 4) if weighted else None
        ours, their = (
            module.SoftmaxFocalLoss(reduction=reduction, **options)(
                logits, targets, sample_weight=weight
            )
            for module in (focalcore.torch, theirs)
        )
        torch.testing.assert_close(ours, their)

    @pytest.mark.parametrize("name", ["SigmoidFocalLoss", "SoftmaxFocalLoss"])
    def test_their_arguments_are_ours(self, theirs, name):
        import inspect

        its = inspect.signature(getattr(theirs, name)).parameters
        own = inspect.signature(getattr(focalcore.torch, name)).parameters
        assert {n: own[n].default for n in its} == {n: its[n].default for n in its}
        assert list(own)[: len(its)] == list(its)


class TestWhatWasWrong:
    @pytest.mark.parametrize(
        "dtype", [torch.bool, torch.int64, torch.uint8, torch.float32], ids=str
    )
    @pytest.mark.parametrize("make", [SigmoidFocalLoss, FocalLoss])
    def test_labels_of_every_type_are_taken(self, make, dtype):
        logits, targets = batch(make())
        loss = make()(logits, targets.to(dtype))
        assert torch.equal(loss, make()(logits, targets.double()))

    @pytest.mark.parametrize("reduction", ["none", "sum", "mean", "mean_positive"])
    @pytest.mark.parametrize(
        "dtype", [torch.int32, torch.uint8, torch.int16, torch.uint32], ids=str
    )
    def test_class_labels_of_every_integer_type_are_taken(self, dtype, reduction):
        criterion = SoftmaxFocalLoss(reduction=reduction)
        logits, targets = batch(criterion)
        assert torch.equal(criterion(logits, targets.to(dtype)), criterion(logits, targets))

    def test_short_alpha_is_an_error(self):
        criterion = SoftmaxFocalLoss(alpha=[1.0, 10.0])
        with pytest.raises(ValueError, match="one entry for each of the 3 classes"):
            criterion(*batch(criterion))

    def test_nan_of_an_ignored_row_stays_there(self):
        criterion = SoftmaxFocalLoss(reduction="mean_positive")
        logits, targets = batch(criterion)
        spoilt = logits.detach().clone()
        spoilt[0], targets[0] = float("nan"), -100
        loss = criterion(spoilt.requires_grad_(), targets)
        assert torch.equal(loss, criterion(logits, targets))
        loss.backward()
        assert torch.equal(spoilt.grad[0], torch.zeros(3, dtype=torch.float64))
        assert spoilt.grad.isfinite().all()

    @pytest.mark.parametrize("reduction", ["mean", "mean_positive", "sum"])
    @pytest.mark.parametrize("make", [SigmoidFocalLoss, SoftmaxFocalLoss])
    def test_empty_batch_gives_0_with_gradient_0(self, make, reduction):
        criterion = make(reduction=reduction)
        linear = torch.nn.Linear(2, 3)
        _, targets = batch(criterion)
        loss = criterion(linear(torch.zeros(0, 2)), targets[:0])
        loss.backward()
        assert loss == 0
        assert all(torch.equal(p.grad, torch.zeros_like(p)) for p in linear.parameters())

    @pytest.mark.parametrize("reduction", ["mean", "mean_positive", "sum"])
    def test_batch_to_be_ignored_gives_0_with_gradient_0(self, reduction):
        criterion = SoftmaxFocalLoss(reduction=reduction)
        logits, targets = batch(criterion)
        loss = criterion(logits, torch.full_like(targets, -100))
        loss.backward()
        assert loss == 0
        assert torch.equal(logits.grad, torch.zeros_like(logits))

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"alpha": 1.5}, r"alpha must be a number in \[0, 1\]; found 1.5"),
            ({"alpha": [0.5, -1.0]}, r"alpha must be a number in \[0, 1\]; found -1.0"),
            ({"alpha": -0.5}, r"alpha must be a number in \[0, 1\]; found -0.5"),
            ({"gamma": -1}, "gamma must be a finite number >= 0; found -1"),
            ({"reduction": "average"}, "reduction must be one of 'none', 'sum', 'mean', 'mean_"),
            ({"gather_distributed": 1}, "gather_distributed must be True, False or None; found 1"),
        ],
        ids=str,
    )
    def test_options_are_checked_at_construction(self, options, message):
        with pytest.raises((TypeError, ValueError), match=message):
            SigmoidFocalLoss(**options)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (
                {"alpha": [[1.0]]},
                r"alpha must be a number or one entry for each class; found .*1, 1",
            ),
            ({"alpha": -0.5}, "alpha must be a finite number >= 0; found -0.5"),
            ({"label_smoothing": 2}, r"label_smoothing must be a number in \[0, 1\]; found 2"),
            ({"ignore_index": 0.5}, "ignore_index must be an integer or None; found 0.5"),
            ({"background_class": "none"}, "background_class must be an integer or None; found"),
            (
                {"normalizer": "positives", "background_class": None},
                "give background_class, or leave normalizer out",
            ),
            ({"axis": 0.5}, "axis must be an integer; found 0.5"),
        ],
        ids=str,
    )
    def test_options_of_classes_are_checked_at_construction(self, options, message):
        with pytest.raises((TypeError, ValueError), match=message):
            SoftmaxFocalLoss(**options)

    @pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
    def test_bad_weights_are_an_error(self, bad):
        criterion = SoftmaxFocalLoss()
        logits, targets = batch(criterion)
        weight = torch.ones(6)
        weight[2] = bad
        with pytest.raises(ValueError, match="sample_weight must be a finite number >= 0; found"):
            criterion(logits, targets, sample_weight=weight)

    @pytest.mark.parametrize("reduction", ["mean", "mean_positive"])
    def test_weights_of_another_shape_are_an_error(self, reduction):
        criterion = SigmoidFocalLoss(reduction=reduction)
        with pytest.raises(ValueError, match=r"sample_weight of shape \(6,\) does not fit inputs"):
            criterion(*batch(criterion), sample_weight=torch.ones(6))

    @pytest.mark.parametrize("dtype", [torch.bool, torch.int64], ids=str)
    def test_weights_may_be_whole_numbers(self, dtype):
        criterion = SigmoidFocalLoss()
        arguments, weight = batch(criterion), torch.tensor([[1], [0], [1], [1], [0], [1]])
        found = criterion(*arguments, sample_weight=weight.to(dtype))
        assert torch.equal(found, criterion(*arguments, sample_weight=weight.double()))

    @pytest.mark.parametrize("reduction", ["none", "sum", "mean", "mean_positive"])
    @pytest.mark.parametrize("make", [SigmoidFocalLoss, SoftmaxFocalLoss])
    def test_no_gradient_flows_to_weights(self, make, reduction):
        criterion = make(reduction=reduction)
        logits, targets = batch(criterion)
        weight = torch.rand(6 if make is SoftmaxFocalLoss else (6, 1))
        learned = weight.clone().requires_grad_()
        criterion(logits, targets, sample_weight=learned).sum().backward()
        assert learned.grad is None
        value = criterion(logits, targets, sample_weight=weight).sum()
        torch.testing.assert_close(torch.autograd.grad(value, logits)[0], logits.grad)

    @pytest.mark.parametrize("bad", [float("nan"), -3.0])
    def test_bad_targets_are_named_for_what_they_are(self, bad):
        with pytest.raises(ValueError, match="targets must lie in"):
            SigmoidFocalLoss(reduction="mean_positive")(torch.zeros(2), torch.tensor([bad, 1.0]))

    def test_distributions_have_no_background(self):
        criterion = SoftmaxFocalLoss(reduction="mean_positive", ignore_index=None)
        logits, _ = batch(criterion)
        with pytest.raises(ValueError, match="background is a class label; found 0 with"):
            criterion(logits, logits.detach().softmax(1))

    def test_weights_that_are_no_tensor_are_an_error(self):
        with pytest.raises(TypeError, match="sample_weight must be a tensor; found list"):
            SigmoidFocalLoss()(torch.zeros(2), torch.zeros(2), sample_weight=[1.0, 2.0])


class TestMeanPositive:
    def test_a_sigmoid_divides_by_the_sum_of_the_targets(self):
        logits, targets = batch(SigmoidFocalLoss())
        weight = torch.rand(6, 1, dtype=torch.float64)
        total = SigmoidFocalLoss(reduction="sum")(logits, targets, sample_weight=weight)
        mean = SigmoidFocalLoss(reduction="mean_positive")(logits, targets, sample_weight=weight)
        torch.testing.assert_close(mean, total / (targets * weight).sum())

    @pytest.mark.parametrize("weight", [None, torch.rand(6, 1)], ids=["unweighted", "weighted"])
    def test_targets_that_broadcast_are_counted_in_full(self, weight):
        logits, targets = batch(SigmoidFocalLoss())
        criterion, column = SigmoidFocalLoss(reduction="mean_positive"), targets[:, :1]
        found = criterion(logits, column, sample_weight=weight)
        expected = criterion(logits, column.expand(6, 3), sample_weight=weight)
        torch.testing.assert_close(found, expected)

    def test_without_a_background_divides_by_all(self):
        criterion = SoftmaxFocalLoss(reduction="mean_positive", background_class=None)
        logits, targets = batch(criterion)
        assert criterion(logits, targets) == SoftmaxFocalLoss()(logits, targets)

    @pytest.mark.parametrize("background", [256, -256, 2**32])
    def test_of_labels_whose_type_has_no_such_background_divides_by_all(self, background):
        criterion = SoftmaxFocalLoss(reduction="mean_positive", background_class=background)
        logits, targets = batch(criterion)
        assert criterion(logits, targets.to(torch.uint8)) == SoftmaxFocalLoss()(logits, targets)

    def test_targets_of_half_precision_are_counted_in_float32(self):
        targets = torch.ones(100_000, dtype=torch.float16)
        loss = SigmoidFocalLoss(reduction="mean_positive")(torch.zeros(100_000), targets)
        assert loss.item() == pytest.approx(0.25 * 0.25 * 0.6931472, rel=1e-6)


class TestModule:
    def test_number_of_classes_is_checked_at_construction(self):
        for alpha in ([1.0, 2.0], torch.tensor([1.0, 2.0])):
            with pytest.raises(ValueError, match="alpha must be one number, or 3, one for each"):
                FocalLoss(alpha=alpha, task_type="multi-class", num_classes=3)

    @each
    def test_alpha_is_a_buffer(self, make):
        criterion = make(alpha=[0.2, 0.3, 0.5])
        assert list(criterion.state_dict()) == ["alpha"]
        assert criterion.double().alpha.dtype == torch.float64
        assert criterion.to("meta").alpha.device.type == "meta"

    @each
    def test_a_list_is_a_buffer_of_torchs_default_type(self, make):
        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)
        try:
            assert make(alpha=[0.2, 0.3, 0.5]).alpha.dtype == torch.float64
        finally:
            torch.set_default_dtype(before)
        assert make(alpha=[0.2, 0.3, 0.5]).alpha.dtype == before

    @each
    def test_numbers_are_no_state(self, make):
        assert make(alpha=0.25).state_dict() == {}

    @each
    def test_alpha_is_loaded_with_the_state(self, make):
        criterion = make(alpha=[0.2, 0.3, 0.5])
        criterion.load_state_dict(make(alpha=[0.1, 0.2, 0.7]).state_dict())
        torch.testing.assert_close(criterion.alpha, torch.tensor([0.1, 0.2, 0.7]))

    @each
    def test_gamma_and_alpha_learn(self, make):
        gamma = torch.nn.Parameter(torch.tensor(1.5, dtype=torch.float64))
        alpha = torch.nn.Parameter(torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64))
        criterion = make(gamma=gamma, alpha=alpha)
        assert {name for name, _ in criterion.named_parameters()} == {"gamma", "alpha"}
        logits, targets = batch(criterion)

        def loss(logits, gamma, alpha):
            return torch.func.functional_call(
                criterion, {"gamma": gamma, "alpha": alpha}, (logits, targets)
            )

        torch.autograd.gradcheck(loss, (logits, gamma, alpha))

    @each
    @pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
    def test_copies_are_equal(self, make, copied):
        criterion = make(alpha=[0.2, 0.3, 0.5], gamma=1.5)
        arguments = batch(criterion)
        other = copied(criterion)
        assert torch.equal(other(*arguments), criterion(*arguments))
        assert other.alpha is not criterion.alpha

    def test_representation_names_the_options(self):
        assert repr(SigmoidFocalLoss(alpha=-1)) == (
            "SigmoidFocalLoss(alpha=None, gamma=2.0, reduction='mean', gather_distributed=None)"
        )
        assert repr(FocalLoss(alpha=[0.25, 0.5])) == (
            "FocalLoss(gamma=2.0, alpha=[0.25, 0.5], reduction='mean', task_type='binary', "
            "num_classes=None)"
        )

    def test_representation_of_tensors_is_short(self):
        assert "alpha=<tensor of shape (9,)>" in repr(SoftmaxFocalLoss(alpha=[1.0] * 9))
        assert "alpha=<tensor of shape (3,)>" in repr(SoftmaxFocalLoss([0.2] * 3).to("meta"))
        assert "alpha=[0.2, 0.2]" in repr(SoftmaxFocalLoss([0.2] * 2))
        assert "gamma=1.5" in repr(SoftmaxFocalLoss(gamma=torch.nn.Parameter(torch.tensor(1.5))))

    @each
    def test_scripting_is_a_clear_error(self, make):
        model = torch.nn.Sequential(torch.nn.Linear(3, 3), make())
        with pytest.raises(NotImplementedError, match=r"can't be scripted.*use torch.compile"):
            torch.jit.script(model)

    @pytest.mark.slow
    @each
    def test_a_compiled_module_has_the_same_gradient(self, make):
        criterion = make(alpha=[0.25, 0.5, 0.75])
        logits, targets = batch(criterion)
        compiled = torch.compile(criterion, fullgraph=True, backend="aot_eager")
        (gradient,) = torch.autograd.grad(compiled(logits, targets), logits)
        (expected,) = torch.autograd.grad(criterion(logits, targets), logits)
        torch.testing.assert_close(gradient, expected)

    def test_class_axis_is_the_second(self):
        criterion = SoftmaxFocalLoss(reduction="none")
        logits, targets = torch.randn(2, 3, 4, 5), torch.randint(0, 3, (2, 4, 5))
        loss = criterion(logits, targets)
        assert loss.shape == targets.shape
        moved = focalcore.softmax_focal_loss(logits.movedim(1, -1), targets)
        torch.testing.assert_close(loss, moved)


class TestOptions:
    """Every option of the functions, at construction."""

    def test_the_sigmoid_module_is_the_function_with_its_options(self):
        options = {
            "pos_weight": 3.0,
            "label_smoothing": 0.1,
            "soft_targets": "mixture",
            "ignore_index": -1,
            "detach_factor": True,
        }
        logits, targets = torch.randn(6, 3), torch.randint(-1, 2, (6, 3))
        found = SigmoidFocalLoss(alpha=0.25, **options)(logits, targets)
        expected = focalcore.sigmoid_focal_loss(
            logits, targets, alpha=0.25, reduction="mean", **options
        )
        assert torch.equal(found, expected)

    def test_the_sigmoid_module_takes_class_labels(self):
        logits, labels = torch.randn(2, 7, 3), torch.randint(-1, 4, (2, 7))
        options = {"class_axis": -1, "ignore_index": -1, "normalizer": "positives"}
        found = SigmoidFocalLoss(alpha=0.25, **options)(logits, labels)
        expected = focalcore.sigmoid_focal_loss(
            logits, labels, alpha=0.25, reduction="mean", **options
        )
        assert torch.equal(found, expected)

    @pytest.mark.parametrize("name", ["axis", "dim"])
    def test_the_softmax_module_has_its_classes_where_axis_or_dim_says(self, name):
        logits, labels = torch.randn(6, 4, 3), torch.randint(0, 3, (6, 4))
        options = {"alpha": [0.2, 1.0, 2.0], "normalizer": "alpha", "detach_factor": True}
        found = SoftmaxFocalLoss(**options, **{name: -1})(logits, labels)
        expected = focalcore.softmax_focal_loss(logits, labels, reduction="mean", **options)
        assert torch.equal(found, expected)

    @pytest.mark.parametrize("rule", ["expected", "mixture"])
    def test_the_softmax_module_takes_distributions_beside_its_default_ignore_index(self, rule):
        logits, soft = torch.randn(6, 3), torch.rand(6, 3).softmax(1)
        found = SoftmaxFocalLoss(soft_targets=rule)(logits, soft)
        expected = focalcore.softmax_focal_loss(logits, soft, soft_targets=rule, reduction="mean")
        assert torch.equal(found, expected)

    def test_the_object_module_has_every_option_of_its_task(self):
        logits, labels = torch.randn(6, 3, 4), torch.randint(0, 3, (6, 4))
        options = {"label_smoothing": 0.1, "ignore_index": 1, "detach_factor": True}
        found = FocalLoss(task_type="multi-class", dim=1, num_classes=3, **options)(logits, labels)
        expected = focalcore.softmax_focal_loss(logits, labels, axis=1, reduction="mean", **options)
        assert torch.equal(found, expected)

    @pytest.mark.parametrize(
        ("make", "words"),
        [
            (lambda: SoftmaxFocalLoss(axis=2, dim=3), "dim=3 and axis=2"),
            (lambda: SigmoidFocalLoss(background=3), "without class_axis"),
            (lambda: SigmoidFocalLoss(normalizer="alpha"), "normalizer must be one of"),
            (lambda: SigmoidFocalLoss(reduction="sum", normalizer=3), "found reduction='sum'"),
            (
                lambda: SigmoidFocalLoss(reduction="mean_positive", normalizer=3),
                "normalizer=3, which goes with reduction='mean'",
            ),
            (lambda: SoftmaxFocalLoss(normalizer="alpha"), "alpha=, which is None"),
            (lambda: SoftmaxFocalLoss(soft_targets="hard"), "label_smoothing is 0"),
            (lambda: FocalLoss(axis=1), "axis is no option of task_type='binary'; found 1"),
            (lambda: FocalLoss(task_type="multi-class", pos_weight=2.0), "pos_weight is no option"),
        ],
        ids=lambda case: case if isinstance(case, str) else "",
    )
    def test_options_that_do_not_go_together_are_refused_at_construction(self, make, words):
        with pytest.raises(ValueError, match=words):
            make()

    def test_the_repr_shows_what_was_said(self):
        assert repr(SigmoidFocalLoss(class_axis=-1, normalizer="positives")) == (
            "SigmoidFocalLoss(alpha=0.25, gamma=2.0, reduction='mean', gather_distributed=None, "
            "class_axis=-1, normalizer='positives')"
        )

    def test_a_list_for_each_class_is_a_buffer(self):
        criterion = SigmoidFocalLoss(pos_weight=[1.0, 2.0, 3.0])
        assert set(criterion.state_dict()) == {"pos_weight"}


class TestCalls:
    """What comes with a call: weights, a mask, the count of the whole."""

    @each
    def test_micro_batches_add_up_to_the_whole(self, make):
        criterion = make()
        logits, targets = batch(criterion)
        whole = criterion(logits, targets)
        (expected,) = torch.autograd.grad(whole, logits)
        count = logits.shape[0] if targets.ndim == 1 else logits.numel()
        parts = [
            criterion(logits[part], targets[part], normalizer=count)
            for part in (slice(0, 2), slice(2, 5), slice(5, 6))
        ]
        (found,) = torch.autograd.grad(sum(parts), logits)
        torch.testing.assert_close(sum(parts), whole)
        torch.testing.assert_close(found, expected)

    @each
    @pytest.mark.parametrize("kind", [int, float, torch.tensor], ids=["int", "float", "tensor"])
    def test_the_count_may_be_a_number_or_a_tensor(self, make, kind):
        criterion = make()
        logits, targets = batch(criterion)
        summed = make(reduction="sum")(logits, targets)
        torch.testing.assert_close(criterion(logits, targets, normalizer=kind(12)), summed / 12)

    @each
    def test_a_count_wins_over_weights(self, make):
        criterion = make()
        logits, targets = batch(criterion)
        weight = torch.rand(6) if targets.ndim == 1 else torch.rand(6, 1)
        found = criterion(logits, targets, sample_weight=weight, normalizer=4)
        summed = make(reduction="sum")(logits, targets, sample_weight=weight)
        torch.testing.assert_close(found, summed / 4)

    @each
    def test_a_mask_leaves_out_a_row_with_nan_logits(self, make):
        criterion = make()
        logits, targets = batch(criterion)
        spoiled = logits.detach().clone()
        spoiled[2] = torch.nan
        spoiled.requires_grad_()
        mask = torch.arange(6) != 2
        loss = criterion(spoiled, targets, mask=mask if targets.ndim == 1 else mask[:, None])
        torch.testing.assert_close(loss, criterion(logits[mask], targets[mask]))
        (grad,) = torch.autograd.grad(loss, spoiled)
        assert not grad[2].any()
        assert grad.isfinite().all()

    @each
    def test_a_name_belongs_to_the_constructor(self, make):
        criterion = make()
        with pytest.raises(TypeError, match="found 'weight', which goes to the constructor"):
            criterion(*batch(criterion), normalizer="weight")

    @each
    def test_a_sum_has_nothing_to_divide_by(self, make):
        criterion = make(reduction="sum")
        with pytest.raises(ValueError, match="normalizer is for reduction='mean'"):
            criterion(*batch(criterion), normalizer=3)

    def test_a_count_replaces_that_of_the_positives(self):
        logits, labels = torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 0, 1])
        found = SoftmaxFocalLoss(reduction="mean_positive")(logits, labels, normalizer=10)
        torch.testing.assert_close(found, SoftmaxFocalLoss(reduction="sum")(logits, labels) / 10)
