"""Many workers in torch: what they end up with is what one process has for the whole batch."""

import copy
import functools
import itertools

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
dist = pytest.importorskip("torch.distributed", reason="torch has no distributed package")
if not dist.is_available():
    pytest.skip("torch was built without distributed", allow_module_level=True)

from torch.nn.parallel import DistributedDataParallel  # noqa: E402

import focalcore  # noqa: E402
from focalcore.torch import SigmoidFocalLoss, SoftmaxFocalLoss  # noqa: E402

from .workers import run_on_workers  # noqa: E402

pytestmark = pytest.mark.slow
WORKERS = (2, 4)
LOSSES = {
    "sigmoid-mean": (SigmoidFocalLoss, {}),
    "sigmoid-mean_positive": (SigmoidFocalLoss, {"reduction": "mean_positive"}),
    "sigmoid-sum": (SigmoidFocalLoss, {"reduction": "sum", "alpha": [0.2, 0.5, 0.8]}),
    "softmax-mean": (SoftmaxFocalLoss, {}),
    "softmax-mean_positive": (
        SoftmaxFocalLoss,
        {"reduction": "mean_positive", "alpha": [1.0, 2.0, 3.0]},
    ),
}
ROWS = 12
SHARDS = {2: ((8, 4), (12, 0)), 4: ((5, 4, 2, 1), (0, 7, 0, 5))}
PART = (slice(0, 8), slice(8, ROWS))  # of two
POSITIVES = {"no-positives": 0, "one-positive": 1, "positives": 7}
WEIGHTED = ("no-weights", "some-weights", "weights")
DTYPES = {torch.float64: 1e-14, torch.float32: 1e-6}
CASES = list(itertools.product(DTYPES, LOSSES, (0, 1), POSITIVES, WEIGHTED))


def readable(case):
    return "-".join(map(str, case))


every_number = pytest.mark.parametrize("number", WORKERS, ids="{}-workers".format)
every_case = pytest.mark.parametrize("case", CASES, ids=readable)


def batch(positives, dtype):
    """Features, class labels and weights of the whole batch; two rows are to be ignored."""
    draw = torch.Generator().manual_seed(positives)
    features = torch.randn(ROWS, 4, generator=draw, dtype=torch.float64).to(dtype)
    labels = torch.tensor([1 + i % 2 for i in range(positives)] + [0] * (ROWS - positives))
    labels[[3, 8]] = -100
    weights = torch.rand(ROWS, generator=draw, dtype=torch.float64).to(dtype)
    return features, labels, weights


def model(dtype):
    linear = torch.nn.Linear(4, 3, dtype=dtype)
    with torch.no_grad():
        linear.weight.copy_(torch.linspace(-1, 1, 12).reshape(3, 4))
        linear.bias.fill_(0.1)
    return linear


def loss_of(criterion, logits, labels, weights):
    """A criterion at class labels, which a sigmoid takes as three answers with a weight each."""
    if isinstance(criterion, SoftmaxFocalLoss):
        return criterion(logits, labels, sample_weight=weights)
    targets = torch.nn.functional.one_hot(labels.clamp(min=0), 4)[:, 1:]
    weights = None if weights is None else weights[:, None]
    return criterion(logits, targets, sample_weight=weights)


def gradients(linear):
    return torch.cat([p.grad.flatten() for p in linear.parameters()])


def one_process(name, positives, weights_from, dtype):
    """The loss and the gradient of the whole batch, where weights begin at some row."""
    kind, options = LOSSES[name]
    features, labels, weights = batch(positives, dtype)
    weights[:weights_from] = 1
    given = weights if weights_from < ROWS else None
    linear = model(dtype)
    loss = loss_of(kind(**options, gather_distributed=False), linear(features), labels, given)
    loss.backward()
    return loss.detach(), gradients(linear)


def weights_start(weighted, shards):
    """The row from which there are weights: those of the second worker, of all, or none."""
    return {"no-weights": ROWS, "some-weights": shards[0], "weights": 0}[weighted]


def many_workers(case, rank, number):
    """The same, as a worker has it in the end."""
    dtype, name, which, positives, weighted = case
    kind, options = LOSSES[name]
    shards = SHARDS[number][which]
    start = sum(shards[:rank])
    own = slice(start, start + shards[rank])
    features, labels, weights = (x[own] for x in batch(POSITIVES[positives], dtype))
    given = weights if start >= weights_start(weighted, shards) else None
    linear = model(dtype)
    parallel = DistributedDataParallel(linear)
    loss = loss_of(kind(**options), parallel(features), labels, given)
    loss.backward()
    return loss.detach(), gradients(linear)


def all_cases(rank, number):
    return {case: many_workers(case, rank, number) for case in CASES}


def everything(rank, number):
    results = all_cases(rank, number) | dtensors(number)
    return results | (single_calls(rank, number) if number == 2 else meshes(rank))


@functools.cache
def attempt(number):
    try:
        return run_on_workers(number, everything)
    except Exception as error:  # is raised by every test, of one attempt
        return error


def found(number):
    """What each worker finds, from one start of the workers."""
    results = attempt(number)
    if isinstance(results, Exception):
        raise results
    return results


@every_number
@every_case
def test_value_and_gradient_are_those_of_one_process(number, case):
    dtype, name, which, positives, weighted = case
    start = weights_start(weighted, SHARDS[number][which])
    value, gradient = one_process(name, POSITIVES[positives], start, dtype)
    bound, scale = DTYPES[dtype], gradient.abs().max()
    assert scale > 0
    for workers_value, workers_gradient in (w[case] for w in found(number)):
        torch.testing.assert_close(workers_value, value, rtol=bound, atol=0)
        torch.testing.assert_close(workers_gradient, gradient, rtol=0, atol=bound * scale)


@every_number
@every_case
def test_value_is_the_same_on_every_worker(number, case):
    first, *others = (w[case][0] for w in found(number))
    assert all(torch.equal(other, first) for other in others)


DTENSORS = list(itertools.product(LOSSES, (5, ROWS), (False, True)))  # 5 rows: a worker has none


def dtensors(number):
    """The loss and the gradient of a batch that is one DTensor."""
    from torch.distributed.tensor import Shard, distribute_tensor, init_device_mesh

    mesh, results = init_device_mesh("cpu", (number,)), {}
    for case in DTENSORS:
        name, rows, is_weighted = case
        kind, options = LOSSES[name]
        features, labels, weights = (x[:rows] for x in batch(3, torch.float64))
        logits, labels, weights = (
            distribute_tensor(x, mesh, [Shard(0)])
            for x in (model(torch.float64)(features).detach(), labels.clamp(min=0), weights)
        )
        logits.requires_grad_()
        weights = weights if is_weighted else None
        loss = loss_of(kind(**options), logits, labels, weights)
        loss.backward()
        results[case] = loss.full_tensor().detach(), logits.grad.full_tensor()
    return results


@every_number
@pytest.mark.parametrize("case", DTENSORS, ids=readable)
def test_dtensors_are_the_whole_batch(number, case):
    name, rows, is_weighted = case
    kind, options = LOSSES[name]
    features, labels, weights = (x[:rows] for x in batch(3, torch.float64))
    logits = model(torch.float64)(features).detach().requires_grad_()
    loss = loss_of(kind(**options), logits, labels.clamp(min=0), weights if is_weighted else None)
    loss.backward()
    for value, gradient in (w[case] for w in found(number)):
        torch.testing.assert_close(value, loss.detach(), rtol=1e-14, atol=0)
        scale = float(logits.grad.abs().max())
        torch.testing.assert_close(gradient, logits.grad, rtol=0, atol=1e-14 * scale)


def meshes(rank):
    """What four workers find, of which each two hold a batch as one DTensor."""
    from torch.distributed.tensor import Shard, distribute_tensor, init_device_mesh

    mesh = init_device_mesh("cpu", (2, 2), mesh_dim_names=("data", "model"))
    features, labels, _ = batch(7, torch.float64)
    own = PART[rank // 2]
    logits, labels = (
        distribute_tensor(x[own], mesh["model"], [Shard(0)])
        for x in (model(torch.float64)(features).detach(), labels)
    )
    logits.requires_grad_()
    loss = SoftmaxFocalLoss(process_group=mesh.get_group("data"))(logits, labels)
    loss.backward()
    results = {"data": (loss.detach(), logits.grad.full_tensor())}
    try:
        SoftmaxFocalLoss()(logits, labels)
    except ValueError as error:
        results["unnamed"] = str(error)
    return results


def test_dtensors_of_some_workers_are_added_up_over_the_others():
    features, labels, _ = batch(7, torch.float64)
    logits = model(torch.float64)(features).detach().requires_grad_()
    loss = SoftmaxFocalLoss(gather_distributed=False)(logits, labels)
    loss.backward()
    for rank, (value, gradient) in enumerate(w["data"] for w in found(4)):
        own = PART[rank // 2]
        torch.testing.assert_close(value, loss.detach(), rtol=1e-14, atol=0)
        torch.testing.assert_close(gradient / 2, logits.grad[own], rtol=1e-12, atol=1e-16)


def test_dtensors_of_some_workers_want_a_group():
    assert all("a DTensor of 2 of 4 workers; give as process" in w["unnamed"] for w in found(4))


def own_part(rank):
    """Logits that learn, and labels, of an unequal part of a batch."""
    features, labels, _ = batch(7, torch.float64)
    own = PART[rank]
    return model(torch.float64)(features).detach()[own].requires_grad_(), labels[own]


def with_gradient(loss, x):
    return loss.detach(), *torch.autograd.grad(loss, x)


def single_calls(rank, number):
    """What is asked once, of two workers."""
    from torch.distributed.tensor import init_device_mesh

    logits, labels = own_part(rank)
    criterion, mesh = SoftmaxFocalLoss(), init_device_mesh("cpu", (number,))
    results = {"all": criterion(logits, labels).detach()}
    results["gradient"] = with_gradient(criterion(logits, labels), logits)[1]
    compiled = torch.compile(criterion, fullgraph=True, backend="aot_eager")
    results["compiled"] = with_gradient(compiled(logits, labels), logits)
    results |= left_alone(logits, labels, rank, number)
    results |= counted_by_hand(logits, labels, number)
    results |= learned_targets(rank) | over_classes(mesh) | fully_sharded(rank, mesh)
    with torch.no_grad():
        results["evaluated"] = criterion(logits, labels)
    dist.destroy_process_group()
    results["afterwards"] = criterion(logits, labels).detach()
    return results


def left_alone(logits, labels, rank, number):
    """Without reduction, without sharing, and in a group of one."""
    groups = [dist.new_group([r]) for r in range(number)]
    grouped = SoftmaxFocalLoss(process_group=groups[rank])
    results = {
        "rows": SoftmaxFocalLoss(reduction="none")(logits, labels).detach(),
        "own": SoftmaxFocalLoss(gather_distributed=False)(logits, labels).detach(),
        "group": grouped(logits, labels).detach(),
        "copied group": copy.deepcopy(grouped)(logits, labels).detach(),
    }
    try:
        SoftmaxFocalLoss(process_group=groups[1 - rank])(logits, labels)
    except ValueError as error:
        results["another's group"] = str(error)
    return results


def counted_by_hand(logits, labels, number):
    """A function, which is given the count of all, and a module."""
    count = (labels > 0).sum()
    dist.all_reduce(count)
    by_function = focalcore.softmax_focal_loss(
        logits,
        labels,
        ignore_index=-100,
        reduction="mean",
        normalizer=count.clamp(min=1) / number,
    )
    by_module = SoftmaxFocalLoss(reduction="mean_positive")(logits, labels)
    return {
        "function": with_gradient(by_function, logits),
        "module": with_gradient(by_module, logits),
    }


def learned_targets(rank):
    features, soft = torch.randn(3 + rank, 2), torch.full((3 + rank, 2), 0.5).requires_grad_()
    loss = SigmoidFocalLoss(reduction="mean_positive")(features, soft)
    return {"learned targets": (features, *torch.autograd.grad(loss, soft))}


def over_classes(mesh):
    """DTensors of which each worker has some classes, of all rows."""
    from torch.distributed.tensor import Replicate, Shard, distribute_tensor

    logits, labels = own_part(0)
    logits = distribute_tensor(logits.detach(), mesh, [Shard(1)]).requires_grad_()
    labels = distribute_tensor(labels, mesh, [Replicate()])
    gamma = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    results = {}
    for name, options in {"by class": {}, "by class, learned": {"gamma": gamma}}.items():
        loss = focalcore.softmax_focal_loss(
            logits, labels, ignore_index=-100, reduction="mean", **options
        )
        results[name] = tuple(x.full_tensor() for x in with_gradient(loss, logits))
    return results


def fully_sharded(rank, mesh):
    from torch.distributed.fsdp import fully_shard

    features, labels, _ = batch(7, torch.float64)
    sharded = fully_shard(model(torch.float64), mesh=mesh)
    loss = SoftmaxFocalLoss()(sharded(features[PART[rank]]), labels[PART[rank]])
    loss.backward()
    whole = [p.grad.full_tensor().flatten() for p in sharded.parameters()]
    return {"fsdp": (loss.detach(), torch.cat(whole))}


def of_two(name):
    return [results[name] for results in found(2)]


def test_without_reduction_each_worker_has_its_own_rows():
    for rank, rows in enumerate(of_two("rows")):
        logits, labels = own_part(rank)
        expected = SoftmaxFocalLoss(reduction="none")(logits, labels).detach()
        assert torch.equal(rows, expected)


def test_each_worker_can_be_left_alone():
    first, second = of_two("own")
    assert first != second
    assert of_two("group") == of_two("own")


def test_a_copy_shares_the_process_group():
    assert of_two("copied group") == of_two("group")


def test_a_group_of_others_is_an_error():
    assert all("does not hold this worker" in message for message in of_two("another's group"))


def test_whether_to_share_is_decided_at_each_call():
    assert of_two("all") != of_two("own")
    assert of_two("afterwards") == of_two("own")


def test_the_value_is_that_of_all_without_a_gradient_too():
    assert of_two("evaluated") == of_two("all")


def test_compiled_modules_share():
    for (value, gradient), rank in zip(of_two("compiled"), range(2), strict=True):
        torch.testing.assert_close(value, of_two("all")[rank], rtol=1e-14, atol=0)
        torch.testing.assert_close(gradient, of_two("gradient")[rank], rtol=1e-12, atol=0)


def test_fsdp_needs_nothing_more():
    value, gradient = one_process("softmax-mean", 7, ROWS, torch.float64)
    for workers_value, workers_gradient in of_two("fsdp"):
        torch.testing.assert_close(workers_value, value, rtol=1e-14, atol=0)
        torch.testing.assert_close(workers_gradient, gradient, rtol=1e-12, atol=1e-16)


def test_targets_that_learn_have_the_gradient_of_one_process():
    features = torch.cat([features for features, _ in of_two("learned targets")])
    soft = torch.full_like(features, 0.5).requires_grad_()
    loss = SigmoidFocalLoss(reduction="mean_positive", gather_distributed=False)(features, soft)
    (expected,) = torch.autograd.grad(loss, soft)
    found = torch.cat([gradient for _, gradient in of_two("learned targets")])
    torch.testing.assert_close(found / 2, expected)


def test_a_function_takes_the_count_of_all():
    parts, (first, second) = of_two("module"), of_two("function")
    torch.testing.assert_close((first[0] + second[0]) / 2, parts[0][0], rtol=1e-14, atol=0)
    for (_, gradient), (_, expected) in zip((first, second), parts, strict=True):
        torch.testing.assert_close(gradient, expected, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("name", ["by class", "by class, learned"])
def test_dtensors_may_be_spread_over_the_classes(name):
    logits, labels = own_part(0)
    loss = SoftmaxFocalLoss()(logits, labels)
    (expected,) = torch.autograd.grad(loss, logits)
    value, gradient = of_two(name)[0]
    torch.testing.assert_close(value, loss.detach(), rtol=1e-14, atol=0)
    torch.testing.assert_close(gradient, expected, rtol=1e-12, atol=1e-16)


def test_to_share_without_a_process_group_is_an_error():
    for reduction in ("mean", "none"):
        criterion = SigmoidFocalLoss(gather_distributed=True, reduction=reduction)
        with pytest.raises(RuntimeError, match="needs a process group, and there is none"):
            criterion(torch.zeros(3), torch.zeros(3))
