"""Many workers in dask: the mean is that of the whole array, however it is cut."""

import pytest

import focalcore

da = pytest.importorskip("dask.array", reason="dask is not installed")
distributed = pytest.importorskip("distributed", reason="distributed is not installed")

from .helpers import close  # noqa: E402

CHUNKS = ((1, 500, 0, 3000, 499), (3,))  # rows; none of them alike
SIGMOID = {
    "number": {},
    "positives": {"normalizer": "positives"},
    "weight": {"normalizer": "weight"},
    "given": {"normalizer": 17.0},
}


@pytest.fixture(scope="module")
def client():
    """Two processes; what is computed while it lasts is computed there."""
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        yield client


@pytest.fixture
def rows(rng):
    rows = sum(CHUNKS[0])
    logits, weight = rng.normal(size=(rows, 3)), rng.random(rows)
    return logits, rng.random((rows, 3)) < 0.01, rng.integers(0, 3, rows), weight


def cut(x):
    return da.from_array(x, chunks=CHUNKS[: x.ndim])


@pytest.mark.parametrize("options", SIGMOID.values(), ids=SIGMOID)
def test_sigmoid_mean_is_that_of_numpy(client, rows, options):
    logits, targets, _, weight = rows
    options = options | {"alpha": 0.25, "reduction": "mean"}
    lazy = focalcore.sigmoid_focal_loss(
        cut(logits), cut(targets), weight=cut(weight)[:, None], **options
    )
    expected = focalcore.sigmoid_focal_loss(logits, targets, weight=weight[:, None], **options)
    assert isinstance(lazy, da.Array)
    close(client.compute(lazy).result(), expected)


@pytest.mark.parametrize("normalizer", [None, "weight"])
def test_softmax_mean_is_that_of_numpy(client, rows, normalizer):
    logits, _, labels, weight = rows
    options = {"ignore_index": 1, "reduction": "mean", "normalizer": normalizer}
    lazy = focalcore.softmax_focal_loss(cut(logits), cut(labels), weight=cut(weight), **options)
    expected = focalcore.softmax_focal_loss(logits, labels, weight=weight, **options)
    close(client.compute(lazy).result(), expected)


def test_gradient_of_a_mean_is_that_of_numpy(client, rows):
    logits, targets, _, _ = rows
    options = {"reduction": "mean", "normalizer": "positives"}
    lazy = focalcore.sigmoid_focal_loss_value_and_grad(cut(logits), cut(targets), **options)
    value, grad = (future.result() for future in client.compute(lazy))
    expected = focalcore.sigmoid_focal_loss_value_and_grad(logits, targets, **options)
    close(value, expected[0])
    close(grad, expected[1])


@pytest.mark.parametrize("normalizer", [None, "positives", "weight"])
def test_nothing_computes_until_asked(client, rows, normalizer):
    def fail(_):
        raise RuntimeError("computed")

    logits, targets, _, weight = rows
    lazy = focalcore.sigmoid_focal_loss(
        cut(logits).map_blocks(fail, dtype=logits.dtype, meta=logits[:0]),
        cut(targets),
        weight=cut(weight)[:, None],
        reduction="mean",
        normalizer=normalizer,
    )
    with pytest.raises(RuntimeError, match="computed"):
        client.compute(lazy).result()
