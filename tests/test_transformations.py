"""The same numbers, unchanged code, under every way of running that the libraries have."""

import functools

import numpy as np
import pytest

from conformance.places import DASK, JAX, TORCH
from focalcore import (
    FocalLoss,
    binary_focal_loss,
    categorical_focal_loss,
    sigmoid_focal_loss,
    softmax_focal_loss,
    sparse_categorical_focal_loss,
)

from .helpers import close
from .problems import C, N, problem
from .programs import output_of
from .slices import slice_of

PER_CLASS = [0.1, 0.2, 0.3, 0.4, 0.5]

CASES = {
    "sigmoid": (lambda x, y: sigmoid_focal_loss(x, y, alpha=0.25), ("x", "y")),
    "sigmoid-soft": (
        lambda x, rows, weight, mask: sigmoid_focal_loss(
            x,
            rows,
            alpha=PER_CLASS,
            gamma=[0.0, 0.5, 1.0, 2.0, 3.7],
            soft_targets="mixture",
            weight=weight[:, None],
            mask=mask[:, None],
            reduction="mean",
            normalizer="positives",
        ),
        ("x", "distributions", "row_weight", "row_mask"),
    ),
    "sigmoid-smoothed": (
        lambda x, y: sigmoid_focal_loss(
            x, y, label_smoothing=0.1, soft_targets="hard", ignore_index=0, reduction="mean"
        ),
        ("x", "y"),
    ),
    "softmax": (
        lambda x, labels: softmax_focal_loss(
            x, labels, alpha=PER_CLASS, gamma=1.5, ignore_index=2, reduction="mean"
        ),
        ("x", "labels"),
    ),
    "softmax-soft": (
        lambda x, rows: softmax_focal_loss(x, rows, gamma=[0.0, 0.5, 1.0, 2.0, 3.7]),
        ("x", "distributions"),
    ),
    "softmax-mixture": (
        lambda x, rows, mask: softmax_focal_loss(x, rows, soft_targets="mixture", mask=mask),
        ("x", "distributions", "row_mask"),
    ),
    "softmax-axis": (
        lambda x, labels, weight: softmax_focal_loss(
            x.T,
            labels,
            axis=0,
            label_smoothing=0.1,
            weight=weight,
            reduction="mean",
            normalizer="weight",
        ),
        ("x", "labels", "row_weight"),
    ),
    "binary": (lambda y, p: binary_focal_loss(y, p, label_smoothing=0.1), ("y", "p")),
    "categorical": (
        lambda labels, p: sparse_categorical_focal_loss(labels, p, class_weight=PER_CLASS),
        ("labels", "p"),
    ),
    "categorical-distributions": (
        lambda y, p: categorical_focal_loss(y, p, alpha=PER_CLASS, label_smoothing=0.1),
        ("distributions", "p"),
    ),
    "object": (FocalLoss(alpha=0.25, task_type="multi-label", num_classes=C), ("x", "y")),
}

every_case = pytest.mark.parametrize("case", CASES)


def loss_call(place, case):
    place.require()
    function, names = CASES[case]
    arrays = problem()
    expected = function(*(arrays[name] for name in names))
    return function, [place.array(arrays[name]) for name in names], expected


def agree(place, found, expected):
    close(place.numpy(found), expected, rtol=1e-12)


def compiled_by_torch(case, dynamic):
    """As far as AOT, which takes nothing that the capture before it has not taken in one graph."""
    function, arrays, expected = loss_call(TORCH, case)
    import torch

    torch._dynamo.reset()
    options = {"fullgraph": True, "dynamic": dynamic, "backend": "aot_eager"}
    return torch.compile(function, **options), arrays, expected


@pytest.mark.slow
@every_case
def test_torch_compile_takes_one_graph_without_a_warning(case):
    compiled, arrays, expected = compiled_by_torch(case, dynamic=False)
    agree(TORCH, compiled(*arrays), expected)


@pytest.mark.slow
@pytest.mark.parametrize("case", slice_of(CASES, "sigmoid-soft", "binary"))
def test_torch_compile_takes_any_shape_in_one_graph_without_a_warning(case):
    compiled, arrays, expected = compiled_by_torch(case, dynamic=True)
    agree(TORCH, compiled(*arrays), expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    "case",
    slice_of(
        CASES,
        *("sigmoid-smoothed", "softmax-axis", "softmax-mixture", "binary"),
    ),
)
def test_torch_compile_takes_the_gradient_of_any_shape_in_one_graph(torch, case):
    compiled, arrays, expected = compiled_by_torch(case, dynamic=True)
    function, names = CASES[case]
    leaf = arrays[names.index("p" if "p" in names else "x")].requires_grad_()
    value = compiled(*arrays)
    agree(TORCH, value, expected)
    found, eager = (torch.autograd.grad(v.sum(), leaf) for v in (value, function(*arrays)))
    torch.testing.assert_close(found, eager, rtol=1e-12, atol=1e-15)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["sigmoid", "softmax", "softmax-soft"])
def test_torch_inductor_gives_the_same_numbers(torch, case):
    function, arrays, expected = loss_call(TORCH, case)
    torch._dynamo.reset()
    agree(TORCH, torch.compile(function, fullgraph=True)(*arrays), expected)


def test_torch_compile_does_not_recompile_for_each_batch_size(torch):
    from torch._dynamo.testing import CompileCounter

    torch._dynamo.reset()
    counter = CompileCounter()
    compiled = torch.compile(
        functools.partial(sigmoid_focal_loss, reduction="mean"), fullgraph=True, backend=counter
    )
    for n in (4, 8, 16, 33, 50):
        x, y = torch.linspace(-3, 3, n), torch.ones(n, dtype=torch.int64)
        assert compiled(x, y).item() == pytest.approx(
            sigmoid_focal_loss(x, y, reduction="mean").item(), rel=1e-6
        )
    assert counter.frame_count <= 2


@pytest.mark.slow
@pytest.mark.usefixtures("torch")
def test_torch_compile_may_be_the_first_thing_that_happens():
    code = """if True:
        import torch
        from focalcore import softmax_focal_loss

        def loss(x, y):
            return softmax_focal_loss(x, y, alpha=[0.2, 1.0], gamma=1.5, reduction="mean")

        compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
        x = torch.tensor([[2.0, -1.0]], requires_grad=True)
        compiled(x, torch.tensor([1])).backward()
        assert x.grad[0, 0] > 0
    """
    output_of("-c", code)


@pytest.mark.slow
def test_torch_gradients_at_infinity_are_the_limit_by_every_route(torch):
    inf = float("inf")
    x, y = torch.tensor([inf, inf, -inf, -inf]), torch.tensor([0, 1, 0, 1])
    rows = torch.tensor([[0.0, -inf, -inf], [1.0, 1.0, -inf]])
    soft = torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]])

    def of_logits(x):
        return sigmoid_focal_loss(x, y, gamma=0.5).sum()

    def of_rows(x):
        return softmax_focal_loss(x, soft).sum()

    torch._dynamo.reset()
    for loss, at, limit in (
        (of_logits, x, torch.tensor([1.0, 0.0, 0.0, -1.0])),
        (of_rows, rows, torch.zeros(2, 3)),
    ):
        compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
        leaf = at.clone().requires_grad_()
        (through_compile,) = torch.autograd.grad(compiled(leaf), leaf)
        (eager,) = torch.autograd.grad(loss(leaf), leaf)
        for grad in (eager, through_compile, torch.func.grad(loss)(at)):
            torch.testing.assert_close(grad, limit)


@every_case
def test_torch_vmap_gives_the_same_numbers(torch, case):
    function, arrays, expected = loss_call(TORCH, case)
    found = torch.func.vmap(function)(*(torch.stack([a, a]) for a in arrays))
    agree(TORCH, found, np.stack([expected, expected]))


@every_case
def test_torch_export_gives_the_same_numbers(torch, case):
    function, arrays, expected = loss_call(TORCH, case)

    class Loss(torch.nn.Module):
        def forward(self, *arrays):
            return function(*arrays)

    agree(TORCH, torch.export.export(Loss(), tuple(arrays)).module()(*arrays), expected)


def test_torch_meta_tensors_have_shapes_alone(torch):
    x = torch.zeros(4, 3, device="meta")
    assert sigmoid_focal_loss(x, x).shape == (4, 3)
    assert softmax_focal_loss(x, torch.zeros(4, dtype=torch.int64, device="meta")).shape == (4,)


@every_case
def test_jax_jit_gives_the_same_numbers(jax, case):
    function, arrays, expected = loss_call(JAX, case)
    agree(JAX, jax.jit(function)(*arrays), expected)


@every_case
def test_jax_vmap_gives_the_same_numbers(jax, case):
    function, arrays, expected = loss_call(JAX, case)
    found = jax.jit(jax.vmap(function))(*(jax.numpy.stack([a, a]) for a in arrays))
    agree(JAX, found, np.stack([expected, expected]))


def test_jax_traces_the_parameters_too(jax):
    arrays = problem()
    x, y = JAX.array(arrays["x"]), JAX.array(arrays["y"])

    @jax.jit
    def loss(gamma, alpha, count):
        return sigmoid_focal_loss(
            x, y, gamma=gamma, alpha=alpha, reduction="mean", normalizer=count
        )

    expected = sigmoid_focal_loss(
        arrays["x"], arrays["y"], gamma=1.7, alpha=0.3, reduction="mean", normalizer=11
    )
    agree(JAX, loss(1.7, 0.3, 11.0), expected)
    assert np.isnan(loss(-1.0, 0.3, 11.0))


def test_jax_traced_targets_become_nan_where_they_are_bad(jax):
    x, y = JAX.array(problem()["x"]), np.ones((N, C))
    y[2, 3] = 7
    found = np.isnan(jax.jit(sigmoid_focal_loss)(x, JAX.array(y)))
    assert found[2, 3]
    assert found.sum() == 1


MASKED = {  # a loss of two rows, the second of which has a bad target
    "targets": (sigmoid_focal_loss, [0.0, 0.0], [1.0, 7.0]),
    "labels": (softmax_focal_loss, [[0.0, 0.0]] * 2, [1, 7]),
    "rows": (softmax_focal_loss, [[0.0, 0.0]] * 2, [[1.0, 0.0], [7.0, 0.0]]),
}


@pytest.mark.parametrize("case", MASKED)
def test_jax_a_traced_mask_leaves_out_bad_targets_that_are_seen(case):
    JAX.require()
    import jax

    function, *arrays = MASKED[case]
    x, y = (JAX.array(np.asarray(a)) for a in arrays)
    loss = jax.jit(lambda mask: function(x, y, mask=mask))
    for counted in (False, True):
        found = np.isnan(loss(JAX.array(np.asarray([True, counted]))))
        np.testing.assert_array_equal(found, [False, counted])


@pytest.mark.parametrize("traced", ["y_true", "y_pred"])
@pytest.mark.parametrize("loss", [binary_focal_loss, sparse_categorical_focal_loss])
def test_jax_what_is_traced_becomes_nan_beside_what_is_seen(loss, traced):
    JAX.require()
    import jax

    good, bad = (0.5, 7.0) if traced == "y_pred" else (1, 7)
    is_binary = loss is binary_focal_loss
    given = {
        "y_true": JAX.array(np.asarray([1, 0])),
        "y_pred": JAX.array(np.full(2 if is_binary else (2, 2), 0.5)),
        traced: JAX.array(np.asarray([good, bad])),
    }
    if traced == "y_pred" and not is_binary:
        given["y_pred"] = JAX.array(np.asarray([[0.5, 0.5], [bad, 0.5]]))
    moving = given.pop(traced)
    found = jax.jit(lambda moving: loss(**given, **{traced: moving}))(moving)
    np.testing.assert_array_equal(np.isnan(found), [False, True])


@every_case
def test_dask_computes_nothing_until_asked(dask, case):
    function, arrays, expected = loss_call(DASK, case)
    with dask.config.set(scheduler=_never):
        loss = function(*arrays)
    agree(DASK, loss, expected)


def _never(*_args, **_kwargs):
    raise AssertionError("dask was asked to compute")


def test_dask_makes_one_task_per_chunk(dask):
    x, y = dask.array.zeros((80, 3), chunks=(10, 3)), dask.array.ones((80, 3), chunks=(10, 3))
    (loss,) = dask.optimize(sigmoid_focal_loss(x, y))
    assert len(dict(loss.__dask_graph__())) == 8


def test_dask_takes_chunks_of_unequal_and_unknown_length(dask):
    arrays = problem()
    expected = sigmoid_focal_loss(arrays["x"], arrays["y"], reduction="mean")
    x = dask.array.from_array(arrays["x"], chunks=((1, 3, 2), (2, 3)))
    y = dask.array.from_array(arrays["y"], chunks=((4, 2), (5,)))
    agree(DASK, sigmoid_focal_loss(x, y, reduction="mean"), expected)

    keep = dask.array.from_array(np.ones(N, dtype=bool), chunks=3)
    x, y = (dask.array.from_array(arrays[name], chunks=(3, C))[keep] for name in ("x", "y"))
    assert np.isnan(x.shape[0])
    agree(DASK, sigmoid_focal_loss(x, y, reduction="mean"), expected)
    labels = dask.array.from_array(arrays["labels"], chunks=3)[keep]
    expected = softmax_focal_loss(arrays["x"], arrays["labels"], reduction="mean")
    agree(DASK, softmax_focal_loss(x, labels, reduction="mean"), expected)
