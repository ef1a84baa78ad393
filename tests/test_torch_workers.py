"""Many workers in torch: what they end up with is what one process has for the whole batch.

``workers[2].map(f, parts)`` gives ``f(*part)`` of each of two workers, which has one of the parts.
What the workers of a test call stands above the test. Torch's wrappers take the mean of what the
workers have as gradients; where a test does without a wrapper, it divides by their number itself.
"""

import copy
import functools

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
dist = pytest.importorskip("torch.distributed", reason="torch has no distributed package")
if not dist.is_available():
    pytest.skip("torch was built without distributed", allow_module_level=True)

from torch.distributed.fsdp import fully_shard  # noqa: E402
from torch.distributed.tensor import (  # noqa: E402
    Replicate,
    Shard,
    distribute_tensor,
    init_device_mesh,
)
from torch.nn.parallel import DistributedDataParallel  # noqa: E402
from torch.testing import assert_close  # noqa: E402

import focalcore  # noqa: E402
from focalcore.torch import SigmoidFocalLoss, SoftmaxFocalLoss  # noqa: E402

from .workers import Workers  # noqa: E402

pytestmark = pytest.mark.slow

ROWS = 12
LOSSES = {
    "sigmoid-mean": SigmoidFocalLoss(),
    "sigmoid-mean_positive": SigmoidFocalLoss(reduction="mean_positive"),
    "sigmoid-sum": SigmoidFocalLoss(reduction="sum", alpha=[0.2, 0.5, 0.8]),
    "softmax-mean": SoftmaxFocalLoss(),
    "softmax-mean_positive": SoftmaxFocalLoss(reduction="mean_positive", alpha=[1.0, 2.0, 3.0]),
}
every_loss = pytest.mark.parametrize("criterion", LOSSES.values(), ids=LOSSES)


@pytest.fixture(scope="module")
def workers():
    """Two workers and four, which start once: tests that are functions are run by one process."""
    with Workers(2) as two, Workers(4) as four:
        yield {2: two, 4: four}


def batch_for(criterion, n_positive, dtype=torch.float64):
    """Features, targets and weights of a batch; a softmax leaves out two of its rows."""
    draw = torch.Generator().manual_seed(n_positive)
    features = torch.randn(ROWS, 4, generator=draw, dtype=torch.float64).to(dtype)
    labels = torch.tensor([1 + i % 2 for i in range(n_positive)] + [0] * (ROWS - n_positive))
    labels[[3, 8]] = -100
    weights = torch.rand(ROWS, generator=draw, dtype=torch.float64).to(dtype)
    if isinstance(criterion, SoftmaxFocalLoss):
        return features, labels, weights
    return features, torch.nn.functional.one_hot(labels.clamp(min=0), 4)[:, 1:], weights[:, None]


def linear(dtype=torch.float64):
    """A model of three classes, the same in every process."""
    model = torch.nn.Linear(4, 3, dtype=dtype)
    with torch.no_grad():
        model.weight.copy_(torch.linspace(-1, 1, 12).reshape(3, 4))
        model.bias.fill_(0.1)
    return model


def split(rows, *arrays):
    """What each worker gets, where each has so many rows."""
    return list(zip(*(x.split(rows) for x in arrays), strict=True))


FEATURES, LABELS, _ = batch_for(SoftmaxFocalLoss(), n_positive=7)
WHOLE = linear()(FEATURES).detach(), LABELS  # what a softmax is given
PARTS = split([8, 4], *WHOLE)  # of two workers, which are unequal


def value_and_gradient(loss, logits, targets, weights=None):
    """A loss, and its gradient in the logits."""
    logits = logits.detach().requires_grad_()
    options = {} if weights is None else {"sample_weight": weights}
    value = loss(logits, targets, **options)
    return value.detach(), *torch.autograd.grad(value, logits)


def training_step(criterion, model, features, targets, weights=None):
    """A loss, and its gradient in the parameters."""
    loss = criterion(model(features), targets, sample_weight=weights)
    loss.backward()
    return loss.detach(), torch.cat([p.grad.flatten() for p in model.parameters()])


def every_step(test):
    """A test of every loss in every split of the rows, positives and weights over the workers."""
    for mark in (
        pytest.mark.parametrize(
            "weighted", ["unweighted", "weighted-except-on-the-first", "weighted"]
        ),
        pytest.mark.parametrize("n_positive", [0, 1, 7], ids="{}-positives".format),
        pytest.mark.parametrize(
            "rows", [[8, 4], [12, 0], [5, 4, 2, 1], [0, 7, 0, 5]], ids="rows-{}".format
        ),
        every_loss,
        pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str),
    ):
        test = mark(test)
    return test


def step_of_batch(criterion, rows, n_positive, weighted, dtype):
    """The batch of a step, and what each worker has of it, in a form for `training_step`."""
    features, targets, weights = batch_for(criterion, n_positive, dtype)
    if weighted == "unweighted":
        return (features, targets), split(rows, features, targets)
    parts = split(rows, features, targets, weights)
    if weighted == "weighted-except-on-the-first":  # a worker that gives none has weights of 1
        weights[: rows[0]] = 1
        parts[0] = parts[0][:2]
    return (features, targets, weights), parts


def step_under_ddp(criterion, features, *rest):
    model = DistributedDataParallel(linear(features.dtype))
    return training_step(criterion, model, features, *rest)


@every_step
def test_a_step_has_the_loss_and_the_gradient_of_one_process(
    workers, criterion, rows, n_positive, weighted, dtype
):
    batch, parts = step_of_batch(criterion, rows, n_positive, weighted, dtype)
    value, gradient = training_step(criterion, linear(dtype), *batch)
    bound, scale = {torch.float64: 1e-14, torch.float32: 1e-6}[dtype], gradient.abs().max()
    assert scale > 0
    for found in workers[len(rows)].map(step_under_ddp, [(criterion, *part) for part in parts]):
        assert_close(found[0], value, rtol=bound, atol=0)
        assert_close(found[1], gradient, rtol=0, atol=bound * scale)


@every_step
def test_the_loss_is_the_same_to_the_bit_on_every_worker(
    workers, criterion, rows, n_positive, weighted, dtype
):
    _, parts = step_of_batch(criterion, rows, n_positive, weighted, dtype)
    found = workers[len(rows)].map(step_under_ddp, [(criterion, *part) for part in parts])
    first, *others = (value for value, _ in found)
    assert all(torch.equal(other, first) for other in others)


def step_under_fsdp(criterion, features, targets):
    model = fully_shard(linear(), mesh=init_device_mesh("cpu", (2,)))
    loss = criterion(model(features), targets)
    loss.backward()
    return loss.detach(), torch.cat([p.grad.full_tensor().flatten() for p in model.parameters()])


def test_a_step_under_fsdp_needs_nothing_more(workers):
    criterion = SoftmaxFocalLoss()
    value, gradient = training_step(criterion, linear(), FEATURES, LABELS)
    parts = split([8, 4], FEATURES, LABELS)
    for found in workers[2].map(step_under_fsdp, [(criterion, *part) for part in parts]):
        assert_close(found[0], value, rtol=1e-14, atol=0)
        assert_close(found[1], gradient, rtol=1e-12, atol=1e-16)


def with_rows_spread(criterion, *batch):
    mesh = init_device_mesh("cpu", (dist.get_world_size(),))
    batch = (distribute_tensor(x, mesh, [Shard(0)]) for x in batch)
    return [x.full_tensor() for x in value_and_gradient(criterion, *batch)]


@pytest.mark.parametrize("number", [2, 4], ids="{}-workers".format)
@every_loss
@pytest.mark.parametrize("n_rows", [5, ROWS], ids="{}-rows".format)  # of 5, one of 4 has none
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
def test_dtensors_are_the_whole_batch(workers, number, criterion, n_rows, weighted):
    features, targets, weights = (x[:n_rows] for x in batch_for(criterion, n_positive=3))
    batch = (linear()(features).detach(), targets.clamp(min=0), *([weights] if weighted else []))
    value, gradient = value_and_gradient(criterion, *batch)
    for found in workers[number].map(with_rows_spread, [(criterion, *batch)] * number):
        assert_close(found[0], value, rtol=1e-14, atol=0)
        assert_close(found[1], gradient, rtol=0, atol=1e-14 * float(gradient.abs().max()))


def two_of_four():
    """Two pairs of workers: a pair is a row along "model", and holds what is one DTensor."""
    return init_device_mesh("cpu", (2, 2), mesh_dim_names=("data", "model"))


def summed_over_the_others(logits, labels):
    mesh = two_of_four()
    criterion = SoftmaxFocalLoss(process_group=mesh.get_group("data"))
    logits, labels = (distribute_tensor(x, mesh["model"], [Shard(0)]) for x in (logits, labels))
    value, gradient = value_and_gradient(criterion, logits, labels)
    return value, gradient.full_tensor()


def test_dtensors_of_some_workers_are_added_up_over_the_others(workers):
    first, second = PARTS
    value, gradient = value_and_gradient(SoftmaxFocalLoss(), *WHOLE)
    found = workers[4].map(summed_over_the_others, [first, first, second, second])
    of_first, of_second = gradient.split([8, 4])
    for each, part in zip(found, [of_first, of_first, of_second, of_second], strict=True):
        assert_close(each[0], value, rtol=1e-14, atol=0)
        assert_close(each[1] / 2, part, rtol=1e-12, atol=1e-16)


def refused_without_a_group(logits, labels):
    mesh = two_of_four()["model"]
    logits, labels = (distribute_tensor(x, mesh, [Shard(0)]) for x in (logits, labels))
    with pytest.raises(ValueError, match="a DTensor of 2 of 4 workers; give as process"):
        SoftmaxFocalLoss()(logits, labels)


def test_dtensors_of_some_workers_want_a_group(workers):
    first, second = PARTS
    workers[4].map(refused_without_a_group, [first, first, second, second])


def with_classes_spread(loss, logits, labels):
    mesh = init_device_mesh("cpu", (2,))
    logits = distribute_tensor(logits, mesh, [Shard(1)])
    labels = distribute_tensor(labels, mesh, [Replicate()])
    return [x.full_tensor() for x in value_and_gradient(loss, logits, labels)]


def softmax_mean(logits, labels, **options):
    return focalcore.softmax_focal_loss(
        logits, labels, ignore_index=-100, reduction="mean", **options
    )


def softmax_mean_whose_gamma_learns(logits, labels):
    gamma = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    return softmax_mean(logits, labels, gamma=gamma)


@pytest.mark.parametrize("loss", [softmax_mean, softmax_mean_whose_gamma_learns])
def test_dtensors_may_be_spread_over_the_classes(workers, loss):
    value, gradient = value_and_gradient(SoftmaxFocalLoss(), *WHOLE)
    for found in workers[2].map(with_classes_spread, [(loss, *WHOLE)] * 2):
        assert_close(found[0], value, rtol=1e-14, atol=0)
        assert_close(found[1], gradient, rtol=1e-12, atol=1e-16)


def test_without_reduction_each_worker_has_its_own_rows(workers):
    criterion = SoftmaxFocalLoss(reduction="none")
    for found, part in zip(workers[2].map(criterion, PARTS), PARTS, strict=True):
        assert torch.equal(found, criterion(*part))


def test_each_worker_can_be_left_alone(workers):
    alone = SoftmaxFocalLoss(gather_distributed=False)
    assert workers[2].map(alone, PARTS) == [alone(*part) for part in PARTS]


def in_a_group_of_one(logits, labels):
    groups = [dist.new_group([rank]) for rank in (0, 1)]
    criterion = SoftmaxFocalLoss(process_group=groups[dist.get_rank()])
    return criterion(logits, labels), copy.deepcopy(criterion)(logits, labels)


def test_a_group_of_one_has_its_own_loss(workers):
    found = [loss for loss, _ in workers[2].map(in_a_group_of_one, PARTS)]
    assert found == [SoftmaxFocalLoss()(*part) for part in PARTS]


def test_a_copy_of_a_module_has_the_same_group(workers):
    for loss, loss_of_copy in workers[2].map(in_a_group_of_one, PARTS):
        assert loss_of_copy == loss


def refused_in_a_group_of_others(logits, labels):
    groups = [dist.new_group([rank]) for rank in (0, 1)]
    criterion = SoftmaxFocalLoss(process_group=groups[1 - dist.get_rank()])
    with pytest.raises(ValueError, match="does not hold this worker"):
        criterion(logits, labels)


def test_a_group_of_others_is_an_error(workers):
    workers[2].map(refused_in_a_group_of_others, PARTS)


def in_a_group_and_after_it(criterion, *part):
    shared = criterion(*part)
    dist.destroy_process_group()
    return shared, criterion(*part)


def test_whether_to_share_is_decided_at_each_call(workers):
    criterion = SoftmaxFocalLoss()
    found = workers[2].map(in_a_group_and_after_it, [(criterion, *part) for part in PARTS])
    for (shared, afterwards), part in zip(found, PARTS, strict=True):
        assert_close(shared, criterion(*WHOLE), rtol=1e-14, atol=0)
        assert shared != criterion(*part)
        assert afterwards == criterion(*part)


def without_gradient(criterion, logits, labels):
    with torch.no_grad():
        return criterion(logits.requires_grad_(), labels)


def test_the_loss_is_that_of_all_without_a_gradient_too(workers):
    arguments = [(SoftmaxFocalLoss(), *part) for part in PARTS]
    learning = [value for value, _ in workers[2].map(value_and_gradient, arguments)]
    assert workers[2].map(without_gradient, arguments) == learning


def compiled(criterion, *part):
    return value_and_gradient(torch.compile(criterion, fullgraph=True, backend="aot_eager"), *part)


def test_compiled_modules_share(workers):
    arguments = [(SoftmaxFocalLoss(), *part) for part in PARTS]
    eager = workers[2].map(value_and_gradient, arguments)
    for found, expected in zip(workers[2].map(compiled, arguments), eager, strict=True):
        assert_close(found[0], expected[0], rtol=1e-14, atol=0)
        assert_close(found[1], expected[1], rtol=1e-12, atol=0)


def gradient_in_the_targets(criterion, logits, targets):
    targets = targets.detach().requires_grad_()
    return torch.autograd.grad(criterion(logits, targets), targets)[0]


def test_targets_that_learn_have_the_gradient_of_one_process(workers):
    criterion = SigmoidFocalLoss(reduction="mean_positive")
    logits, targets = torch.randn(7, 2), torch.full((7, 2), 0.5)
    parts = split([3, 4], logits, targets)
    found = workers[2].map(gradient_in_the_targets, [(criterion, *part) for part in parts])
    expected = gradient_in_the_targets(criterion, logits, targets)
    assert_close(torch.cat(found) / 2, expected)


def by_a_function_with_the_count_of_all(logits, labels):
    count = (labels > 0).sum()
    dist.all_reduce(count)
    share = count.clamp(min=1) / 2
    return value_and_gradient(functools.partial(softmax_mean, normalizer=share), logits, labels)


def test_a_function_takes_the_count_of_all(workers):
    criterion = SoftmaxFocalLoss(reduction="mean_positive")
    found = workers[2].map(by_a_function_with_the_count_of_all, PARTS)
    value, gradient = value_and_gradient(criterion, *WHOLE)
    assert_close(sum(value for value, _ in found) / 2, value, rtol=1e-14, atol=0)
    assert_close(torch.cat([part for _, part in found]) / 2, gradient, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_to_share_without_a_process_group_is_an_error(reduction):
    criterion = SigmoidFocalLoss(gather_distributed=True, reduction=reduction)
    with pytest.raises(RuntimeError, match="needs a process group, and there is none"):
        criterion(torch.zeros(3), torch.zeros(3))


def with_the_count_of_the_whole(criterion, logits, targets, count):
    """The gradient of a worker's part, which exchanges nothing: no other worker is asked."""
    logits = logits.detach().requires_grad_()
    loss = criterion(logits, targets, normalizer=count)
    return loss.detach(), *torch.autograd.grad(loss, logits)


def test_a_count_at_the_call_exchanges_nothing(workers):
    """Where one calls once, and the other never, an exchange would wait for ever."""
    found = workers[2].map(
        with_the_count_of_the_whole_on_the_first, [(*part, 5.0) for part in PARTS]
    )
    value, grad = found[0]
    expected, slope = with_the_count_of_the_whole(SoftmaxFocalLoss(), *PARTS[0], 5.0)
    assert_close(value, expected)
    assert_close(grad, slope)
    assert found[1] is None


def with_the_count_of_the_whole_on_the_first(logits, targets, count):
    if dist.get_rank():
        return None
    return with_the_count_of_the_whole(SoftmaxFocalLoss(), logits, targets, count)


def test_parts_by_the_count_of_the_whole_add_up_to_it(workers):
    logits, labels = WHOLE
    count = int((labels != -100).sum())
    criterion = SoftmaxFocalLoss()
    found = workers[2].map(
        with_the_count_of_the_whole, [(criterion, *part, count) for part in PARTS]
    )
    value, grad = value_and_gradient(criterion, logits, labels)
    assert_close(sum(v for v, _ in found), value)
    assert_close(torch.cat([g for _, g in found]), grad)


def metric_of(x, y):
    from focalcore.torch import FocalMetric

    metric = FocalMetric("multi-class", alpha=[1.0, 2.0, 3.0], num_classes=3)
    metric.update(x, y)
    return metric.compute().item()


def test_a_metric_is_that_of_all_workers(workers):
    pytest.importorskip("torchmetrics", reason="torchmetrics is not installed")
    x, y = torch.randn(10, 3, dtype=torch.float64), torch.randint(0, 3, (10,))
    expected = focalcore.softmax_focal_loss(x, y, alpha=[1.0, 2.0, 3.0], reduction="mean").item()
    found = workers[2].map(metric_of, [(x[:3], y[:3]), (x[3:], y[3:])])
    assert found == pytest.approx([expected, expected])
